"""`rhetoric compare`: how label rates moved between two scored corpora or periods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.style import label_style
from rhetoric.compare import Comparison, Shift, compare, split
from rhetoric.errors import InputError
from rhetoric.scored import read_scored

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["command"]

BARS = " ▁▂▃▄▅▆▇█"
# "\b" keeps click from joining the lines that follow it.
EXAMPLES = """\b
Examples:
  rhetoric compare 2013.parquet 2014.parquet --by country
  rhetoric compare speeches.csv --split date=2014-03-01
"""


@click.command("compare", epilog=EXAMPLES)
@click.argument("before", type=click.Path(path_type=Path), metavar="A")
@click.argument("after", type=click.Path(path_type=Path), metavar="[B]", required=False)
@click.option(
    "--split", "split_at", metavar="COLUMN=VALUE", help="Compare the rows of A below VALUE with those from it."
)
@click.option("--by", metavar="COLUMN", help="Also compare within each value of a column.")
@click.option("--text-column", metavar="NAME", help="Column of the text, if the file does not tell.")
@click.option("--resamples", type=click.IntRange(200), default=2000, show_default=True, help="Bootstrap samples.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the score histograms, instead of a table.")
def command(
    before: Path,
    after: Path | None,
    split_at: str | None,
    by: str | None,
    text_column: str | None,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the label rates of two files that `rhetoric score` wrote, or of two periods of one."""
    if (after is None) == (split_at is None):
        raise click.UsageError("Give two files, or one file and --split COLUMN=VALUE.")
    first = read_scored(before, text_column=text_column)
    if after is not None:
        sides, names = (first, read_scored(after, text_column=text_column)), (before.name, after.name)
    else:
        column, equals, value = str(split_at).partition("=")
        if not equals or not column or not value:
            raise InputError(f"--split {split_at!r} is not COLUMN=VALUE; remedy: for example --split date=2014-03-01")
        sides, names = split(first, column, value), (f"{column} < {value}", f"{column} ≥ {value}")
    result = compare(*sides, by=by, resamples=resamples, seed=seed)
    if after is None and first.errors:
        line = f"{before.name}: {first.errors:,} rows without scores are on neither side"
        result = replace(result, warnings=(*result.warnings, line))
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(result, names)


def _print(result: Comparison, names: tuple[str, str]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for name, rows, errors in (
        (names[0], result.rows_before, result.errors_before),
        (names[1], result.rows_after, result.errors_after),
    ):
        left_out = f", {errors:,} without scores left out" if errors else ""
        console.print(f"{name}: {rows:,} rows{left_out}", markup=False)
    _table(console, result.shifts, names)
    for group in result.groups:
        console.print(f"{result.by} = {group.value}: {group.rows_before:,} and {group.rows_after:,} rows", markup=False)
        if group.shifts:
            _table(console, group.shifts, names)
        else:
            console.print("  on one side only", markup=False)
    drawn = f"values of {result.cluster}" if result.cluster else "rows"
    console.print(f"95 % bootstrap intervals of the difference, drawn by {drawn}; percentage points.", markup=False)
    console.print("* the interval leaves zero out; ** also when widened for all labels at once.", markup=False)
    for line in result.warnings:
        click.echo(f"warning: {line}", err=True)


def _table(console: Console, shifts: Sequence[Shift], names: tuple[str, str]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("label", no_wrap=True)
    for head in (*names, "difference", "95 %"):
        table.add_column(escape(head), justify="right", no_wrap=True)
    for head in ("", "scores, 0 to 1, in A", "in B"):
        table.add_column(head, no_wrap=True)
    for shift in sorted(shifts, key=lambda shift: -abs(shift.difference)):
        outside = shift.low > 0 or shift.high < 0
        table.add_row(
            f"[{label_style(shift.label)}]{escape(shift.label)}[/]",
            f"{shift.before:.1%}",
            f"{shift.after:.1%}",
            f"{100 * shift.difference:+.1f}",
            f"{100 * shift.low:+.1f} … {100 * shift.high:+.1f}",
            "**" if shift.clear else "*" if outside else "",
            _bars(shift.histogram_before),
            _bars(shift.histogram_after),
        )
    console.print(table)


def _bars(counts: Sequence[int]) -> str:
    """Small bars, as high as the square root of the count: else the scores near 0 would hide all others."""
    highest = max(*counts, 1)
    return "".join(BARS[-(-int(8 * (count / highest) ** 0.5 * 1000) // 1000)] for count in counts)
