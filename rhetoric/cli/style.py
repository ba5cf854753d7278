"""How results look in a terminal: a colour a family, tables that a pipe does not cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rhetoric.taxonomy import FAMILY_OF

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["FAMILY_STYLE", "label_style", "output_console", "print_whole"]

FAMILY_STYLE = {
    "directive": "yellow",
    "coercive": "red",
    "adversarial": "magenta",
    "cooperative": "green",
    "framing": "cyan",
}


def label_style(label: str) -> str:
    """Colour of a label; white for labels of the user's own."""
    return FAMILY_STYLE[FAMILY_OF[label]] if label in FAMILY_OF else "white"


def output_console(*, soft_wrap: bool = False) -> Console:
    """Standard output, for people; a reader that has left, as `head` does, is no failure of ours."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1

    return Output(highlight=False, soft_wrap=soft_wrap)


def print_whole(console: Console, table: Table) -> None:
    """Prints a table at its full width, so that no figure is cut in a pipe; a narrow terminal wraps its lines."""
    from rich.measure import Measurement

    wanted = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    console.width = max(console.width, wanted)
    console.print(table)
