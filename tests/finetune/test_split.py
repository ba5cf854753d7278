"""Dev rows: in their share, each label in its share, groups and repeated texts whole."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhetoric import InputError
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData, read_labelled, to_data
from rhetoric.finetune.duplicates import NEAR, RUN, alike
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


def random_texts(count: int, seed: int, words: int = 20) -> list[list[str]]:
    rng = random.Random(seed)
    return [[f"w{rng.randrange(2000)}" for _ in range(words)] for _ in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_differ_in_the_country_alone_stay_on_one_side(seed: int) -> None:
    names = ("Russia", "the United States", "Kenya", "South Korea")
    events = [" ".join(words) for words in random_texts(60, seed, words=6)]  # short: a name is in half of the runs
    raw = [{"text": f"{name} {event} of {names[i]}", "labels": []} for event in events for i, name in enumerate(names)]
    whole = to_data(read_labelled(raw, CONFIG).rows, ("a", "b", "c"), CONFIG)
    train, dev = split_rows(whole, dev_share=0.3, seed=seed)
    assert not {i // 4 for i in train} & {i // 4 for i in dev}
    assert len(dev) / len(raw) == pytest.approx(0.3, abs=0.05)


def overlap(one: str, other: str) -> float:
    first, second = (
        {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)} for words in (one.split(), other.split())
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("seed", range(3))
def test_no_near_duplicate_is_across_the_split_also_through_a_third(seed: int) -> None:
    """All pairs by brute force: texts that grow from a few by changes, cuts and changes of what was changed."""
    rng = random.Random(seed)
    grown = random_texts(12, seed, words=25)
    while len(grown) < 300:
        words = list(rng.choice(grown))
        for _ in range(rng.randint(1, 2)):
            words[rng.choice((0, -1, rng.randrange(len(words))))] = f"v{rng.randrange(50)}"
        grown.append(words[: rng.randint(len(words) - 2, len(words))] if len(words) > 18 else words)
    rng.shuffle(grown)
    texts = [" ".join(words) for words in grown]
    raw = [{"text": text, "labels": []} for text in texts]
    _, dev = split_rows(to_data(read_labelled(raw, CONFIG).rows, ("a",), CONFIG), dev_share=0.3, seed=seed)
    held = set(dev.tolist())
    near = [(i, j) for i in range(300) for j in range(i) if overlap(texts[i], texts[j]) >= NEAR]
    assert len(near) > 100
    assert [pair for pair in near if len(held & set(pair)) == 1] == []


def test_two_texts_hang_together_through_a_third() -> None:
    (words,) = random_texts(1, 0, words=30)
    left, right = " ".join(words[:-5]), " ".join(words[2:])
    assert overlap(left, right) < NEAR
    assert alike([left, right]) == [0, 1]
    assert alike([left, right, " ".join(words[:-2])]) == [0, 0, 0]
    assert alike(["other text", *3 * [right], left, " ".join(words[:-2])]) == [0, 1, 1, 1, 1, 1]


def test_rows_without_a_group_stay_with_the_rows_they_resemble() -> None:
    raw = [{"text": f"text {i % 100} and its own {i % 100}", "labels": ["a"], "document": None} for i in range(200)]
    raw[0]["document"] = "the only one that is named"
    whole = to_data(read_labelled(raw, CONFIG).rows, ("a",), CONFIG)
    train, dev = split_rows(whole, dev_share=0.25, seed=0)
    assert len(dev) > 20
    assert not {whole.texts[i] for i in train} & {whole.texts[i] for i in dev}


def test_groups_come_before_likeness() -> None:
    raw = [{"text": "the same text", "labels": ["a"], "document": f"d{i}"} for i in range(40)]
    whole = to_data(read_labelled(raw, CONFIG).rows, ("a",), CONFIG)
    assert len(split_rows(whole, dev_share=0.25, seed=0)[1]) == 10
    bare = to_data(read_labelled([{**row, "document": None} for row in raw], CONFIG).rows, ("a",), CONFIG)
    with pytest.raises(InputError, match="all rows are nearly the same, names of actors apart, so none can be held"):
        split_rows(bare, dev_share=0.25, seed=0)
