"""`rhetoric score`: batch scoring of files, resumable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from rhetoric.batching import ON_LONG
from rhetoric.cli.options import engine_options, load_tagger, parse_threshold
from rhetoric.errors import InputError
from rhetoric.scoring.options import FORMATS, INPUT_FORMATS, LAYOUTS, ON_ERROR
from rhetoric.scoring.progress import Bar, JsonLines
from rhetoric.scoring.summary import Summary

__all__ = ["command"]


@click.command("score")
@click.argument("inputs", nargs=-1, required=True, metavar="IN…")
@click.option("-o", "--out", required=True, metavar="OUT", help="File to write (.csv, .tsv, .jsonl, .parquet), or - .")
@click.option("--text-column", metavar="NAME", help="Column of the text (guessed if obvious).")
@click.option("--id-column", metavar="NAME", help="Column that names a row: in the quarantine, and as document.")
@click.option("--input-format", type=click.Choice(INPUT_FORMATS), help="For names that do not tell, and for -.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Of the output, if its name does not tell.")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="wide",
    show_default=True,
    help="A column a label, a row a label, or names only.",
)
@click.option("--documents", is_flag=True, help="Texts are documents: split them, a row of the output is a sentence.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="At most the N strongest labels a row.")
@click.option("--threshold", multiple=True, metavar="P|LABEL=P", help="From which a label is given. Repeatable.")
@click.option("--round", "decimals", type=click.IntRange(0, 9), metavar="N", help="Decimals of the probabilities.")
@click.option("--prefix", default="", metavar="TEXT", help="Put before the names of the added columns.")
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default="null",
    show_default=True,
    help="Keep bad rows, set them apart, or stop.",
)
@click.option(
    "--on-long",
    type=click.Choice(ON_LONG),
    default="window",
    show_default=True,
    help="Read texts that are too long in parts, cut them, or take them for bad rows.",
)
@click.option("--restart", is_flag=True, help="Throw an unfinished job away instead of going on with it.")
@click.option("--force", is_flag=True, help="Replace the output.")
@click.option("--progress", type=click.Choice(("bar", "json", "off")), default="bar", show_default=True)
@engine_options
@click.option("--model", metavar="FOLDER|HUB_ID", help="Another model than the bundled one.")
@click.option("--runner", type=click.Choice(("local", "ray")), default="local", show_default=True, help="Who computes.")
@click.option("--address", metavar="HOST:PORT", help="Of the Ray cluster (default: RAY_ADDRESS, or this machine).")
@click.option("--gpus", type=click.FloatRange(0), default=0.0, metavar="N", help="GPUs an engine owns, with Ray.")
def command(
    inputs: tuple[str, ...],
    out: str,
    text_column: str | None,
    id_column: str | None,
    input_format: str | None,
    format_: str | None,
    layout: str,
    documents: bool,
    top: int | None,
    threshold: tuple[str, ...],
    decimals: int | None,
    prefix: str,
    on_error: str,
    on_long: str,
    restart: bool,
    force: bool,
    progress: str,
    device: str | None,
    engine: str | None,
    precision: str | None,
    threads: int | None,
    token_budget: int | None,
    model: str | None,
    runner: str,
    address: str | None,
    gpus: float,
) -> None:
    """Score files: CSV, TSV, JSONL, Parquet, text (a line a row), also .gz and .zst; patterns, folders, or - .

    The output has all columns of the input, then the labels. A killed job goes on with the same command.

    With --runner ray OUT is a folder of Parquet files, and --threads the cores each engine owns (default: 1).
    """
    for name in inputs:
        if name != "-" and not any(mark in name for mark in "*?[") and not Path(name).exists():
            raise InputError(f"no file at {name!r}; remedy: check the path")
    if runner == "local" and (address or gpus):
        raise InputError(
            f"{'--address' if address else '--gpus'} is for --runner ray; remedy: add it, or leave this out"
        )
    settings: dict[str, Any] = {
        "device": device,
        "engine": engine,
        "precision": precision,
        "token_budget": token_budget,
    }
    set_for_ray = [name for name, value in settings.items() if value is not None and runner == "ray"]
    if set_for_ray:
        option = set_for_ray[0].replace("_", "-")
        raise InputError(f"--{option} is for --runner local; remedy: leave it out (--gpus N gives each engine GPUs)")
    tagger = load_tagger(model, threads=threads, **settings)
    score: Callable[..., Summary] = tagger.score_file
    if runner == "ray":
        from rhetoric.distributed import score_files

        score = partial(score_files, model=model, address=address, cpus=threads or 1, gpus=gpus)
    reporter: Bar | JsonLines = JsonLines(sys.stderr) if progress == "json" else Bar(shown=progress == "bar")
    with reporter as report:
        if runner == "local":
            report.say(tagger.choice.reasons[0])
        summary = score(
            inputs,
            out,
            restart=restart,
            force=force,
            progress=report,
            say=report.say,
            text_column=text_column,
            id_column=id_column,
            input_format=input_format,
            format=format_,
            layout=layout,
            documents=documents,
            top=top,
            threshold=parse_threshold(threshold, tagger.labels),
            round=decimals,
            prefix=prefix,
            on_error=on_error,
            on_long=on_long,
        )
        report.finish(summary)
