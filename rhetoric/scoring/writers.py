"""Rows with their outcomes to the bytes of a part, and the parts to the output.

Parts of CSV and JSONL are the output itself, one after the other. Parts of Parquet are Arrow streams, one after
the other, which become row groups at the end: a Parquet file cannot be continued after a kill.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from rhetoric.errors import require
from rhetoric.scoring.carried import Carried, cell, json_text
from rhetoric.scoring.columns import Added, Field, arrow_type
from rhetoric.scoring.rows import Row

__all__ = ["Writer", "make_writer"]


class Writer(Protocol):
    """Encodes parts."""

    def header(self) -> bytes:
        """What stands before the first part."""

    def encode(self, rows: Sequence[Row], added: Added) -> bytes:
        """The bytes of a part, in which row `added.source[i]` stands with values `i` of the added columns."""

    def finish(self, parts: Path, folder: Path) -> Path:
        """Makes the output of all parts; returns the file that is it."""


def make_writer(kind: str, carried: Carried, front: Sequence[Field], added: Sequence[Field], separator: str) -> Writer:
    """The writer of a format.

    Args:
        kind: One of `FORMATS`.
        carried: The input's own columns.
        front: Columns before them.
        added: Columns behind them.
        separator: Between the cells of CSV and TSV.
    """
    if kind == "parquet":
        return ParquetWriter(carried, front, added)
    if kind == "jsonl":
        return JsonWriter(carried, front)
    return CsvWriter(carried, front, added, separator)


class CsvWriter:
    """CSV with a header, line feeds, and quotes where they are needed; lists as `a|b`, None as nothing."""

    def __init__(self, carried: Carried, front: Sequence[Field], added: Sequence[Field], separator: str) -> None:
        self._carried = carried
        self._names = [*(f.name for f in front), *carried.columns, *(f.name for f in added)]
        self._separator = separator

    def header(self) -> bytes:
        """The row of names."""
        return self._text([self._names])

    def encode(self, rows: Sequence[Row], added: Added) -> bytes:
        """Rows of CSV."""
        own = [[*map(cell, row.front), *self._carried.cells(row.record)] for row in rows]
        columns = [
            ["|".join(value) if isinstance(value, list) else cell(value) for value in values]
            for values in added.columns.values()
        ]
        return self._text(
            own[i] + list(values) for i, values in zip(added.source, zip(*columns, strict=True), strict=True)
        )

    def finish(self, parts: Path, folder: Path) -> Path:
        """The parts are the output."""
        return parts

    def _text(self, rows: Any) -> bytes:
        lines: list[str] = []
        # Before Python 3.13 a carriage return is quoted only if the terminator has one, and unquoted it ends a row.
        line = SimpleNamespace(write=lambda written: lines.append(written[:-2] + "\n"))
        csv.writer(line, delimiter=self._separator, lineterminator="\r\n").writerows(rows)
        return "".join(lines).encode()


class JsonWriter:
    """JSONL; names as lists, None as null."""

    def __init__(self, carried: Carried, front: Sequence[Field]) -> None:
        self._carried = carried
        self._front = [f.name for f in front]

    def header(self) -> bytes:
        """Nothing."""
        return b""

    def encode(self, rows: Sequence[Row], added: Added) -> bytes:
        """Lines of JSON."""
        own = [self._own(row) for row in rows]
        names = list(added.columns)
        lines = []
        for i, values in zip(added.source, zip(*added.columns.values(), strict=True), strict=True):
            behind = json_text(dict(zip(names, values, strict=True)))[1:-1]
            lines.append(f"{{{own[i]}{', ' if own[i] else ''}{behind}}}\n")
        return "".join(lines).encode()

    def finish(self, parts: Path, folder: Path) -> Path:
        """The parts are the output."""
        return parts

    def _own(self, row: Row) -> str:
        front = json_text(dict(zip(self._front, row.front, strict=True)))[1:-1]
        return ", ".join(filter(None, (front, self._carried.body(row.record))))


class ParquetWriter:
    """Parquet, a row group a part."""

    def __init__(self, carried: Carried, front: Sequence[Field], added: Sequence[Field]) -> None:
        self._pyarrow = require("pyarrow", extra="parquet")
        self._carried = carried
        self._front = front
        self._kinds: Mapping[str, Any] = {f.name: arrow_type(self._pyarrow, f.kind) for f in (*front, *added)}
        self._added = [f.name for f in added]

    def header(self) -> bytes:
        """Nothing."""
        return b""

    def encode(self, rows: Sequence[Row], added: Added) -> bytes:
        """An Arrow stream."""
        table = self._table([rows[i] for i in added.source], added)
        sink = self._pyarrow.BufferOutputStream()
        with self._pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    def finish(self, parts: Path, folder: Path) -> Path:
        """Writes each part as a row group."""
        parquet = require("pyarrow.parquet", extra="parquet")
        target = folder / "output.parquet"
        empty = self._table([], Added([], {name: [] for name in self._added}))
        with parts.open("rb") as source, parquet.ParquetWriter(target, empty.schema) as writer:
            size = parts.stat().st_size
            while source.tell() < size:
                with self._pyarrow.ipc.open_stream(source) as stream:
                    table = stream.read_all()
                writer.write_table(table.cast(empty.schema), row_group_size=max(len(table), 1))
        return target

    def _table(self, rows: Sequence[Row], added: Added) -> Any:
        own = self._carried.arrow([row.record for row in rows])
        values = {field.name: [row.front[place] for row in rows] for place, field in enumerate(self._front)}
        front, behind = (
            {name: self._pyarrow.array(column, self._kinds[name]) for name, column in columns.items()}
            for columns in (values, added.columns)
        )
        # All at once: a table without columns of its own has no rows that a column could be added to.
        return self._pyarrow.table(
            [*front.values(), *own.columns, *behind.values()], names=[*front, *own.column_names, *behind]
        )
