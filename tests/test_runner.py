"""Windows go through an engine in order, a bounded number ahead, and an error stops everything."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rhetoric.batching import Batch, Logits, Window
from rhetoric.runner import IN_FLIGHT, run_windows


def window(*lengths: int) -> Window:
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.arange(len(lengths))
    return Window(np.arange(offsets[-1]), offsets, rows, rows, np.array(lengths) - 2, np.zeros(len(lengths), np.bool_))


class FakeEngine:
    """Its logit is the first id of a sequence; can be slow, and can fail at a call."""

    name = "fake"
    length_step = 1
    token_budget = 8
    workers = 2

    def __init__(self, *, fail_at: int | None = None, seconds: float = 0.0) -> None:
        self.calls = 0
        self.fail_at, self.seconds = fail_at, seconds

    def forward(self, batch: Batch) -> Logits:
        self.calls += 1
        if self.calls == self.fail_at:
            raise MemoryError("no room")
        time.sleep(self.seconds)
        starts = np.concatenate(([0], np.cumsum(batch.lengths)[:-1]))
        return batch.ids[starts].astype(np.float32)[:, None]

    def to_host(self, results: Sequence[Logits]) -> list[Logits]:
        return list(results)


def test_windows_come_back_in_order_with_their_own_logits() -> None:
    windows = [window(4, 3, 4), window(5), window(3, 3, 3, 3)]
    results = list(run_windows(FakeEngine(seconds=0.005), windows, n_labels=1, token_budget=8))
    assert [found for found, _ in results] == windows
    for found, logits in results:
        assert logits[:, 0].tolist() == found.offsets[:-1].tolist()


def test_it_reads_no_further_ahead_than_needed() -> None:
    taken = 0

    def endless() -> Iterator[Window]:
        nonlocal taken
        while True:
            taken += 1
            yield window(3, 4)

    stream = run_windows(FakeEngine(), endless(), n_labels=1, token_budget=8)
    next(stream)
    assert taken == IN_FLIGHT
    next(stream)
    assert taken == IN_FLIGHT + 1
    stream.close()


def test_an_error_in_the_engine_is_raised_and_cancels_the_rest() -> None:
    engine = FakeEngine(fail_at=1, seconds=0.01)
    many = [window(*[4] * 200)]
    with pytest.raises(MemoryError, match="no room"):
        list(run_windows(engine, many, n_labels=1, token_budget=4))
    assert engine.calls < 100


def test_leaving_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    stream = run_windows(FakeEngine(), (window(3) for _ in range(50)), n_labels=1, token_budget=8)
    next(stream)
    stream.close()
    assert threading.active_count() == before


ENDLESS = """
import itertools, sys
from rhetoric import RhetoricTagger
tagger = RhetoricTagger.from_pretrained(sys.argv[1], engine="onnx")
texts = (f"we must begin talks {number}" for number in itertools.count())
try:
    for number, _ in enumerate(tagger.predict_stream(texts)):
        if number == 600:
            print("running", flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def interrupt(folder: Path) -> tuple[float, int, str]:
    """Seconds to exit after Ctrl-C, exit code, and what was said."""
    command = [sys.executable, "-c", ENDLESS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        _, said = process.communicate(timeout=20)
        return time.perf_counter() - start, process.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")
def test_ctrl_c_stops_everything_at_once_and_quietly(tiny_folder: Path) -> None:
    """The best of three, so that a busy machine does not fail it."""
    fastest = float("inf")
    for _ in range(3):
        seconds, code, said = interrupt(tiny_folder)
        assert (code, said) == (130, "")
        fastest = min(fastest, seconds)
        if fastest < 1.0:
            break
    assert fastest < 1.0
