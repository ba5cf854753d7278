"""`rhetoric explain`: which words carried a label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rhetoric.cli.options import (
    check_label,
    check_result,
    deliver,
    engine_options,
    load_tagger,
    out_options,
    read_document,
)
from rhetoric.cli.style import output_console
from rhetoric.errors import InputError
from rhetoric.explain import LONGEST_RUN, Explanation
from rhetoric.html import explanation as render
from rhetoric.html import page

__all__ = ["command"]

# Each word has the whole text scored three times, so the time grows with the square of the words.
SLOW_FROM, MOST_WORDS = 100, 1000
SEEN = 0.1  # of what the strongest word says; weaker words get no colour


@click.command("explain")
@click.argument("source", metavar="TEXT|FILE|-")
@click.option("--label", help="The label to explain; those the text carries, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "as_html", is_flag=True, help="Print a web page.")
@out_options
@click.option("--model", metavar="FOLDER|HUB_ID", help="Another model than the bundled one.")
@engine_options
def command(
    source: str,
    label: str | None,
    as_json: bool,
    as_html: bool,
    out: Path | None,
    force: bool,
    model: str | None,
    **engine: Any,
) -> None:
    """Show which words of a sentence speak for its labels (green) and against them (red).

    Below it stands each label with its score and the words that speak for it, strongest first.
    """
    check_result(out, source, as_json=as_json, as_html=as_html, force=force)
    text = read_document(source).strip()
    _check_length(text)
    tagger = load_tagger(model, **engine)
    if label is not None:
        check_label(label, tagger.labels)
    explanation = tagger.explain(text, label)
    limits = tagger.thresholds
    if label is None and all(score < limits[name] for name, score in explanation.scores.items()):
        click.echo("note: the text carries no label; the one that scores highest is explained", err=True)
    if as_json:
        deliver(json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2) + "\n", out)
    elif as_html:
        deliver(page("Which words carried the label", render(explanation)), out)
    else:
        _print_coloured(explanation)


def _check_length(text: str) -> None:
    count = len(text.split())
    if count > MOST_WORDS:
        raise InputError(f"the text has {count:,} words, more than {MOST_WORDS:,}; remedy: pass one sentence of it")
    if count > SLOW_FROM:
        line = f"the text has {count:,} words, so {LONGEST_RUN * count:,} variants are scored; best is one sentence"
        click.echo(f"note: {line}", err=True)


def _print_coloured(explanation: Explanation) -> None:
    from rich.text import Text

    console = output_console()
    console.soft_wrap = not console.is_terminal  # in a pipe a text is one line
    line = Text()
    for word, share in zip(explanation.words, _shares(explanation), strict=True):
        strong = "bold " if abs(share) > 1 / 2 else ""
        colour = "green" if share > 0 else "red"
        line.append(word.text + " ", f"{strong}{colour}" if abs(share) > SEEN else "")
    line.rstrip()
    console.print(line)
    for label, score in explanation.scores.items():
        found = ", ".join(f"{word} {value:+.2f}" for word, value in explanation.top(label))
        console.print(Text.assemble((label, "bold"), f" {score:.2f}: ", (found or "no single word", "dim")))


def _shares(explanation: Explanation) -> list[float]:
    """How much each word speaks for one of the labels, or else against one, as a share of the strongest word there."""
    shares = []
    for values in explanation.contributions.values():
        strongest = max(max(map(abs, values)), 0.1)
        shares.append([value / strongest for value in values])
    return [max(word) if max(word) > SEEN else min(word) for word in zip(*shares, strict=True)]
