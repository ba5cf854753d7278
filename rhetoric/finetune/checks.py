"""Says what labelled data holds and what is wrong with it, before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.errors import InputError
from rhetoric.finetune.base import Base, locate_base
from rhetoric.finetune.cells import Problem
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledRow, Reading, read_labelled
from rhetoric.finetune.duplicates import hidden, near_duplicates, normalised
from rhetoric.finetune.label_set import LabelSet, resolve_labels
from rhetoric.finetune.tables import Source

__all__ = ["Checked", "DataReport", "FileSummary", "Lengths", "check", "check_rows"]

FEWEST_ROWS = 10
MOST_CONFLICTS = 0.05
PAIRS_SHOWN = 15


@dataclass(frozen=True, slots=True)
class FileSummary:
    """One source: its name, its rows, those that can be used, and which column was taken for what."""

    name: str
    rows: int
    usable: int
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of the texts in word pieces, special tokens included; `over` is how many exceed `limit`."""

    shortest: int
    median: float
    p95: float
    longest: int
    limit: int
    over: int


@dataclass(frozen=True, slots=True)
class DataReport:
    """What labelled data holds.

    Attributes:
        files: Each source.
        labels: Clear rows of each label.
        borderline: Borderline rows of each label.
        labels_why: Why these are the labels.
        neutral: Rows without a label.
        per_row: How many rows carry 0, 1, 2, … labels.
        pairs: Labels that occur together, most frequent first: (one, other, rows).
        lengths: Lengths of the texts; None without a usable row.
        exact_duplicates: Rows whose text stands in an earlier row.
        near_duplicates: Rows whose text is nearly that of an earlier row, names of actors apart.
        conflicts: Rows whose text stands in an earlier row with other labels.
        leaks: Texts of one file that stand in an earlier file too.
        groups: Distinct groups; 0 without a group column.
        problems: Everything found, errors first, in the order of the files.
    """

    files: tuple[FileSummary, ...]
    labels: Mapping[str, int]
    borderline: Mapping[str, int]
    labels_why: str
    neutral: int
    per_row: tuple[int, ...]
    pairs: tuple[tuple[str, str, int], ...]
    lengths: Lengths | None
    exact_duplicates: int
    near_duplicates: int
    conflicts: int
    leaks: int
    groups: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that make training unsound."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def sound(self) -> bool:
        """Whether it can be trained on."""
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self) | {"sound": self.sound}


@dataclass(frozen=True, slots=True)
class Checked:
    """The report with the rows it is about, for the trainer.

    Attributes:
        report: The report.
        rows: Usable rows of each source.
        labels: The labels of the run.
    """

    report: DataReport
    rows: tuple[tuple[LabelledRow, ...], ...]
    labels: LabelSet


def check(*sources: Source, config: TrainConfig | None = None) -> DataReport:
    """Checks labelled data.

    Args:
        sources: Files, DataFrames or datasets; several are taken for splits, the first to train on, so a text must not
            be in two.
        config: Columns, task, labels and base; None for the defaults.

    Returns:
        What was understood, and the problems.

    Raises:
        InputError: A source cannot be read at all, or a column is missing.
        ModelError: The base model is missing or damaged.
    """
    config = config or TrainConfig()
    return check_rows(sources, config, locate_base(config.base)).report


def check_rows(sources: Sequence[Source], config: TrainConfig, base: Base) -> Checked:
    """As `check`, and hands back the rows and labels for training."""
    readings = _told_apart([read_labelled(source, config) for source in sources])
    if not readings:
        raise InputError("no data to check; remedy: pass at least one file")
    rows = [row for reading in readings for row in reading.rows]
    labels, label_problems = resolve_labels(rows, config, base.labels, readings[0].rows)
    problems = [problem for reading in readings for problem in reading.problems] + label_problems
    problems += _other_task(base, labels, config)
    if len(rows) < FEWEST_ROWS:
        message = f"fewer than {FEWEST_ROWS}; remedy: label more rows"
        problems.append(Problem("error", "too few rows", "all files", None, str(len(rows)), message))
    lengths, long = _lengths(rows, base.path, config.max_tokens)
    same, conflicts, leaks, repeated = _same_texts(readings)
    alike = _nearly_same(readings)
    problems += long + repeated + alike + _split_groups(readings)
    problems.sort(key=lambda problem: problem.severity != "error")
    clear = Counter(name for row in rows for name in row.labels)
    borderline = Counter(name for row in rows for name in row.borderline)
    pairs = Counter(pair for row in rows for pair in combinations(sorted(row.labels), 2))
    report = DataReport(
        files=tuple(FileSummary(r.source, r.total, len(r.rows), r.columns) for r in readings),
        labels={name: clear[name] for name in labels.names},
        borderline={name: borderline[name] for name in labels.names},
        labels_why=labels.why,
        neutral=sum(not any(name in labels.names for name in row.labels) for row in rows),
        per_row=tuple(np.bincount([len(row.labels) for row in rows]).tolist()) if rows else (),
        pairs=tuple((one, other, n) for (one, other), n in pairs.most_common(PAIRS_SHOWN)),
        lengths=lengths,
        exact_duplicates=same,
        near_duplicates=len(alike),
        conflicts=conflicts,
        leaks=leaks,
        groups=len({row.group for row in rows if row.group is not None}),
        problems=tuple(problems),
    )
    return Checked(report, tuple(reading.rows for reading in readings), labels)


def _other_task(base: Base, labels: LabelSet, config: TrainConfig) -> list[Problem]:
    """Labels that exclude each other have no thresholds, so they cannot be kept as labels that do not."""
    exclusive = base.folder is not None and base.folder.task == "single_label"
    if not exclusive or config.task == "single_label" or not set(base.labels) & set(labels.names):
        return []
    message = "it gives each text exactly one of its labels; remedy: --single-label, or another base"
    return [Problem("error", "base of exclusive classes", "all files", None, base.path.name, message)]


def _lengths(rows: Sequence[LabelledRow], base: Path, limit: int) -> tuple[Lengths | None, list[Problem]]:
    from tokenizers import Tokenizer

    if not rows:
        return None, []
    file = base / "tokenizer.json"
    if not file.is_file():
        raise InputError(f"{base} has no tokenizer.json; remedy: a base with a fast tokenizer")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    counts = np.array([len(e.ids) for e in tokenizer.encode_batch_fast([row.text for row in rows])])
    problems = [
        _warning(row, "over-long text", row.text, f"{count} tokens; training reads the first {limit}")
        for row, count in zip(rows, counts.tolist(), strict=True)
        if count > limit
    ]
    lengths = Lengths(
        shortest=int(counts.min()),
        median=float(np.median(counts)),
        p95=float(np.quantile(counts, 0.95)),
        longest=int(counts.max()),
        limit=limit,
        over=len(problems),
    )
    return lengths, problems


def _told_apart(readings: Sequence[Reading]) -> list[Reading]:
    """Numbers the sources whose names are alike, as those of lists and of DataFrames are: splits are told by name."""
    count = Counter(reading.source for reading in readings)
    apart = []
    for number, reading in enumerate(readings, start=1):
        if count[reading.source] > 1:
            name = f"{reading.source} {number}"
            reading = replace(
                reading,
                source=name,
                rows=tuple(replace(row, source=name) for row in reading.rows),
                problems=tuple(replace(problem, source=name) for problem in reading.problems),
            )
        apart.append(reading)
    return apart


def _same_texts(readings: Sequence[Reading]) -> tuple[int, int, int, list[Problem]]:
    """Repeated rows, those with other labels, those in another file, and the problems."""
    first: dict[str, LabelledRow] = {}
    total = sum(len(reading.rows) for reading in readings)
    same = conflicts = leaks = 0
    problems = []
    for reading in readings:
        for row in reading.rows:
            earlier = first.setdefault(normalised(row.text), row)
            if earlier is row:
                continue
            same += 1
            apart = set(row.labels) ^ set(earlier.labels)
            apart -= {*row.borderline, *earlier.borderline}
            if earlier.source != row.source:
                leaks += 1
                message = f"the same text as {earlier.place}; remedy: keep it in one file"
                problems.append(Problem("error", "leaks between files", row.source, row.number, row.text[:60], message))
            if apart:
                conflicts += 1
                message = f"{earlier.place} has the same text and differs in {', '.join(sorted(apart))}"
                problems.append(_warning(row, "conflicting labels", row.text, f"{message}; remedy: decide on one"))
            elif earlier.source == row.source:
                kind, aside = _apart("duplicate", earlier, row)
                problems.append(_warning(row, kind, row.text, f"the same text as {earlier.place}{aside}"))
    if conflicts > MOST_CONFLICTS * total:
        message = f"more than {MOST_CONFLICTS:.0%} of the rows contradict another; remedy: label them again"
        problems.append(Problem("error", "conflicting labels", "all files", None, f"{conflicts} rows", message))
    return same, conflicts, leaks, problems


def _nearly_same(readings: Sequence[Reading]) -> list[Problem]:
    first: dict[str, LabelledRow] = {}
    for row in _all(readings):
        first.setdefault(normalised(row.text), row)
    rows = list(first.values())
    problems: dict[int, Problem] = {}
    for earlier, later, overlap in near_duplicates([row.text for row in rows]):
        one, other = rows[earlier], rows[later]
        kind, aside = _apart("near duplicate", one, other)
        named = any(hidden(row.text) != normalised(row.text) for row in (one, other))
        message = f"{overlap:.0%} the same as {one.place}{', names of actors apart' if named else ''}{aside}"
        problems.setdefault(later, _warning(other, kind, other.text, message))
    return list(problems.values())


def _apart(kind: str, one: LabelledRow, other: LabelledRow) -> tuple[str, str]:
    """The kind of two rows that are alike, and what to say where training and measuring may each get one of them."""
    if one.source != other.source:
        return f"{kind} between files", ""
    if one.group != other.group:
        return f"{kind} between groups", "; the split goes by group, so they may stand on both sides of it"
    return kind, ""


def _split_groups(readings: Sequence[Reading]) -> list[Problem]:
    """Groups that stand in two files."""
    seen: dict[str, str] = {}
    problems = []
    for reading in readings:
        for group in dict.fromkeys(row.group for row in reading.rows if row.group is not None):
            if seen.setdefault(group, reading.source) != reading.source:
                message = f"it stands in {seen[group]} too; remedy: keep a group in one file"
                problems.append(Problem("warning", "group in two files", reading.source, None, group, message))
    return problems


def _all(readings: Sequence[Reading]) -> Iterable[LabelledRow]:
    return (row for reading in readings for row in reading.rows)


def _warning(row: LabelledRow, kind: str, value: str, message: str) -> Problem:
    shown = value if len(value) <= 60 else value[:59] + "…"
    return Problem("warning", kind, row.source, row.number, shown, message)
