"""Retraining on labelled data: check it, train on it, measure what came out, and ask what to label next."""

from __future__ import annotations

from rhetoric.finetune.checks import DataReport, check
from rhetoric.finetune.config import TrainConfig, read_config
from rhetoric.finetune.evaluation import Evaluation, evaluate
from rhetoric.finetune.run import TrainResult, train
from rhetoric.finetune.suggestion import Suggestion, suggest

__all__ = [
    "DataReport",
    "Evaluation",
    "Suggestion",
    "TrainConfig",
    "TrainResult",
    "check",
    "evaluate",
    "read_config",
    "suggest",
    "train",
]
