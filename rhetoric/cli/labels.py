"""`rhetoric labels`: the taxonomy, as a table or as JSON."""

from __future__ import annotations

import json

import click

from rhetoric.cli.style import FAMILY_STYLE, output_console
from rhetoric.taxonomy import FAMILIES, TAXONOMY, TAXONOMY_VERSION

__all__ = ["command"]


@click.command("labels")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(as_json: bool) -> None:
    """Print the twelve rhetoric types with definitions, examples and the CAMEO/PLOVER crosswalk."""
    if as_json:
        rows = [row.to_dict() for row in TAXONOMY]
        click.echo(json.dumps({"version": TAXONOMY_VERSION, "types": rows}, indent=2))
        return
    console = output_console()
    for family in FAMILIES:
        console.print(f"[bold {FAMILY_STYLE[family]}]{family}[/]")
        for row in (row for row in TAXONOMY if row.family == family):
            console.print(f"  [bold]{row.name}[/] ({row.code})  {row.definition}", soft_wrap=True)
            console.print(f"      e.g.  {row.example}", soft_wrap=True)
            console.print(f"      not   {row.excludes}", soft_wrap=True, style="dim")
            if row.cameo:
                console.print(f"      CAMEO {row.cameo} · PLOVER {row.plover}", soft_wrap=True, style="dim")
