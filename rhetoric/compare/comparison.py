"""The comparison of two sides, whole and within groups, and what makes its figures less trustworthy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rhetoric.clusters import FEW_CLUSTERS, cluster_column
from rhetoric.compare.bootstrap import Sample, Shift, shifts
from rhetoric.errors import InputError
from rhetoric.familiarity import unfamiliar
from rhetoric.scored import MISSING, Scored

__all__ = ["Comparison", "Group", "compare"]

FEW_ROWS = 100
MOST_NAMED = 5  # sides or groups that one warning names

Drawn = Sequence[tuple[str, Sample]]  # sides and groups, by name


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

    Returns:
        The shifts of all rows and of each group, with what makes them less trustworthy.

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
    cluster = cluster_column(before, after)
    called = names or _file_names(before, after)
    rng = np.random.default_rng(seed)
    sides = Sample.of(before, cluster), Sample.of(after, cluster)
    drawn = list(zip(called, sides, strict=True))
    groups = []
    for value, pair in (_parts(before, after, by) if by is not None else {}).items():
        found: tuple[Shift, ...] = ()
        if all(map(len, pair)):
            samples = Sample.of(pair[0], cluster), Sample.of(pair[1], cluster)
            found = shifts(*samples, resamples, rng)
            drawn += [(f"{by} = {value}", sample) for sample in samples]
        groups.append(Group(value, len(pair[0]), len(pair[1]), found))
    return Comparison(
        before=str(before.path) if names is None else names[0],
        after=str(after.path) if names is None else names[1],
        rows_before=len(before),
        rows_after=len(after),
        errors_before=before.errors,
        errors_after=after.errors,
        cluster=cluster,
        units_before=None if cluster is None else len(sides[0].sizes),
        units_after=None if cluster is None else len(sides[1].sizes),
        shifts=shifts(*sides, resamples, rng),
        by=by,
        groups=tuple(groups),
        warnings=(
            *(f"{name}: {line}" for name, side in drawn[:2] for line in unfamiliar(side.rows)),
            *_made_otherwise(before, after),
            *_few_rows(drawn),
            *(_no_clusters(called, before, after) if cluster is None else _few_clusters(cluster, drawn)),
        ),
    )


def _parts(before: Scored, after: Scored, by: str) -> dict[str, tuple[Scored, Scored]]:
    """The rows of A and of B for each value of a column, most of A first."""
    early, late = (np.array([cell or MISSING for cell in side.values(by)], object) for side in (before, after))
    values = sorted({*early, *late}, key=lambda value: (-int((early == value).sum()), value))
    return {value: (before.take(early == value), after.take(late == value)) for value in values}


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


def _few_rows(drawn: Drawn) -> list[str]:
    """A warning of sides and groups with few rows."""
    small = _listed([name for name, side in drawn if len(side.rows) < FEW_ROWS])
    return [f"fewer than {FEW_ROWS} rows ({small}): the intervals are rough"] if small else []


def _few_clusters(cluster: str, drawn: Drawn) -> list[str]:
    """Warnings of sides and groups with so few documents that drawing these says little."""
    counts = [(name, len(side.sizes)) for name, side in drawn]
    warnings = []
    if single := _listed([name for name, count in counts if count < 2]):
        warnings.append(
            f"only one value of {cluster} on a side ({single}): rows were drawn there as if independent, the "
            "intervals are too narrow, and no label has * or **"
        )
    if few := _listed([f"{name}: {count}" for name, count in counts if 2 <= count < FEW_CLUSTERS]):
        warnings.append(
            f"fewer than {FEW_CLUSTERS} values of {cluster} on a side ({few}): the intervals are too narrow, and no "
            "label has * or **"
        )
    return warnings


def _no_clusters(called: tuple[str, str], before: Scored, after: Scored) -> list[str]:
    """A warning if one side names the documents of its rows and the other does not."""
    for one, other, side in ((*called, before), (*called[::-1], after)):
        if column := cluster_column(side):
            return [
                f"{one} has a column {column}, {other} none that is filled: rows were drawn as if independent, and the "
                "intervals are too narrow"
            ]
    return []


def _listed(names: list[str]) -> str:
    """Names, each once, the first few of many."""
    names = list(dict.fromkeys(names))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
