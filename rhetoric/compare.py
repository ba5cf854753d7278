"""How label rates moved between two scored corpora, or between two periods of one.

Intervals are percentile bootstrap intervals (Efron and Tibshirani, 1993) of the difference of the rates. Where rows
belong to documents whole documents are drawn, since sentences of one speech are not independent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.familiarity import unfamiliar
from rhetoric.scored import Scored

__all__ = ["Comparison", "Group", "Shift", "compare", "split"]

BINS = 10
FEW_ROWS = 100
MOST_NAMED = 5  # sides or groups that one warning names
# Columns that name what rows belong to, in this order.
CLUSTERS = ("document", "document_id", "doc_id", "speech_id")
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
        clear: Whether an interval widened for all labels at once (Bonferroni) leaves zero out.
        histogram_before: Rows of A by score, in tenths of [0, 1].
        histogram_after: Rows of B by score.
    """

    label: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    clear: bool
    histogram_before: tuple[int, ...]
    histogram_after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The shifts within the rows that have one value of a column.

    Attributes:
        value: The value.
        rows_before: Rows of A.
        rows_after: Rows of B.
        shifts: One a label; empty if A or B has no such row.
    """

    value: str
    rows_before: int
    rows_after: int
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found.

    Attributes:
        before: Name of A.
        after: Name of B.
        rows_before: Scored rows of A.
        rows_after: Scored rows of B.
        errors_before: Rows of A without scores, left out.
        errors_after: Rows of B without scores, left out.
        cluster: Column whose values were drawn whole; None if rows were drawn. Where one side has a single value its
            rows were drawn, and a warning says so.
        shifts: One a label.
        by: Column of the groups; None without.
        groups: The same within each group, largest first.
        warnings: What makes the figures less trustworthy.
    """

    before: str
    after: str
    rows_before: int
    rows_after: int
    errors_before: int
    errors_after: int
    cluster: str | None
    shifts: tuple[Shift, ...]
    by: str | None
    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


def split(scored: Scored, column: str, value: str) -> tuple[Scored, Scored]:
    """Two periods of one corpus: the rows whose `column` is below `value`, and those from it on.

    Compared as numbers if all are numbers, else as text, which suits ISO dates. Rows without a value are in neither.

    Raises:
        InputError: There is no such column, or one side is empty.
    """
    cells = scored.column(column)
    known = np.array([cell not in (None, "") for cell in cells], bool)
    try:
        limit: Any = float(value)
        numbers = [float(cell) if ok else 0.0 for cell, ok in zip(cells, known, strict=True)]
        early = np.array([number < limit for number in numbers], bool)
    except (TypeError, ValueError):
        early = np.array([str(cell) < value for cell in cells], bool)
    before, after = scored.take(known & early), scored.take(known & ~early)
    if not len(before) or not len(after):
        side = "below" if not len(before) else "from"
        raise InputError(f"{scored.path}: no row has {column} {side} {value!r}; remedy: another value to split at")
    return before, after


def compare(
    before: Scored,
    after: Scored,
    *,
    by: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compares the label rates of two sets of scored rows.

    Args:
        before: A.
        after: B, with the labels of A.
        by: Column to compare within, value by value.
        resamples: Bootstrap samples.
        seed: Seed of the draws.

    Raises:
        InputError: The labels differ, a side has no rows, or `by` is no column of both.
    """
    if before.labels != after.labels:
        raise InputError(
            f"{before.path} has the labels {', '.join(before.labels)}, {after.path} has {', '.join(after.labels)}; "
            "remedy: score both with one model"
        )
    for side in (before, after):
        if not len(side):
            raise InputError(f"{side.path} has no scored row; remedy: a file with texts")
    cluster = next((name for name in CLUSTERS if name in before.columns and name in after.columns), None)
    rng = np.random.default_rng(seed)
    parts = _parts(before, after, by) if by is not None else {}
    groups = tuple(
        Group(value, len(a), len(b), _shifts(a, b, cluster, resamples, rng) if len(a) and len(b) else ())
        for value, (a, b) in parts.items()
    )
    warnings = [f"{side.path.name}: {line}" for side in (before, after) for line in unfamiliar(side)]
    drawn = [(side.path.name, side) for side in (before, after)]
    drawn += [(f"{by} = {value}", side) for value, pair in parts.items() if all(map(len, pair)) for side in pair]
    if small := _listed([name for name, side in drawn if len(side) < FEW_ROWS]):
        warnings.append(f"fewer than {FEW_ROWS} rows ({small}): the intervals are rough")
    if cluster is not None and (
        single := _listed([name for name, side in drawn if len(set(_cells(side, cluster))) < 2])
    ):
        warnings.append(
            f"only one value of {cluster} on a side ({single}): rows were drawn there as if independent, and the "
            "intervals are too narrow"
        )
    return Comparison(
        before=str(before.path),
        after=str(after.path),
        rows_before=len(before),
        rows_after=len(after),
        errors_before=before.errors,
        errors_after=after.errors,
        cluster=cluster,
        shifts=_shifts(before, after, cluster, resamples, rng),
        by=by,
        groups=groups,
        warnings=tuple(warnings),
    )


def _parts(before: Scored, after: Scored, by: str) -> dict[str, tuple[Scored, Scored]]:
    """The rows of A and of B for each value of a column, most of A first."""
    early, late = (np.array(_cells(side, by), object) for side in (before, after))
    values = sorted({*early, *late}, key=lambda value: (-int((early == value).sum()), value))
    return {value: (before.take(early == value), after.take(late == value)) for value in values}


def _cells(side: Scored, column: str) -> list[str]:
    return [str(cell) for cell in side.column(column)]


def _listed(names: list[str]) -> str:
    """Names, each once, the first few of many."""
    names = list(dict.fromkeys(names))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _shifts(
    before: Scored, after: Scored, cluster: str | None, resamples: int, rng: np.random.Generator
) -> tuple[Shift, ...]:
    drawn = _rates(after, cluster, resamples, rng) - _rates(before, cluster, resamples, rng)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    tail = 0.025 / len(before.labels)
    wide_low, wide_high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    rates = [side.chosen.mean(axis=0) for side in (before, after)]
    shown = [_histograms(side.scores) for side in (before, after)]
    return tuple(
        Shift(
            label=label,
            before=float(rates[0][i]),
            after=float(rates[1][i]),
            difference=float(rates[1][i] - rates[0][i]),
            low=float(low[i]),
            high=float(high[i]),
            clear=bool(wide_low[i] > 0 or wide_high[i] < 0),
            histogram_before=shown[0][i],
            histogram_after=shown[1][i],
        )
        for i, label in enumerate(before.labels)
    )


def _rates(side: Scored, cluster: str | None, resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples, L) rates of bootstrap samples."""
    n = len(side)
    cells = [] if cluster is None else _cells(side, cluster)
    # One value drawn whole would give the same sample each time, and an interval without width.
    if len(set(cells)) < 2:
        # Drawing n rows and counting those with the label is one binomial draw a label.
        counts: Floats = rng.binomial(n, side.chosen.mean(axis=0), (resamples, len(side.labels))) / n
        return counts
    _, member = np.unique(cells, return_inverse=True)
    sizes = np.bincount(member).astype(float)
    totals = np.stack([np.bincount(member, column) for column in side.chosen.T.astype(float)], axis=1)
    rates = np.empty((resamples, len(side.labels)))
    for i in range(resamples):
        weights = np.bincount(rng.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
        rates[i] = weights @ totals / (weights @ sizes)
    return rates


def _histograms(scores: npt.NDArray[np.float32]) -> list[tuple[int, ...]]:
    return [tuple(np.histogram(column, bins=BINS, range=(0, 1))[0].tolist()) for column in scores.T]
