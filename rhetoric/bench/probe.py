"""Tries engines and token budgets on the processor: which is fastest cannot be known without measuring."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rhetoric.bench.measure import token_counts
from rhetoric.engines.choice import BUDGETS as DEFAULTS
from rhetoric.engines.choice import openvino_fits
from rhetoric.tagger import RhetoricTagger

__all__ = ["Trial", "fastest", "probe"]

TRIED = (("onnx", 256), ("onnx", 512), ("onnx", 1024), ("openvino", 1024), ("openvino", 2048))
USUAL = ("onnx", DEFAULTS["onnx", "cpu"])
ROUNDS = 5
# Unmeasured: in them each of OpenVINO's streams meets most shapes for the first time, which a long job does once.
WARM_ROUNDS = 2
# A setting must beat the default by this much to replace it: the best of several noisy figures is often 5 % above.
MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class Trial:
    """A setting that was tried.

    Attributes:
        engine: "onnx" or "openvino".
        token_budget: Word pieces in a batch.
        tokens_per_second: Median over the rounds.
        default: Whether it is what would be used without measuring.
    """

    engine: str
    token_budget: int
    tokens_per_second: float
    default: bool


def probe(folder: Path, texts: Sequence[str], *, threads: int, seconds: float) -> tuple[Trial, ...]:
    """Measures every engine installed with several token budgets, in turn.

    Args:
        folder: The model folder.
        texts: A few hundred distinct sentences.
        threads: Threads to compute with.
        seconds: Begin no further round after this time.

    Returns:
        One entry a setting.
    """
    taggers = {
        (engine, budget): RhetoricTagger.from_pretrained(
            folder, device="cpu", engine=engine, threads=threads, token_budget=budget
        )
        for engine, budget in TRIED
        if engine == "onnx" or openvino_fits()
    }
    for tagger in taggers.values():
        for _ in range(WARM_ROUNDS):
            tagger.predict_proba(texts)
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in taggers}
    start = time.monotonic()
    for done in range(ROUNDS):
        if done and time.monotonic() - start > seconds:
            break
        for key, tagger in taggers.items():
            begin = time.perf_counter()
            tagger.predict_proba(texts)
            taken[key].append(time.perf_counter() - begin)
    tokens = int(token_counts(folder, texts).sum())
    return tuple(
        Trial(engine, budget, tokens / statistics.median(times), (engine, budget) == USUAL)
        for (engine, budget), times in taken.items()
    )


def fastest(trials: Sequence[Trial]) -> Trial:
    """The fastest setting, or the default if nothing beats it by more than noise."""
    best = max(trials, key=lambda trial: trial.tokens_per_second)
    usual = next((trial for trial in trials if trial.default), best)
    return best if best.tokens_per_second > MARGIN * usual.tokens_per_second else usual
