"""The contenders of `rhetoric bench`: this library, and the transformers pipeline on the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.batching import plan_batches
from rhetoric.model_folder import ModelFolder, read_model_folder
from rhetoric.prediction import Prediction
from rhetoric.tagger import RhetoricTagger

__all__ = ["Rhetoric", "TransformersPipeline", "decide", "fastest_size", "padded_tokens"]

Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SIZES = (4, 8, 16, 32, 64)


@dataclass
class Rhetoric:
    """This library, set as it sets itself, but for what is given."""

    folder: Path
    threads: int | None = None
    engine: str | None = None
    name: str = "rhetoric"
    setting: str = ""
    step: int = 1
    tagger: RhetoricTagger = field(init=False, repr=False)
    computed: int | None = None

    def load(self) -> None:
        """Loads the tagger."""
        self.tagger = RhetoricTagger.from_pretrained(self.folder, threads=self.threads, engine=self.engine)
        choice = self.tagger.choice
        self.setting = f"{choice.engine} {choice.precision}, {choice.token_budget} tokens a batch"
        self.setting += f", {choice.threads} threads" if choice.threads > 1 else ", 1 thread"

    def tune(self, texts: Sequence[str]) -> None:
        """Nothing: the default is what is measured."""

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        """Predictions."""
        return self.tagger.predict(texts)

    def decisions(self, scores: list[Prediction]) -> Bools:
        """Labels given."""
        return np.array([[name in row.labels for name in self.tagger.labels] for row in scores])

    def computed_tokens(self, lengths: Counts) -> int | None:
        """Engines that pad take a batch as wide as its longest, or its length rounded up."""
        if self.tagger.choice.device != "cpu":
            return None
        if step := self.tagger._engine.length_step:
            return int((-(-lengths // step) * step).sum())
        from rhetoric.batching import Window

        rows = np.arange(len(lengths))
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        window = Window(np.zeros(offsets[-1], np.int64), offsets, rows, rows, lengths, np.zeros(len(rows), np.bool_))
        batches = plan_batches(window, token_budget=self.tagger.choice.token_budget, length_step=None)
        return sum(len(batch.lengths) * int(batch.lengths.max()) for batch in batches)


@dataclass
class TransformersPipeline:
    """`transformers.pipeline("text-classification")` in float32, in the order of arrival."""

    folder: Path
    threads: int
    batch_size: int
    step: int = 1
    name: str = "transformers pipeline"
    setting: str = ""
    classify: Any = field(default=None, init=False, repr=False)
    rules: ModelFolder = field(init=False, repr=False)

    def load(self) -> None:
        """Loads model and tokenizer."""
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

        torch.set_num_threads(self.threads)
        model = AutoModelForSequenceClassification.from_pretrained(self.folder, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(self.folder)
        self.classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")
        self.rules = read_model_folder(self.folder)
        self.setting = f"batches of {self.batch_size}" if self.batch_size > 1 else "one by one"

    def tune(self, texts: Sequence[str]) -> None:
        """Takes its fastest batch size, unless it is to go one by one."""
        if self.batch_size > 1:
            self.batch_size = fastest_size(lambda size: self.classify(list(texts), batch_size=size))
            self.setting = f"batches of {self.batch_size}"

    def score(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Lists of label and score."""
        found: list[list[dict[str, Any]]] = self.classify(list(texts), batch_size=self.batch_size)
        return found

    def decisions(self, scores: list[list[dict[str, Any]]]) -> Bools:
        """Labels that this library's calibration and thresholds give for its scores."""
        rows = [{cell["label"]: cell["score"] for cell in row} for row in scores]
        p = np.array([[row[name] for name in self.rules.names] for row in rows], np.float64).clip(1e-12, 1 - 1e-7)
        logits = np.log(p) if self.rules.task == "single_label" else np.log(p / (1 - p))
        return decide(self.rules, logits.astype(np.float32))

    def computed_tokens(self, lengths: Counts) -> int:
        """Each batch is as wide as its longest."""
        return padded_tokens(lengths, self.batch_size)


def decide(rules: ModelFolder, logits: npt.NDArray[np.float32]) -> Bools:
    """Label decisions (texts, labels) of a model from its logits."""
    scores = rules.probabilities(logits)
    decided: Bools = scores >= np.array([label.threshold for label in rules.labels], np.float32)
    return decided & (scores == scores.max(axis=1, keepdims=True)) if rules.task == "single_label" else decided


def padded_tokens(lengths: Counts, batch_size: int) -> int:
    """Tokens computed if batches are cut in the order given and padded to their longest."""
    starts = range(0, len(lengths), batch_size)
    return sum(int(lengths[i : i + batch_size].max()) * len(lengths[i : i + batch_size]) for i in starts)


def fastest_size(run: Callable[[int], object], sizes: Sequence[int] = SIZES) -> int:
    """The batch size with which `run` takes least time, the better of two tries each."""
    seconds = dict.fromkeys(sizes, float("inf"))
    for _ in range(2):
        for size in sizes:
            start = time.perf_counter()
            run(size)
            seconds[size] = min(seconds[size], time.perf_counter() - start)
    return min(seconds, key=seconds.__getitem__)
