"""Two periods of one scored corpus: the rows before a date, a number or a name, and those from it on."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rhetoric.errors import InputError
from rhetoric.scored import Scored

__all__ = ["split"]

# Dates that sort as text (2014, 2014-03, 2014/03/18, 2014-03-18T09:30, 2014-Q1, 2014-W09); and dates that do not.
ISO = re.compile(r"\d{4}(?:[-/.]?(?:Q[1-4]|W\d\d)|[-/.]\d\d(?:[-/.]\d\d(?:[T ].*)?)?)?", re.I)
# What is left of a date behind the year or month it begins: 2014-01-01 is where 2014 begins.
BEGINNING = re.compile(r"-Q1|-W01|(-01){1,2}( 00:00(:00(\.0*)?)?)?", re.I)
UNSORTABLE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*|\d{4}-\d{1,2}-\d{1,2}\b.*"
    r"|(\d{1,2}\W+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W+(\d{1,2}\W+)?\d{4}",
    re.I,
)


def split(scored: Scored, column: str, value: str) -> tuple[Scored, Scored]:
    """Two periods of one corpus: the rows whose `column` is below `value`, and those from it on.

    A number splits numbers, an ISO date (2014, 2014-03, 2014-03-18) ISO dates, and other text all text. Rows without
    such a value are in neither, nor those of a year or month that lies on both sides of a date.

    Args:
        scored: The corpus.
        column: Column of the date, number or name.
        value: Where the second period begins.

    Returns:
        The rows below `value`, and those from it on; both have rows.

    Raises:
        InputError: There is no such column, one side is empty, or `value` is a date that does not sort as text.
    """
    cells = [cell.strip() for cell in scored.values(column)]
    limit, number = _sortable(value), _number(value)
    if limit is None and number is None and UNSORTABLE.fullmatch(value.strip()):
        raise InputError(
            f"{scored.path}: {value!r} cannot be put in order with the values of {column}; "
            "remedy: dates like 2014-03-18, in the file and here"
        )
    places: list[Any] = [cell or None for cell in cells]
    at: Any = value
    kind = "text"
    if number is not None and (
        limit is None or not any(_sortable(cell) is not None and _number(cell) is None for cell in cells)
    ):
        places, at, kind = [_number(cell) for cell in cells], number, "number"
    elif limit is not None:
        places, at, kind = [_sortable(cell) for cell in cells], limit, "date like 2014-03-18"
    is_early: Callable[[Any, Any], bool | None] = _is_early if at is limit else operator.lt
    sides = [None if place is None else is_early(place, at) for place in places]
    known = np.array([side is not None for side in sides], bool)
    early = np.array([side is True for side in sides], bool)
    before, after = scored.take(known & early), scored.take(known & ~early)
    if not len(before) or not len(after):
        odd = next((cell for cell, ok in zip(cells, known, strict=True) if cell and not ok), None)
        side = "below" if not len(before) else "from"
        found = "" if odd is None else f" ({odd!r} is no {kind})"
        remedy = "another value to split at" if odd is None or known.any() else f"a column where each cell is a {kind}"
        raise InputError(f"{scored.path}: no row has {column} {side} {value!r}{found}; remedy: {remedy}")
    return before, after


def _is_early(cell: str, limit: str) -> bool | None:
    """Whether a date that sorts is before another; None if it is a year or month that the other lies within."""
    if cell[:4] == limit[:4] and len(cell) > 4 < len(limit) and _is_quarter_or_week(cell) != _is_quarter_or_week(limit):
        return None  # 2014-Q1 and 2014-03 do not compare as text
    if cell != limit and limit.startswith(cell):
        return False if BEGINNING.fullmatch(limit.removeprefix(cell)) else None
    return cell < limit


def _is_quarter_or_week(date: str) -> bool:
    return not date[4:].lstrip("-")[:1].isdigit()


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if number != number else number


def _sortable(cell: str) -> str | None:
    """An ISO date as text that sorts; None for anything else."""
    if not ISO.fullmatch(cell.strip()):
        return None
    date, rest = cell.strip()[:10], cell.strip()[10:]
    return re.sub(r"[/.]", "-", date) + rest.replace("T", " ", 1)
