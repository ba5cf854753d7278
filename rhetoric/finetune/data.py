"""Labelled rows: which columns of a table mean what, what each cell says, and the matrices trained on.

Labels come as a list, as `a|b`, or as one 0/1 column a label; `borderline` (labels that careful readers split
on) in the same two cell forms. A cell that cannot be understood becomes a `Problem` with its file, row and
value instead of a guess; what to do about problems is the caller's business.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.tables import Source, Table, read_table

__all__ = ["LabelledData", "LabelledRow", "Problem", "Reading", "find_column", "read_labelled", "to_data"]

TEXT_COLUMNS = ("text", "sentence")
LABEL_COLUMNS = ("labels", "label")
BORDERLINE_COLUMNS = ("borderline",)
GROUP_COLUMNS = ("group", "document", "document_id", "doc_id")
NEUTRAL = "neutral"
UNLABELLED = "?"  # what `rhetoric suggest` writes for a person to replace

BITS: dict[object, bool] = {0: False, 1: True, "0": False, "1": True, "0.0": False, "1.0": True}
MOSTLY = 0.9  # a column with so many 0 and 1 is one of labels, and its other cells are mistakes
# Strings side by side, as numpy prints them, Python would read as one.
_NO_COMMA = re.compile(r"['\"]\s+['\"]")
BITS |= {"false": False, "true": True, "False": False, "True": True, "FALSE": False, "TRUE": True}


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


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row that could be read.

    Attributes:
        text: The text, as it stands.
        labels: Clear labels.
        borderline: Labels that careful readers split on.
        group: What the row belongs to (a document, a speaker); None if there is no such column.
        soft: Target of each label in [0, 1], or None.
        source: The file it comes from.
        number: Its row there.
    """

    text: str
    labels: tuple[str, ...]
    borderline: tuple[str, ...]
    group: str | None
    soft: Mapping[str, float] | None
    source: str
    number: int

    @property
    def place(self) -> str:
        """Where its owner finds it."""
        return f"{self.source} row {self.number}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one source.

    Attributes:
        source: The file, or what the object is.
        rows: Rows that could be read.
        problems: Cells that could not.
        columns: What was taken for what: "text", "labels", and "borderline", "group", "soft" if there.
        total: Rows in the source.
    """

    source: str
    rows: tuple[LabelledRow, ...]
    problems: tuple[Problem, ...]
    columns: Mapping[str, str]
    total: int


@dataclass(frozen=True, slots=True)
class LabelledData:
    """Rows as matrices over n rows and L labels.

    Attributes:
        labels: Names of the L columns.
        texts: The n texts.
        targets: float32 (n, L): 1 clear, the config's borderline target, 0 absent, or soft targets.
        gold: bool (n, L): clear labels.
        mask: bool (n, L): True where `gold` may be evaluated.
        groups: Group of each row, or None.
        places: Where each row stands in its source.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...]
    targets: npt.NDArray[np.float32]
    gold: npt.NDArray[np.bool_]
    mask: npt.NDArray[np.bool_]
    groups: tuple[str, ...] | None
    places: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: npt.NDArray[np.int64]) -> LabelledData:
        """These rows, in this order."""
        chosen = rows.tolist()
        return LabelledData(
            self.labels,
            tuple(self.texts[i] for i in chosen),
            self.targets[rows],
            self.gold[rows],
            self.mask[rows],
            None if self.groups is None else tuple(self.groups[i] for i in chosen),
            tuple(self.places[i] for i in chosen),
        )


def find_column(table: Table, asked: str | None, defaults: Sequence[str], what: str) -> str | None:
    """Name of a column: the one asked for, or the first default that is there, or None.

    Raises:
        InputError: The column asked for is missing; the nearest name is suggested.
    """
    if asked is None:
        return next((name for name in defaults if name in table.columns), None)
    if asked not in table.columns:
        raise InputError(f"{table.name} has no {what} column {asked!r}; {_hint(asked, list(table.columns))}")
    return asked


def text_column(table: Table, asked: str | None) -> str:
    """Name of the text column.

    Raises:
        InputError: There is none.
    """
    name = find_column(table, asked, TEXT_COLUMNS, "text")
    if name is None:
        only = next(iter(table.columns), "")
        clue = " (is the separator not a comma? write TSV instead)" if ";" in only or "\t" in only else ""
        raise InputError(
            f"{table.name} has no column named {' or '.join(map(repr, TEXT_COLUMNS))}{clue}; "
            f"remedy: name it with --text-column, one of {_listed(table.columns)}"
        )
    return name


def read_labelled(source: Source, config: TrainConfig) -> Reading:
    """Reads labelled rows.

    Args:
        source: Anything `read_table` reads.
        config: Column names, task and labels.

    Returns:
        The rows and the problems with them.

    Raises:
        InputError: The source cannot be read at all, or a column is missing.
    """
    table = read_table(source)
    text = text_column(table, config.text_column)
    group = find_column(table, config.group_column, GROUP_COLUMNS, "group")
    soft = find_column(table, config.soft_column, (), "soft target")
    borderline = find_column(table, config.borderline_column, BORDERLINE_COLUMNS, "borderline")
    taken = [name for name in (text, group, soft, borderline) if name is not None]
    label_columns = _label_columns(table, config, taken)
    cells = _Cells(table)
    rows = []
    for position, number in enumerate(table.numbers):
        found = len(cells.problems)
        row = LabelledRow(
            text=cells.text(text, position),
            labels=cells.labels(label_columns, position),
            borderline=cells.names(borderline, position, missing_is_none=True) if borderline else (),
            group=_group(table.columns[group][position]) if group else None,
            soft=cells.soft(soft, position) if soft else None,
            source=table.name,
            number=number,
        )
        if row.borderline and config.task == "single_label":
            cells.report(position, "borderline class", "|".join(row.borderline), "a single-label task has none")
        if len(cells.problems) == found:
            rows.append(row)
    columns = {"text": text, "labels": ", ".join(label_columns), "borderline": borderline, "group": group, "soft": soft}
    return Reading(
        table.name,
        tuple(rows),
        tuple(cells.problems),
        {name: column for name, column in columns.items() if column},
        len(table),
    )


def to_data(rows: Sequence[LabelledRow], labels: Sequence[str], config: TrainConfig) -> LabelledData:
    """Builds the matrices; labels outside `labels` are taken to be checked before.

    Args:
        rows: Rows of `read_labelled`.
        labels: Names of the columns.
        config: Gives the target of borderline cells.
    """
    index = {name: i for i, name in enumerate(labels)}
    gold = np.zeros((len(rows), len(labels)), np.bool_)
    mask = np.ones_like(gold)
    targets = np.zeros(gold.shape, np.float32)
    for i, row in enumerate(rows):
        for name in row.borderline:
            targets[i, index[name]] = config.borderline_target
            mask[i, index[name]] = False
        clear = [index[name] for name in row.labels if name in index]  # "neutral" may have no column
        gold[i, clear] = mask[i, clear] = True
        targets[i, clear] = 1
        if row.soft is not None:
            targets[i] = [row.soft.get(name, 0.0) for name in labels]
            if not row.labels:  # its gold is what the targets lean to
                single = config.task == "single_label"
                gold[i] = mask[i] & (targets[i] == targets[i].max() if single else targets[i] >= 0.5)
    groups = tuple(row.group or row.place for row in rows) if any(row.group for row in rows) else None
    texts, places = tuple(row.text for row in rows), tuple(row.place for row in rows)
    return LabelledData(tuple(labels), texts, targets, gold, mask, groups, places)


class _Cells:
    """Reads the cells of one table and collects what is wrong with them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self._form: dict[str, type] = {}  # the first cell of a column says what all must be
        # Whether a column that is the only one of labels holds 0 and 1 for one label.
        self._bits = {name: name not in LABEL_COLUMNS and _are_bits(values) for name, values in table.columns.items()}

    def report(self, position: int, kind: str, value: object, message: str) -> None:
        shown = value if isinstance(value, str) else repr(value)
        shown = shown if len(shown) <= 60 else shown[:59] + "…"
        self.problems.append(Problem("error", kind, self.table.name, self.table.numbers[position], shown, message))

    def text(self, column: str, position: int) -> str:
        value = self.table.columns[column][position]
        if _is_missing(value):
            self.report(position, "missing text", value, "remedy: drop the row")
        elif not isinstance(value, str):
            self.report(position, "text is no text", value, f"it is {type(value).__name__}; remedy: convert or drop it")
        elif not value.strip():
            self.report(position, "empty text", value, "remedy: drop the row")
        else:
            return value
        return ""

    def labels(self, columns: Sequence[str], position: int) -> tuple[str, ...]:
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
        value = self.table.columns[column][position]
        if hasattr(value, "tolist"):  # a numpy array, as pandas reads lists from Parquet
            value = value.tolist()
        if _is_missing(value):
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
        items = _split(value) if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.report(position, "labels are no names", value, "remedy: names, as a list or joined by |")
            return ()
        names = tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
        if UNLABELLED in names:
            self.report(position, "not labelled yet", value, "remedy: replace ? by labels, or by nothing for neutral")
        return names

    def soft(self, column: str, position: int) -> dict[str, float]:
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


def _label_columns(table: Table, config: TrainConfig, taken: Sequence[str]) -> tuple[str, ...]:
    """The label column, or the 0/1 columns; none only if there are soft targets instead."""
    if config.label_column is not None:
        asked = [name.strip() for name in config.label_column.split(",")]
        return tuple(find_column(table, name, (), "label") or name for name in asked)
    usual = find_column(table, None, LABEL_COLUMNS, "label")
    if usual is not None:
        return (usual,)
    rest = [name for name in table.columns if name not in taken]
    bits = tuple(name for name in rest if _are_bits(table.columns[name]))
    if not bits and config.soft_column is None:
        raise InputError(
            f"{table.name} has no column 'labels' or 'label' and no 0/1 columns; "
            f"remedy: name it with --label-column, one of {_listed(table.columns)}"
        )
    return bits


def _are_bits(values: Sequence[Any]) -> bool:
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


def _group(value: object) -> str | None:
    return None if _is_missing(value) or value == "" else str(value)


def _is_missing(value: object) -> bool:
    # pandas.NA and NaT are objects of their own types; by name, so that pandas need not be there
    return value is None or type(value).__name__ in ("NAType", "NaTType") or _is_nan(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _hashable(value: Any) -> object:
    value = _plain(value)
    return value.strip() if isinstance(value, str) else value if isinstance(value, (int, float, bool)) else None


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python; everything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"remedy: one of {_listed(known)}"


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
