"""The figures of a report: label rates with intervals, over time and by group, and which labels go together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.clusters import cluster_column
from rhetoric.errors import InputError
from rhetoric.scored import MISSING, Scored
from rhetoric.taxonomy import CONFLICT, COOPERATION, FAMILIES, FAMILY_OF

__all__ = ["Figures", "Rate", "balance", "figures", "guess_time", "periods", "when", "wilson"]

TIME_NAMES = ("date", "time", "datetime", "timestamp", "published", "year", "month", "day", "created_at")
ISO = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?![\d-])")
Z = 1.959964  # two-sided 95 %
# Periods are years if the dates span more than these many days, months if more than those, else days.
YEARS_FROM, MONTHS_FROM = 1500, 120
MOST_GROUPS = 15

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval, all in [0, 1] (a balance: in [-1, 1])."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Part:
    """The rates of some of the rows.

    Attributes:
        name: The period or the value of the column.
        rows: How many they are.
        rates: A rate a label.
        families: A rate a family of `Figures.families`: rows with any label of it.
        balance: See `balance`; None where no row is conflictual or cooperative.
    """

    name: str
    rows: int
    rates: tuple[Rate, ...]
    families: tuple[Rate, ...]
    balance: Rate | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the charts show.

    Attributes:
        whole: All rows.
        families: Families that a label belongs to, in the order of the taxonomy; empty for labels of the user's own.
        unit: "year", "month" or "day" of the periods; None without a time column.
        over_time: A part a period, in order; empty without a time column.
        undated: Rows without a usable date.
        by: For each grouping column its parts, largest first; the smaller ones together as "all others".
        together: (L, L): share of the rows with the first label that also carry the second; nan if none has it.
        documents: Documents that the rows belong to; None if no column names them.
        design_effect: (L,): how much larger the variance of each rate is because rows belong to documents.
        typical: For each label the rows that score highest.
        doubtful: The rows with most uncertain labels.
    """

    whole: Part
    families: tuple[str, ...]
    unit: str | None
    over_time: tuple[Part, ...]
    undated: int
    by: Mapping[str, tuple[Part, ...]]
    together: npt.NDArray[np.float64]
    documents: int | None
    design_effect: npt.NDArray[np.float64]
    typical: Mapping[str, tuple[int, ...]]
    doubtful: tuple[int, ...]


def figures(scored: Scored, *, time: str | None = None, by: Sequence[str] = ()) -> Figures:
    """Computes the figures of a report.

    Args:
        scored: At least one scored row.
        time: Column of dates (2014, 2014-03, 2014-03-18…); None for no periods.
        by: Columns to group by.

    Raises:
        InputError: There is no row, no such column, or no date in the time column.
    """
    if not len(scored):
        raise InputError(f"{scored.path} has no scored row; remedy: a file with texts")
    rows = _Rows(scored)
    unit, over_time, undated = None, [], 0
    if time is not None:
        unit, names = periods(scored.column(time))
        if unit is None:
            odd = next((cell for cell in scored.values(time) if cell and not ISO.match(cell)), None)
            found = "it is empty" if odd is None else f"{odd!r} is none"
            raise InputError(
                f"{scored.path}: column {time!r} holds no dates ({found}); "
                "remedy: dates like 2014, 2014-03 or 2014-03-18"
            )
        undated = sum(name is None for name in names)
        dated = np.array(names, object)
        over_time = [rows.part(name, dated == name) for name in sorted({name for name in names if name})]
    together = scored.chosen.astype(float).T @ scored.chosen
    with np.errstate(invalid="ignore", divide="ignore"):
        together = together / together.diagonal()[:, None]
    return Figures(
        whole=rows.part("all", np.ones(len(scored), bool)),
        families=rows.families,
        unit=unit,
        over_time=tuple(over_time),
        undated=undated,
        by={column: _by(rows, scored.values(column)) for column in by},
        together=together,
        documents=rows.documents,
        design_effect=rows.effect[: len(scored.labels)],
        typical={name: _distinct(scored, scored.scores[:, i], 3) for i, name in enumerate(scored.labels)},
        doubtful=_distinct(scored, scored.uncertain.sum(axis=1) - np.abs(scored.scores - 0.5).min(axis=1), 12),
    )


def wilson(hits: float, n: float) -> Rate:
    """A share with the interval of Wilson (1927).

    Args:
        hits: Rows with the label; need not be whole when n is an effective number.
        n: Rows, more than none.
    """
    p = hits / n
    middle, spread = p + Z**2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return Rate(p, max(float((middle - spread) / scale), 0.0), min(float((middle + spread) / scale), 1.0))


def balance(chosen: Bools, labels: Sequence[str], effect: float = 1.0) -> Rate | None:
    """(cooperative - conflictual) / (cooperative + conflictual) rows, from -1 to 1.

    Conflictual is a row with a coercive or adversarial label; a row that is both counts on both sides. The interval
    is that of the share of the cooperative ones.

    Args:
        chosen: (rows, L).
        labels: Their names.
        effect: Design effect.
    """

    def carrying(families: Sequence[str]) -> int:
        columns = [i for i, name in enumerate(labels) if FAMILY_OF.get(name) in families]
        return int(chosen[:, columns].any(axis=1).sum())

    cooperative, conflictual = carrying(COOPERATION), carrying(CONFLICT)
    if not cooperative + conflictual:
        return None
    share = wilson(cooperative / effect, (cooperative + conflictual) / effect)
    return Rate(2 * share.value - 1, 2 * share.low - 1, 2 * share.high - 1)


def guess_time(scored: Scored) -> str | None:
    """The column of dates, if one has the name of one and holds them."""
    for name in scored.columns:
        if name.lower() in TIME_NAMES and periods(scored.columns[name])[0] is not None:
            return name
    return None


def periods(cells: Sequence[Any]) -> tuple[str | None, list[str | None]]:
    """The period of each date: a year, a month or a day, by how far apart the dates lie and how exact they are.

    Returns:
        The unit, "day", "month" or "year", None if fewer than half of the cells are dates; and a name for each cell,
        None where it is no date.
    """
    found = [ISO.match(str(cell)) for cell in cells]
    dates = [match for match in found if match]
    if not dates or 2 * len(dates) < len(cells):
        return None, [None] * len(cells)
    exact = 3 if all(match[3] for match in dates) else 2 if all(match[2] for match in dates) else 1
    places = [when(match[0]) for match in dates]
    span = 365.25 * (max(places) - min(places))
    parts = min(exact, 1 if span > YEARS_FROM else 2 if span > MONTHS_FROM else 3)
    names = [None if match is None else "-".join(match.groups()[:parts]) for match in found]
    return ("year", "month", "day")[parts - 1], names


def when(name: str) -> float:
    """A period as a number of years, for the place of its mark."""
    year, month, day = (*map(int, name.split("-")), 1, 1)[:3]
    return year + (month - 1) / 12 + (day - 1) / 365


class _Rows:
    """What each row carries: its labels, then its families; and how much documents widen the interval of each."""

    def __init__(self, scored: Scored) -> None:
        self.labels = scored.labels
        self.families = tuple(name for name in FAMILIES if name in map(FAMILY_OF.get, scored.labels))
        of = np.array([FAMILY_OF.get(name) for name in scored.labels], object)
        any_of = [scored.chosen[:, of == name].any(axis=1, keepdims=True) for name in self.families]
        self.carried = np.hstack([scored.chosen, *any_of])
        column = cluster_column(scored)
        member = None if column is None else scored.members(column)
        self.documents = None if member is None else int(member.max()) + 1
        self.effect = _design_effect(self.carried, member)
        sides = [len(self.labels) + i for i, name in enumerate(self.families) if name in CONFLICT + COOPERATION]
        self.balance_effect = float(self.effect[sides].mean()) if sides else 1.0

    def part(self, name: str, rows: Bools) -> Part:
        carried = self.carried[rows]
        n, width = len(carried), len(self.labels)
        rates = tuple(wilson(hits / e, n / e) for hits, e in zip(carried.sum(axis=0), self.effect, strict=True))
        return Part(
            name, n, rates[:width], rates[width:], balance(carried[:, :width], self.labels, self.balance_effect)
        )


def _design_effect(carried: Bools, member: npt.NDArray[np.int64] | None) -> npt.NDArray[np.float64]:
    """Kish (1965): the variance of a rate over documents drawn whole, over that of rows drawn one by one."""
    ones = np.ones(carried.shape[1])
    if member is None:
        return ones
    sizes = np.bincount(member).astype(float)
    if len(sizes) < 2:
        return ones
    totals = np.stack([np.bincount(member, column) for column in carried.T.astype(float)], axis=1)
    rate = carried.mean(axis=0)
    by_document = ((totals - np.outer(sizes, rate)) ** 2).sum(axis=0) * len(sizes) / (len(sizes) - 1)
    by_row = np.maximum(rate * (1 - rate) * len(carried), 1e-12)
    return np.asarray(np.maximum(by_document / by_row, 1.0))


def _by(rows: _Rows, cells: Sequence[str]) -> tuple[Part, ...]:
    names = np.array([cell or MISSING for cell in cells], object)
    ranked = sorted(Counter(names).items(), key=lambda group: (-group[1], group[0]))
    shown = [name for name, _ in ranked[:MOST_GROUPS]]
    parts = [rows.part(name, names == name) for name in shown]
    if len(ranked) > len(shown):
        parts.append(rows.part(f"all {len(ranked) - len(shown)} others", ~np.isin(names, shown)))
    return tuple(parts)


def _distinct(scored: Scored, rank: npt.NDArray[Any], n: int) -> tuple[int, ...]:
    """The n rows that rank highest, each text once."""
    chosen: list[int] = []
    seen: set[str] = set()
    for i in np.argsort(-rank, kind="stable")[: 50 * n].tolist():
        text = scored.texts[i] if scored.texts is not None else str(i)
        if text not in seen:
            seen.add(text)
            chosen.append(i)
        if len(chosen) == n:
            break
    return tuple(chosen)
