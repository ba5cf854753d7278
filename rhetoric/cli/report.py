"""`rhetoric report`: a scored file as one page."""

from __future__ import annotations

from pathlib import Path

import click

from rhetoric.cli.options import check_out, deliver
from rhetoric.report import report
from rhetoric.scored import read_scored

__all__ = ["command"]


@click.command("report")
@click.argument("scored", type=click.Path(path_type=Path), metavar="SCORED")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The page to write.")
@click.option("--time", metavar="COLUMN", help="Column of dates (guessed if obvious).")
@click.option("--by", metavar="COLUMN", multiple=True, help="Column to group by (guessed if obvious). Repeatable.")
@click.option("--text-column", metavar="NAME", help="Column of the text, if the file does not tell.")
@click.option("--title", default="", help="Of the page; the file's name if left out.")
@click.option("--force", is_flag=True, help="Replace the page.")
def command(
    scored: Path, out: Path, time: str | None, by: tuple[str, ...], text_column: str | None, title: str, force: bool
) -> None:
    """Make one web page of a file that `rhetoric score` wrote: rates over time and by group, and all sentences.

    The page is a single file that loads nothing from elsewhere. It can be read on a phone and printed.
    """
    check_out(out, scored, force=force, stdout=True)
    html = report(read_scored(scored, text_column=text_column), time=time, by=by or None, title=title)
    deliver(html, out)
    if str(out) != "-":
        click.echo(f"{out}: {len(html.encode()) / 1e6:.1f} MB", err=True)
