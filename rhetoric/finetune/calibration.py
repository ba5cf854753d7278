"""From dev logits to decisions: probabilities that mean what they say, and a threshold a label.

Platt scaling a label (Platt, 1999), held near the one that fits all labels together, or one temperature for
exclusive classes (Guo et al., 2017). Thresholds maximise the F1 that the calibrated probabilities themselves
lead to expect (Lipton et al., "Optimal thresholding of classifiers to maximize F1 measure", 2014): counting hits
instead rewards the luck of a few dev rows, and did worse on others at every size.
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
NEARLY = 0.005  # thresholds within this F1 of the best are as good; the middle of them is taken
ABSTAIN = (0.3, 0.7)
PRIOR = 10.0  # precision of a label's slope and intercept around those of all labels together
SMALLEST_SLOPE = 1e-3
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
        One entry a label. A label without dev rows of both kinds gets what fits all labels together.
    """
    kept = kept or {}
    if task == "single_label":
        slope = _temperature(logits.astype(np.float64), gold)
        return tuple(LabelSpec(name, 0.0, round(slope, 5), 0.0, ABSTAIN) for name in labels)
    cells, hits = logits[mask].astype(np.float64), gold[mask]
    together = _platt(cells, _platt_targets(hits)) if hits.any() and not hits.all() else (1.0, 0.0)
    specs = []
    for i, name in enumerate(labels):
        rows = mask[:, i]
        own, hits = logits[rows, i].astype(np.float64), gold[rows, i]
        if name in kept and kept_probabilities is not None:
            line = _platt(logits[:, i].astype(np.float64), kept_probabilities[:, i].astype(np.float64))
            threshold = kept[name].threshold
        else:
            both = hits.any() and not hits.all()
            line = _platt(own, _platt_targets(hits), around=together) if both else together
            threshold = _threshold(_sigmoid(own, line))
        band = (min(ABSTAIN[0], threshold), max(ABSTAIN[1], threshold))
        specs.append(LabelSpec(name, threshold, round(line[0], 5), round(line[1], 5), band))
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


def _platt_targets(gold: Bools) -> Floats:
    """A little short of 0 and 1, so that few rows cannot demand infinite logits (Platt, 1999)."""
    positive, negative = int(gold.sum()), int((~gold).sum())
    return np.where(gold, (positive + 1) / (positive + 2), 1 / (negative + 2))


def _platt(logits: Floats, targets: Floats, *, around: tuple[float, float] | None = None) -> tuple[float, float]:
    """Slope and intercept that minimise cross entropy, by Newton's method; the slope stays positive.

    Args:
        logits: (n,).
        targets: (n,), in [0, 1].
        around: Slope and intercept to stay near; None for no such wish.
    """
    centre = np.array(around if around is not None else (1.0, 0.0))
    ridge = (PRIOR if around is not None else 1e-4) * np.eye(2)
    x = np.column_stack([logits, np.ones(len(logits))])
    beta = centre.copy()
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (p - targets) + ridge @ (beta - centre)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, gradient)
        beta -= step * min(1.0, 1 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    if beta[0] < SMALLEST_SLOPE:  # logits that say nothing, or the opposite: the order of the network is kept
        rate = float(np.clip(targets.mean(), 1e-6, 1 - 1e-6))
        return SMALLEST_SLOPE, float(np.log(rate / (1 - rate)) - SMALLEST_SLOPE * logits.mean())
    return float(beta[0]), float(beta[1])


def _sigmoid(logits: Floats, line: tuple[float, float]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(line[0] * logits + line[1], -60, 60))), np.float64)


def _threshold(scores: Floats) -> float:
    """Threshold of the best expected F1: the middle of the run around it that is nearly as good; 0.5 without rows."""
    if not len(scores):
        return 0.5
    ordered = np.sort(scores)
    passed = np.searchsorted(ordered, GRID, side="left")
    expected_hits = np.append(np.cumsum(ordered[::-1])[::-1], 0.0)[passed]
    quality = 2 * expected_hits / (len(scores) - passed + ordered.sum())
    good = quality >= quality.max() - NEARLY
    first = last = int(quality.argmax())
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(good) - 1 and good[last + 1]:
        last += 1
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
