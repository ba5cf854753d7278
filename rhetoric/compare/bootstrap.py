"""How far a rate moved, with a bootstrap interval.

Intervals are percentile bootstrap intervals (Efron and Tibshirani, 1993) of the difference of the rates. Where rows
belong to documents whole documents are drawn, since sentences of one speech are not independent. Each side is drawn
with one unit with and one without the label added to it, as Agresti and Caffo (2000, The American Statistician 54,
280-288) do for the difference of two proportions: else a rate of 0 % or 100 % would be the same in each sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rhetoric.clusters import FEW_CLUSTERS
from rhetoric.scored import Scored

__all__ = ["Sample", "Shift", "shifts"]

BINS = 10
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """How the rate of one label moved.

    Attributes:
        label: The label.
        before: Share of the rows of A that carry it, in [0, 1].
        after: The same of B.
        difference: after - before.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        outside: Whether the interval leaves zero out; never where a side has fewer than 10 rows or documents to draw.
        clear: The same of an interval widened for all labels at once (Bonferroni).
        histogram_before: Rows of A by score, in tenths of [0, 1].
        histogram_after: Rows of B by score.
    """

    label: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    outside: bool
    clear: bool
    histogram_before: tuple[int, ...]
    histogram_after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A side or a group as it is drawn: in documents, or in rows where no column names documents.

    Attributes:
        rows: The scored rows, at least one.
        sizes: (units,): rows of each document; of each row one.
        totals: (units, L): those of them with each label.
    """

    rows: Scored
    sizes: Floats
    totals: Floats

    @classmethod
    def of(cls, rows: Scored, cluster: str | None) -> Sample:
        """Counts the rows and labels of each unit.

        Args:
            rows: The scored rows, at least one.
            cluster: Column of the documents to draw; None to draw rows.
        """
        chosen = rows.chosen.astype(float)
        if cluster is None:
            return cls(rows, np.ones(len(rows)), chosen)
        member = rows.members(cluster)
        totals: Floats = np.stack([np.bincount(member, column) for column in chosen.T], axis=1).astype(float)
        return cls(rows, np.bincount(member).astype(float), totals)


def shifts(before: Sample, after: Sample, resamples: int, rng: np.random.Generator) -> tuple[Shift, ...]:
    """How the rate of each label moved, in the order of the labels.

    Args:
        before: A.
        after: B, with the labels of A.
        resamples: Bootstrap samples.
        rng: Where the draws come from.
    """
    sides = (before, after)
    added = _added(before, after)
    drawn = _rates(after, added, resamples, rng) - _rates(before, added, resamples, rng)
    enough = all(len(side.sizes) >= FEW_CLUSTERS for side in sides)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    tail = 0.025 / len(before.rows.labels)
    wide_low, wide_high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    rates = [side.rows.chosen.mean(axis=0) for side in sides]
    shown = [_histograms(side.rows.scores) for side in sides]
    return tuple(
        Shift(
            label=label,
            before=float(rates[0][i]),
            after=float(rates[1][i]),
            difference=float(rates[1][i] - rates[0][i]),
            low=float(low[i]),
            high=float(high[i]),
            outside=enough and bool(low[i] > 0 or high[i] < 0),
            clear=enough and bool(wide_low[i] > 0 or wide_high[i] < 0),
            histogram_before=shown[0][i],
            histogram_after=shown[1][i],
        )
        for i, label in enumerate(before.rows.labels)
    )


def _added(before: Sample, after: Sample) -> Floats:
    """(2, L) rates of the unit with the label and of the one without it that both sides are drawn with.

    Of rows these are 1 and 0. A document that is all one label would say far too much where none is. So the rates are
    the means over the documents of both sides that have a row with the label, and over those that have one without it;
    where there is none, a single row of a mean document has it.
    """
    sizes = np.concatenate([before.sizes, after.sizes])
    totals = np.concatenate([before.totals, after.totals])
    rates, row = totals / sizes[:, None], len(sizes) / sizes.sum()
    some, lacking = rates > 0, rates < 1
    added = np.array([[row], [1 - row]]).repeat(rates.shape[1], axis=1)
    for into, mask in zip(added, (some, lacking), strict=True):
        np.divide((rates * mask).sum(axis=0), mask.sum(axis=0), out=into, where=mask.any(axis=0))
    return added


def _rates(side: Sample, added: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples, L) rates of bootstrap samples, as large as the side, of its units and the two that are added."""
    sizes, totals = side.sizes, side.totals
    n, count = len(side.rows), len(sizes)
    # One value drawn whole would give the same sample each time, and an interval without width.
    if count < 2 or count == n:
        # Drawing n rows and counting those with the label is one binomial draw a label.
        counts: Floats = rng.binomial(n, (totals.sum(axis=0) + 1) / (n + 2), (resamples, totals.shape[1])) / n
        return counts
    mean = sizes.mean()
    sizes, totals = np.append(sizes, [mean, mean]), np.concatenate([totals, added * mean])
    rates = np.empty((resamples, totals.shape[1]))
    for i in range(resamples):
        weights = np.bincount(rng.integers(0, count + 2, count), minlength=count + 2)
        rates[i] = weights @ totals / (weights @ sizes)
    return rates


def _histograms(scores: npt.NDArray[np.float32]) -> list[tuple[int, ...]]:
    return [tuple(np.histogram(column, bins=BINS, range=(0, 1))[0].tolist()) for column in scores.T]
