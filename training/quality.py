"""How well logits do on labelled rows, borderline cells masked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from rhetoric.finetune.calibration import cross_fitted
from rhetoric.finetune.metrics import f1
from rhetoric.taxonomy import LABELS
from training.data import Rows


def quality(logits: npt.NDArray[np.float32], rows: Rows) -> npt.NDArray[np.float64]:
    """Macro F1, with calibration and thresholds of other folds, and macro average precision, which needs none."""
    _, decided = cross_fitted(LABELS, logits, rows.clear, rows.evaluated, task="multi_label", seed=0)
    ranked = [average_precision_score(rows.clear[own, i], logits[own, i]) for i, own in enumerate(rows.evaluated.T)]
    return np.array([f1(rows.clear, decided, rows.evaluated).mean(), np.mean(ranked)])


def quality_told(name: str, logits: npt.NDArray[np.float32], rows: Rows) -> str:
    """The two of them in a line, for a reader."""
    macro_f1, precision = quality(logits, rows)
    return f"{name}: macro-F1 {macro_f1:.3f}, average precision {precision:.3f}"
