"""Dev rows: in their share, each label in its share, groups and repeated texts whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhetoric import InputError
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData, read_labelled, to_data
from rhetoric.finetune.split import split_rows

CONFIG = TrainConfig()


def data(rows: int, *, groups: int = 0, seed: int = 0) -> LabelledData:
    rng = np.random.default_rng(seed)
    raw = [
        {
            "text": f"text {i}",
            "labels": [name for name, rate in (("a", 0.5), ("b", 0.1), ("c", 0.03)) if rng.random() < rate],
            "document": f"d{rng.integers(groups)}" if groups else None,
        }
        for i in range(rows)
    ]
    return to_data(read_labelled(raw, CONFIG).rows, ("a", "b", "c"), CONFIG)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 200), st.integers(0, 40), st.floats(0.05, 0.5), st.integers(0, 99))
def test_every_row_is_on_one_side_and_groups_stay_whole(rows: int, groups: int, share: float, seed: int) -> None:
    whole = data(rows, groups=groups, seed=seed)
    if whole.groups and len(set(whole.groups)) < 2:
        with pytest.raises(InputError, match="one group"):
            split_rows(whole, dev_share=share, seed=seed)
        return
    train, dev = split_rows(whole, dev_share=share, seed=seed)
    assert sorted([*train, *dev]) == list(range(rows))
    assert len(train)
    assert len(dev)
    if whole.groups:
        assert not {whole.groups[i] for i in train} & {whole.groups[i] for i in dev}


@pytest.mark.parametrize("groups", [0, 300])
def test_each_label_is_held_out_in_its_share(groups: int) -> None:
    whole = data(2000, groups=groups)
    _, dev = split_rows(whole, dev_share=0.2, seed=1)
    held = whole.gold[dev].sum(axis=0) / whole.gold.sum(axis=0)
    assert np.allclose(held, 0.2, atol=0.02)
    assert len(dev) / 2000 == pytest.approx(0.2, abs=0.02)


def test_the_seed_decides() -> None:
    whole = data(300)
    splits = [split_rows(whole, dev_share=0.2, seed=seed)[1].tolist() for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_the_same_text_is_never_on_both_sides() -> None:
    raw = [{"text": f"Text  {i // 3}" if i % 2 else f"text {i // 3}", "labels": ["a"]} for i in range(90)]
    whole = to_data(read_labelled(raw, CONFIG).rows, ("a",), CONFIG)
    train, dev = split_rows(whole, dev_share=0.3, seed=0)
    assert not {i // 3 for i in train.tolist()} & {i // 3 for i in dev.tolist()}


def test_rows_that_are_nearly_the_same_stay_on_one_side() -> None:
    body = "the council of ministers met on {} to discuss the reopening of the strait and the release of all ships {}"
    raw = [
        {"text": body.format(f"day {day} of month {day * 7}", end), "labels": []}
        for day in range(60)
        for end in ("held there", "held there.", "held there again")
    ]
    whole = to_data(read_labelled(raw, CONFIG).rows, ("a", "b", "c"), CONFIG)
    for seed in range(5):
        train, dev = split_rows(whole, dev_share=0.3, seed=seed)
        assert not {i // 3 for i in train} & {i // 3 for i in dev}
