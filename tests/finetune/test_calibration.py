"""Probabilities mean what they say, thresholds lie where F1 is best, and odd labels do no harm."""

from __future__ import annotations

import numpy as np
import pytest

from rhetoric.finetune.calibration import calibrate, cross_fitted, decide, probabilities
from rhetoric.finetune.metrics import expected_calibration_error, f1
from rhetoric.model_folder import LabelSpec


def sample(rows: int, slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2, (rows, 1)).astype(np.float32)
    return logits, rng.random((rows, 1)) < 1 / (1 + np.exp(-(slope * logits + intercept)))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, -1.0), (2.5, 1.5)])
def test_platt_scaling_finds_the_true_curve(slope: float, intercept: float) -> None:
    logits, gold = sample(20_000, slope, intercept)
    (spec,) = calibrate("a", logits, gold, np.ones_like(gold), task="multi_label")
    assert spec.slope == pytest.approx(slope, rel=0.08)
    assert spec.intercept == pytest.approx(intercept, abs=0.1)
    scores = probabilities(logits, [spec], "multi_label")
    assert expected_calibration_error(scores[:, 0], gold[:, 0]) < 0.015


def test_platt_scaling_equals_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    logits, gold = sample(5000, 0.7, -0.5)
    (spec,) = calibrate("a", logits, gold, np.ones_like(gold), task="multi_label")
    model = linear.LogisticRegression(C=1e6).fit(logits, gold[:, 0])
    assert spec.slope == pytest.approx(model.coef_[0, 0], abs=0.01)
    assert spec.intercept == pytest.approx(model.intercept_[0], abs=0.01)


def test_thresholds_are_nearly_the_best() -> None:
    logits, gold = sample(500, 1, -1)
    mask = np.ones_like(gold)
    (spec,) = calibrate("a", logits, gold, mask, task="multi_label")
    scores = probabilities(logits, [spec], "multi_label")
    best = max(f1(gold, scores >= t, mask)[0] for t in np.unique(scores))
    assert f1(gold, decide(scores, [spec], "multi_label"), mask)[0] > best - 0.02
    assert spec.abstain[0] <= min(0.3, spec.threshold)
    assert spec.abstain[1] >= max(0.7, spec.threshold)


def test_masked_rows_do_not_count() -> None:
    logits, gold = sample(500, 1, 0)
    mask = np.arange(500)[:, None] < 300
    noise = np.where(mask, gold, ~gold)
    assert calibrate("a", logits, gold, mask, task="multi_label") == calibrate(
        "a", logits, noise, mask, task="multi_label"
    )


@pytest.mark.parametrize("value", [False, True])
def test_a_label_with_one_kind_of_row_is_calibrated_by_the_others(value: bool) -> None:
    logits, gold = sample(400, 0.6, -1)
    logits, gold = np.hstack([logits, logits]), np.hstack([gold, np.full_like(gold, value)])
    mask = np.ones_like(gold)
    mask[:, 1] = np.arange(400) < 20
    known, other = calibrate("ab", logits, gold, mask, task="multi_label")
    assert other.slope == pytest.approx(known.slope, rel=0.3)
    alone = calibrate("b", logits[:, 1:], gold[:, 1:], mask[:, 1:], task="multi_label")
    assert (alone[0].slope, alone[0].intercept) == (1, 0)
    nothing = calibrate("b", logits[:, 1:], gold[:, 1:], np.zeros_like(mask[:, 1:]), task="multi_label")
    assert nothing == (LabelSpec("b", 0.5, 1.0, 0.0, (0.3, 0.7)),)


def test_few_rows_lean_on_the_other_labels() -> None:
    """With two positives of its own, a label stays near what nine well-known labels have in common."""
    logits, gold = sample(3000, 0.7, -0.8)
    few = np.zeros((3000, 10), bool)
    few[:, :9] = True
    few[np.r_[np.flatnonzero(gold)[:2], np.flatnonzero(~gold)[:8]], 9] = True
    specs = calibrate("abcdefghij", np.tile(logits, 10), np.tile(gold, 10), few, task="multi_label")
    assert specs[9].slope == pytest.approx(0.7, abs=0.2)
    assert specs[9].intercept == pytest.approx(-0.8, abs=0.5)


def test_perfect_constant_and_inverted_logits_give_usable_numbers() -> None:
    gold = np.arange(40)[:, None] % 4 == 0
    perfect = np.where(gold, 9, -9).astype(np.float32)
    for logits in (perfect, -perfect, np.zeros_like(perfect), perfect * 1e-6):
        (spec,) = calibrate("a", logits, gold, np.ones_like(gold), task="multi_label")
        assert spec.slope > 0
        assert np.isfinite([spec.slope, spec.intercept, spec.threshold]).all()
    (spec,) = calibrate("a", perfect, gold, np.ones_like(gold), task="multi_label")
    assert (decide(probabilities(perfect, [spec], "multi_label"), [spec], "multi_label") == gold).all()


def test_kept_labels_follow_the_base() -> None:
    logits, _ = sample(500, 1, 0)
    base = probabilities(logits * 2 + 1, [LabelSpec("a", 0.4, 1, 0, (0.3, 0.7))], "multi_label")
    (spec,) = calibrate(
        "a",
        logits,
        np.zeros((500, 1), bool),
        np.zeros((500, 1), bool),
        task="multi_label",
        kept={"a": LabelSpec("a", 0.4, 1, 0, (0.3, 0.7))},
        kept_probabilities=base,
    )
    assert spec.threshold == 0.4
    assert np.allclose(probabilities(logits, [spec], "multi_label"), base, atol=0.01)


def test_one_temperature_for_exclusive_classes() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3)).astype(np.float32)
    weights = np.exp(logits * 0.5)
    drawn = (weights.cumsum(axis=1) / weights.sum(axis=1, keepdims=True) < rng.random((4000, 1))).sum(axis=1)
    gold = np.eye(3, dtype=bool)[drawn]
    specs = calibrate("abc", logits, gold, np.ones_like(gold), task="single_label")
    assert len({spec.slope for spec in specs}) == 1
    assert specs[0].slope == pytest.approx(0.5, abs=0.05)
    decided = decide(probabilities(logits, specs, "single_label"), specs, "single_label")
    assert (decided.sum(axis=1) == 1).all()
    assert (decided.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_cross_fitting_is_not_flattered_by_chance() -> None:
    """Logits that say nothing: fitted on its own rows a label looks better than it is."""
    rng = np.random.default_rng(0)
    gains = []
    for seed in range(30):
        logits, gold = rng.normal(size=(60, 1)).astype(np.float32), rng.random((60, 1)) < 0.15
        mask = np.ones_like(gold)
        specs = calibrate("a", logits, gold, mask, task="multi_label")
        own = f1(gold, decide(probabilities(logits, specs, "multi_label"), specs, "multi_label"), mask)[0]
        gains.append(own - f1(gold, cross_fitted("a", logits, gold, mask, task="multi_label", seed=seed)[1], mask)[0])
    assert np.mean(gains) > 0.02
