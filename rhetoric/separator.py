"""What separates the columns of a .csv file: one rule for data to score and for labelled data."""

from __future__ import annotations

__all__ = ["separator"]


def separator(header: str) -> str:
    """Separator of the columns of a .csv file.

    Args:
        header: Its first line.

    Returns:
        A comma, unless the line has none and holds semicolons or tabs instead, as spreadsheets write them in much
        of the world.
    """
    if "," in header:
        return ","
    return next((mark for mark in (";", "\t") if mark in header), ",")
