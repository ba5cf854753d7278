"""Quality of multi-label decisions: precision, recall, F1, calibration, and how sure the figures are.

Everything is a sum over rows, so a bootstrap is one matrix product: rows drawn with replacement are a matrix of
counts (Efron, 1979). Rows of one document resemble each other; where groups are known whole groups are drawn,
which keeps intervals honest; a single group says nothing of others, so its rows are drawn. Cells outside the mask
count neither for nor against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Comparison",
    "Interval",
    "LabelScore",
    "Scores",
    "compare",
    "confusion",
    "expected_calibration_error",
    "f1",
    "few_rows",
    "score",
]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

DRAWS = 1000
BINS = 10
FEW_ROWS = 20  # of a label: one decision more or less moves its recall by a twentieth


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Quality of one label.

    Attributes:
        label: Its name.
        precision: Share of its predictions that are right; 0 without predictions.
        recall: Share of its gold rows that are found; 0 without gold rows.
        f1: Harmonic mean of both.
        support: Gold rows.
        predicted: Predicted rows.
        calibration_error: Expected calibration error of its probabilities.
    """

    label: str
    precision: float
    recall: float
    f1: Interval
    support: int
    predicted: int
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Quality of a set of decisions.

    Attributes:
        rows: Rows scored.
        labels: Each label, in order; those without a gold row are in no average.
        macro_f1: Mean F1 of the labels.
        micro_f1: F1 over all cells.
        subset_accuracy: Share of rows with every label right.
        calibration_error: Mean expected calibration error of the labels with a gold row.
    """

    rows: int
    labels: tuple[LabelScore, ...]
    macro_f1: Interval
    micro_f1: Interval
    subset_accuracy: Interval
    calibration_error: float

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference between two models on the same rows.

    Attributes:
        name: What is compared.
        first: Figure of the first model.
        second: Figure of the second.
        difference: First minus second, with its paired bootstrap interval.
        p_value: Two-sided bootstrap probability of a difference this far from zero if there were none.
    """

    name: str
    first: float
    second: float
    difference: Interval
    p_value: float


def f1(gold: Bools, decided: Bools, mask: Bools) -> Floats:
    """F1 of each label, shape (L,); 0 where neither gold nor decided.

    Args:
        gold: (n, L).
        decided: (n, L).
        mask: (n, L), True where a cell counts.
    """
    both = (gold & decided & mask).sum(axis=0)
    either = (gold & mask).sum(axis=0) + (decided & mask).sum(axis=0)
    return np.asarray(2 * both / np.maximum(either, 1), np.float64)


def score(
    labels: Sequence[str],
    gold: Bools,
    decided: Bools,
    mask: Bools,
    probabilities: npt.NDArray[np.float32],
    *,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Scores:
    """Scores decisions.

    Args:
        labels: Names of the L labels.
        gold: bool (n, L).
        decided: bool (n, L).
        mask: bool (n, L), True where a cell counts.
        probabilities: float32 (n, L), calibrated.
        groups: Group of each row; rows of a group are drawn together, unless there is only one.
        draws: Bootstrap samples.
        seed: Of the bootstrap.
    """
    units = _Units(gold, decided, mask, groups)
    figures = _figures(units.totals[None])
    drawn = _figures(_draw(units, draws, seed))
    low, high = ({name: np.quantile(values, q, axis=0) for name, values in drawn.items()} for q in (0.025, 0.975))
    errors = [expected_calibration_error(probabilities[m, i], gold[m, i]) for i, m in enumerate(mask.T)]
    support, predicted = (gold & mask).sum(axis=0), (decided & mask).sum(axis=0)
    per_label = tuple(
        LabelScore(
            label=name,
            precision=float(figures["precision"][0, i]),
            recall=float(figures["recall"][0, i]),
            f1=Interval(float(figures["f1"][0, i]), float(low["f1"][i]), float(high["f1"][i])),
            support=int(support[i]),
            predicted=int(predicted[i]),
            calibration_error=errors[i],
        )
        for i, name in enumerate(labels)
    )
    macro, micro, subset = (
        Interval(float(figures[name][0]), float(low[name]), float(high[name]))
        for name in ("macro_f1", "micro_f1", "subset_accuracy")
    )
    measured = [error for error, count in zip(errors, support, strict=True) if count]
    return Scores(len(gold), per_label, macro, micro, subset, float(np.mean(measured or [0.0])))


def few_rows(counts: Mapping[str, int], kind: str = "rows") -> str | None:
    """A line that names the labels measured on too few rows for their intervals to mean much.

    Args:
        counts: Gold rows of each label.
        kind: What the rows are called.

    Returns:
        The line; None if every label has enough.
    """
    few = ", ".join(f"{name} ({count})" for name, count in counts.items() if count < FEW_ROWS)
    if not few:
        return None
    return f"fewer than {FEW_ROWS} {kind} of {few}: intervals there mean little; remedy: label more rows with them"


def compare(
    labels: Sequence[str],
    gold: Bools,
    first: Bools,
    second: Bools,
    mask: Bools,
    *,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Compares two models' decisions on the same rows: macro, micro, subset accuracy, then each label's F1.

    Both are scored on the same drawn rows (paired bootstrap; Berg-Kirkpatrick et al., 2012). Arguments as in
    `score`.
    """
    both = [_Units(gold, decided, mask, groups) for decided in (first, second)]
    at_hand = [_figures(units.totals[None]) for units in both]
    drawn = [_figures(_draw(units, draws, seed)) for units in both]
    rows = []
    for name in ("macro_f1", "micro_f1", "subset_accuracy"):
        rows.append((name, *(f[name][0] for f in at_hand), drawn[0][name] - drawn[1][name]))
    for i, label in enumerate(labels):
        rows.append((label, *(f["f1"][0, i] for f in at_hand), drawn[0]["f1"][:, i] - drawn[1]["f1"][:, i]))
    return tuple(
        Comparison(
            name=name,
            first=float(one),
            second=float(other),
            difference=Interval(float(one - other), *map(float, np.quantile(gaps, (0.025, 0.975)))),
            p_value=float(min(1.0, 2 * (1 + min((gaps <= 0).sum(), (gaps >= 0).sum())) / (1 + draws))),
        )
        for name, one, other, gaps in rows
    )


def expected_calibration_error(probabilities: npt.NDArray[np.float32], gold: Bools) -> float:
    """Mean gap between probability and rate in ten equal bins of [0, 1] (Guo et al., 2017); 0 without rows."""
    if not len(gold):
        return 0.0
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=probabilities - gold.astype(np.float64), minlength=BINS)
    return float(np.abs(gaps).sum() / len(gold))


def confusion(gold: Bools, decided: Bools, mask: Bools) -> npt.NDArray[np.int64]:
    """What is predicted where a label is missed, shape (L + 1, L + 1); the last row and column mean "nothing".

    Cell (i, j) counts rows that carry i, do not get it, and get j, which they do not carry. In the last column
    nothing wrong is predicted instead; in the last row nothing was missed.
    """
    missed, spurious = gold & ~decided & mask, decided & ~gold & mask
    missed = np.column_stack([missed, ~missed.any(axis=1)])
    spurious = np.column_stack([spurious, ~spurious.any(axis=1)])
    table: npt.NDArray[np.int64] = missed.astype(np.int64).T @ spurious.astype(np.int64)
    table[-1, -1] = 0  # rows without an error
    return table


class _Units:
    """Sums of each unit that is drawn (a row, or a group of rows).

    `sums` is (units, 3 L + 2): true positives, gold and decided of each label, then rows and rows all right.
    """

    def __init__(self, gold: Bools, decided: Bools, mask: Bools, groups: Sequence[str] | None) -> None:
        right = ((gold == decided) | ~mask).all(axis=1)
        per_row = np.column_stack(
            [gold & decided & mask, gold & mask, decided & mask, np.ones(len(gold), np.bool_), right]
        ).astype(np.float64)
        if groups is None or len(set(groups)) < 2:  # one unit drawn would leave intervals without width
            self.sums = per_row
        else:
            unit = np.unique(np.asarray(groups), return_inverse=True)[1]
            self.sums = np.zeros((int(unit.max()) + 1, per_row.shape[1]))
            np.add.at(self.sums, unit, per_row)
        self.totals = self.sums.sum(axis=0)


def _draw(units: _Units, draws: int, seed: int) -> Floats:
    """Totals (draws, 3 L + 2) of samples of the units with replacement."""
    rng = np.random.default_rng(seed)
    count = len(units.sums)
    even = np.full(count, 1 / count)
    # in slices, so that the matrix of counts stays small however many rows there are
    parts = [rng.multinomial(count, even, size=min(50, draws - i)) @ units.sums for i in range(0, draws, 50)]
    return np.concatenate(parts)


def _figures(totals: Floats) -> dict[str, Floats]:
    """Figures of each row of totals (draws, 3 L + 2); a macro average runs over labels with gold rows in it."""
    hits, gold, decided = np.split(totals[:, :-2], 3, axis=1)
    per_label = 2 * hits / np.maximum(gold + decided, 1)
    present = gold > 0
    return {
        "precision": hits / np.maximum(decided, 1),
        "recall": hits / np.maximum(gold, 1),
        "f1": per_label,
        "macro_f1": (per_label * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1),
        "micro_f1": 2 * hits.sum(axis=1) / np.maximum((gold + decided).sum(axis=1), 1),
        "subset_accuracy": totals[:, -1] / np.maximum(totals[:, -2], 1),
    }
