"""Side-by-side measuring, on contenders that take a known time."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rhetoric.bench.contenders import Rhetoric, fastest_size, padded_tokens
from rhetoric.bench.measure import measure, peak_megabytes, token_counts
from rhetoric.bench.probe import Trial, fastest
from rhetoric.bench.sentences import sentences
from rhetoric.errors import JobError

TEXTS = list(sentences(40))


@dataclass
class Sleeper:
    """Takes a known time a sentence."""

    name: str
    pause: float
    step: int = 1
    setting: str = ""
    fails: bool = False
    dies: bool = False

    def load(self) -> None:
        if self.fails:
            raise ValueError("no such weights")
        if self.dies:
            os._exit(9)

    def tune(self, texts: Sequence[str]) -> None:
        self.setting = f"tuned on {len(texts)}"

    def score(self, texts: Sequence[str]) -> int:
        time.sleep(self.pause * len(texts))
        return len(texts)

    def decisions(self, scores: int) -> np.ndarray:
        return np.ones((scores, 2), np.bool_)

    def computed_tokens(self, lengths: np.ndarray) -> int:
        return 2 * int(lengths.sum())


def test_contenders_are_measured_in_turn() -> None:
    lengths = np.full(len(TEXTS), 10)
    slow, fast = measure([Sleeper("slow", 0.004), Sleeper("fast", 0.001, step=4)], TEXTS, lengths, rounds=2, tune_on=8)
    assert (slow.name, slow.setting, slow.sentences, len(slow.seconds)) == ("slow", "tuned on 8", 40, 2)
    assert fast.sentences == 10
    assert slow.sentences_per_second < 250
    assert slow.tokens_per_second == pytest.approx(10 * slow.sentences_per_second)
    assert slow.padding_waste == 0.5
    assert slow.one_sentence_ms >= 4
    assert slow.decisions is not None and slow.decisions.shape == (40, 2)
    assert "decisions" not in slow.to_dict()


def test_no_round_begins_after_the_time() -> None:
    (row,) = measure([Sleeper("slow", 0.002)], TEXTS, np.full(40, 10), rounds=50, seconds=0.1)
    assert 1 <= len(row.seconds) <= 3


def test_a_failing_contender_is_named_with_its_error() -> None:
    with pytest.raises(JobError, match=r"broken cannot be measured: ValueError: no such weights"):
        measure([Sleeper("broken", 0, fails=True)], TEXTS, np.full(40, 10), rounds=1)
    with pytest.raises(JobError, match=r"gone cannot be measured: its process ended with exit code 9"):
        measure([Sleeper("gone", 0, dies=True)], TEXTS, np.full(40, 10), rounds=1)


def test_rhetoric_pads_nothing_and_decides_as_the_tagger(tiny_folder: Path) -> None:
    way = Rhetoric(tiny_folder, threads=1)
    way.load()
    decided = way.decisions(way.score(TEXTS))
    assert decided.shape == (40, 12)
    assert [bool(row.any()) for row in decided] == [bool(p.labels) for p in way.tagger.predict(TEXTS)]
    assert way.computed_tokens(token_counts(tiny_folder, TEXTS)) == token_counts(tiny_folder, TEXTS).sum()


def test_padded_tokens_counts_each_batch_as_wide_as_its_longest() -> None:
    assert padded_tokens(np.array([3, 5, 2]), 2) == 2 * 5 + 2
    assert padded_tokens(np.array([3, 5, 2]), 1) == 10


def test_the_fastest_size_is_found() -> None:
    assert fastest_size(lambda size: time.sleep(abs(size - 8) / 200), sizes=(2, 8, 16)) == 8


def test_a_setting_must_beat_the_default_by_more_than_noise() -> None:
    usual = Trial("onnx", 512, 100.0, True)
    assert fastest([Trial("onnx", 256, 104.0, False), usual]) is usual
    best = Trial("openvino", 512, 120.0, False)
    assert fastest([usual, best]) is best


def test_sentences_are_distinct_and_repeatable() -> None:
    assert len(set(sentences(500))) == 500
    assert list(sentences(5)) == TEXTS[:5] != list(sentences(5, seed=1))


def test_peak_memory_is_plausible() -> None:
    peak = peak_megabytes()
    assert peak is None or 10 < peak < 100_000
