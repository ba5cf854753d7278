"""Macro F1 at the thresholds a shipped model would use, as a metric of Hugging Face `evaluate`.

It is what training runs are stopped and checkpoints are chosen by: F1 at a fixed threshold would mostly follow
how far positive weights shift the logits, which calibration undoes anyway.
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import numpy as np

from rhetoric.finetune.calibration import calibrate, decide, probabilities
from rhetoric.finetune.metrics import f1
from rhetoric.model_folder import Task

__all__ = ["UNSURE", "calibrated_f1"]

UNSURE = -1.0  # reference of a cell that is not evaluated


def calibrated_f1(task: Task) -> Any:
    """The metric, an `evaluate.Metric`: `compute(predictions=logits, references=cells)["macro_f1"]`.

    Args:
        task: Whether a row has any number of labels or exactly one.
    """
    return _CalibratedF1(task)


class _CalibratedF1(evaluate.Metric):  # type: ignore[misc]
    """Mean over labels of F1 after calibration on the same rows; labels without a gold row are left out.

    `compute(predictions=logits, references=cells)` takes logits (n, L) and cells (n, L) of 1, 0 or `UNSURE`.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(keep_in_memory=True)
        self.task = task

    def _info(self) -> Any:
        cells = datasets.Sequence(datasets.Value("float32"))
        return evaluate.MetricInfo(
            description="Macro F1 at calibrated thresholds.",
            citation="",
            features=datasets.Features({"predictions": cells, "references": cells}),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        logits, cells = np.asarray(predictions, np.float32), np.asarray(references, np.float32)
        gold, mask = cells == 1, cells != UNSURE
        specs = calibrate([str(i) for i in range(logits.shape[1])], logits, gold, mask, task=self.task)
        per_label = f1(gold, decide(probabilities(logits, specs, self.task), specs, self.task), mask)
        present = (gold & mask).any(axis=0)
        return {"macro_f1": float(per_label[present].mean()) if present.any() else 0.0}
