"""Labelled rows: which columns of a table mean what, and the matrices trained on; `cells` says what each cell means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.finetune.cells import LABEL_COLUMNS, Cells, Problem, are_bits, is_missing
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.tables import Source, Table, read_table

__all__ = ["LabelledData", "LabelledRow", "Reading", "find_column", "read_labelled", "to_data"]

TEXT_COLUMNS = ("text", "sentence")
BORDERLINE_COLUMNS = ("borderline",)
GROUP_COLUMNS = ("group", "document", "document_id", "doc_id")
NEUTRAL = "neutral"


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
    cells = Cells(table, config.task)
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


def _label_columns(table: Table, config: TrainConfig, taken: Sequence[str]) -> tuple[str, ...]:
    """The label column, or the 0/1 columns; none only if there are soft targets instead."""
    if config.label_column is not None:
        asked = [name.strip() for name in config.label_column.split(",")]
        return tuple(find_column(table, name, (), "label") or name for name in asked)
    usual = find_column(table, None, LABEL_COLUMNS, "label")
    if usual is not None:
        return (usual,)
    rest = [name for name in table.columns if name not in taken]
    bits = tuple(name for name in rest if are_bits(table.columns[name]))
    if not bits and config.soft_column is None:
        raise InputError(
            f"{table.name} has no column 'labels' or 'label' and no 0/1 columns; "
            f"remedy: name it with --label-column, one of {_listed(table.columns)}"
        )
    return bits


def _group(value: object) -> str | None:
    return None if is_missing(value) or value == "" else str(value)


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"remedy: one of {_listed(known)}"


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
