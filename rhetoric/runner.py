"""Runs windows through an engine with everything overlapped.

While the engine's threads compute one window, the calling thread tokenises the next and the consumer handles
the one before; two windows are in flight, so the threads never wait at a window's end and memory is bounded.
An error or Ctrl-C anywhere stops all of it: batches not yet started are cancelled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rhetoric.batching import Batch, Logits, Window, collect, plan_batches
from rhetoric.engines import Engine

__all__ = ["run_windows"]

IN_FLIGHT = 2


def run_windows(
    engine: Engine, windows: Iterable[Window], *, n_labels: int, token_budget: int
) -> Iterator[tuple[Window, Logits]]:
    """Computes windows in order.

    Args:
        engine: The engine to call.
        windows: Encoded windows; consumed one ahead of the results.
        n_labels: Number of outputs of the network.
        token_budget: Most word pieces in a batch.

    Yields:
        Each window with the logits (distinct texts, labels) of its texts, in the order of the windows.
    """
    pending: deque[tuple[Window, list[tuple[Batch, Future[Any]]]]] = deque()
    pool = ThreadPoolExecutor(engine.workers, thread_name_prefix="rhetoric")
    try:
        for window in windows:
            batches = plan_batches(window, token_budget=token_budget, length_step=engine.length_step)
            pending.append((window, [(batch, pool.submit(engine.forward, batch)) for batch in batches]))
            if len(pending) == IN_FLIGHT:
                yield _finish(engine, *pending.popleft(), n_labels)
        while pending:
            yield _finish(engine, *pending.popleft(), n_labels)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finish(
    engine: Engine, window: Window, futures: list[tuple[Batch, Future[Any]]], n_labels: int
) -> tuple[Window, Logits]:
    results = engine.to_host([future.result() for _, future in futures])
    batches = (batch for batch, _ in futures)
    return window, collect(window, zip(batches, results, strict=True), n_labels)
