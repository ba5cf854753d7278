"""Order, completeness, budget and waste of batching, as properties."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhetoric.batching import (
    FIRST_WINDOW,
    FULL_WINDOW,
    WINDOW_CHARACTERS,
    Window,
    collect,
    cut_windows,
    encode_window,
    plan_batches,
)
from rhetoric.errors import InputError

ROOM = 8


class CountingEncoder:
    """One id a character; remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode_batch_fast(self, input: list[str], *, add_special_tokens: bool = True) -> list[SimpleNamespace]:
        assert not add_special_tokens
        self.seen += input
        return [SimpleNamespace(ids=[ord(c) + 10 for c in text]) for text in input]


def encode(texts: list[str], on_long: str = "window") -> Window:
    return encode_window(CountingEncoder(), texts, max_tokens=ROOM + 2, on_long=on_long, special=(1, 2))  # type: ignore[arg-type]


texts_strategy = st.lists(st.text(alphabet="abcdef", min_size=1, max_size=40), min_size=1, max_size=60)


steps = st.sampled_from([None, 1, 4])


@given(texts_strategy, st.integers(1, 60), steps)
def test_every_sequence_is_in_exactly_one_batch(texts: list[str], budget: int, step: int | None) -> None:
    window = encode(texts)
    batches = list(plan_batches(window, token_budget=budget, length_step=step))
    assert sorted(np.concatenate([b.sequences for b in batches]).tolist()) == list(range(len(window.owner)))


@given(texts_strategy, st.integers(1, 60), steps)
def test_batches_keep_the_budget_and_their_ids(texts: list[str], budget: int, step: int | None) -> None:
    window = encode(texts)
    for batch in plan_batches(window, token_budget=budget, length_step=step):
        widths = [-(-length // (step or 1)) * (step or 1) for length in batch.lengths.tolist()]
        assert sum(widths) <= budget or len(batch.sequences) == 1
        assert step is None or len(set(widths)) == 1
        expected = [window.ids[window.offsets[s] : window.offsets[s + 1]] for s in batch.sequences]
        assert np.array_equal(batch.ids, np.concatenate(expected))
        assert np.array_equal(batch.lengths, [len(ids) for ids in expected])


@given(texts_strategy, st.integers(1, 60))
def test_batches_come_longest_first(texts: list[str], budget: int) -> None:
    window = encode(texts)
    lengths = np.concatenate([b.lengths for b in plan_batches(window, token_budget=budget, length_step=1)])
    assert (np.diff(lengths) <= 0).all()


def test_batches_are_filled_to_the_budget() -> None:
    window = encode([f"{a}{b}{c}" for a in "abcde" for b in "abcde" for c in "ab"])  # 50 sequences of 5
    sizes = [len(b.sequences) for b in plan_batches(window, token_budget=20, length_step=1)]
    assert sizes == [4] * 12 + [2]


@given(texts_strategy, st.integers(1, 60), steps, st.randoms())
def test_results_return_to_their_texts_in_any_order(
    texts: list[str], budget: int, step: int | None, random: object
) -> None:
    """The fake network's logit is the sum of a sequence's ids, so each text can be checked by hand."""
    window = encode(texts)
    batches = list(plan_batches(window, token_budget=budget, length_step=step))
    random.shuffle(batches)  # type: ignore[attr-defined]
    results = []
    for batch in batches:
        pieces = np.split(batch.ids, np.cumsum(batch.lengths)[:-1])
        results.append((batch, np.array([[p.sum(), -p.sum()] for p in pieces], np.float32)))
    logits = collect(window, results, 2)
    for row, text in enumerate(texts):
        values = [ord(c) + 10 for c in text]
        starts = [0] if len(values) <= ROOM else [*range(0, len(values) - ROOM, ROOM // 2), len(values) - ROOM]
        sums = [sum(values[s : s + ROOM]) + 3 for s in starts]
        assert logits[window.text_of_row[row]].tolist() == [max(sums), -min(sums)]


@given(texts_strategy)
def test_each_distinct_text_is_encoded_once(texts: list[str]) -> None:
    encoder = CountingEncoder()
    window = encode_window(encoder, texts, max_tokens=ROOM + 2, on_long="window", special=(1, 2))
    assert encoder.seen == list(dict.fromkeys(texts))
    assert [encoder.seen[i] for i in window.text_of_row] == texts


@given(st.integers(1, 100))
def test_windows_cover_a_long_text_with_half_overlap(length: int) -> None:
    text = "".join(chr(97 + i) for i in range(length))
    window = encode([text])
    covered = np.concatenate(
        [window.ids[a + 1 : b - 1] for a, b in zip(window.offsets, window.offsets[1:], strict=False)]
    )
    assert set(covered.tolist()) == {ord(c) + 10 for c in text}
    assert (window.lengths <= ROOM + 2).all()
    assert window.n_tokens.tolist() == [length]
    assert not window.truncated.any()


def test_truncation_is_marked_and_error_names_the_row() -> None:
    window = encode(["short", "a" * 20, "short"], on_long="truncate")
    assert window.truncated.tolist() == [False, True]
    assert window.n_tokens.tolist() == [5, 20]
    assert window.lengths.tolist() == [7, 10]
    with pytest.raises(InputError, match=r"texts\[2\] has 20 tokens, the model reads 8"):
        encode(["x", "x", "a" * 20], on_long="error")


@given(st.integers(0, 4 * FULL_WINDOW))
def test_windows_are_bounded_and_keep_order(count: int) -> None:
    windows = list(cut_windows(str(i) for i in range(count)))
    assert [text for window in windows for text in window] == [str(i) for i in range(count)]
    assert all(len(window) <= FULL_WINDOW for window in windows)
    assert count < FIRST_WINDOW or len(windows[0]) == FIRST_WINDOW


def test_windows_are_bounded_in_characters() -> None:
    big = "a" * (WINDOW_CHARACTERS // 2)
    assert [len(window) for window in cut_windows([big] * 5)] == [2, 2, 1]


def test_a_stream_is_read_no_further_than_its_window() -> None:
    taken = []
    stream = (taken.append(i) or str(i) for i in range(10**9))  # type: ignore[func-returns-value]
    next(cut_windows(stream))
    assert len(taken) == FIRST_WINDOW


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["fine", 3.5], r"texts\[1\] is float, not str: 3\.5"),
        ([None], r"texts\[0\] is NoneType"),
        (["fine", "fine", b"bytes"], r"texts\[2\] is bytes"),
        (["fine", ""], r"texts\[1\] is empty"),
        ([" \n\t\u00a0"], r"texts\[0\] is empty"),
        (["é 😀", "é \ud83d"], r"texts\[1\] is not Unicode: half a surrogate pair at character 2: 'é \\ud83d'; remedy"),
        ("one text", "texts is one str"),
        ({"text": "x"}, "texts is one dict"),
        (pandas.DataFrame({"id": ["a"], "text": ["x"]}), r"texts is a DataFrame, .* or score_frame\(frame\)"),
        (np.array("one text"), "texts is a ndarray, not texts; remedy"),
        (None, "texts is a NoneType, not texts; remedy"),
        (5, "texts is a int, not texts; remedy"),
    ],
)
def test_bad_texts_are_named(texts: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(cut_windows(texts))  # type: ignore[arg-type]
