"""A job whose output is a folder of Parquet files, one a part: what the workers of a cluster share.

Parts are runs of rows of one input file, cut by rows and bytes of the input alone, so that they are the same whoever
cuts them. A part is written with its figures and bad rows beside it, itself last and by a rename: a part that is there
is whole, and a job goes on with those that are not. The folder takes the name of the output when every part is in it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rhetoric.errors import InputError, JobError
from rhetoric.scoring.columns import Outcome
from rhetoric.scoring.encode import encode, summarise
from rhetoric.scoring.job import PART_BYTES, STAND_IN
from rhetoric.scoring.outcomes import predicted
from rhetoric.scoring.plan import Plan
from rhetoric.scoring.records import Position
from rhetoric.scoring.rows import Row, read_rows
from rhetoric.scoring.store import MANIFEST, Store, beside, job_folder
from rhetoric.scoring.summary import FIRST, Summary, Tally

if TYPE_CHECKING:
    from rhetoric.tagger import RhetoricTagger

__all__ = [
    "MissingPart",
    "Part",
    "check_whole",
    "finish",
    "is_moved",
    "make_folders",
    "open_folder",
    "read_parts",
    "rows_and_bytes",
    "score_part",
]

PARTS, TALLIES, QUARANTINES = "parts", "tallies", "quarantines"
SUMS = (
    "rows",
    "kept",
    "quarantined",
    "lines",
    "neutral",
    "uncertain",
    "truncated",
    "duplicates",
    "documents",
    "placeholders",
)


class MissingPart(JobError):
    """A part of the output is not there.

    Attributes:
        reason: Which one.
    """

    def __init__(self, reason: str, folder: Path) -> None:
        super().__init__(f"{reason} in {folder}; remedy: run the same command again, which writes it")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """A run of rows of one input file.

    Attributes:
        name: Of its files, which sorts as the parts do.
        rows: Its rows; none if the file has none.
        last: Whether it is the last of the file.
        size: Bytes of the file behind it, those of the parts before left out; for progress.
    """

    name: str
    rows: Sequence[Row]
    last: bool
    size: int


def _name(file: int, number: int) -> str:
    return f"part-{file:06d}-{number:06d}"


@contextmanager
def open_folder(output: Path, *, restart: bool, force: bool) -> Iterator[Path]:
    """Opens the job folder of an output and holds its lock.

    Args:
        output: The folder to make.
        restart: Throw away an unfinished job.
        force: Replace a folder of parts.

    Yields:
        The job folder.

    Raises:
        InputError: The output is there, and not because a job was killed right after it had put it there; or it is
            not a folder of parts, which is never replaced.
        JobError: Another job is writing it, or the disk is full, or the folder cannot be written to.
    """
    _check_replaceable(output)
    if not output.parent.is_dir():
        raise InputError(f"there is no folder {str(output.parent)!r} to make {output.name} in; remedy: make it first")
    with job_folder(output, restart=restart, force=force) as folder:
        yield folder


def _check_replaceable(output: Path) -> None:
    """Raises InputError if something else than a folder of parts is in the place of the output."""
    if output.exists() and (
        not output.is_dir() or any(not file.match("part-*-*.parquet") for file in output.iterdir())
    ):
        raise InputError(f"{output} is no folder of parts, which is never replaced; remedy: another name")


def make_folders(folder: Path) -> None:
    """Makes the folders that parts are written to."""
    for name in (PARTS, TALLIES, QUARANTINES):
        (folder / name).mkdir(exist_ok=True)


def read_parts(plan: Plan, file: int, folder: Path, part_rows: int) -> Iterator[Part]:
    """Reads a file to parts; those that are finished are read past.

    Args:
        plan: The job.
        file: Index of the file.
        folder: The job folder.
        part_rows: Rows of a part.

    Yields:
        Parts that are not there yet.

    Raises:
        JobError: The file is gone, damaged or changed; or a row is bad under `on_error="fail"`.
    """
    rows = read_rows(plan.sources[: file + 1], plan.schema, plan.options, Position(file))
    size, read = plan.sources[file].size, 0
    for number, (run, last) in enumerate(_cut(rows, part_rows)):
        behind = size if last else run[-1].record.read
        name = _name(file, number)
        if not (folder / PARTS / f"{name}.parquet").exists():
            yield Part(name, run, last, behind - read)
        read = behind


def _cut(rows: Iterator[Row], part_rows: int) -> Iterator[tuple[list[Row], bool]]:
    """Runs of rows, with whether it is the last one; no rows are one empty run."""
    run: list[Row] = []
    held = 0
    for row in rows:
        if len(run) >= part_rows or held >= PART_BYTES:
            yield run, False
            run, held = [], 0
        run.append(row)
        held += row.size
    yield run, True


def score_part(tagger: RhetoricTagger, plan: Plan, folder: Path, part: Part) -> None:
    """Scores a part, and writes it with its figures and bad rows.

    Args:
        tagger: The tagger.
        plan: The job.
        folder: The job folder.
        part: The part.

    Raises:
        OSError: The disk is full.
    """
    texts = (STAND_IN if row.problem else row.text for row in part.rows)
    outcomes = predicted(tagger, texts, plan.options)
    scored: list[tuple[Row, Outcome]] = [
        (row, row.problem or outcome) for row, outcome in zip(part.rows, outcomes, strict=True)
    ]
    tally = Tally()
    encoded, quarantine = encode(scored, plan, tally)
    with TemporaryDirectory(dir=folder) as scratch:
        stream = Path(scratch) / "rows"
        stream.write_bytes(encoded)
        made = plan.writer.finish(stream, Path(scratch))
        figures = json.dumps({"last": part.last, "bytes": part.size, "tally": asdict(tally)})
        _put(Path(scratch), figures.encode(), folder / TALLIES / f"{part.name}.json")
        if quarantine:
            _put(Path(scratch), quarantine, folder / QUARANTINES / f"{part.name}.jsonl")
        _put(Path(scratch), made, folder / PARTS / f"{part.name}.parquet")


def _put(scratch: Path, content: bytes | Path, target: Path) -> None:
    """Puts a file in its place, whole and on the disk."""
    if isinstance(content, bytes):
        file = scratch / "file"
        file.write_bytes(content)
    else:
        file = content
    with file.open("r+b") as stream:
        os.fsync(stream.fileno())
    file.replace(target)


def rows_and_bytes(folder: Path) -> tuple[int, int]:
    """Rows, and bytes of the input, of the parts that are there."""
    found = [_figures(folder, file.stem) for file in (folder / PARTS).glob("*.parquet")]
    return sum(figures["tally"]["rows"] for figures in found), sum(figures["bytes"] for figures in found)


def _figures(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / TALLIES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def is_moved(store: Store) -> bool:
    """Whether an earlier run put all parts in their place, and was killed before its last step."""
    return store.state.done and not (store.folder / PARTS).exists()


def finish(plan: Plan, store: Store) -> Summary:
    """Checks that every part is there, and puts quarantine, summary and folder in their places.

    Args:
        plan: The job.
        store: Its manifest.

    Returns:
        The figures of the job.

    Raises:
        MissingPart: A part is missing.
    """
    folder, output = store.folder, store.output
    tally = check_whole(plan, store)
    quarantine = beside(output, "quarantine.jsonl")
    moved = is_moved(store)
    with TemporaryDirectory(dir=folder) as scratch:
        if tally.quarantined:
            joined = Path(scratch) / "quarantine"
            with joined.open("wb") as stream:
                for file in sorted((folder / QUARANTINES).iterdir()):
                    stream.write(file.read_bytes())
            _put(Path(scratch), joined, quarantine)
        else:
            quarantine.unlink(missing_ok=True)  # of an output that this one replaces
        summary = summarise(plan, tally, str(output), str(quarantine) if tally.quarantined else None)
        text = json.dumps(summary.to_dict(), indent=1, ensure_ascii=False) + "\n"
        _put(Path(scratch), text.encode(), beside(output, "summary.json"))
    if not moved:
        _check_replaceable(output)
        store.state.done = True
        store.commit(b"", b"")
        if output.exists():
            output.rename(folder / "replaced")
        (folder / PARTS).rename(output)
    (folder / MANIFEST).unlink()
    return summary


def check_whole(plan: Plan, store: Store) -> Tally:
    """Figures of all parts together.

    Raises:
        MissingPart: A part is not there.
    """
    total = Tally(seconds=store.state.tally.seconds, resumed=store.state.tally.resumed)
    moved = is_moved(store)
    for file, source in enumerate(plan.sources):
        last, number = False, 0
        while not last:
            name = _name(file, number)
            try:
                figures = _figures(store.folder, name)
            except FileNotFoundError:
                figures = None
            if figures is None or not (moved or (store.folder / PARTS / f"{name}.parquet").exists()):
                raise MissingPart(f"part {number} of {source.name} is missing", store.folder)
            _add(total, Tally(**figures["tally"]))
            last, number = figures["last"], number + 1
    return total


def _add(total: Tally, part: Tally) -> None:
    """Adds the figures of a part; it has neither seconds nor resumptions."""
    for name in SUMS:
        setattr(total, name, getattr(total, name) + getattr(part, name))
    total.first_placeholder = total.first_placeholder or part.first_placeholder
    total.labels = dict(Counter(total.labels) + Counter(part.labels))
    for reason, more in part.errors.items():
        entry = total.errors.setdefault(reason, {"count": 0, "kept": 0, "first": []})
        entry["count"] += more["count"]
        entry["kept"] += more["kept"]
        entry["first"] = [*entry["first"], *more["first"]][:FIRST]
