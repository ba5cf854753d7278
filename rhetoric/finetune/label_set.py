"""Which labels a run is about: those of the base, those of the data, or the base's with new ones behind them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rhetoric.finetune.cells import Problem
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import NEUTRAL, LabelledRow

__all__ = ["LabelSet", "neutral_and_more", "not_one_class", "resolve_labels", "unknown_names"]

BAR = "|"
RARE = 10
NEAR = 0.8  # difflib ratio from which two names look like one


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a run.

    Attributes:
        names: The outputs of the network, in order.
        new: Those the base does not know.
        kept: Those of the base that the data says nothing about: they are taught what the base says.
        why: How the set came about, in a sentence.
    """

    names: tuple[str, ...]
    new: tuple[str, ...]
    kept: tuple[str, ...]
    why: str


def resolve_labels(
    rows: Sequence[LabelledRow], config: TrainConfig, known: Sequence[str], training: Sequence[LabelledRow]
) -> tuple[LabelSet, list[Problem]]:
    """Decides on the labels and says what is wrong with those found.

    Args:
        rows: All rows, of training and dev files.
        config: Task, labels asked for, and whether to extend the base.
        known: Labels of the base.
        training: Those of the rows that are or may be trained on; a label that only a dev file carries is not taught.

    Returns:
        The labels, and the problems: unknown or misspelt names, labels too rare to learn or without a contrast,
        rows with the wrong number of classes.
    """
    clear = Counter(name for row in rows for name in row.labels)
    found = set(clear)
    found |= {name for row in rows for name in (*row.borderline, *(row.soft or ()))}
    if config.task == "multi_label" and NEUTRAL not in (*known, *(config.labels or ())):
        found.discard(NEUTRAL)  # a name for "no label"
    shared = found & set(known)
    wanted = config.labels
    if config.extend:
        more = wanted if wanted is not None else sorted(found - set(known))
        names = (*known, *(name for name in more if name not in known))
        why = "the base's labels, and new ones behind them"
    elif wanted is not None:
        names, why = wanted, "the labels asked for"
    elif shared:
        names, why = tuple(known), "the base's labels"
    else:
        names, why = tuple(sorted(found)), "the labels of the data, all new to the base"
    problems = _unknown_labels(rows, names, config) + neutral_and_more(rows, names, config)
    problems += _alike(clear, names)
    problems += [_joined(name) for name in names if name not in known and _parts(name) & found]
    problems += [_barred(name) for name in names if BAR in name]
    taught = Counter(name for row in training for name in row.labels)
    kept = _kept(rows, taught, names, known, config)
    if config.task == "single_label":
        problems += not_one_class(rows)
    if not any(row.soft for row in rows):
        problems += _too_few(rows, clear, taught, names, kept)
    return LabelSet(names, tuple(n for n in names if n not in known), kept, why), problems


def unknown_names(
    rows: Sequence[LabelledRow], names: Sequence[str], config: TrainConfig
) -> list[tuple[LabelledRow, str]]:
    """Each row with each of its labels that is not among `names`; "neutral" is one only where it is a class."""
    return [
        (row, name)
        for row in rows
        for name in dict.fromkeys((*row.labels, *row.borderline, *(row.soft or ())))
        if name not in names and not (name in row.labels and _is_none(name, names, config))
    ]


def neutral_and_more(rows: Sequence[LabelledRow], names: Sequence[str], config: TrainConfig) -> list[Problem]:
    """A problem for each row that is said to be neutral and carries a label."""
    return [
        _problem(row, "neutral and more", "|".join(row.labels), "neutral means no label")
        for row in rows
        if len(row.labels) > 1 and any(_is_none(name, names, config) for name in row.labels)
    ]


def _is_none(name: str, names: Sequence[str], config: TrainConfig) -> bool:
    """Whether a name stands for no label."""
    return name == NEUTRAL and config.task == "multi_label" and name not in names


def _unknown_labels(rows: Sequence[LabelledRow], names: Sequence[str], config: TrainConfig) -> list[Problem]:
    """A problem for each label of a row that is not among `names`, with the nearest one that is."""
    problems = []
    for row, name in unknown_names(rows, names, config):
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        joined = " (several names? join them with |)" if any(c in name for c in ",;") else ""
        remedy = "name it in labels" if config.labels is not None else "add it with --extend, or set --labels"
        problems.append(_problem(row, "unknown label", name, f"{hint}remedy: correct it, or {remedy}{joined}"))
    return problems


def _alike(clear: Counter[str], names: Sequence[str]) -> list[Problem]:
    """Two names of the set that may be one, misspelt."""
    problems = []
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            same = _folded(one) == _folded(other)
            rare, common = sorted((one, other), key=lambda name: clear[name])
            near = difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= NEAR
            near &= _digits(one) == _digits(other)  # names that are numbered are meant to be nearly alike
            if same or (near and clear[common] and clear[rare] * 5 <= clear[common]):
                message = f"looks like {common!r} ({clear[common]} rows); remedy: one spelling"
                severity = "error" if same else "warning"
                problems.append(Problem(severity, "labels alike", "all files", None, rare, message))  # type: ignore[arg-type]
    return problems


def _digits(name: str) -> str:
    return "".join(c for c in name if c.isdigit())


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _parts(name: str) -> set[str]:
    """Names that a comma or a semicolon may have joined to one."""
    parts = {part.strip() for part in name.replace(";", ",").split(",")}
    return parts if len(parts) > 1 else set()


def _joined(name: str) -> Problem:
    message = "looks like several labels; remedy: join them with |, or write a list"
    return Problem("error", "labels joined", "all files", None, name, message)


def _barred(name: str) -> Problem:
    message = f"{BAR!r} joins labels in a cell, so no file could hold this one; remedy: another name"
    return Problem("error", f"{BAR} in a label", "all files", None, name, message)


def _kept(
    rows: Sequence[LabelledRow], taught: Counter[str], names: Sequence[str], known: Sequence[str], config: TrainConfig
) -> tuple[str, ...]:
    if config.task == "single_label" or any(row.soft for row in rows):
        return ()
    return tuple(name for name in names if name in known and taught[name] < 2)


def not_one_class(rows: Sequence[LabelledRow]) -> list[Problem]:
    """A problem for each row that has no class, or several."""
    return [
        _problem(row, "not one class", "|".join(row.labels), f"{len(row.labels)} classes; remedy: exactly one a row")
        for row in rows
        if len(row.labels) != 1 and row.soft is None
    ]


def _too_few(
    rows: Sequence[LabelledRow],
    clear: Counter[str],
    taught: Counter[str],
    names: Sequence[str],
    kept: Sequence[str],
) -> list[Problem]:
    problems = []
    for name in names:
        count = clear[name]
        own = [row for row in rows if name in row.labels]
        if name in kept:
            message = (
                f"{taught[name]} rows, too few to learn from, so taught only what the base itself says of these rows; "
                "the shared network may still move it a little; remedy: `rhetoric suggest` finds rows to label"
            )
            problems.append(Problem("warning", "label hardly there", "all files", None, name, message))
        elif taught[name] == 0:
            message = "remedy: label some rows to train on with it, or leave it out"
            problems.append(Problem("error", "label without rows", "all files", None, name, message))
        elif count == 1:
            message = "one row cannot be both trained on and measured; remedy: label more, or leave the label out"
            problems.append(_problem(own[0], "label seen once", name, message))
        elif count == len(rows):
            message = "it is on every row, so there is nothing to tell it from; remedy: add rows without it"
            problems.append(Problem("error", "one class only", "all files", None, name, message))
        elif count < RARE:
            places = ", ".join(str(row.number) for row in own)
            message = f"{count} rows ({places}); expect little of it; remedy: `rhetoric suggest` finds more"
            problems.append(Problem("warning", "rare label", "all files", None, name, message))
    if not any(name in clear for name in names):
        message = "no row carries a label; remedy: check --label-column"
        problems.append(Problem("error", "no labels at all", "all files", None, "", message))
    return problems


def _problem(row: LabelledRow, kind: str, value: str, message: str) -> Problem:
    return Problem("error", kind, row.source, row.number, value, message)
