"""Engines: the network itself, word pieces in, logits out. They know nothing of texts, labels or taggers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from rhetoric.batching import Batch, Logits
from rhetoric.engines.choice import Choice, choose

__all__ = ["Engine", "engine_type", "load_engine"]


class Engine(Protocol):
    """What the runner needs of an engine.

    Attributes:
        name: Short name for messages.
        length_step: All sequences of a batch must have one length once rounded up to a multiple of this; None if they
            may have any.
        token_budget: Word pieces in a batch, as chosen.
        workers: How many threads may call `forward` at once with profit.
    """

    name: str
    length_step: int | None
    token_budget: int
    workers: int

    def forward(self, batch: Batch) -> Any:
        """Logits (sequences, labels) of a batch, wherever the engine computes; safe to call from `workers` threads."""

    def to_host(self, results: Sequence[Any]) -> list[Logits]:
        """What `forward` gave for the batches of a window, as float32 arrays, in one transfer if one is needed."""


def engine_type(choice: Choice) -> Callable[[Path, Choice], Engine]:
    """Imports the chosen engine, with the package that it computes with.

    Raises:
        ExtraError: The package is not installed.
    """
    module = importlib.import_module(f"rhetoric.engines.{choice.engine}")
    return cast(Callable[[Path, Choice], Engine], module.ENGINE)


def load_engine(folder: Path, **wanted: Any) -> Engine:
    """Starts an engine for a model folder.

    Args:
        folder: A verified model folder.
        **wanted: Options of `rhetoric.engines.choice.choose`.

    Raises:
        InputError: An option has an impossible value.
        ExtraError: The engine's package is not installed.
        ModelError: The folder lacks the engine's file.
    """
    choice = choose(folder, **wanted)
    return engine_type(choice)(folder, choice)
