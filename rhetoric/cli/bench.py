"""`rhetoric bench`: speed here, peers beside it, the settings chosen and why."""

from __future__ import annotations

import json
from collections.abc import Callable

import click

from rhetoric.bench import Report, bench
from rhetoric.bench.measure import Measurement
from rhetoric.cli.style import output_console

__all__ = ["command"]


@click.command("bench")
@click.option("--model", metavar="FOLDER|HUB_ID", help="Another model than the bundled one.")
@click.option("--count", type=click.IntRange(min=50), default=1000, show_default=True, help="Sentences to score.")
@click.option("--threads", type=click.IntRange(min=1), help="Processor threads; all that are granted by default.")
@click.option("--peers/--no-peers", default=True, help="Also measure the transformers pipeline, if it is installed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def command(model: str | None, count: int, threads: int | None, peers: bool, as_json: bool) -> None:
    """Measure the speed on this machine and keep the fastest settings for it.

    Takes about half a minute. Sentences are generated, all distinct; each contender runs in a process of its own.
    """
    click.echo("Measuring; close what else is running.", err=True)
    report = bench(model, count=count, threads=threads, peers=peers)
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(report)


def _print(report: Report) -> None:
    from rich import box
    from rich.table import Table

    console = output_console(soft_wrap=True)
    console.print(report.machine, markup=False)
    console.print(f"{report.sentences:,} sentences of {report.mean_tokens:.1f} word pieces on average", markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for row in report.measurements:
        table.add_column(f"{row.name}\n{row.setting}", justify="right")
    ours = report.measurements[0].sentences_per_second
    figures: dict[str, Callable[[Measurement], str]] = {
        "sentences/s": lambda row: f"{row.sentences_per_second:,.0f}",
        "rhetoric is faster by": lambda row: f"{ours / row.sentences_per_second:.1f} ×",
        "tokens/s": lambda row: f"{row.tokens_per_second:,.0f}",
        "padding": lambda row: "–" if row.padding_waste is None else f"{row.padding_waste:.0%}",
        "first result": lambda row: f"{row.first_result_seconds:.1f} s",
        "one sentence": lambda row: f"{row.one_sentence_ms:.1f} ms",
        "peak memory": lambda row: "–" if row.peak_mb is None else f"{row.peak_mb:,.0f} MB",
    }
    for name, shown in figures.items():
        table.add_row(name, *map(shown, report.measurements))
    console.print(table)
    for name in report.missing:
        console.print(f"{name} is not installed, so there is no peer to compare with", markup=False)
    if report.trials:
        tried = ", ".join(f"{t.engine} {t.token_budget}: {t.tokens_per_second:,.0f}" for t in report.trials)
        console.print(f"tried, engine and token budget: tokens/s: {tried}", markup=False)
        kept = "kept for later loads on this machine" if report.remembered else "the cache folder cannot be written"
        console.print(f"fastest setting: {kept}", markup=False)
    for reason in report.choice.reasons:
        console.print(reason, markup=False)
