"""A scoring job: one stream of rows through the engine, cut into parts that are committed one by one.

The stream runs across parts and files, so the engine is never drained at a boundary. Parts are cut by rows and
bytes of the input alone, and a row's scores do not depend on its neighbours: so the output is the same, byte for
byte, however often the job was killed; but for the last digits of scores with engine torch.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rhetoric.errors import JobError, RhetoricError
from rhetoric.scoring.columns import Outcome
from rhetoric.scoring.encode import encode, summarise
from rhetoric.scoring.options import Options
from rhetoric.scoring.outcomes import predicted
from rhetoric.scoring.plan import Plan, make_plan, output_format
from rhetoric.scoring.progress import Meter, Progress, taken_up
from rhetoric.scoring.records import Position
from rhetoric.scoring.rows import Row, read_rows
from rhetoric.scoring.several import Several
from rhetoric.scoring.sources import Say
from rhetoric.scoring.store import Store, open_store
from rhetoric.scoring.summary import Summary, Tally

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = ["score_file"]

PART_ROWS = 5000
PART_BYTES = 16 << 20
# Rows on their way through the engine; what they hold in Python is several times that.
HELD_BYTES = 64 << 20
# Scored in place of a bad row, so that rows and predictions stay in step; computed once a window.
STAND_IN = "."


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
            plan = make_plan(tagger, names, None, Path(folder), options, model, say)
            return _to_stdout(tagger, plan, progress, say)
    target = Path(output)
    output_format(target, options, "")
    with open_store(target, restart=restart, force=force) as store:
        plan = make_plan(tagger, names, target, store.folder, options, model, say)
        return _to_file(tagger, plan, store, progress, say)


def _to_file(tagger: RhetoricTagger, plan: Plan, store: Store, progress: Progress | None, say: Say) -> Summary:
    if store.begin(plan.identity) and not store.state.done:
        store.state.tally.resumed += store.state.tally.rows > 0
        say(taken_up(store.state.tally.rows))
    state, several = store.state, Several(documents=plan.options.documents)
    if not state.done:
        try:
            for part in _timed_parts(tagger, plan, state.position, state.tally, progress):
                several.look(part)
                rows, quarantine = encode(part, plan, state.tally)
                state.position = part[-1][0].after
                store.commit(rows if state.rows_bytes else plan.writer.header() + rows, quarantine)
        except KeyboardInterrupt:
            say("finished parts are kept: the same command goes on from there")
            raise
        state.done = True
        store.commit(b"" if state.rows_bytes else plan.writer.header(), b"")
    quarantine_name = f"{store.output}.quarantine.jsonl" if state.quarantine_bytes else None
    summary = summarise(plan, state.tally, str(store.output), quarantine_name)
    # An earlier run may have been killed between the last rename and the removal of the folder.
    if not store.rows.exists() and not store.output.exists():
        raise JobError(f"{store.rows} is missing; remedy: --restart to start anew")
    made = plan.writer.finish(store.rows, store.folder) if store.rows.exists() else None
    store.finish(made, summary.to_dict())
    if several.note:
        say(several.note)
    return summary


def _to_stdout(tagger: RhetoricTagger, plan: Plan, progress: Progress | None, say: Say) -> Summary:
    tally, several, out = Tally(), Several(documents=plan.options.documents), sys.stdout.buffer
    out.write(plan.writer.header())
    for part in _timed_parts(tagger, plan, Position(), tally, progress):
        several.look(part)
        rows, quarantine = encode(part, plan, tally)
        out.write(rows)
        out.flush()
        sys.stderr.write(quarantine.decode())  # there is no file beside standard output
    out.flush()
    if several.note:
        say(several.note)
    return summarise(plan, tally, "-", None)


def _timed_parts(
    tagger: RhetoricTagger, plan: Plan, start: Position, tally: Tally, progress: Progress | None
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


def _scored(tagger: RhetoricTagger, plan: Plan, start: Position) -> Iterator[tuple[Row, Outcome]]:
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

    while more:  # once, unless rows are so large that those in flight would fill the memory
        for outcome in predicted(tagger, texts(), plan.options):
            row = pending.popleft()
            held -= row.size
            yield row, row.problem or outcome
    if fault:
        raise fault
    if pending:
        raise JobError(f"{len(pending)} rows were read and not scored; remedy: please report this, with the command")


def _until_fault(rows: Iterator[Row]) -> Iterator[Row | RhetoricError]:
    try:
        yield from rows
    except RhetoricError as error:
        yield error
