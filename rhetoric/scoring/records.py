"""What a reader hands on: a record with its place in the file, and what is wrong with it or its text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_RECORD", "Position", "Record", "is_placeholder", "shown", "text_problem"]

# Bytes of one record. A longer one is a quote never closed or no text at all, and would not fit in memory twice.
MAX_RECORD = 16 << 20
# What spreadsheets, statistics packages and people put where there is no text. Somebody may have said "None", so it
# is scored like any other text.
PLACEHOLDERS = frozenset({"-", "--", "–", "—", "n/a", "#n/a", "n.a.", "na", "<na>", "nan", "null", "none"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on reading.

    Attributes:
        file: Index of the file.
        offset: Byte offset of the next record in the uncompressed text; the row for Parquet; 0 for the start.
        number: Number of the next record as its owner counts; 0 at the start.
        done: Sentences of that record that are done already.
        alone: Offset up to which each line of a CSV file is a record, behind a quote that is never closed.
    """

    file: int = 0
    offset: int = 0
    number: int = 0
    done: int = 0
    alone: int = 0


@dataclass(slots=True)
class Record:
    """A row of the input.

    Attributes:
        number: As a spreadsheet counts for CSV (the header is row 1), the line for JSONL and text, the row from
            1 for Parquet.
        start: Where it starts, as `Position.offset`.
        end: Where the next one starts.
        read: Bytes of the file read so far, compressed if it is; for progress.
        size: Bytes it holds in memory, roughly; a function of the file alone.
        cells: Its columns, in the form of its reader: list of str (CSV, text), line and dict (JSONL), record
            batch and index (Parquet); None if it cannot be kept as a row.
        text: What its text column holds.
        problem: Why it is no usable record; None if it is one (its text may still be bad).
        raw: What it looked like, if it cannot be kept as a row.
        alone: As in `Position`.
    """

    number: int
    start: int
    end: int
    read: int
    size: int
    cells: Any
    text: object = None
    problem: str | None = None
    raw: str | None = None
    alone: int = 0


def text_problem(value: object) -> str | None:
    """Why a text cannot be scored, or None; up to a colon the reasons are few, so that they can be counted."""
    if not isinstance(value, str):
        return "text is missing" if _is_missing(value) else f"text is not a string: {type(value).__name__}"
    if not value or value.isspace():
        return "text is empty"
    if "\0" in value:
        return "text holds a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"text is not Unicode: half a surrogate pair at character {error.start}"
    return None


def is_placeholder(text: str) -> bool:
    """Whether a text most likely stands for none."""
    return text.strip().lower() in PLACEHOLDERS


def _is_missing(value: object) -> bool:
    # pandas.NA and NaT are objects of their own types; by name, so that pandas need not be there
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and math.isnan(value))
    )


def shown(data: bytes) -> str:
    """Bytes as text that is always valid, odd bytes escaped."""
    return data.decode("utf-8", "backslashreplace")
