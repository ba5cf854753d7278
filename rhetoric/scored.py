"""Reads a scored file: what `rhetoric score` wrote in the layout wide, as arrays.

Such a file has the input's own columns, then `labels`, a probability column a label, `uncertain`, `truncated`, `error`.
The summary beside it names the labels, the prefix and the text column; without it they are told from the header.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError, require
from rhetoric.field_limit import field_limit
from rhetoric.separator import separator

__all__ = ["MISSING", "Scored", "read_scored"]

TAIL = ("uncertain", "truncated", "error")
# The columns in front of the input's own where rows are sentences of documents.
SENTENCE_NAMES = ("document", "sentence", "start", "end", "text", "quoted", "speaker")
TEXT_NAMES = ("text", "sentence", "content", "body")
KINDS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
REMEDY = "remedy: a CSV, TSV, JSONL or Parquet file that `rhetoric score` wrote in the layout wide"

Bools = npt.NDArray[np.bool_]

NOT_TOLD, DIGITS = "not told", 12  # of a model's digest
MISSING = "(none)"  # what the rows without a value of a column are called, as a group


@dataclass(frozen=True, slots=True)
class Scored:
    """The scored rows of a file.

    Attributes:
        path: The file.
        labels: Names of the labels (L of them).
        scores: (rows, L) float32, calibrated probabilities.
        chosen: (rows, L), whether the label was given.
        uncertain: (rows, L), whether careful readers may split on it.
        texts: The texts; None if no column of them is known.
        text_column: Its name.
        columns: The input's own columns but the text, each a list of strings, numbers or None. Those that sentences of
            documents have go by their plain names, without the prefix.
        errors: Rows of the file without scores, which are left out; 0 in a part of the rows.
        made: What the labels depend on beside the text, as far as the summary tells: model, threshold, top, documents.
    """

    path: Path
    labels: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    chosen: Bools
    uncertain: Bools
    texts: list[str] | None
    text_column: str | None
    columns: Mapping[str, list[Any]]
    errors: int
    made: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scores)

    def column(self, name: str) -> list[Any]:
        """The values of one of the input's own columns.

        Raises:
            InputError: There is none of this name.
        """
        if name not in self.columns:
            raise InputError(f"{self.path} has no column {name!r}; remedy: one of {', '.join(self.columns) or 'none'}")
        return self.columns[name]

    def values(self, name: str) -> list[str]:
        """The values of a column as text, alike whatever the format: "" where there is none, 2014 for 2014.0.

        Raises:
            InputError: There is no such column.
        """
        whole = (int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in self.column(name))
        return ["" if cell is None else str(cell) for cell in whole]

    def members(self, name: str) -> npt.NDArray[np.int64]:
        """(rows,): the number of the document, or of what else a column names; a row without a value is one of its own.

        Raises:
            InputError: There is no such column.
        """
        known = [(value, -1) if value else ("", i) for i, value in enumerate(self.values(name))]
        place = {unit: i for i, unit in enumerate(dict.fromkeys(known))}
        return np.array([place[unit] for unit in known], np.int64)

    def take(self, rows: Bools) -> Scored:
        """The rows of a mask (rows,); which part the rows without scores belong to is not known."""
        index = np.flatnonzero(rows)
        return Scored(
            self.path,
            self.labels,
            self.scores[index],
            self.chosen[index],
            self.uncertain[index],
            None if self.texts is None else [self.texts[i] for i in index],
            self.text_column,
            {name: [values[i] for i in index] for name, values in self.columns.items()},
            0,
            self.made,
        )


def read_scored(path: str | Path, *, text_column: str | None = None) -> Scored:
    """Reads a scored file into memory (about 1 kB a row).

    Args:
        path: CSV (separated as the inputs of `rhetoric score` may be), TSV, JSONL or Parquet, as the summary beside
            the file says, or else its name.
        text_column: Column of the text; None to tell it from the summary beside the file, or from its name.

    Raises:
        InputError: The file cannot be read, or is no scored file of the layout wide.
        ExtraError: A Parquet file, and pyarrow is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no file at {str(path)!r}; remedy: check the path")
    summary = _summary(path)
    options = summary.get("options", {})
    layout = options.get("layout", "wide")
    if layout != "wide":
        raise InputError(f"{path} has the layout {layout}; {REMEDY}")
    prefix = options.get("prefix", "")
    columns = _read(path, options.get("format") or KINDS.get(path.suffix.lower()), prefix)
    if options.get("documents") and prefix:
        columns = _plain(columns, prefix)
        # Whoever reads the name off the file may ask by it.
        if text_column is not None and text_column not in columns:
            text_column = text_column.removeprefix(prefix)
    names = list(columns)
    first, labels = _added(path, names, prefix, summary.get("model", {}).get("labels"))
    own = names[:first]
    text = _text_column(path, own, text_column, options)
    errors = columns[f"{prefix}error"]
    good = [i for i, error in enumerate(errors) if not error]
    try:
        scores = np.array([[float(columns[prefix + name][i]) for name in labels] for i in good], np.float32)
    except (TypeError, ValueError):
        where, name = _first_bad(columns, [prefix + label for label in labels], good)
        raise InputError(
            f"{path} row {where + 1}, column {name!r}: {columns[name][where]!r} is no probability; {REMEDY}"
        ) from None
    return Scored(
        path,
        labels,
        scores.reshape(len(good), len(labels)),
        _given(columns[f"{prefix}labels"], good, labels),
        _given(columns[f"{prefix}uncertain"], good, labels),
        None if text is None else [str(columns[text][i]) for i in good],
        text,
        {name: [_known(columns[name][i]) for i in good] for name in own if name != text},
        len(errors) - len(good),
        _made(summary),
    )


def _summary(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.with_name(f"{path.name}.summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _made(summary: Mapping[str, Any]) -> dict[str, Any]:
    model, options = summary.get("model"), summary.get("options")
    if not isinstance(model, dict) or not isinstance(options, dict):
        return {}
    asked = {name: options.get(name) for name in ("threshold", "top", "documents")}
    return {"model": str(model.get("digest", NOT_TOLD))[:DIGITS], **asked}


def _known(cell: Any) -> Any:
    """A cell, None for a number that is none, as some writers of Parquet and JSON leave it."""
    return None if isinstance(cell, float) and cell != cell else cell


def _read(path: Path, kind: str | None, prefix: str) -> dict[str, list[Any]]:
    try:
        if kind == "parquet":
            table = require("pyarrow.parquet", extra="parquet").read_table(path)
            return {name: table.column(name).to_pylist() for name in table.column_names}
        # A spreadsheet that saves UTF-8 puts a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if kind == "jsonl":
                return _from_rows(path, (json.loads(line) for line in stream if line.strip()), f"{prefix}labels")
            if kind in ("csv", "tsv"):
                mark = "\t" if kind == "tsv" else separator(stream.readline())
                stream.seek(0)
                with field_limit(sys.maxsize):
                    return _from_table(path, csv.reader(stream, delimiter=mark))
    except InputError:  # a ValueError that says all there is to say
        raise
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read ({reason}); {REMEDY}") from None
    raise InputError(f"{path}: the name does not tell a format; {REMEDY}")


def _from_rows(path: Path, rows: Iterator[dict[str, Any]], head: str) -> dict[str, list[Any]]:
    """Columns of rows that share the added fields, those from `head` on; an own field that a row lacks is None."""
    own: dict[str, list[Any]] = {}
    added: dict[str, list[Any]] = {}
    for number, row in enumerate(rows):
        names = list(row) if isinstance(row, dict) else []
        first = names.index(head) if head in names else len(names)
        if not names or (number and names[first:] != list(added)):
            raise InputError(f"{path} row {number + 1} has other added fields than the rows before it; {REMEDY}")
        for name in names[first:]:
            added.setdefault(name, []).append(row[name])
        for name in names[:first]:
            if name not in own:
                own[name] = [None] * number
        for name, values in own.items():
            values.append(row.get(name))
    return own | added


def _plain(columns: dict[str, list[Any]], prefix: str) -> dict[str, list[Any]]:
    """The columns, those of sentences without their prefix unless the input has one of that name."""
    plain = {prefix + name: name for name in SENTENCE_NAMES if name not in columns}
    return {plain.get(name, name): values for name, values in columns.items()}


def _from_table(path: Path, rows: Iterator[list[str]]) -> dict[str, list[Any]]:
    names = next(rows, [])
    kept = []
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise InputError(f"{path} row {number} has {len(row)} cells, the header {len(names)}; {REMEDY}")
        kept.append(row)
    return {name: [row[i] for row in kept] for i, name in enumerate(names)}


def _added(path: Path, names: Sequence[str], prefix: str, known: Sequence[str] | None) -> tuple[int, tuple[str, ...]]:
    """Where the added columns begin, and the labels, whose columns stand between `labels` and `uncertain`."""
    head = f"{prefix}labels"
    tail = [prefix + name for name in TAIL]
    if head not in names or names[-len(tail) :] != tail:
        raise InputError(f"{path} lacks the columns {head}, {', '.join(tail)} at the end of a row; {REMEDY}")
    first = len(names) - 1 - list(reversed(names)).index(head)
    labels = tuple(name.removeprefix(prefix) for name in names[first + 1 : -len(tail)])
    if not labels or (known is not None and labels != tuple(known)):
        raise InputError(f"{path} has the label columns {', '.join(labels) or 'none'}, its summary others; {REMEDY}")
    return first, labels


def _text_column(path: Path, own: Sequence[str], asked: str | None, options: Mapping[str, Any]) -> str | None:
    if asked is not None:
        if asked not in own:
            raise InputError(f"{path} has no column {asked!r}; remedy: one of {', '.join(own) or 'none'}")
        return asked
    # The prefix is still there where the input has a `text` of its own.
    sentence = (f"{options.get('prefix', '')}text", "text")
    candidates = (*(sentence if options.get("documents") else (options.get("text_column"),)), *TEXT_NAMES)
    return next((name for name in candidates if name in own), None)


def _given(cells: Sequence[Any], rows: Sequence[int], labels: Sequence[str]) -> Bools:
    """(rows, L) from lists of names, or names joined by "|"."""
    place = {name: i for i, name in enumerate(labels)}
    given = np.zeros((len(rows), len(labels)), bool)
    for number, i in enumerate(rows):
        cell = cells[i]
        for name in cell.split("|") if isinstance(cell, str) else cell or ():
            if name in place:
                given[number, place[name]] = True
    return given


def _first_bad(columns: Mapping[str, list[Any]], names: Sequence[str], rows: Sequence[int]) -> tuple[int, str]:
    for i in rows:
        for name in names:
            try:
                float(columns[name][i])
            except (TypeError, ValueError):
                return i, name
    raise AssertionError("every cell is a number")
