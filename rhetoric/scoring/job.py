"""A scoring job: one stream of rows through the engine, cut into parts that are committed one by one.

The stream runs across parts and files, so the engine is never drained at a boundary. Parts are cut by rows and
bytes of the input alone, and a row's scores do not depend on its neighbours: so the output is the same, byte for
byte, however often the job was killed.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rhetoric.errors import InputError, RhetoricError
from rhetoric.scoring.carried import Carried, carry, json_text
from rhetoric.scoring.columns import SENTENCE_FIELDS, Layout, Outcome, added_columns
from rhetoric.scoring.options import FORMATS, Options
from rhetoric.scoring.progress import Meter, Progress
from rhetoric.scoring.records import Position
from rhetoric.scoring.rows import Row, read_rows
from rhetoric.scoring.schema import Schema, read_schema
from rhetoric.scoring.sources import Say, Source, find_sources, spool
from rhetoric.scoring.store import Store, open_store
from rhetoric.scoring.summary import BadRows, Summary, Tally
from rhetoric.scoring.writers import Writer, make_writer

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = ["score_file"]

PART_ROWS = 5000
PART_BYTES = 16 << 20
# Rows on their way through the engine; what they hold in Python is several times that.
HELD_BYTES = 64 << 20
# Scored in place of a bad row, so that rows and predictions stay in step; computed once a window.
STAND_IN = "."
STDOUT_FORMAT = {"csv": "csv", "txt": "csv", "jsonl": "jsonl", "parquet": "jsonl"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that is known before the first row is scored."""

    sources: Sequence[Source]
    schema: Schema
    options: Options
    layout: Layout
    carried: Carried
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
            "version": __version__,
        }


def score_file(
    tagger: RhetoricTagger,
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    options: Options,
    model: Mapping[str, Any],
    restart: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
) -> Summary:
    """Scores files; `RhetoricTagger.score_file` describes the arguments.

    Args:
        tagger: The tagger.
        inputs: Files, patterns, folders, or "-".
        output: File to write, or "-".
        options: What to do.
        model: Plain values that identify the model.
        restart: Throw away an unfinished job.
        force: Replace the output.
        progress: Called a few times a second.
        say: Called with what the user should know.

    Returns:
        The figures of the job.

    Raises:
        InputError: Inputs, output or options are unusable.
        JobError: The job cannot go on; finished parts stay.
    """
    names = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    say = say or (lambda line: None)
    if str(output) == "-":
        with TemporaryDirectory(prefix="rhetoric-") as folder:
            plan = _plan(tagger, names, None, Path(folder), options, model, say)
            return _to_stdout(tagger, plan, progress)
    target = Path(output)
    _output_format(target, options, "")
    with open_store(target, restart=restart, force=force) as store:
        plan = _plan(tagger, names, target, store.folder, options, model, say)
        return _to_file(tagger, plan, store, progress, say)


def _to_file(tagger: RhetoricTagger, plan: _Plan, store: Store, progress: Progress | None, say: Say) -> Summary:
    if store.begin(plan.identity) and not store.state.done:
        store.state.tally.resumed += 1
        say(f"going on after {store.state.tally.rows:,} rows")
    state = store.state
    if not state.done:
        try:
            for part in _timed_parts(tagger, plan, state.position, state.tally, progress):
                rows, quarantine = _encode(part, plan, state.tally)
                state.position = part[-1][0].after
                store.commit(rows if state.rows_bytes else plan.writer.header() + rows, quarantine)
        except KeyboardInterrupt:
            say("finished parts are kept: the same command goes on from there")
            raise
        state.done = True
        store.commit(b"" if state.rows_bytes else plan.writer.header(), b"")
    quarantine_name = f"{store.output}.quarantine.jsonl" if state.quarantine_bytes else None
    summary = _summary(plan, state.tally, str(store.output), quarantine_name)
    # An earlier run may have been killed between the last rename and the removal of the folder.
    made = plan.writer.finish(store.rows, store.folder) if store.rows.exists() else None
    store.finish(made, summary.to_dict())
    return summary


def _to_stdout(tagger: RhetoricTagger, plan: _Plan, progress: Progress | None) -> Summary:
    tally, out = Tally(), sys.stdout.buffer
    out.write(plan.writer.header())
    for part in _timed_parts(tagger, plan, Position(), tally, progress):
        rows, quarantine = _encode(part, plan, tally)
        out.write(rows)
        out.flush()
        sys.stderr.write(quarantine.decode())  # there is no file beside standard output
    out.flush()
    return _summary(plan, tally, "-", None)


def _plan(
    tagger: RhetoricTagger,
    names: Sequence[str | Path],
    output: Path | None,
    folder: Path,
    options: Options,
    model: Mapping[str, Any],
    say: Say,
) -> _Plan:
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
    kind = _output_format(output, options, family)
    schema = read_schema(sources, text_column=options.text_column, output=kind, say=say)
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
    writer = make_writer(kind, carried, front, layout.fields)
    return _Plan(sources, schema, options, layout, carried, writer, model)


def _output_format(output: Path | None, options: Options, family: str) -> str:
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


def _timed_parts(
    tagger: RhetoricTagger, plan: _Plan, start: Position, tally: Tally, progress: Progress | None
) -> Iterator[list[tuple[Row, Outcome]]]:
    """Parts, cut by rows and bytes; the time each took is added to the tally, and progress reported."""
    ends = list(accumulate(source.size for source in plan.sources))
    meter = Meter(progress, tally.rows, ends[-1]) if progress else None
    before, rows = time.monotonic(), tally.rows
    part: list[tuple[Row, Outcome]] = []
    held = 0
    for row, outcome in _scored(tagger, plan, start):
        part.append((row, outcome))
        held += row.size
        rows += 1
        if meter:
            meter.update(rows, ends[row.file] - plan.sources[row.file].size + row.record.read)
        if len(part) >= PART_ROWS or held >= PART_BYTES:
            now = time.monotonic()
            tally.seconds, before = tally.seconds + now - before, now
            yield part
            part, held = [], 0
    tally.seconds += time.monotonic() - before
    if part:
        yield part
    if meter:
        meter.update(rows, ends[-1], last=True)


def _scored(tagger: RhetoricTagger, plan: _Plan, start: Position) -> Iterator[tuple[Row, Outcome]]:
    """Rows with their predictions, or why there is none.

    When reading fails, what was read before is still scored; the error comes after it.
    """
    source = _until_fault(read_rows(plan.sources, plan.schema, plan.options, start))
    pending: deque[Row] = deque()
    held, fault, more = 0, None, True

    def texts() -> Iterator[str]:
        nonlocal held, fault, more
        for row in source:
            if isinstance(row, RhetoricError):
                fault = row
                break
            pending.append(row)
            held += row.size
            yield STAND_IN if row.problem else row.text
            if held > HELD_BYTES:
                return
        more = False

    on_long: Any = plan.options.on_long
    while more:  # once, unless rows are so large that those in flight would fill the memory
        for prediction in tagger.predict_stream(texts(), threshold=plan.options.threshold, on_long=on_long):
            row = pending.popleft()
            held -= row.size
            yield row, row.problem or prediction
    if fault:
        raise fault


def _until_fault(rows: Iterator[Row]) -> Iterator[Row | RhetoricError]:
    try:
        yield from rows
    except RhetoricError as error:
        yield error


def _encode(part: Sequence[tuple[Row, Outcome]], plan: _Plan, tally: Tally) -> tuple[bytes, bytes]:
    """The bytes of a part for the output and for the quarantine; counts its rows."""
    kept: list[Row] = []
    outcomes: list[Outcome] = []
    quarantine: list[str] = []
    for row, outcome in part:
        if isinstance(outcome, str):
            keep = row.record.raw is None and plan.options.on_error == "null"
            name = plan.sources[row.file].name
            tally.bad(outcome, f"{name} row {row.record.number}", kept=keep)
            if not keep:
                quarantine.append(_quarantined(row, outcome, plan))
                continue
        kept.append(row)
        outcomes.append(outcome)
    added = added_columns(outcomes, plan.layout)
    tally.rows += len(part)
    tally.kept += len(kept)
    tally.quarantined += len(quarantine)
    tally.lines += len(added.source)
    tally.count([row.text for row in kept], outcomes, plan.options.top)
    rows = plan.writer.encode(kept, added) if kept else b""
    return rows, "".join(quarantine).encode()


def _quarantined(row: Row, reason: str, plan: _Plan) -> str:
    record = row.record
    entry: dict[str, Any] = {"file": plan.sources[row.file].name, "row": record.number, "reason": reason}
    if plan.options.id_column is not None and record.cells is not None:
        entry["id"] = plan.carried.value(record, plan.options.id_column)
    if record.raw is not None:
        entry["raw"] = record.raw
    elif plan.schema.kind == "txt":
        entry["raw"] = record.text
    else:
        entry["raw"] = f"{{{plan.carried.body(record)}}}"
    return json_text(entry) + "\n"


def _summary(plan: _Plan, tally: Tally, output: str, quarantine: str | None) -> Summary:
    return Summary(
        output=output,
        inputs=tuple(source.name for source in plan.sources),
        model={"labels": list(plan.layout.labels)} | dict(plan.model),
        options=plan.options.to_dict(),
        rows=tally.rows,
        kept=tally.kept,
        quarantined=tally.quarantined,
        lines=tally.lines,
        labels={name: tally.labels.get(name, 0) for name in plan.layout.labels},
        neutral=tally.neutral,
        uncertain=tally.uncertain,
        truncated=tally.truncated,
        duplicates=tally.duplicates,
        errors={
            reason: BadRows(entry["count"], entry["kept"], tuple(entry["first"]))
            for reason, entry in tally.errors.items()
        },
        seconds=round(tally.seconds, 3),
        resumed=tally.resumed,
        quarantine=quarantine,
    )
