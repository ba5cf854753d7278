"""`rhetoric evaluate`: how good a model is on labelled data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rhetoric.cli.options import check_out, write_text
from rhetoric.cli.style import output_console, print_whole
from rhetoric.cli.training_options import column_options, settings
from rhetoric.finetune import Evaluation, evaluate

__all__ = ["command"]


@click.command("evaluate")
@click.argument("model", metavar="MODEL")
@click.argument("data", type=click.Path(path_type=Path), metavar="DATA")
@click.option("--against", metavar="OTHER_MODEL", help="Compare with another model, by paired bootstrap.")
@column_options
@click.option("--worst", type=click.IntRange(0), default=20, show_default=True, help="Wrong decisions to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page too.")
@click.option("--force", is_flag=True, help="Replace the page.")
def command(
    model: str,
    data: Path,
    against: str | None,
    worst: int,
    as_json: bool,
    html: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Measure MODEL (a folder, a Hub id, or "bundled") on labelled DATA.

    Borderline cells, and labels that no row mentions, count neither way.
    """
    check_out(html, data, force=force)
    result = evaluate(model, data, against=against, config=settings(**options), worst=worst)
    if html is not None:
        write_text(html, result.to_html())
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(result)
    for line in result.warnings:
        click.echo(f"warning: {line}", err=True)


def _print(result: Evaluation) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    console = output_console(soft_wrap=True)

    def show(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, name in enumerate(head):
            table.add_column(name, justify="right" if i else "left", no_wrap=True)
        for row in rows:
            table.add_row(*map(escape, row))
        print_whole(console, table)

    scores = result.scores
    show(
        ("label", "precision", "recall", "F1 [95 %]", "rows", "given", "ECE"),
        [
            (
                label.label,
                f"{label.precision:.2f}",
                f"{label.recall:.2f}",
                f"{label.f1.value:.2f} [{label.f1.low:.2f}, {label.f1.high:.2f}]",
                f"{label.support}",
                f"{label.predicted}",
                f"{label.calibration_error:.3f}",
            )
            for label in scores.labels
        ],
    )
    console.print(
        f"{scores.rows:,} rows: macro F1 {scores.macro_f1}, micro F1 {scores.micro_f1}, "
        f"all labels right {scores.subset_accuracy}, expected calibration error (ECE) {scores.calibration_error:.3f}",
        markup=False,
    )
    if result.not_in_data:
        console.print(f"not in the data, so left out: {', '.join(result.not_in_data)}", markup=False)
    if result.comparison:
        console.print(f"\nagainst {result.against}", markup=False)
        if result.not_shared:
            console.print(f"which does not know {', '.join(result.not_shared)}, so left out here", markup=False)
        show(
            ("", "this", "other", "difference [95 %]", "p"),
            [
                (
                    row.name.replace("_", " "),
                    f"{row.first:.3f}",
                    f"{row.second:.3f}",
                    f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]",
                    f"{row.p_value:.3f}",
                )
                for row in result.comparison
            ],
        )
    _print_confusion(result, console)
    for error in result.worst:
        verb = "missed" if error.gold else "given"
        text = " ".join(error.text.split())
        console.print(f"{error.place}: {error.label} {verb} at {error.probability:.2f}: {text}", markup=False)


def _print_confusion(result: Evaluation, console: Any) -> None:
    """The largest cells; the whole matrix is in --json and --html."""
    names = [*(label.label for label in result.scores.labels), "nothing"]
    cells = [
        (count, names[i], names[j])
        for i, row in enumerate(result.confusion)
        for j, count in enumerate(row)
        if count and "nothing" not in (names[i], names[j])
    ]
    for count, missed, given in sorted(cells, reverse=True)[:8]:
        console.print(f"{missed} missed, {given} given instead: {count}", markup=False, style="dim")
