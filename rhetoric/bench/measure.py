"""Measures contenders side by side: each in a process of its own, in turn, several rounds, medians.

A process of its own gives each its own peak memory and cold start; taking turns spreads what else the machine does
over all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rhetoric.errors import JobError

__all__ = ["Contender", "Measurement", "measure", "peak_megabytes", "token_counts"]

Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SINGLES = 20
QUIT_SECONDS = 10


class Contender(Protocol):
    """A way to score sentences. It is sent to its process before `load`, so it holds only settings until then.

    Attributes:
        name: Its name.
        setting: How it is set, such as the batch size.
        step: It scores every `step`-th sentence; more than 1 for slow ones.
    """

    name: str
    setting: str
    step: int

    def load(self) -> None:
        """Imports and loads what it needs."""

    def tune(self, texts: Sequence[str]) -> None:
        """Picks its own best setting by trying."""

    def score(self, texts: Sequence[str]) -> Any:
        """Scores of all labels for all texts, in its own form."""

    def decisions(self, scores: Any) -> Bools | None:
        """Label decisions (texts, labels) from what `score` gave; None if its weights are others."""

    def computed_tokens(self, lengths: Counts) -> int | None:
        """Tokens it computes for texts of these lengths, padding included; None if it works in other units."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of a contender.

    Attributes:
        name: Its name.
        setting: How it was set.
        sentences: How many it scored a round.
        seconds: Of each round.
        sentences_per_second: Median over the rounds.
        tokens_per_second: Likewise, word pieces without padding.
        padding_waste: Share of the computed tokens that is padding; None if it does not apply.
        first_result_seconds: From the start of a new process to the scores of one sentence.
        one_sentence_ms: Median time for one sentence once loaded.
        peak_mb: Highest resident memory of its process; None where the system does not tell.
        decisions: Label decisions, for comparison; not part of `to_dict`.
    """

    name: str
    setting: str
    sentences: int
    seconds: tuple[float, ...]
    sentences_per_second: float
    tokens_per_second: float
    padding_waste: float | None
    first_result_seconds: float
    one_sentence_ms: float
    peak_mb: float | None
    decisions: Bools | None = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        plain = asdict(self)
        del plain["decisions"]
        return plain


def measure(
    contenders: Sequence[Contender],
    texts: Sequence[str],
    lengths: Counts,
    *,
    rounds: int,
    seconds: float | None = None,
    tune_on: int = 0,
) -> list[Measurement]:
    """Measures contenders in turn.

    Args:
        contenders: Picklable.
        texts: What they score.
        lengths: Word pieces of each text, special tokens included.
        rounds: How often each scores all its texts.
        seconds: Begin no further round after this time; None for all rounds.
        tune_on: Texts each may try its settings on first; 0 for the settings as they are.

    Returns:
        One entry a contender, in order.

    Raises:
        JobError: A contender fails; the message has its name and error.
    """
    with ExitStack() as stack:
        workers = []
        for contender in contenders:  # one after the other, so that first results do not compete
            workers.append(stack.enter_context(_Worker(contender, list(texts[:: contender.step]))))
        for worker in workers:
            if tune_on:
                worker.ask("tune", tune_on)
            worker.ask("round")  # unmeasured: caches and thread pools are warm afterwards
        start = time.monotonic()
        times: list[list[float]] = [[] for _ in workers]
        for done in range(rounds):
            if done and seconds is not None and time.monotonic() - start > seconds:
                break
            for worker, taken in zip(workers, times, strict=True):
                taken.append(worker.ask("round"))
        return [
            _measurement(worker, taken, lengths[:: worker.contender.step])
            for worker, taken in zip(workers, times, strict=True)
        ]


def token_counts(folder: Path, texts: Sequence[str]) -> Counts:
    """Word pieces of each text in a model's tokenizer, special tokens included; shape (texts,)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return np.array([len(encoding.ids) for encoding in tokenizer.encode_batch_fast(list(texts))], np.int64)


def peak_megabytes() -> float | None:
    """Highest resident memory of this process so far; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike getrusage, it does not count what the process that started this one held
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def _measurement(worker: _Worker, seconds: list[float], lengths: Counts) -> Measurement:
    one = worker.ask("one")
    found = worker.ask("report", lengths)
    median = statistics.median(seconds)
    computed = found["computed"]
    return Measurement(
        name=worker.contender.name,
        setting=found["setting"],
        sentences=len(lengths),
        seconds=tuple(seconds),
        sentences_per_second=len(lengths) / median,
        tokens_per_second=int(lengths.sum()) / median,
        padding_waste=None if computed is None else 1 - int(lengths.sum()) / computed,
        first_result_seconds=worker.first_result,
        one_sentence_ms=1000 * one,
        peak_mb=found["peak"],
        decisions=found["decisions"],
    )


class _Worker:
    """A contender in its process, asked over a pipe; a context manager that ends the process."""

    def __init__(self, contender: Contender, texts: list[str]) -> None:
        self.contender = contender
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, contender, texts), daemon=True)
        start = time.perf_counter()
        self._process.start()
        other.close()
        self._receive()
        self.first_result = time.perf_counter() - start

    def ask(self, what: str, value: object = None) -> Any:
        """Sends a command and waits for the answer."""
        self._pipe.send((what, value))
        return self._receive()

    def _receive(self) -> Any:
        try:
            good, answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            good, answer = False, f"its process ended with exit code {self._process.exitcode}"
        if not good:
            raise JobError(f"{self.contender.name} cannot be measured: {answer}; remedy: see that it runs by itself")
        return answer

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(QUIT_SECONDS)  # killed at once, it would leave what it shares with its helpers
        self._process.terminate()
        self._process.join()


def _work(pipe: Connection, contender: Contender, texts: list[str]) -> None:
    """The process of a contender: loads, scores one sentence, then does what it is told until the pipe closes."""
    os.environ |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    scores: Any = None
    try:
        contender.load()
        contender.score(texts[:1])
        pipe.send((True, None))
        while True:
            what, value = pipe.recv()
            answer: Any = None
            if what == "tune":
                contender.tune(texts[:value])
            elif what == "round":
                start = time.perf_counter()
                scores = contender.score(texts)
                answer = time.perf_counter() - start
            elif what == "one":
                answer = statistics.median(_seconds(contender, text) for text in texts[:SINGLES])
            else:
                answer = {
                    "setting": contender.setting,
                    "computed": contender.computed_tokens(value),
                    "peak": peak_megabytes(),
                    "decisions": contender.decisions(scores),
                }
            pipe.send((True, answer))
    except EOFError:
        return
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        pipe.send((False, f"{type(error).__name__}: {reason}"))


def _seconds(contender: Contender, text: str) -> float:
    start = time.perf_counter()
    contender.score([text])
    return time.perf_counter() - start
