"""From dev logits to decisions: probabilities that mean what they say, and a threshold a label.

Platt scaling a label (Platt, 1999) or one temperature for exclusive classes (Guo et al., 2017). Thresholds
maximise F1 on dev rows; of several nearly as good ones the middle is taken, because the best of a small dev set
is partly luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rhetoric.model_folder import LabelSpec, ModelFolder, Task

__all__ = ["calibrate", "cross_fitted", "decide", "probabilities"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

GRID = np.arange(0.05, 0.951, 0.005)
NEARLY = 0.005  # thresholds within this F1 of the best are as good
ABSTAIN = (0.3, 0.7)
FOLDS = 5


def calibrate(
    labels: Sequence[str],
    logits: npt.NDArray[np.float32],
    gold: Bools,
    mask: Bools,
    *,
    task: Task,
    kept: dict[str, LabelSpec] | None = None,
    kept_probabilities: npt.NDArray[np.float32] | None = None,
) -> tuple[LabelSpec, ...]:
    """Fits calibration and thresholds.

    Args:
        labels: Names of the L labels.
        logits: (n, L) of dev rows.
        gold: (n, L), clear labels.
        mask: (n, L), True where a cell is evaluated.
        task: "multi_label" or "single_label".
        kept: Labels the data says nothing about, with what the base model decided by; they keep its thresholds.
        kept_probabilities: The base model's probabilities (n, L), to which the logits of kept labels are fitted.

    Returns:
        One entry a label. A label without dev rows of both kinds keeps the plain sigmoid and threshold 0.5.
    """
    kept = kept or {}
    if task == "single_label":
        slope = _temperature(logits.astype(np.float64), gold)
        return tuple(LabelSpec(name, 0.0, round(slope, 5), 0.0, ABSTAIN) for name in labels)
    specs = []
    for i, name in enumerate(labels):
        rows = mask[:, i]
        if name in kept and kept_probabilities is not None:
            slope, intercept = _platt(logits[:, i].astype(np.float64), kept_probabilities[:, i].astype(np.float64))
            threshold = kept[name].threshold
        else:
            slope, intercept, threshold = _fit_label(logits[rows, i].astype(np.float64), gold[rows, i])
        band = (min(ABSTAIN[0], threshold), max(ABSTAIN[1], threshold))
        specs.append(LabelSpec(name, threshold, round(slope, 5), round(intercept, 5), band))
    return tuple(specs)


def probabilities(logits: npt.NDArray[np.float32], specs: Sequence[LabelSpec], task: Task) -> npt.NDArray[np.float32]:
    """Calibrated probabilities (n, L), as a model folder with these labels gives them."""
    return ModelFolder(Path(), task, tuple(specs), 0, {}, "").probabilities(logits)


def decide(scores: npt.NDArray[np.float32], specs: Sequence[LabelSpec], task: Task) -> Bools:
    """Decisions (n, L) from calibrated probabilities, as the tagger takes them."""
    decided: Bools = scores >= np.array([spec.threshold for spec in specs], np.float32)
    if task == "single_label":
        decided &= scores == scores.max(axis=1, keepdims=True)
    return decided


def cross_fitted(
    labels: Sequence[str],
    logits: npt.NDArray[np.float32],
    gold: Bools,
    mask: Bools,
    *,
    task: Task,
    seed: int,
    kept: dict[str, LabelSpec] | None = None,
    kept_probabilities: npt.NDArray[np.float32] | None = None,
) -> tuple[npt.NDArray[np.float32], Bools]:
    """Probabilities and decisions of dev rows, each fold calibrated on the others.

    What `calibrate` would look like on rows it has not seen: figures on the rows that set the thresholds are
    too good. Arguments as in `calibrate`.
    """
    fold = np.random.default_rng(seed).permutation(len(gold)) % FOLDS
    scores, decided = np.zeros(gold.shape, np.float32), np.zeros_like(gold)
    for k in range(min(FOLDS, len(gold))):
        rest, own = fold != k, fold == k
        theirs = None if kept_probabilities is None else kept_probabilities[rest]
        specs = calibrate(labels, logits[rest], gold[rest], mask[rest], task=task, kept=kept, kept_probabilities=theirs)
        scores[own] = probabilities(logits[own], specs, task)
        decided[own] = decide(scores[own], specs, task)
    return scores, decided


def _fit_label(logits: Floats, gold: Bools) -> tuple[float, float, float]:
    """Slope, intercept and threshold of one label."""
    positive, negative = int(gold.sum()), int((~gold).sum())
    if not positive or not negative:
        return 1.0, 0.0, 0.5
    # Platt's targets: a little short of 0 and 1, so that few rows cannot demand infinite logits
    targets = np.where(gold, (positive + 1) / (positive + 2), 1 / (negative + 2))
    slope, intercept = _platt(logits, targets)
    return slope, intercept, _threshold(1 / (1 + np.exp(-(slope * logits + intercept))), gold)


def _platt(logits: Floats, targets: Floats) -> tuple[float, float]:
    """Slope and intercept that minimise cross entropy, by Newton's method; the slope stays positive."""
    scale = max(float(logits.std()), 1e-6)
    x = np.column_stack([(logits - logits.mean()) / scale, np.ones(len(logits))])
    rate = float(np.clip(targets.mean(), 1e-6, 1 - 1e-6))
    beta = np.array([0.0, np.log(rate / (1 - rate))])
    ridge = 1e-3 * np.eye(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (p - targets) + ridge @ beta
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, gradient)
        beta -= step * min(1.0, 4 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    slope = float(beta[0]) / scale
    if slope < 1e-3:  # logits that say nothing, or the opposite: the order of the network is kept
        return 1e-3, float(np.log(rate / (1 - rate)) - 1e-3 * logits.mean())
    return slope, float(beta[1] - slope * logits.mean())


def _threshold(scores: Floats, gold: Bools) -> float:
    """Middle of the run of thresholds around the best F1 that are nearly as good."""
    decided = scores[None, :] >= GRID[:, None]
    hits = (decided & gold).sum(axis=1)
    quality = 2 * hits / (decided.sum(axis=1) + gold.sum())
    best = int(quality.argmax())
    good = quality >= quality[best] - NEARLY
    first = best - int(np.argmin(good[best::-1])) + 1 if not good[: best + 1].all() else 0
    last = best + int(np.argmin(good[best:])) - 1 if not good[best:].all() else len(GRID) - 1
    return round(float((GRID[first] + GRID[last]) / 2), 4)


def _temperature(logits: Floats, gold: Bools) -> float:
    """Positive factor of all logits that minimises the cross entropy of the classes, by golden-section search."""
    if not len(logits):
        return 1.0
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2

    def loss(log_slope: float) -> float:
        scaled = logits * np.exp(log_slope)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[gold]).mean())

    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))
