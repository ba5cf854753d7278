"""Figures against plain loops and scikit-learn, and intervals that behave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhetoric.finetune.metrics import compare, confusion, expected_calibration_error, f1, score


def sample(rows: int, seed: int = 0, noise: float = 0.3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    gold = rng.random((rows, 4)) < [0.5, 0.3, 0.1, 0.3]
    decided = gold ^ (rng.random(gold.shape) < noise)
    mask = rng.random(gold.shape) < 0.9
    probabilities = np.clip(decided * 0.6 + rng.random(gold.shape) * 0.4, 0, 1).astype(np.float32)
    return gold, decided, mask, probabilities


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 999))
def test_figures_equal_plain_loops(rows: int, seed: int) -> None:
    gold, decided, mask, probabilities = sample(rows, seed)
    scores = score("abcd", gold, decided, mask, probabilities, draws=20)
    values = []
    for i, label in enumerate(scores.labels):
        cells = [(bool(g), bool(d)) for g, d, m in zip(gold[:, i], decided[:, i], mask[:, i], strict=True) if m]
        hit = cells.count((True, True))
        of_gold, of_decided = sum(g for g, _ in cells), sum(d for _, d in cells)
        assert label.support == of_gold
        assert label.predicted == of_decided
        assert label.precision == pytest.approx(hit / of_decided if of_decided else 0)
        assert label.recall == pytest.approx(hit / of_gold if of_gold else 0)
        assert label.f1.value == pytest.approx(2 * hit / (of_gold + of_decided) if of_gold + of_decided else 0)
        values += [label.f1.value] if of_gold else []
    assert scores.macro_f1.value == pytest.approx(np.mean(values) if values else 0)
    right = [
        all(g == d or not m for g, d, m in zip(*row, strict=True)) for row in zip(gold, decided, mask, strict=True)
    ]
    assert scores.subset_accuracy.value == pytest.approx(np.mean(right))
    assert np.allclose(f1(gold, decided, mask), [label.f1.value for label in scores.labels])


def test_figures_equal_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    gold, decided, _, probabilities = sample(200)
    scores = score("abcd", gold, decided, np.ones_like(gold), probabilities)
    assert scores.macro_f1.value == pytest.approx(sklearn.f1_score(gold, decided, average="macro"))
    assert scores.micro_f1.value == pytest.approx(sklearn.f1_score(gold, decided, average="micro"))
    assert scores.subset_accuracy.value == pytest.approx(sklearn.accuracy_score(gold, decided))


def test_masked_cells_do_not_count() -> None:
    gold, decided, mask, probabilities = sample(100)
    flipped = np.where(mask, decided, ~decided)
    one = score("abcd", gold, decided, mask, probabilities)
    assert one.macro_f1 == score("abcd", gold, flipped, mask, probabilities).macro_f1
    assert (confusion(gold, decided, mask) == confusion(gold, flipped, mask)).all()


def test_intervals_hold_the_value_narrow_with_rows_and_repeat() -> None:
    widths = []
    for rows in (100, 1600):
        gold, decided, mask, probabilities = sample(rows)
        first, again = (score("abcd", gold, decided, mask, probabilities, seed=3) for _ in range(2))
        assert first == again
        for interval in (first.macro_f1, first.micro_f1, first.subset_accuracy, *(x.f1 for x in first.labels)):
            assert interval.low <= interval.value <= interval.high
        widths.append(first.micro_f1.high - first.micro_f1.low)
    assert 3 < widths[0] / widths[1] < 5  # the root of 16


def test_rows_of_a_group_are_drawn_together() -> None:
    """Ten copies of each row say no more than one: the interval must not narrow."""
    gold, decided, mask, probabilities = (np.repeat(part, 10, axis=0) for part in sample(60))
    groups = [str(i // 10) for i in range(600)]
    alone = score("abcd", gold, decided, mask, probabilities).micro_f1
    together = score("abcd", gold, decided, mask, probabilities, groups=groups).micro_f1
    assert together.value == alone.value
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


def test_a_comparison_is_paired() -> None:
    gold, decided, mask, _ = sample(400)
    better = np.where(np.random.default_rng(1).random(gold.shape) < 0.3, gold, decided)
    rows = compare("abcd", gold, better, decided, mask)
    assert [row.name for row in rows] == ["macro_f1", "micro_f1", "subset_accuracy", *"abcd"]
    assert rows[1].difference.low > 0
    assert rows[1].p_value < 0.01
    same = compare("abcd", gold, decided, decided, mask)
    assert all(row.difference.value == row.difference.low == row.difference.high == 0 for row in same)
    assert all(row.p_value == 1 for row in same)


def test_calibration_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(100_000).astype(np.float32)
    assert expected_calibration_error(p, rng.random(len(p)) < p) < 0.01
    assert expected_calibration_error(np.ones(4, np.float32), np.array([True, False, False, False])) == 0.75
    assert expected_calibration_error(np.empty(0, np.float32), np.empty(0, np.bool_)) == 0


def test_confusion_says_what_was_given_instead() -> None:
    gold = np.array([[1, 0], [1, 0], [0, 0], [1, 1]], bool)
    decided = np.array([[0, 1], [0, 0], [0, 1], [1, 1]], bool)
    assert confusion(gold, decided, np.ones_like(gold)).tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]


def test_a_single_group_is_not_taken_for_certain() -> None:
    gold, decided, mask, probabilities = sample(100)
    alone = score("abcd", gold, decided, mask, probabilities)
    assert score("abcd", gold, decided, mask, probabilities, groups=["speech"] * 100) == alone
    flipped = decided.copy()
    flipped[0, 0] ^= True
    for row in compare("abcd", gold, flipped, decided, mask, groups=["speech"] * 100)[:2]:
        assert row.p_value > 0.3 and row.difference.low <= 0 <= row.difference.high
