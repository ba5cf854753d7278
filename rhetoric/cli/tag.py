"""`rhetoric tag`: the sentences of one document with their labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rhetoric.cli.options import (
    check_result,
    deliver,
    engine_options,
    load_tagger,
    out_options,
    parse_labels,
    parse_threshold,
    read_document,
)
from rhetoric.cli.style import label_style, output_console
from rhetoric.prediction import Document, Sentence

__all__ = ["command"]


@click.command("tag")
@click.argument("source", metavar="TEXT|FILE|-")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.option("--html", "as_html", is_flag=True, help="Print a web page: the text with its labels, and a profile.")
@out_options
@click.option("--labels", metavar="A,B,…", help="Only sentences that carry one of these labels, and only these labels.")
@click.option(
    "--threshold",
    multiple=True,
    metavar="P|LABEL=P",
    help="Probability from which a label is given. Repeatable.",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Leave out labels that score below this; the profile of --json and --html still counts them.",
)
@click.option("--model", metavar="FOLDER|HUB_ID", help="Another model than the bundled one.")
@engine_options
def command(
    source: str,
    as_json: bool,
    as_html: bool,
    out: Path | None,
    force: bool,
    labels: str | None,
    threshold: tuple[str, ...],
    min_score: float,
    model: str | None,
    **engine: Any,
) -> None:
    """Tag each sentence of a document: a text in quotes, a UTF-8 file, or standard input (-)."""
    check_result(out, source, as_json=as_json, as_html=as_html, force=force)
    text = read_document(source)
    tagger = load_tagger(model, **engine)
    wanted = parse_labels(labels, tagger.labels)
    document = tagger.tag_document(text, threshold=parse_threshold(threshold, tagger.labels))
    narrowed = labels is not None or min_score > 0
    rows: list[tuple[Sentence, tuple[str, ...]]] = []
    for sentence in document.sentences:
        shown = tuple(name for name in sentence.labels if name in wanted and sentence.scores[name] >= min_score)
        if shown or not narrowed:
            rows.append((sentence, shown))
    if as_json:
        deliver(json.dumps(_json(document, rows, wanted), ensure_ascii=False, indent=2) + "\n", out)
    elif as_html:
        from rhetoric.html import document_page

        sentences = tuple(replace(sentence, labels=shown) for sentence, shown in rows)
        title = "Tagged text" if source in ("-", text) else Path(source).name
        deliver(document_page(replace(document, sentences=sentences), title), out)
    else:
        _print_table(document, rows, balance=None if narrowed else document.profile.balance)


def _json(document: Document, rows: list[tuple[Sentence, tuple[str, ...]]], wanted: tuple[str, ...]) -> dict[str, Any]:
    """The document with the sentences and labels asked for, scores rounded to four decimals."""
    whole = document.to_dict()
    sentences = []
    for sentence, shown in rows:
        scores = {name: round(score, 4) for name, score in sentence.scores.items() if name in wanted}
        uncertain = [name for name in sentence.uncertain if name in wanted]
        sentences.append(sentence.to_dict() | {"labels": list(shown), "scores": scores, "uncertain": uncertain})
    return whole | {"sentences": sentences}


def _print_table(document: Document, rows: list[tuple[Sentence, tuple[str, ...]]], *, balance: float | None) -> None:
    """Prints the table; the balance is that of all labels, so None where only some were asked for."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False)
    table.add_column("sentence", ratio=1)
    table.add_column("labels", no_wrap=True)
    table.add_column("speaker", max_width=22)
    for sentence, shown in rows:
        cell = Text("\n").join(
            Text(
                f"{name} {sentence.scores[name]:.2f}{' ?' if name in sentence.uncertain else ''}",
                label_style(name),
            )
            for name in shown
        )
        body = Text(" ".join(sentence.text.split()), "" if shown else "dim")
        table.add_row(body, cell, Text(sentence.speaker or "", "dim"))
    console = output_console()
    console.print(table)
    count = sum(bool(shown) for _, shown in rows)
    unsure = any(name in sentence.uncertain for sentence, shown in rows for name in shown)
    mood = "" if balance is None else f"; conflict–cooperation balance {balance:+.2f}"
    console.print(f"{document.profile.n_sentences} sentences, {count} with labels{mood}", style="dim")
    if unsure:
        console.print("? careful readers may disagree", style="dim")
