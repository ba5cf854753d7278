"""Holds out dev rows: whole groups, and each label in its share.

Iterative stratification (Sechidis et al., 2011) over groups: the rarest label is dealt out first, each group
goes where that label is missed most. Without groups, rows of the same or nearly the same text form one, and so do
those that differ in the names of actors alone: a dev row that was all but seen in training says nothing. With groups
these alone decide, where they are named: what all documents say in the same words would tie the documents together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.duplicates import alike

__all__ = ["split_rows"]

Rows = npt.NDArray[np.int64]


def split_rows(data: LabelledData, *, dev_share: float, seed: int) -> tuple[Rows, Rows]:
    """Splits rows.

    Args:
        data: The rows.
        dev_share: Share of each label, and of the rows, to hold out.
        seed: Decides between equals.

    Returns:
        Indices of training and of dev rows, ascending.

    Raises:
        InputError: There is only one group, or all texts are alike, so one side would be empty.
    """
    keys = _keys(data)
    members: dict[str | int, list[int]] = defaultdict(list)
    for i, key in enumerate(keys):
        members[key].append(i)
    groups = list(members.values())
    if len(groups) < 2:
        why = "belong to one group" if data.groups else "are nearly the same, names of actors apart"
        raise InputError(f"all rows {why}, so none can be held out; remedy: pass a dev file")
    gold = data.gold.astype(np.int64)
    # the last column counts rows, so that neutral rows are dealt out too
    counts = np.array([[*gold[rows].sum(axis=0), len(rows)] for rows in groups], np.float64)
    share = np.array([1 - dev_share, dev_share])
    wanted = share[:, None] * counts.sum(axis=0)
    side = np.full(len(groups), -1)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    while (side < 0).any():
        left = counts[side < 0].sum(axis=0)
        rarest = int(np.where(left[:-1] > 0, left[:-1], np.inf).argmin()) if (left[:-1] > 0).any() else -1
        for group in shuffled[(side[shuffled] < 0) & (counts[shuffled, rarest] > 0)]:
            # where the label is missed most; between equals, where rows are
            side[group] = int(np.lexsort((-wanted[:, -1], -wanted[:, rarest]))[0])
            wanted[side[group]] -= counts[group]
    held = np.array([side[g] == 1 for g in range(len(groups))])
    if held.all() or not held.any():
        held[shuffled[0]] = not held[shuffled[0]]
    dev = np.array(sorted(i for g, rows in enumerate(groups) if held[g] for i in rows), np.int64)
    return np.setdiff1d(np.arange(len(data)), dev), dev


def _keys(data: LabelledData) -> Sequence[str | int]:
    """What each row belongs to; one without a group belongs to that of the first text it resembles."""
    if data.groups is None:
        return alike(data.texts)
    if all(group != place for group, place in zip(data.groups, data.places, strict=True)):
        return data.groups
    rows = list(zip(alike(data.texts), data.groups, data.places, strict=True))
    known: dict[int, str] = {}
    for cluster, group, place in rows:
        if group != place:
            known.setdefault(cluster, group)
    return [group if group != place else known.setdefault(cluster, place) for cluster, group, place in rows]
