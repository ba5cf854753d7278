"""Parquet to records: the columns stay in Arrow, only the text leaves it.

Batches lie on a fixed grid within each row group, so that they are the same wherever reading starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rhetoric.errors import InputError, JobError, require
from rhetoric.scoring.records import Record, shown
from rhetoric.scoring.sources import Source

__all__ = ["read_parquet", "read_parquet_schema"]

BATCH_ROWS = 1024
BATCH_BYTES = 8 << 20


@contextmanager
def _open(source: Source) -> Iterator[Any]:
    parquet = require("pyarrow.parquet", extra="parquet")
    pyarrow = require("pyarrow", extra="parquet")
    try:
        # Without pre-buffering and with a small buffer, pages are read as they are wanted, not whole row groups.
        with parquet.ParquetFile(source.path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield file
    except FileNotFoundError:
        source.check_unchanged()
        raise
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(
            f"{source.name} cannot be read as Parquet ({str(error).splitlines()[0]}); remedy: write the file again"
        ) from error


def read_parquet_schema(source: Source) -> Any:
    """Arrow schema of a Parquet file.

    Raises:
        InputError: It is no Parquet file.
    """
    try:
        with _open(source) as file:
            return file.schema_arrow
    except JobError as error:
        raise InputError(str(error)) from error


def read_parquet(source: Source, offset: int, text_column: str) -> Iterator[Record]:
    """Reads Parquet.

    Args:
        source: The file.
        offset: Row to start with.
        text_column: Column of the text.

    Yields:
        A record a row, `cells` a record batch and the index in it.

    Raises:
        JobError: The file is gone or damaged.
    """
    with _open(source) as file:
        total, row = max(file.metadata.num_rows, 1), 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            held = file.metadata.row_group(group).total_byte_size // max(rows, 1)
            if row + rows <= offset:
                row += rows
                continue
            for batch in file.iter_batches(min(BATCH_ROWS, BATCH_BYTES // max(held, 1) + 1), row_groups=[group]):
                if row + len(batch) > offset:
                    for record in _records(batch, row, text_column):
                        if record.start >= offset:
                            record.read = source.size * record.end // total
                            yield record
                row += len(batch)


def _records(batch: Any, first: int, text_column: str) -> Iterator[Record]:
    pyarrow = require("pyarrow", extra="parquet")
    texts = _texts(batch, text_column)
    place = {index: index for index in range(len(batch))}  # of the rows that can be kept
    kept = batch
    try:
        batch.validate(full=True)
    except pyarrow.ArrowInvalid:
        good = [index for index in place if _valid(batch.slice(index, 1))]
        place = {index: i for i, index in enumerate(good)}
        kept = batch.take(pyarrow.array(good, pyarrow.int64()))
    size = batch.nbytes // max(len(batch), 1)
    for index in range(len(batch)):
        row = first + index
        record = Record(row + 1, row, row + 1, 0, size, None, texts[index])
        if index in place:
            record.cells = (kept, place[index])
        else:
            record.problem, record.raw = "not UTF-8", str(texts[index])
        yield record


def _texts(batch: Any, text_column: str) -> list[Any]:
    if text_column not in batch.schema.names:
        return [None] * len(batch)
    column = batch.column(text_column)
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        values = [value if value is None else shown(value) for value in column.cast("binary").to_pylist()]
    return values


def _valid(row: Any) -> bool:
    pyarrow = require("pyarrow", extra="parquet")
    try:
        # A slice shares the buffers of its batch, which are what is validated: copy the row out first.
        row.take(pyarrow.array([0])).validate(full=True)
    except pyarrow.ArrowInvalid:
        return False
    return True
