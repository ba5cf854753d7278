"""`rhetoric compare`: how label rates moved between two scored corpora or periods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.style import label_style, output_console, print_whole
from rhetoric.clusters import FEW_CLUSTERS
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
  rhetoric compare 2013.csv 2014.csv --by country
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
    names: tuple[str, str] | None
    left_out: list[str] = []
    if after is not None:
        sides, names = (first, read_scored(after, text_column=text_column)), None
    else:
        column, equals, value = str(split_at).partition("=")
        if not equals or not column or not value:
            raise InputError(f"--split {split_at!r} is not COLUMN=VALUE; remedy: for example --split date=2014-03-01")
        sides = split(first, column, value)
        names = (f"{before.name} with {column} < {value}", f"{before.name} with {column} ≥ {value}")
        unplaced = len(first) - sum(map(len, sides))
        if unplaced:
            kind = f"a {column} that can be put before or after {value}"
            left_out.append(f"{before.name}: {unplaced:,} rows without {kind} are on neither side")
        if first.errors:
            left_out.append(f"{before.name}: {first.errors:,} rows without scores are on neither side")
    result = compare(*sides, by=by, resamples=resamples, seed=seed, names=names)
    result = replace(result, warnings=(*result.warnings, *left_out))
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(result)
    for line in result.warnings:
        click.echo(f"warning: {line}", err=True)


def _print(result: Comparison) -> None:
    console = output_console(soft_wrap=True)
    for side, name, rows, errors in (
        ("A", result.before, result.rows_before, result.errors_before),
        ("B", result.after, result.rows_after, result.errors_after),
    ):
        left_out = f", {errors:,} without scores left out" if errors else ""
        console.print(f"{side}: {name}: {rows:,} rows{left_out}", markup=False)
    _table(console, result.shifts)
    for group in result.groups:
        console.print(f"{result.by} = {group.value}: {group.rows_before:,} and {group.rows_after:,} rows", markup=False)
        if group.shifts:
            _table(console, group.shifts)
        else:
            console.print("  on one side only", markup=False)
    drawn = "rows"
    if result.cluster:
        drawn = f"values of {result.cluster} ({result.units_before:,} in A, {result.units_after:,} in B)"
    console.print(f"95 % bootstrap intervals of the difference, drawn by {drawn}; percentage points.", markup=False)
    console.print("scores: how many rows have a score near 0, …, near 1.", markup=False)
    console.print("* the interval leaves zero out; ** also when widened for all labels at once.", markup=False)
    console.print(f"Neither where a side has fewer than {FEW_CLUSTERS} rows or documents to draw.", markup=False)


def _table(console: Console, shifts: Sequence[Shift]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))  # fits 80 columns
    table.add_column("label", no_wrap=True)
    for head in ("A", "B", "B − A", "95 %"):
        table.add_column(head, justify="right", no_wrap=True)
    for head in ("", "scores in A", "in B"):
        table.add_column(head, no_wrap=True)
    for shift in sorted(shifts, key=lambda shift: -abs(shift.difference)):
        table.add_row(
            f"[{label_style(shift.label)}]{escape(shift.label)}[/]",
            f"{shift.before:.1%}",
            f"{shift.after:.1%}",
            f"{100 * shift.difference:+.1f}",
            f"{100 * shift.low:+.1f} … {100 * shift.high:+.1f}",
            "**" if shift.clear else "*" if shift.outside else "",
            _bars(shift.histogram_before),
            _bars(shift.histogram_after),
        )
    print_whole(console, table)


def _bars(counts: Sequence[int]) -> str:
    """Small bars, as high as the square root of the count: else the scores near 0 would hide all others."""
    highest = max(*counts, 1)
    return "".join(BARS[-(-int(8 * (count / highest) ** 0.5 * 1000) // 1000)] for count in counts)
