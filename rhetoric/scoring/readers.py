"""Text formats to records: CSV, JSONL and plain text, each record with the byte offset it starts at.

A bad record never ends the file: it becomes a record with a problem, and reading goes on behind it. A quote that
is never closed would swallow the rows after it: then only its first line is bad, and the lines after it are read
again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from rhetoric.errors import InputError
from rhetoric.field_limit import field_limit
from rhetoric.scoring.records import MAX_RECORD, Record, shown
from rhetoric.scoring.sources import Source, open_text
from rhetoric.separator import separator

__all__ = ["read_csv", "read_document", "read_header", "read_jsonl", "read_lines"]

BOM = b"\xef\xbb\xbf"
# Lines that a quote never closed swallowed are parsed again, each alone if there are more bytes than this: else a
# file of such quotes would be parsed over and over.
RETRY = 1 << 14
CONVERT = "convert it, for example iconv -f WINDOWS-1252 -t UTF-8, or save as CSV UTF-8 in the spreadsheet"


class _Lines:
    """Lines of a binary stream, at most `MAX_RECORD` bytes of each, with the offset; lines can be given back."""

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        self._stream = stream
        self._back: list[tuple[bytes, int]] = []
        self.offset = offset

    def take(self) -> tuple[bytes, int]:
        """The next line, end included, and its whole length, which is more if it was cut; empty at the end."""
        if self._back:
            line, length = self._back.pop()
        else:
            line = self._stream.readline(MAX_RECORD)
            length = len(line)
            if length == MAX_RECORD and not line.endswith(b"\n"):
                while rest := self._stream.readline(1 << 20):
                    length += len(rest)
                    if rest.endswith(b"\n"):
                        break
        self.offset += length
        return line, length

    def give_back(self, lines: Sequence[tuple[bytes, int]]) -> None:
        """Puts lines back that were taken last, in their order."""
        self._back += reversed(lines)
        self.offset -= sum(length for _, length in lines)


def read_lines(source: Source, offset: int, number: int, *, named: bool = False) -> Iterator[Record]:
    """Reads plain text, a line a record.

    Args:
        source: The file.
        offset: Where to start: 0, or the `end` of a record.
        number: Number of the record that starts there; 0 at the start.
        named: Whether the name of the file stands before the line.

    Yields:
        A record a line, blank ones too.

    Raises:
        JobError: The file is gone or damaged.
    """
    number = number or 1
    with open_text(source, offset) as (stream, raw):
        lines = _Lines(stream, offset)
        while True:
            start = lines.offset
            line, length = lines.take()
            if not line:
                return
            data = line.removeprefix(BOM) if start == 0 else line
            text, problem = _decode(data, length, line)
            record = Record(number, start, lines.offset, raw.tell(), length, None, problem=problem)
            if problem:
                record.raw = shown(data)
            else:
                record.text = text.rstrip("\r\n")
                record.cells = [source.name, record.text] if named else [record.text]
            yield record
            number += 1


def read_document(source: Source) -> Iterator[Record]:
    """Reads a whole text file as one record."""
    with open_text(source) as (stream, raw):
        data = stream.read(MAX_RECORD + 1)
        text, problem = _decode(data.removeprefix(BOM), len(data), data[:MAX_RECORD])
        record = Record(1, 0, len(data), source.size, len(data), [], text, problem)
        if problem:
            record.cells, record.raw = None, shown(data[:MAX_RECORD])
        yield record


def read_jsonl(source: Source, offset: int, number: int, text_column: str) -> Iterator[Record]:
    """Reads JSONL, an object a line; blank lines are no records. Arguments as in `read_lines`."""
    number = number or 1
    with open_text(source, offset) as (stream, raw):
        lines = _Lines(stream, offset)
        while True:
            start = lines.offset
            line, length = lines.take()
            if not line:
                return
            data = (line.removeprefix(BOM) if start == 0 else line).strip()
            if data:
                text, problem = _decode(data, length, line)
                cells, problem = (None, problem) if problem else _parse_json(text)
                record = Record(number, start, lines.offset, raw.tell(), length, None, problem=problem)
                if cells is None:
                    record.raw = shown(data)
                else:
                    record.cells, record.text = (text, cells), cells.get(text_column)
                yield record
            number += 1


def _parse_json(text: str) -> tuple[dict[str, Any] | None, str | None]:
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # may be half a pair, which no output can hold
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return None, "not Unicode: half a surrogate pair"
    except RecursionError:
        return None, "broken JSON: nested too deep"
    except ValueError as error:
        return None, f"broken JSON: {error}"
    if not isinstance(value, dict):
        return None, f"not a JSON object: {type(value).__name__}"
    return value, None


def read_header(source: Source) -> tuple[list[str], str]:
    """Column names and separator of a CSV file.

    A comma, semicolon or tab as `separator` says; a tab for TSV.

    Raises:
        InputError: The header is missing, malformed, not UTF-8, or names a column twice.
    """
    with open_text(source) as (stream, _):
        head = stream.read(1 << 16)
    if b"\r" in head and b"\n" not in head:
        raise InputError(f"{source.name} ends its lines with CR alone; remedy: tr '\\r' '\\n'")
    first = head.split(b"\n", 1)[0]
    delimiter = "\t" if source.kind == "tsv" else separator(first.decode("latin-1"))
    header = next(_csv_records(source, 0, 0, delimiter), None)
    if header is None:
        raise InputError(f"{source.name} is empty; remedy: a header and at least one row")
    if header.problem:
        remedy = CONVERT if header.problem.startswith("not UTF-8") else "mend this row"
        raise InputError(
            f"{source.name} row {header.number}: the header cannot be read ({header.problem}); remedy: {remedy}"
        )
    names: list[str] = header.cells
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{source.name} row {header.number}: column {name!r} occurs twice; remedy: rename one")
    return names, delimiter


def read_csv(
    source: Source, offset: int, number: int, alone: int, *, header: Sequence[str], delimiter: str, text: int | None
) -> Iterator[Record]:
    """Reads CSV or TSV behind its header; blank lines are no records.

    Args:
        source: The file.
        offset: Where to start: 0, or the `end` of a record.
        number: Number of the record that starts there; 0 at the start.
        alone: `alone` of the record before.
        header: Its column names.
        delimiter: Its separator.
        text: Index of the text column; None if this file lacks it.

    Yields:
        A record a row; a row may span lines.

    Raises:
        JobError: The file is gone or damaged.
    """
    records = _csv_records(source, offset, number, delimiter, alone)
    if offset == 0:
        next(records, None)
    for record in records:
        cells = record.cells
        if cells is not None and len(cells) != len(header):
            record.problem = f"wrong number of fields: {len(cells)}, not {len(header)}"
            record.cells = None
        elif cells is not None:
            record.text, record.raw = None if text is None else cells[text], None
        yield record


def _csv_records(source: Source, offset: int, number: int, delimiter: str, alone: int = 0) -> Iterator[Record]:
    """Records of a CSV file with `cells` or a problem; the header is one of them."""
    number = number or 1
    with open_text(source, offset) as (stream, raw):
        lines = _Lines(stream, offset)
        while True:
            start = lines.offset
            taken: list[tuple[bytes, int]] = []
            cells, problem = _parse_csv(_feed(lines, taken, single=start < alone), delimiter)
            if not taken:
                return
            if problem and len(taken) > 1:
                if lines.offset - start > RETRY:
                    alone = lines.offset
                lines.give_back(taken[1:])
                del taken[1:]
            data = b"".join(line for line, _ in taken)
            if cells == [] and not problem:
                number += 1
                continue
            problem = _decode(data, lines.offset - start, data)[1] or problem
            record = Record(number, start, lines.offset, raw.tell(), len(data), cells, problem=problem, alone=alone)
            record.raw = shown(data).rstrip("\r\n")
            if problem:
                record.cells = None
            yield record
            number += 1


def _feed(lines: _Lines, taken: list[tuple[bytes, int]], *, single: bool) -> Iterator[str]:
    """Lines for the CSV parser, as it asks for them; what it was given is put into `taken`."""
    first, held = lines.offset == 0, 0
    while not (single and taken):
        line, length = lines.take()
        if not line:
            return
        taken.append((line, length))
        held += length
        if held > MAX_RECORD:
            raise csv.Error(f"no end within {MAX_RECORD >> 20} MB")
        # Bytes that are no UTF-8 must not stop the parser; `_decode` finds them afterwards.
        yield (line.removeprefix(BOM) if first else line).decode("utf-8", "surrogateescape")
        first = False


def _parse_csv(lines: Iterator[str], delimiter: str) -> tuple[list[str] | None, str | None]:
    with field_limit(MAX_RECORD):
        try:
            # A quote in the wrong place is an error, not a guess: a guess would move text between cells.
            return next(csv.reader(lines, delimiter=delimiter, strict=True), []), None
        except csv.Error as error:
            return None, f"malformed quoting: {error}"


def _decode(data: bytes, length: int, line: bytes) -> tuple[str, str | None]:
    """The text of a line of `length` bytes of which `line` was read, or what is wrong with it."""
    if length > len(line):
        return "", f"longer than {MAX_RECORD >> 20} MB: {length} bytes"
    if b"\0" in data:
        return "", "NUL byte"
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", f"not UTF-8: byte {data[error.start]:#04x}"
