"""Colours of the five families in a terminal."""

from __future__ import annotations

from rhetoric.taxonomy import TAXONOMY

__all__ = ["FAMILY_STYLE", "label_style"]

FAMILY_STYLE = {
    "directive": "yellow",
    "coercive": "red",
    "adversarial": "magenta",
    "cooperative": "green",
    "framing": "cyan",
}
_STYLE = {row.name: FAMILY_STYLE[row.family] for row in TAXONOMY}


def label_style(label: str) -> str:
    """Colour of a label; white for labels of the user's own."""
    return _STYLE.get(label, "white")
