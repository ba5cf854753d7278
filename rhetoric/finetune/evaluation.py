"""How good a model is on labelled data, and whether another one is better.

The model is used as it ships (int8, calibrated, with its thresholds); cells marked borderline, and labels the
data never mentions, count neither way.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData, LabelledRow, Reading, read_labelled, to_data
from rhetoric.finetune.label_set import neutral_and_more, not_one_class, unknown_names
from rhetoric.finetune.metrics import Comparison, Scores, compare, confusion, few_rows, score
from rhetoric.finetune.tables import Source
from rhetoric.model_folder import BUNDLED
from rhetoric.tagger import RhetoricTagger

__all__ = ["Evaluation", "WorstError", "evaluate"]

PROBLEMS_SHOWN = 5
FEW_GROUPS = 10  # a bootstrap of fewer groups gives intervals that are too narrow


@dataclass(frozen=True, slots=True)
class WorstError:
    """A decision that is wrong, and how sure the model was of it.

    Attributes:
        place: Where the row stands.
        text: The text.
        label: The label decided wrongly.
        gold: Whether the row carries it.
        probability: What the model gave it.
    """

    place: str
    text: str
    label: str
    gold: bool
    probability: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Quality of a model on labelled data.

    Attributes:
        model: The model.
        data: The data.
        scores: Its figures with 95 % bootstrap intervals.
        not_in_data: Labels of the model that no row mentions; they are left out of every figure.
        confusion: Counts (L + 1, L + 1) over `scores.labels` and "nothing": row i, column j is how many rows
            carry i, do not get it, and get j, which they do not carry.
        worst: Wrong decisions, the surest first.
        against: The other model, or None.
        comparison: This model minus the other: macro, micro, subset accuracy, then each label both know.
        not_shared: Labels of the data that the other model does not know; they are left out of the comparison.
        warnings: What makes the figures less trustworthy.
    """

    model: str
    data: str
    scores: Scores
    not_in_data: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    worst: tuple[WorstError, ...]
    against: str | None
    comparison: tuple[Comparison, ...]
    not_shared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)

    def to_html(self) -> str:
        """A page that needs nothing beside it."""
        from rhetoric.finetune.evaluation_html import page

        return page(self)


def evaluate(
    model: str | Path | None,
    data: Source,
    *,
    against: str | Path | None = None,
    config: TrainConfig | None = None,
    worst: int = 20,
) -> Evaluation:
    """Measures a model.

    Args:
        model: Folder or Hub id; None for the bundled model.
        data: Anything `read_table` reads.
        against: Another model to compare with, on the same rows.
        config: Column names; None for the defaults.
        worst: How many wrong decisions to list.

    Returns:
        The figures.

    Raises:
        InputError: The data cannot be read, a row is unusable, or a label is unknown to the model.
        ModelError: A model is missing or damaged.
    """
    tagger = RhetoricTagger.from_pretrained(model)
    config = replace(config or TrainConfig(), task=tagger.task)
    reading = read_labelled(data, config)
    problems = [*reading.problems, *neutral_and_more(reading.rows, tagger.labels, config)]
    if tagger.task == "single_label":
        problems += not_one_class(reading.rows)
    if problems:
        shown = "; ".join(str(problem) for problem in problems[:PROBLEMS_SHOWN])
        more = f"; and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
        raise InputError(f"the data cannot be evaluated on: {shown}{more}")
    _refuse_unknown(reading, tagger, config)
    mentioned = _mentioned(reading.rows)
    labels = tuple(name for name in tagger.labels if name in mentioned)
    if not labels:
        raise InputError(f"{reading.source} carries no label, so there is nothing to measure; remedy: label some rows")
    rows = to_data(reading.rows, labels, config)
    probabilities, decided = _decisions(tagger, rows)
    comparison: tuple[Comparison, ...] = ()
    not_shared: tuple[str, ...] = ()
    if against is not None:
        other = RhetoricTagger.from_pretrained(against)
        comparison = _compare(rows, decided, other)
        not_shared = tuple(name for name in labels if name not in other.labels)
    scores = score(labels, rows.gold, decided, rows.mask, probabilities, groups=rows.groups)
    few = few_rows({label.label: label.support for label in scores.labels})
    return Evaluation(
        model=_shown(model),
        data=reading.source,
        scores=scores,
        not_in_data=tuple(name for name in tagger.labels if name not in mentioned),
        confusion=tuple(tuple(row) for row in confusion(rows.gold, decided, rows.mask).tolist()),
        worst=_worst(rows, decided, probabilities, worst),
        against=None if against is None else _shown(against),
        comparison=comparison,
        not_shared=not_shared,
        warnings=(*_few_groups(rows.groups, reading.columns.get("group", "")), *([few] if few else [])),
    )


def _refuse_unknown(reading: Reading, tagger: RhetoricTagger, config: TrainConfig) -> None:
    """Raises InputError for labels that the model does not know, each named once."""
    found: dict[str, list[LabelledRow]] = {}
    for row, name in unknown_names(reading.rows, tagger.labels, config):
        found.setdefault(name, []).append(row)
    if not found:
        return
    named = []
    for name, rows in list(found.items())[:PROBLEMS_SHOWN]:
        near = difflib.get_close_matches(name, tagger.labels, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        named.append(f"{name!r} from row {rows[0].number} on, {len(rows):,} in all{hint}")
    shown = "; ".join(named)
    more = f"; and {len(found) - PROBLEMS_SHOWN} more" if len(found) > PROBLEMS_SHOWN else ""
    raise InputError(
        f"{reading.source} carries labels that the model does not know: {shown}{more}; remedy: correct them, or "
        f"evaluate a model that was trained on them (this one knows {', '.join(tagger.labels)})"
    )


def _few_groups(groups: Sequence[str] | None, column: str) -> tuple[str, ...]:
    count = FEW_GROUPS if groups is None else len(set(groups))
    if count >= FEW_GROUPS:
        return ()
    drawn = "rows were drawn as if independent, and " if count < 2 else ""
    values = f"only {count} values" if count > 1 else "only one value"
    return (f"the rows have {values} of {column}: {drawn}the intervals are too narrow",)


def _shown(model: str | Path | None) -> str:
    return "the bundled model" if model in (None, "bundled", BUNDLED) else str(model)


def _mentioned(rows: Sequence[LabelledRow]) -> set[str]:
    return {name for row in rows for name in (*row.labels, *row.borderline)}


def _decisions(tagger: RhetoricTagger, rows: LabelledData) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Probabilities and decisions (n, L), as a user of the tagger gets them."""
    predictions = tagger.predict(rows.texts)
    probabilities = np.array([[p.scores[name] for name in rows.labels] for p in predictions], np.float32)
    decided = np.array([[name in p.labels for name in rows.labels] for p in predictions], np.bool_)
    return probabilities, decided


def _compare(rows: LabelledData, decided: npt.NDArray[np.bool_], other: RhetoricTagger) -> tuple[Comparison, ...]:
    shared = [i for i, name in enumerate(rows.labels) if name in other.labels]
    if not shared:
        raise InputError("the two models share no label of this data; remedy: compare models of the same labels")
    labels = tuple(rows.labels[i] for i in shared)
    both = LabelledData(
        labels,
        rows.texts,
        rows.targets[:, shared],
        rows.gold[:, shared],
        rows.mask[:, shared],
        rows.groups,
        rows.places,
    )
    theirs = _decisions(other, both)[1]
    return compare(labels, both.gold, decided[:, shared], theirs, both.mask, groups=rows.groups)


def _worst(
    rows: LabelledData, decided: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.float32], count: int
) -> tuple[WorstError, ...]:
    gaps = np.abs(probabilities - rows.gold) * ((decided != rows.gold) & rows.mask)
    order = np.argsort(-gaps, axis=None, kind="stable")[:count]
    return tuple(
        WorstError(rows.places[i], rows.texts[i], rows.labels[j], bool(rows.gold[i, j]), float(probabilities[i, j]))
        for i, j in zip(*np.unravel_index(order, gaps.shape), strict=True)
        if gaps[i, j] > 0
    )
