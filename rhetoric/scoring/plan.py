"""What a job knows before its first row is scored: files, columns, options, and how rows are written."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhetoric.errors import InputError
from rhetoric.scoring.carried import Carried, carry
from rhetoric.scoring.columns import SENTENCE_FIELDS, Layout
from rhetoric.scoring.options import FORMATS, Options
from rhetoric.scoring.schema import Schema, read_schema
from rhetoric.scoring.sources import Say, Source, find_sources, spool
from rhetoric.scoring.writers import Writer, make_writer
from rhetoric.separator import separator

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = ["Plan", "make_plan", "output_format"]

STDOUT_FORMAT = {"csv": "csv", "txt": "csv", "jsonl": "jsonl", "parquet": "jsonl"}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known before the first row is scored; `separator` is what stands between the cells of CSV."""

    sources: Sequence[Source]
    schema: Schema
    options: Options
    layout: Layout
    carried: Carried
    separator: str
    writer: Writer
    model: Mapping[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for an unfinished job to go on."""
        from rhetoric import __version__

        return {
            "inputs": [source.identity for source in self.sources],
            "model": dict(self.model),
            "options": self.options.to_dict(),
            "separator": self.separator,
            "version": __version__,
        }


def make_plan(
    tagger: RhetoricTagger,
    names: Sequence[str | Path],
    output: Path | None,
    folder: Path,
    options: Options,
    model: Mapping[str, Any],
    say: Say,
) -> Plan:
    """Finds the inputs and settles what the job does with them.

    Args:
        tagger: The tagger, for its labels.
        names: Files, patterns, folders, or "-".
        output: File or folder to write; None for standard output.
        folder: Where standard input is kept.
        options: What to do.
        model: Plain values that identify the model.
        say: Called with what was guessed.

    Raises:
        InputError: Inputs, output or options are unusable.
        JobError: A file cannot be read.
    """
    if "-" in map(str, names):
        if len(names) > 1:
            raise InputError("standard input (-) goes with no other input; remedy: one or the other")
        if options.input_format == "parquet":
            raise InputError("Parquet cannot be read from standard input; remedy: name the file")
        sources = [spool(sys.stdin.buffer, folder, options.input_format)]
    else:
        sources = find_sources(names, kind=options.input_format, output=output, say=say)
    if not sources:
        raise InputError("no input is given; remedy: files, patterns or folders")
    family = "csv" if sources[0].kind == "tsv" else sources[0].kind
    kind = output_format(output, options, family)
    schema = read_schema(
        sources,
        text_column=options.text_column,
        id_column=options.id_column,
        documents=options.documents,
        output=kind,
        say=say,
    )
    if options.id_column is not None and options.id_column not in schema.columns:
        listed = ", ".join(map(repr, schema.columns))
        raise InputError(f"{sources[0].name} has no column {options.id_column!r}; remedy: one of its columns: {listed}")
    options = replace(options, text_column=schema.text, format=kind)
    layout = Layout.of(options, tagger.labels)
    front = tuple(replace(f, name=options.prefix + f.name) for f in SENTENCE_FIELDS) if options.documents else ()
    left = {schema.text} if options.documents else set()
    if options.documents and options.id_column == front[0].name:
        left.add(front[0].name)  # the column `document` says the same
    added = [field.name for field in (*front, *layout.fields)]
    carried = carry(schema, without=left, added=added, where=sources[0].name)
    mark = "\t" if kind == "tsv" else _separator(sources, schema, added)
    writer = make_writer(kind, carried, front, layout.fields, mark)
    return Plan(sources, schema, options, layout, carried, mark, writer, model)


def _separator(sources: Sequence[Source], schema: Schema, added: Sequence[str]) -> str:
    """The separator that all inputs share, if they are CSV: what opened them opens the output too; else a comma."""
    marks = {mark if source.kind == "csv" else "," for source, (_, mark) in zip(sources, schema.headers, strict=False)}
    mark = marks.pop() if len(marks) == 1 else ","
    # The separator is told from the header again, in which the name of a label may hold another.
    return mark if separator(mark.join(added)) == mark else ","


def output_format(output: Path | None, options: Options, family: str) -> str:
    """The format of an output, by option or name; of standard output that of the inputs' `family`.

    Raises:
        InputError: The name does not tell, or the format is not possible there.
    """
    if output is None:
        kind = options.format or STDOUT_FORMAT[family]
        if kind == "parquet":
            raise InputError("Parquet cannot be written to standard output; remedy: -o FILE.parquet")
        return kind
    kind = options.format or output.suffix.lower().removeprefix(".")
    kind = {"ndjson": "jsonl", "pq": "parquet"}.get(kind, kind)
    if kind not in FORMATS:
        raise InputError(
            f"the name of {output} does not tell its format; remedy: a name that ends in .csv, .jsonl or .parquet, or "
            "--format"
        )
    return kind
