"""How label rates moved between two scored corpora, or between two periods of one.

Intervals are percentile bootstrap intervals (Efron and Tibshirani, 1993) of the difference of the rates. Where rows
belong to documents whole documents are drawn, since sentences of one speech are not independent. Each side is drawn
with one unit with and one without the label added to it, as Agresti and Caffo (2000, The American Statistician 54,
280-288) do for the difference of two proportions: else a rate of 0 % or 100 % would be the same in each sample.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.familiarity import unfamiliar
from rhetoric.scored import MISSING, Scored

__all__ = ["Comparison", "Group", "Shift", "compare", "split"]

BINS = 10
FEW_ROWS = 100
FEW_UNITS = 10  # a bootstrap of fewer clusters gives intervals that are too narrow (Cameron et al., 2008)
MOST_NAMED = 5  # sides or groups that one warning names
# Columns that name what rows belong to, in this order.
CLUSTERS = ("document", "document_id", "doc_id", "speech_id")
# Dates that sort as text (2014, 2014-03, 2014/03/18, 2014-03-18T09:30, 2014-Q1, 2014-W09); and dates that do not.
ISO = re.compile(r"\d{4}(?:[-/.]?(?:Q[1-4]|W\d\d)|[-/.]\d\d(?:[-/.]\d\d(?:[T ].*)?)?)?", re.I)
UNSORTABLE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*|\d{4}-\d{1,2}-\d{1,2}\b.*"
    r"|(\d{1,2}\W+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W+(\d{1,2}\W+)?\d{4}",
    re.I,
)
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
class Group:
    """The shifts within the rows that have one value of a column.

    Attributes:
        value: The value; "(none)" for the rows without one.
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
        units_before: Documents of A that were drawn, or what else `cluster` names; None if rows were drawn.
        units_after: The same of B.
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
    units_before: int | None
    units_after: int | None
    shifts: tuple[Shift, ...]
    by: str | None
    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


def split(scored: Scored, column: str, value: str) -> tuple[Scored, Scored]:
    """Two periods of one corpus: the rows whose `column` is below `value`, and those from it on.

    A number splits numbers, an ISO date (2014, 2014-03, 2014-03-18) ISO dates, and other text all text. Rows without
    such a value are in neither.

    Raises:
        InputError: There is no such column, one side is empty, or `value` is a date that does not sort as text.
    """
    cells = [cell.strip() for cell in scored.values(column)]
    limit, number = _sortable(value), _number(value)
    if limit is None and number is None and UNSORTABLE.fullmatch(value.strip()):
        raise InputError(
            f"{scored.path}: {value!r} cannot be put in order with the values of {column}; "
            "remedy: dates like 2014-03-18, in the file and here"
        )
    places: list[Any] = [cell or None for cell in cells]
    at: Any = value
    kind = "text"
    if number is not None and (
        limit is None or not any(_sortable(cell) is not None and _number(cell) is None for cell in cells)
    ):
        places, at, kind = [_number(cell) for cell in cells], number, "number"
    elif limit is not None:
        places, at, kind = [_sortable(cell) for cell in cells], limit, "date like 2014-03-18"
    known = np.array([place is not None for place in places], bool)
    early = np.array([place is not None and place < at for place in places], bool)
    before, after = scored.take(known & early), scored.take(known & ~early)
    if not len(before) or not len(after):
        odd = next((cell for cell, ok in zip(cells, known, strict=True) if cell and not ok), None)
        side = "below" if not len(before) else "from"
        found = "" if odd is None else f" ({odd!r} is no {kind})"
        remedy = "another value to split at" if odd is None or known.any() else f"a column where each cell is a {kind}"
        raise InputError(f"{scored.path}: no row has {column} {side} {value!r}{found}; remedy: {remedy}")
    return before, after


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if number != number else number


def _sortable(cell: str) -> str | None:
    """An ISO date as text that sorts; None for anything else."""
    if not ISO.fullmatch(cell.strip()):
        return None
    date, rest = cell.strip()[:10], cell.strip()[10:]
    return re.sub(r"[/.]", "-", date) + rest.replace("T", " ", 1)


def compare(
    before: Scored,
    after: Scored,
    *,
    by: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    names: tuple[str, str] | None = None,
) -> Comparison:
    """Compares the label rates of two sets of scored rows.

    Args:
        before: A.
        after: B, with the labels of A.
        by: Column to compare within, value by value.
        resamples: Bootstrap samples.
        seed: Seed of the draws.
        names: What to call A and B; None for their files.

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
    cluster = next((name for name in CLUSTERS if _named(before, name) and _named(after, name)), None)
    called = names or _file_names(before, after)
    rng = np.random.default_rng(seed)
    parts = _parts(before, after, by) if by is not None else {}
    groups = tuple(
        Group(value, len(a), len(b), _shifts(a, b, cluster, resamples, rng) if len(a) and len(b) else ())
        for value, (a, b) in parts.items()
    )
    warnings = [
        f"{name}: {line}" for name, side in zip(called, (before, after), strict=True) for line in unfamiliar(side)
    ]
    warnings += _made_otherwise(before, after)
    drawn = list(zip(called, (before, after), strict=True))
    drawn += [(f"{by} = {value}", side) for value, pair in parts.items() if all(map(len, pair)) for side in pair]
    if small := _listed([name for name, side in drawn if len(side) < FEW_ROWS]):
        warnings.append(f"fewer than {FEW_ROWS} rows ({small}): the intervals are rough")
    units: list[int | None] = [None, None]
    if cluster is not None:
        counts = [(name, _count(side, cluster)) for name, side in drawn]
        units = [count for _, count in counts[:2]]
        warnings += _few_units(cluster, counts)
    else:
        warnings += [
            f"{one} has a column {column}, {other} none that is filled: rows were drawn as if independent, and the "
            "intervals are too narrow"
            for column in CLUSTERS
            for one, other, side in ((*called, before), (*called[::-1], after))
            if _named(side, column)
        ][:1]
    return Comparison(
        before=str(before.path) if names is None else names[0],
        after=str(after.path) if names is None else names[1],
        rows_before=len(before),
        rows_after=len(after),
        errors_before=before.errors,
        errors_after=after.errors,
        cluster=cluster,
        units_before=units[0],
        units_after=units[1],
        shifts=_shifts(before, after, cluster, resamples, rng),
        by=by,
        groups=groups,
        warnings=tuple(warnings),
    )


def _parts(before: Scored, after: Scored, by: str) -> dict[str, tuple[Scored, Scored]]:
    """The rows of A and of B for each value of a column, most of A first."""
    early, late = (np.array([cell or MISSING for cell in side.values(by)], object) for side in (before, after))
    values = sorted({*early, *late}, key=lambda value: (-int((early == value).sum()), value))
    return {value: (before.take(early == value), after.take(late == value)) for value in values}


def _named(side: Scored, column: str) -> bool:
    """Whether a side has a column with anything in it."""
    return column in side.columns and any(side.values(column))


def _count(side: Scored, cluster: str) -> int:
    return int(side.members(cluster).max()) + 1


def _file_names(before: Scored, after: Scored) -> tuple[str, str]:
    """Names of the files, with their folders where the files are called alike."""
    if before.path.name == after.path.name:
        return str(before.path), str(after.path)
    return before.path.name, after.path.name


def _made_otherwise(before: Scored, after: Scored) -> list[str]:
    """A warning if the sides were scored with another model or other settings, as far as both summaries tell."""
    differing = [
        f"{name} {_told(before.made[name])} and {_told(after.made[name])}"
        for name in before.made
        if name in after.made and before.made[name] != after.made[name]
    ]
    if not differing:
        return []
    return [
        f"A and B were scored differently ({'; '.join(differing)}): rates may differ for that alone; "
        "remedy: score both with the same model and options"
    ]


def _told(value: object) -> str:
    if isinstance(value, dict) and len(set(value.values())) == 1:  # --threshold 0.6 is kept as one a label
        value = next(iter(value.values()))
    return value if isinstance(value, str) else "not set" if value is None else json.dumps(value)


def _few_units(cluster: str, counts: list[tuple[str, int]]) -> list[str]:
    """Warnings of sides with so few documents that drawing these says little."""
    warnings = []
    if single := _listed([name for name, count in counts if count < 2]):
        warnings.append(
            f"only one value of {cluster} on a side ({single}): rows were drawn there as if independent, the "
            "intervals are too narrow, and no label has * or **"
        )
    if few := _listed([f"{name}: {count}" for name, count in counts if 2 <= count < FEW_UNITS]):
        warnings.append(
            f"fewer than {FEW_UNITS} values of {cluster} on a side ({few}): the intervals are too narrow, and no "
            "label has * or **"
        )
    return warnings


def _listed(names: list[str]) -> str:
    """Names, each once, the first few of many."""
    names = list(dict.fromkeys(names))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _shifts(
    before: Scored, after: Scored, cluster: str | None, resamples: int, rng: np.random.Generator
) -> tuple[Shift, ...]:
    units = [_units(side, cluster) for side in (before, after)]
    added = _added(units)
    drawn = _rates(*units[1], added, resamples, rng) - _rates(*units[0], added, resamples, rng)
    enough = all(len(sizes) >= FEW_UNITS for sizes, _ in units)
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
            outside=enough and bool(low[i] > 0 or high[i] < 0),
            clear=enough and bool(wide_low[i] > 0 or wide_high[i] < 0),
            histogram_before=shown[0][i],
            histogram_after=shown[1][i],
        )
        for i, label in enumerate(before.labels)
    )


def _units(side: Scored, cluster: str | None) -> tuple[Floats, Floats]:
    """(units,) rows of each document, or of each row one, and (units, L) those with each label."""
    chosen = side.chosen.astype(float)
    if cluster is None:
        return np.ones(len(side)), chosen
    member = side.members(cluster)
    totals: Floats = np.stack([np.bincount(member, column) for column in chosen.T], axis=1).astype(float)
    return np.bincount(member).astype(float), totals


def _added(units: list[tuple[Floats, Floats]]) -> Floats:
    """(2, L) rates of the unit with the label and of the one without it that both sides are drawn with.

    Of rows these are 1 and 0. A document that is all one label would say far too much where none is. So the rates are
    the means over the documents of both sides that have a row with the label, and over those that have one without it;
    where there is none, a single row of a mean document has it.
    """
    sizes, totals = (np.concatenate(both) for both in zip(*units, strict=True))
    rates, row = totals / sizes[:, None], len(sizes) / sizes.sum()
    some, lacking = rates > 0, rates < 1
    added = np.array([[row], [1 - row]]).repeat(rates.shape[1], axis=1)
    for into, mask in zip(added, (some, lacking), strict=True):
        np.divide((rates * mask).sum(axis=0), mask.sum(axis=0), out=into, where=mask.any(axis=0))
    return added


def _rates(sizes: Floats, totals: Floats, added: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples, L) rates of bootstrap samples, as large as the side, of its units and the two that are added."""
    n, count = int(sizes.sum()), len(sizes)
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
