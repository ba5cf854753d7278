"""`rhetoric check`: what labelled data holds, and what is wrong with it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import click

from rhetoric.cli.style import output_console, print_whole
from rhetoric.cli.training_options import column_options, label_options, settings
from rhetoric.finetune import DataReport, check
from rhetoric.finetune.cells import Problem

__all__ = ["command"]

SHOWN = 5


@click.command("check")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA…")
@column_options
@label_options
@click.option("--all", "every", is_flag=True, help=f"List every problem, not the first {SHOWN} of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_context
def command(ctx: click.Context, /, data: tuple[Path, ...], every: bool, as_json: bool, **options: Any) -> None:
    """Say what the trainer understands of labelled data, and what is wrong with it.

    Several files are taken for splits of one data set, so that a text must not be in two. Exits 1 if training
    would be unsound.
    """
    report = check(*data, config=settings(**options))
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(report, every)
    ctx.exit(0 if report.sound else 1)


def _print(report: DataReport, every: bool) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    console = output_console(soft_wrap=True)
    for file in report.files:
        columns = ", ".join(f"{what} from {column!r}" for what, column in file.columns.items())
        console.print(f"[bold]{escape(file.name)}[/]: {file.usable:,} of {file.rows:,} rows usable; {escape(columns)}")
    console.print(f"{len(report.labels)} labels ({report.labels_why}); {report.neutral:,} rows without a label")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("label", "rows", "borderline"):
        table.add_column(name, justify="left" if name == "label" else "right", no_wrap=True)
    for name, count in report.labels.items():
        table.add_row(escape(name), f"{count:,}", f"{report.borderline[name]:,}")
    print_whole(console, table)
    console.print("labels a row: " + ", ".join(f"{n}: {rows:,}" for n, rows in enumerate(report.per_row)))
    if report.pairs:
        pairs = ", ".join(f"{one} + {other} {count:,}" for one, other, count in report.pairs[:8])
        console.print(f"most frequent pairs: {escape(pairs)}")
    if report.lengths:
        size = report.lengths
        console.print(
            f"tokens: {size.shortest} to {size.longest}, median {size.median:.0f}, 95 % up to {size.p95:.0f}; "
            f"{size.over:,} over {size.limit}"
        )
    if report.groups:
        console.print(f"groups: {report.groups:,}")
    console.print(
        f"repeated texts: {report.exact_duplicates:,} exact, {report.near_duplicates:,} near, "
        f"{report.conflicts:,} with other labels, {report.leaks:,} in two files"
    )
    _print_problems(report, every)
    verdict = "[green]sound to train on[/]" if report.sound else "[red]not sound to train on[/]"
    console.print(f"{verdict}: {len(report.errors)} errors, {len(report.problems) - len(report.errors)} warnings")


def _print_problems(report: DataReport, every: bool) -> None:
    kinds: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    for problem in report.problems:
        kinds[problem.severity, problem.kind].append(problem)
    for (severity, _), problems in kinds.items():
        shown = problems if every else problems[:SHOWN]
        for problem in shown:
            click.secho(f"{severity}: ", fg="red" if severity == "error" else "yellow", nl=False)
            click.echo(str(problem))
        if len(problems) > len(shown):
            click.echo(f"         … and {len(problems) - len(shown):,} more of this kind (--all lists them)")
