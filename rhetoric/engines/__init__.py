"""Engines: the network itself, word pieces in, logits out. They know nothing of texts, labels or taggers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from rhetoric.batching import Batch, Logits
from rhetoric.errors import InputError

__all__ = ["Engine", "load_engine"]


class Engine(Protocol):
    """What the tagger needs of an engine.

    Attributes:
        name: Short name for messages.
        equal_lengths: Whether all sequences of a batch must have one length.
        token_budget: Word pieces in a batch at which this engine is fastest.
        workers: How many threads may call `forward` at once with profit.
    """

    name: str
    equal_lengths: bool
    token_budget: int
    workers: int

    def forward(self, batch: Batch) -> Logits:
        """Logits (sequences, labels) of a batch; safe to call from several threads."""


def load_engine(folder: Path, *, engine: str | None, threads: int | None) -> Engine:
    """Starts the engine for a model folder.

    Args:
        folder: A verified model folder.
        engine: "onnx", or None for the default.
        threads: Threads to compute with; None for every core this process may use.

    Raises:
        InputError: An unknown engine, or threads below one.
        ModelError: The folder lacks the engine's file.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads={threads} is not possible; remedy: a number from 1, or leave it out")
    if engine not in (None, "onnx"):
        raise InputError(f"unknown engine {engine!r}; remedy: use 'onnx', or leave it out")
    from rhetoric.engines.onnx import OnnxEngine

    return OnnxEngine(folder, threads=threads)
