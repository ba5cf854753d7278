"""`rhetoric suggest`: which texts to label next."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click

from rhetoric.cli.options import check_out, write_text
from rhetoric.errors import InputError
from rhetoric.finetune import suggest
from rhetoric.finetune.cells import UNLABELLED

__all__ = ["command"]


@click.command("suggest")
@click.argument("pool", type=click.Path(path_type=Path), metavar="POOL")
@click.option("-n", "count", type=click.IntRange(1), default=200, show_default=True, help="How many texts.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="FILE.csv", help="CSV to write.")
@click.option("--model", metavar="FOLDER|HUB_ID", help="Another model than the bundled one.")
@click.option("--text-column", metavar="NAME", help="Column of the text (default: text, or sentence).")
@click.option(
    "--exclude",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="Data that is labelled already. Repeatable.",
)
@click.option("--force", is_flag=True, help="Replace the file.")
def command(
    pool: Path,
    count: int,
    out: Path,
    model: str | None,
    text_column: str | None,
    exclude: tuple[Path, ...],
    force: bool,
) -> None:
    """Choose the rows of POOL worth labelling next: the model is unsure of them, and no two are alike.

    In the CSV, put labels joined by | in place of each ?, or nothing for neutral text, and train on it.
    """
    if out.suffix.lower() != ".csv":
        raise InputError(f"{out} is no .csv; remedy: a name that ends in .csv")
    check_out(out, pool, force=force)

    def progress(done: int, total: int) -> None:
        click.echo(f"\r{done:,} of {total:,} texts scored", err=True, nl=done == total)

    rows = suggest(pool, count, model=model, column=text_column, exclude=exclude, progress=progress)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("text", "labels", "suggested", "unsure_of", "probability", "source", "row"))
    for row in rows:
        suggested = "|".join(row.labels)
        writer.writerow((row.text, UNLABELLED, suggested, row.why, f"{row.probability:.3f}", row.source, row.row))
    write_text(out, text.getvalue())
    click.echo(f"{len(rows)} rows to label in {out}", err=True)
