"""The columns of the inputs: their names over all files, their types where an output needs them, and the text's.

CSV and Parquet say their columns at the start; JSONL does not, so it is read once before the job if the output
needs to know (CSV and Parquet do, JSONL does not).
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rhetoric.errors import InputError, require
from rhetoric.scoring.parquet import read_parquet_schema
from rhetoric.scoring.readers import read_header, read_jsonl
from rhetoric.scoring.sources import Say, Source

__all__ = ["Schema", "guess_text_column", "is_text", "read_schema"]

TEXT_COLUMNS = ("text", "sentence", "utterance", "content", "body", "speech", "statement", "quote")
PEEK = 1000
CHUNK = 5000
# Larger integers are not exact in a column that holds fractions too.
EXACT_INTEGER = 2**53


@dataclass(frozen=True, slots=True)
class Schema:
    """Columns of all inputs.

    Attributes:
        kind: "csv", "jsonl", "parquet" or "txt".
        columns: Names in the order of first appearance over all files.
        text: The text column.
        headers: Of each CSV file its columns and separator.
        types: Arrow type of each column, None where values of one column have no common type and are written as
            text; empty where no output needs it.
    """

    kind: str
    columns: tuple[str, ...]
    text: str
    headers: tuple[tuple[list[str], str], ...] = ()
    types: Mapping[str, Any] | None = None


def read_schema(
    sources: Sequence[Source],
    *,
    text_column: str | None,
    id_column: str | None,
    documents: bool,
    output: str,
    say: Say,
) -> Schema:
    """Finds the columns of the inputs.

    Args:
        sources: The files, all of one kind.
        text_column: The text column asked for; None to guess.
        id_column: The column asked for that names a row; None for none.
        documents: Whether texts are documents.
        output: Format of the output.
        say: Told of a guess.

    Raises:
        InputError: There is no such column, none is obvious, or files disagree about a type.
    """
    kind = sources[0].kind
    where = sources[0].name if len(sources) == 1 else f"{sources[0].name} and {len(sources) - 1} more"
    if kind == "txt":
        text = guess_text_column(("text",), ("text",), text_column, where, say)
        # Nothing but its file tells where a line comes from; a document is named in any case.
        return Schema("txt", ("document", "text") if len(sources) > 1 and not documents else ("text",), text)
    if kind in ("csv", "tsv"):
        headers = tuple(read_header(source) for source in sources)
        for source, (_, delimiter) in zip(sources, headers, strict=True):
            if source.kind == "csv" and delimiter != ",":
                say(f"{source.name}: columns are separated by {delimiter!r}")
        names = tuple(dict.fromkeys(name for header, _ in headers for name in header))
        return Schema("csv", names, guess_text_column(names, names, text_column, where, say), headers)
    if kind == "parquet":
        types = _parquet_types(sources)
        names = tuple(types)
        texts = [name for name, kind in types.items() if is_text(kind)]
        text = guess_text_column(names, texts, text_column, where, say)
        if text not in texts:
            raise InputError(f"{where}: column {text!r} holds {types[text]}, not text; remedy: --text-column")
        return Schema("parquet", names, text, types=types)
    found = _Columns(typed=output == "parquet")
    rows = (record.cells[1] for s in sources for record in read_jsonl(s, 0, 0, "") if record.cells is not None)
    found.read(rows if output != "jsonl" else islice(rows, PEEK))
    if any(name is not None and name not in found.names for name in (text_column, id_column)):
        found.read(rows)  # it may come later
    if not found.names:
        raise InputError(f"{where}: no line is a JSON object with columns; remedy: JSON Lines, one object a line")
    text = guess_text_column(tuple(found.names), tuple(found.strings), text_column, where, say)
    return Schema("jsonl", tuple(found.names), text, types=found.types() if output == "parquet" else None)


def guess_text_column(names: Sequence[str], texts: Sequence[str], asked: str | None, where: str, say: Say) -> str:
    """The text column: the one asked for, or the obvious one, which is said aloud.

    Args:
        names: All columns.
        texts: Those that hold text.
        asked: The column asked for.
        where: The input, for messages.
        say: Told of a guess that was not plain.

    Raises:
        InputError: The column asked for is missing, or none is obvious.
    """
    listed = ", ".join(map(repr, names[:12])) + (" …" if len(names) > 12 else "") if names else "there are none"
    if asked is not None:
        if asked in names:
            return asked
        near = difflib.get_close_matches(asked, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"remedy: one of its columns: {listed}"
        raise InputError(f"{where} has no column {asked!r}; {hint}")
    lower = {name.strip().lower(): name for name in reversed(texts)}
    found = next((lower[name] for name in TEXT_COLUMNS if name in lower), None)
    if found is None and len(texts) == 1:
        found = texts[0]
    if found is None:
        raise InputError(f"no column of {where} is obviously the text; remedy: --text-column, one of: {listed}")
    if found != "text":
        say(f"taking column {found!r} for the text (--text-column to choose another)")
    return found


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is one of strings, also of a dictionary of them."""
    types = require("pyarrow", extra="parquet").types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _parquet_types(sources: Sequence[Source]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in sources:
        schema = read_parquet_schema(source)
        twice = [name for name, count in Counter(schema.names).items() if count > 1]
        if twice:
            raise InputError(f"{source.name}: column {twice[0]!r} occurs twice; remedy: rename one")
        for field in schema:
            if found.setdefault(field.name, field.type) != field.type:
                raise InputError(
                    f"{source.name}: column {field.name!r} holds {field.type}, {sources[0].name} has "
                    f"{found[field.name]}; remedy: one job for each, or write them with one type"
                )
    return found


class _Columns:
    """Names of JSONL columns, which of them hold text, and the Arrow type of each if asked for."""

    def __init__(self, *, typed: bool) -> None:
        self.names: dict[str, None] = {}
        self.strings: dict[str, None] = {}
        self._typed = typed
        self._types: dict[str, Any] = {}
        self._large: set[str] = set()

    def read(self, rows: Iterator[dict[str, Any]]) -> None:
        while chunk := list(islice(rows, CHUNK)):
            for row in chunk:
                self.names |= dict.fromkeys(row)
                self.strings |= dict.fromkeys(name for name, value in row.items() if isinstance(value, str))
            if self._typed:
                for name in self.names:
                    self._widen(name, [row[name] for row in chunk if row.get(name) is not None])

    def _widen(self, name: str, values: list[Any]) -> None:
        pyarrow = require("pyarrow", extra="parquet")
        before = self._types.get(name, pyarrow.null())
        if before is None or not values:
            return
        if any(isinstance(value, int) and abs(value) > EXACT_INTEGER for value in values):
            self._large.add(name)
        try:
            here = pyarrow.array(values).type
            fields = [pyarrow.schema([(name, kind)]) for kind in (before, here)]
            both = pyarrow.unify_schemas(fields, promote_options="permissive").field(name).type
            # Booleans and texts are not numbers, however Arrow would promote them.
            self._types[name] = both if pyarrow.types.is_floating(both) or both in (before, here) else None
        except (pyarrow.ArrowException, OverflowError, TypeError):
            self._types[name] = None
        if name in self._large and self._types[name] is not None and pyarrow.types.is_floating(self._types[name]):
            self._types[name] = None

    def types(self) -> dict[str, Any]:
        pyarrow = require("pyarrow", extra="parquet")
        types = {name: self._types.get(name, pyarrow.null()) for name in self.names}
        # A column of nulls alone, or of empty structs, which Parquet cannot hold.
        return {
            name: None
            if kind is None or "struct<>" in str(kind)
            else pyarrow.string()
            if kind == pyarrow.null()
            else kind
            for name, kind in types.items()
        }
