"""Records of all files to the rows that are scored: a record each, or the sentences of a document; from anywhere.

Every row knows the position behind it, so that a job can go on there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rhetoric.errors import JobError
from rhetoric.scoring.carried import cell
from rhetoric.scoring.options import Options
from rhetoric.scoring.parquet import read_parquet
from rhetoric.scoring.readers import read_csv, read_document, read_jsonl, read_lines
from rhetoric.scoring.records import Position, Record, text_problem
from rhetoric.scoring.schema import Schema
from rhetoric.scoring.sources import Source

__all__ = ["Row", "read_rows"]


@dataclass(slots=True)
class Row:
    """A row to score.

    Attributes:
        record: Where it comes from.
        file: Index of the file.
        text: The text; meaningless if there is a problem.
        problem: Why it cannot be scored, or None.
        front: Values of `SENTENCE_FIELDS`, if rows are sentences of documents.
        after: Position behind it.
        size: Bytes it holds, roughly; a function of the input alone.
        count: Rows read up to it, itself included, since reading started.
    """

    record: Record
    file: int
    text: str
    problem: str | None
    front: tuple[Any, ...]
    after: Position
    size: int
    count: int = 0


def read_rows(sources: Sequence[Source], schema: Schema, options: Options, start: Position) -> Iterator[Row]:
    """Reads the rows of all files from a position.

    Args:
        sources: The files.
        schema: Their columns.
        options: Of the job.
        start: Where to start.

    Yields:
        Rows in order, bad ones with their problem.

    Raises:
        JobError: A file is gone, damaged or changed; or a row is bad under `on_error="fail"`.
    """
    # Counted here, where they are read, so that a row lost further on is found.
    for count, row in enumerate(_rows(sources, schema, options, start), start=1):
        row.count = count
        yield row


def _rows(sources: Sequence[Source], schema: Schema, options: Options, start: Position) -> Iterator[Row]:
    for file in range(start.file, len(sources)):
        place = start if file == start.file else Position(file)
        for record in _records(sources[file], file, schema, options, place):
            after = Position(file, record.end, record.number + 1, 0, record.alone)
            problem = record.problem or text_problem(record.text)
            if problem is None and options.documents:
                skip = place.done if record.start == place.offset else 0
                yield from _sentences(record, file, sources[file], schema, options, skip, after)
                continue
            if problem and options.on_error == "fail":
                raise JobError(
                    f"{sources[file].name} row {record.number}: {problem}; remedy: mend the row, or --on-error null "
                    "or skip; either with --restart"
                )
            front: tuple[Any, ...] = ()
            if options.documents:
                front = _unsplit(_document(record, sources[file], schema, options), record)
            text = record.text if isinstance(record.text, str) else ""
            yield Row(record, file, text, problem, front, after, record.size)
        sources[file].check_unchanged()


def _records(source: Source, file: int, schema: Schema, options: Options, place: Position) -> Iterator[Record]:
    if schema.kind == "txt":
        if not options.documents:
            return read_lines(source, place.offset, place.number, named="document" in schema.columns)
        return read_document(source) if place.number <= 1 else iter(())
    if schema.kind == "jsonl":
        return read_jsonl(source, place.offset, place.number, schema.text)
    if schema.kind == "parquet":
        return read_parquet(source, place.offset, schema.text)
    header, delimiter = schema.headers[file]
    text = header.index(schema.text) if schema.text in header else None
    records = read_csv(source, place.offset, place.number, place.alone, header=header, delimiter=delimiter, text=text)
    return records if tuple(header) == schema.columns else _aligned(records, header, schema.columns)


def _aligned(records: Iterator[Record], header: Sequence[str], columns: Sequence[str]) -> Iterator[Record]:
    """Puts the cells of a file into the order of the columns of all files."""
    places = [header.index(name) if name in header else None for name in columns]
    for record in records:
        if record.cells is not None:
            record.cells = ["" if place is None else record.cells[place] for place in places]
        yield record


def _sentences(
    record: Record, file: int, source: Source, schema: Schema, options: Options, skip: int, after: Position
) -> Iterator[Row]:
    from rhetoric.documents import split_sentences  # its patterns take a while to compile

    name = _document(record, source, schema, options)
    text = str(record.text)
    spans = split_sentences(text)
    if not spans:
        if options.on_error == "fail":
            raise JobError(f"{source.name} row {record.number}: no sentence in it; remedy: --on-error null or skip")
        yield Row(record, file, "", "no sentence in the document", _unsplit(name, record), after, record.size)
    for done, span in enumerate(spans, start=1):
        if done <= skip:
            continue
        here = after if done == len(spans) else Position(file, record.start, record.number, done, record.alone)
        front = (name, done, span.start, span.end, span.text, span.quoted, span.speaker)
        yield Row(record, file, span.text, None, front, here, 2 * len(span.text) + 200)


def _unsplit(document: str, record: Record) -> tuple[Any, ...]:
    """Values of `SENTENCE_FIELDS` for a document that could not be split: its name, and its text whole."""
    text = None if record.text is None else cell(record.text)
    return (document, None, None, None, text, None, None)


def _document(record: Record, source: Source, schema: Schema, options: Options) -> str:
    """What the column `document` says: the row's own name, or the file, and the row unless it is the whole file."""
    name: Any = None
    if options.id_column is not None and record.cells is not None:
        cells = record.cells
        if schema.kind == "csv":
            name = cells[schema.columns.index(options.id_column)]
        elif schema.kind == "jsonl":
            name = cells[1].get(options.id_column)
        elif schema.kind == "parquet" and options.id_column in cells[0].schema.names:
            name = cells[0].column(options.id_column)[cells[1]].as_py()
    if name is not None and name != "":  # what CSV has for null
        return str(name)
    return source.name if schema.kind == "txt" else f"{source.name}:{record.number}"
