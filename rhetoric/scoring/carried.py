"""The input's own columns on their way to the output: as cells of text, the body of a JSON object, or Arrow.

What can pass untouched does: cells stay cells, a line of JSON is copied letter by letter, Arrow columns never
become Python objects.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from rhetoric.errors import require
from rhetoric.scoring.columns import check_collisions
from rhetoric.scoring.records import Record
from rhetoric.scoring.schema import Schema

__all__ = ["Carried", "carry", "cell", "json_text"]


class Carried(Protocol):
    """The carried columns of records.

    Attributes:
        columns: Names that go into the output.
    """

    columns: tuple[str, ...]

    def cells(self, record: Record) -> list[str]:
        """Values as text, in the order of `columns`."""

    def body(self, record: Record) -> str:
        """Inside of a JSON object, without its braces."""

    def arrow(self, records: Sequence[Record]) -> Any:
        """Arrow table of the records, columns in the order of `columns`."""

    def value(self, record: Record, column: str) -> Any:
        """One value."""


def carry(schema: Schema, *, without: Collection[str], added: Sequence[str], where: str) -> Carried:
    """The way to carry the columns of an input.

    Args:
        schema: The input.
        without: Columns left behind (the text of a document of which the sentences are written).
        added: Names of the columns the job adds.
        where: The input, for messages.

    Raises:
        InputError: An added column has the name of a carried one.
    """
    columns = tuple(name for name in schema.columns if name not in without)
    check_collisions(columns, added, where=where)
    if schema.kind == "jsonl":
        return JsonColumns(columns, frozenset(without), frozenset(added), schema)
    return ArrowColumns(columns, schema) if schema.kind == "parquet" else TextColumns(columns, schema)


def cell(value: Any) -> str:
    """A value as the text of a CSV cell; None is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value) if isinstance(value, int) else json_text(value)


def json_text(value: Any) -> str:
    """A value as JSON; bytes as base64, what JSON has no form for as text, numbers that are none as null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


class TextColumns:
    """Columns of CSV and plain text: every value is a str, empty in files that lack the column."""

    def __init__(self, columns: tuple[str, ...], schema: Schema) -> None:
        self.columns = columns
        self._whole = schema.columns == columns
        self._index = {name: i for i, name in enumerate(schema.columns)}

    def cells(self, record: Record) -> list[str]:
        """Values as text."""
        return list(record.cells) if self._whole else [record.cells[self._index[name]] for name in self.columns]

    def body(self, record: Record) -> str:
        """Inside of a JSON object."""
        return json_text(dict(zip(self.columns, self.cells(record), strict=True)))[1:-1]

    def arrow(self, records: Sequence[Record]) -> Any:
        """Arrow table of strings."""
        pyarrow = require("pyarrow", extra="parquet")
        rows = [self.cells(record) for record in records]
        arrays = [pyarrow.array([row[i] for row in rows], pyarrow.string()) for i in range(len(self.columns))]
        return pyarrow.table(arrays, names=list(self.columns))

    def value(self, record: Record, column: str) -> str:
        """One value."""
        return str(record.cells[self._index[column]])


class JsonColumns:
    """Columns of JSONL."""

    def __init__(
        self, columns: tuple[str, ...], without: frozenset[str], added: frozenset[str], schema: Schema
    ) -> None:
        self.columns = columns
        self._without = without
        self._added = added
        self._types = schema.types or {}

    def cells(self, record: Record) -> list[str]:
        """Values as text; lists and objects as JSON."""
        return [cell(record.cells[1].get(name)) for name in self.columns]

    def body(self, record: Record) -> str:
        """Inside of the record's own line, as it stands there."""
        line, values = record.cells
        if not self._added.isdisjoint(values):  # a key that turns up late
            own = [name for name in values if name not in self._without]
            check_collisions(own, tuple(self._added), where=f"line {record.number}")
        if not self._without.isdisjoint(values):
            line = json_text({name: value for name, value in values.items() if name not in self._without})
        return str(line[1:-1].strip())

    def arrow(self, records: Sequence[Record]) -> Any:
        """Arrow table of the types found when the file was read first."""
        pyarrow = require("pyarrow", extra="parquet")
        arrays = []
        for name in self.columns:
            values, kind = [record.cells[1].get(name) for record in records], self._types[name]
            if kind is None:
                values, kind = [None if value is None else cell(value) for value in values], pyarrow.string()
            arrays.append(pyarrow.array(values, kind))
        return pyarrow.table(arrays, names=list(self.columns))

    def value(self, record: Record, column: str) -> Any:
        """One value."""
        return record.cells[1].get(column)


class ArrowColumns:
    """Columns of Parquet."""

    def __init__(self, columns: tuple[str, ...], schema: Schema) -> None:
        self.columns = columns
        self._types = schema.types or {}
        self._batch: Any = None
        self._rows: list[dict[str, Any]] = []

    def cells(self, record: Record) -> list[str]:
        """Values as text; dates as ISO 8601, lists and structs as JSON."""
        row = self._row(record)
        return [cell(row[name]) for name in self.columns]

    def body(self, record: Record) -> str:
        """Inside of a JSON object."""
        row = self._row(record)
        return json_text({name: row[name] for name in self.columns})[1:-1]

    def arrow(self, records: Sequence[Record]) -> Any:
        """The same Arrow columns."""
        pyarrow = require("pyarrow", extra="parquet")
        schema = pyarrow.schema([(name, self._types[name]) for name in self.columns])
        tables, start = [], 0
        while start < len(records):
            batch, end = records[start].cells[0], start
            while end < len(records) and records[end].cells[0] is batch:
                end += 1
            taken = batch.take(pyarrow.array([record.cells[1] for record in records[start:end]], pyarrow.int64()))
            arrays = [
                taken.column(name) if name in batch.schema.names else pyarrow.nulls(end - start, self._types[name])
                for name in self.columns
            ]
            tables.append(pyarrow.Table.from_arrays(arrays, schema=schema))
            start = end
        return pyarrow.concat_tables(tables) if tables else schema.empty_table()

    def value(self, record: Record, column: str) -> Any:
        """One value; None in a file that lacks the column."""
        return self._row(record).get(column)

    def _row(self, record: Record) -> dict[str, Any]:
        batch, index = record.cells
        if batch is not self._batch:
            pyarrow = require("pyarrow", extra="parquet")
            arrays = [_printable(pyarrow, batch.column(i)) for i in range(batch.num_columns)]
            values = pyarrow.RecordBatch.from_arrays(arrays, names=batch.schema.names).to_pylist()
            self._batch = batch
            self._rows = [dict.fromkeys(self.columns) | row for row in values]
        return self._rows[int(index)]


def _printable(pyarrow: Any, array: Any) -> Any:
    """Dates, times and decimals as text in Arrow's own form: Python's types would lose nanoseconds."""
    types = pyarrow.types
    if types.is_temporal(array.type) or types.is_decimal(array.type):
        try:
            return array.cast(pyarrow.string())
        except pyarrow.ArrowNotImplementedError:  # durations
            return array.cast(pyarrow.int64())
    return array
