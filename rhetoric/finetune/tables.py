"""Reads a table from a file, a DataFrame, a `datasets.Dataset` or a list of dicts, all into the same columns.

Only structure is judged here (encoding, quoting, JSON, field counts); what the columns mean is not. Every row
keeps the number under which its owner finds it: as a spreadsheet counts for CSV and TSV (the header is row 1),
the line for JSONL and text, the position from 0 for everything else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rhetoric.errors import InputError, RhetoricError, require
from rhetoric.field_limit import field_limit
from rhetoric.separator import separator

__all__ = ["Source", "Table", "read_table"]

Source: TypeAlias = "str | Path | Sequence[Mapping[str, Any]] | Any"

# A sentence is no book: a longer CSV field is a quote that was never closed.
MAX_FIELD = 1_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length.

    Attributes:
        name: The file, or what the object is.
        columns: Values of each column; None where a row has no value.
        numbers: Number of each row, as its owner counts.
    """

    name: str
    columns: Mapping[str, Sequence[Any]]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)


def read_table(source: Source) -> Table:
    """Reads a table.

    Args:
        source: Path of a .csv (separated by commas, semicolons or tabs), .tsv, .jsonl, .ndjson, .parquet or .txt file
            (one text a line), a pandas or polars DataFrame, a `datasets.Dataset` (class labels become their names),
            or a sequence of mappings.

    Returns:
        The table.

    Raises:
        InputError: The file is missing, of an unknown kind, not UTF-8, or malformed; the message has the row.
        RhetoricError: The file cannot be read.
    """
    if isinstance(source, (str, Path)):
        return _read_file(Path(source))
    package = type(source).__module__.split(".")[0]
    if package == "pandas" and hasattr(source, "columns"):
        return _from_columns("DataFrame", {str(name): source[name].tolist() for name in source.columns})
    if package == "polars" and hasattr(source, "to_dict"):
        return _from_columns("DataFrame", source.to_dict(as_series=False))
    if package == "datasets" and hasattr(source, "features") and hasattr(source, "to_dict"):
        return _from_columns("Dataset", _named_classes(source))
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        records: Sequence[Any] = source
        return _from_records("rows", records, range(len(records)))
    raise InputError(
        f"labelled data of type {type(source).__name__} cannot be read; remedy: pass a path, a DataFrame, one split "
        "of a datasets.DatasetDict, or a list of dicts"
    )


def _read_file(path: Path) -> Table:
    kind = path.suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder; remedy: name a file in it")
    if not path.exists():
        raise InputError(f"no file at {str(path)!r}; remedy: check the path")
    if kind == ".parquet":
        return _read_parquet(path)
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".jsonl": _read_jsonl, ".ndjson": _read_jsonl, ".txt": _read_txt}
    if kind not in readers:
        raise InputError(
            f"{path} is of no known kind ({kind!r}); remedy: .csv, .tsv, .jsonl, .parquet or .txt "
            "(a sheet of a workbook: save it as CSV first)"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RhetoricError(f"{path} cannot be read ({error.strerror}); remedy: check its permissions") from error
    table = readers[kind](path, _decode(path, data))
    if not len(table):
        raise InputError(f"{path} holds no rows; remedy: a header and at least one row")
    return table


def _decode(path: Path, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is UTF-16, not UTF-8; remedy: iconv -f UTF-16 -t UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise InputError(f"{path} line {line}: a NUL byte, so this is no text file; remedy: save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} line {line}: byte {data[error.start]:#04x} is not UTF-8; "
            "remedy: convert the file, for example iconv -f WINDOWS-1252 -t UTF-8"
        ) from None


def _read_csv(path: Path, text: str) -> Table:
    # `strict` makes an unclosed quote an error instead of swallowing the rest of the file into one field.
    lines = io.StringIO(text, newline="")
    mark = "\t" if path.suffix.lower() == ".tsv" else separator(lines.readline())
    lines.seek(0)
    try:
        with field_limit(MAX_FIELD):
            rows = list(csv.reader(lines, delimiter=mark, strict=True))
    except csv.Error as error:
        raise InputError(f"{path} cannot be parsed ({error}); remedy: look for a quote that is never closed") from None
    if not rows:
        raise InputError(f"{path} is empty; remedy: a header and at least one row")
    header = [name.strip() for name in rows[0]]
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path} row 1: column {name!r} occurs twice; remedy: rename one")
    numbered = [(number, row) for number, row in enumerate(rows[1:], start=2) if row]
    if mark == "\t":
        _check_swallowed(path, numbered, len(header))
    for number, row in numbered:
        if len(row) != len(header):
            raise InputError(
                f"{path} row {number} has {len(row)} fields, the header {len(header)}: {_short(row)}; "
                f"remedy: quote fields that contain the separator {mark!r}"
            )
    columns = {name: [row[i] for _, row in numbered] for i, name in enumerate(header)}
    return Table(str(path), columns, [number for number, _ in numbered])


def _check_swallowed(path: Path, numbered: Sequence[tuple[int, list[str]]], width: int) -> None:
    """Raises InputError where a quote at the start of a cell and one at the end of a later cell have made rows one."""
    for number, row in numbered:
        for field in row:
            if any(line.count("\t") == width - 1 for line in field.split("\n")[1:-1]):
                raise InputError(
                    f"{path} row {number}: a quote opens a cell that swallows the rows after it: {_short(field)}; "
                    "remedy: double the quote, or remove it"
                )


def _read_jsonl(path: Path, text: str) -> Table:
    records, numbers = [], []
    # Only line feeds end a record: U+2028 and its like are legal inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path} line {number} is no JSON ({error}): {_short(line)}") from None
        if not isinstance(record, dict):
            raise InputError(f"{path} line {number} is no JSON object: {_short(line)}; remedy: one object a line")
        records.append(record)
        numbers.append(number)
    return _from_records(str(path), records, numbers)


def _read_txt(path: Path, text: str) -> Table:
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    return Table(str(path), {"text": [line for _, line in numbered]}, [number for number, _ in numbered])


def _read_parquet(path: Path) -> Table:
    parquet = require("pyarrow.parquet", extra="parquet")
    try:
        table = parquet.read_table(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read as Parquet ({error}); remedy: write the file again") from None
    except ValueError as error:  # pyarrow.ArrowInvalid
        raise InputError(f"{path} is damaged or no Parquet file ({error}); remedy: write the file again") from None
    return _from_columns(str(path), {name: table.column(name).to_pylist() for name in table.column_names})


def _from_columns(name: str, columns: Mapping[str, Sequence[Any]]) -> Table:
    table = Table(name, columns, range(len(next(iter(columns.values()), ()))))
    if not len(table):
        raise InputError(f"{name} holds no rows; remedy: pass at least one labelled row")
    return table


def _from_records(name: str, records: Sequence[Mapping[str, Any]], numbers: Iterable[int]) -> Table:
    names = dict.fromkeys(key for record in records for key in record)
    return Table(name, {key: [record.get(key) for record in records] for key in names}, list(numbers))


def _named_classes(dataset: Any) -> dict[str, list[Any]]:
    """Columns of a `datasets.Dataset`; `ClassLabel` integers, alone or in lists, become the names of the classes."""
    columns: dict[str, list[Any]] = dataset.to_dict()
    for name, feature in dataset.features.items():
        inner = getattr(feature, "feature", feature)
        if hasattr(inner, "int2str"):
            columns[name] = [_named(inner, value) for value in columns[name]]
    return columns


def _named(classes: Any, value: Any) -> Any:
    """Names of classes; -1 is what `datasets` writes where there is none."""
    if isinstance(value, list):
        return [classes.int2str(item) for item in value]
    return None if value is None or value == -1 else classes.int2str(value)


def _short(value: object, limit: int = 60) -> str:
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
