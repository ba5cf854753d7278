"""What the cells of a table of labelled rows say, and what is wrong with those that say nothing.

Labels come as a list, as `a|b`, or as one 0/1 column a label. A cell that cannot be understood becomes a `Problem` with
its file, row and value instead of a guess; what to do about problems is the caller's business.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from rhetoric.finetune.tables import Table
from rhetoric.model_folder import Task

__all__ = ["LABEL_COLUMNS", "UNLABELLED", "Cells", "Problem", "are_bits", "is_missing"]

LABEL_COLUMNS = ("labels", "label")
UNLABELLED = "?"  # what `rhetoric suggest` writes for a person to replace

BITS: dict[object, bool] = {0: False, 1: True, "0": False, "1": True, "0.0": False, "1.0": True}
BITS |= {"false": False, "true": True, "False": False, "True": True, "FALSE": False, "TRUE": True}
NO_VALUE = ("na", "n/a", "nan", "null")  # what R, spreadsheets and databases write for it
MOSTLY = 0.9  # a column with so many 0 and 1 is one of labels, and its other cells are mistakes
# Strings side by side, as numpy prints them, Python would read as one.
_NO_COMMA = re.compile(r"['\"]\s+['\"]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the data its owner should know.

    Attributes:
        severity: "error" if training on it would be unsound, else "warning".
        kind: What it is, in two or three words; the same for all problems of a kind.
        source: The file, or what the object is.
        row: Number of the row, as its owner counts; None if it is about the whole.
        value: The value found, shortened.
        message: What it means and what to do.
    """

    severity: Literal["error", "warning"]
    kind: str
    source: str
    row: int | None
    value: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)

    def __str__(self) -> str:
        place = self.source if self.row is None else f"{self.source} row {self.row}"
        return f"{place}: {self.kind}{f' {self.value!r}' if self.value else ''}; {self.message}"


class Cells:
    """Reads the cells of one table and collects what is wrong with them.

    Args:
        table: The table; its cells are named by column and position.
        task: "multi_label" or "single_label".

    Attributes:
        problems: What was wrong so far.
    """

    def __init__(self, table: Table, task: Task) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self._form: dict[str, type] = {}  # the first cell of a column says what all must be
        # Whether a column that is the only one of labels holds 0 and 1 for one label.
        bits = {name: are_bits(values) for name, values in table.columns.items()}
        self._bits = {name: name not in LABEL_COLUMNS and bits[name] for name in bits}
        # Two classes may be called 0 and 1; a label may not.
        self._numbers = {name: name in LABEL_COLUMNS and bits[name] and task == "multi_label" for name in bits}

    def report(self, position: int, kind: str, value: object, message: str) -> None:
        """Adds a problem with the row at this position."""
        shown = value if isinstance(value, str) else repr(value)
        shown = shown if len(shown) <= 60 else shown[:59] + "…"
        self.problems.append(Problem("error", kind, self.table.name, self.table.numbers[position], shown, message))

    def text(self, column: str, position: int) -> str:
        """The text of a cell; empty if there is none, which is a problem."""
        value = self.table.columns[column][position]
        if is_missing(value) or _says_none(value):
            self.report(position, "missing text", value, "remedy: drop the row")
        elif not isinstance(value, str):
            self.report(position, "text is no text", value, f"it is {type(value).__name__}; remedy: convert or drop it")
        elif not value.strip():
            self.report(position, "empty text", value, "remedy: drop the row")
        else:
            return value
        return ""

    def labels(self, columns: Sequence[str], position: int) -> tuple[str, ...]:
        """The clear labels of a row: names in one column, or the columns that hold 1."""
        if len(columns) == 1 and not self._bits[columns[0]]:
            return self.names(columns[0], position)
        return tuple(name for name in columns if self._bit(name, position))

    def _bit(self, column: str, position: int) -> bool:
        value = self.table.columns[column][position]
        if (bit := _hashable(value)) in BITS:
            return BITS[bit]
        self.report(
            position,
            "no 0 or 1",
            value,
            f"column {column!r} is read as a label; remedy: write 0 or 1, or name the columns "
            "of labels with --label-column",
        )
        return False

    def names(self, column: str, position: int, *, missing_is_none: bool = False) -> tuple[str, ...]:
        """The names in a cell; a cell without a value is a problem unless it may stand for no names."""
        value = self.table.columns[column][position]
        if hasattr(value, "tolist"):  # a numpy array, as pandas reads lists from Parquet
            value = value.tolist()
        if is_missing(value):
            if not missing_is_none:
                self.report(position, "no labels", value, "remedy: write an empty list or cell for neutral text")
            return ()
        if isinstance(value, tuple):
            value = list(value)
        form = self._form.setdefault(column, type(value))
        if form is not type(value) and isinstance(value, (list, str)):
            self.report(
                position, "mixed label types", value, f"it is {type(value).__name__}, above are {form.__name__}"
            )
            return ()
        if _says_none(value):
            self.report(position, "no labels", value, "remedy: an empty cell for neutral text, or another name")
            return ()
        if isinstance(value, str) and self._numbers[column]:
            message = f"column {column!r} holds 0 and 1; remedy: call it by the label, or write names in it"
            self.report(position, "labels are no names", value, message)
            return ()
        items = _split(value) if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.report(position, "labels are no names", value, "remedy: names, as a list or joined by |")
            return ()
        names = tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
        if UNLABELLED in names:
            self.report(position, "not labelled yet", value, "remedy: replace ? by labels, or by nothing for neutral")
        return names

    def soft(self, column: str, position: int) -> dict[str, float]:
        """The target of each label that a cell names."""
        value = self.table.columns[column][position]
        if not isinstance(value, Mapping):
            self.report(position, "no soft targets", value, "remedy: a mapping from each label to a number in [0, 1]")
            return {}
        # Arrow fills labels that a row does not name
        value = {name: _plain(target) for name, target in value.items() if target is not None}
        for name, target in value.items():
            if isinstance(target, bool) or not isinstance(target, (int, float)) or not 0 <= target <= 1:
                self.report(position, "no soft target", target, f"target of {name!r}; remedy: a number in [0, 1]")
        return dict(value)


def are_bits(values: Sequence[Any]) -> bool:
    """Whether a column is one of 0 and 1, but for mistakes."""
    return sum(_hashable(value) in BITS for value in values) >= MOSTLY * len(values)


def _split(cell: str) -> Any:
    """Items of `a|b`, of a JSON list or of a Python list, as pandas writes it; None for what only looks like one."""
    if cell.startswith("[") and cell.endswith("]"):
        for parse in (json.loads, ast.literal_eval):
            try:
                return None if _NO_COMMA.search(cell) else parse(cell)
            except (ValueError, SyntaxError):
                continue
        return None
    return cell.split("|")


def is_missing(value: object) -> bool:
    """Whether a cell has no value, in the ways of Python, numpy and pandas."""
    # pandas.NA and NaT are objects of their own types; by name, so that pandas need not be there
    return value is None or type(value).__name__ in ("NAType", "NaTType") or _is_nan(value)


def _says_none(value: object) -> bool:
    """Whether a cell holds what stands for no value."""
    return isinstance(value, str) and value.strip().casefold() in NO_VALUE


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _hashable(value: Any) -> object:
    value = _plain(value)
    return value.strip() if isinstance(value, str) else value if isinstance(value, (int, float, bool)) else None


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python; everything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
