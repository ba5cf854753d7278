"""Rates that moved are told from rates that did not, with intervals that hold what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric import InputError
from rhetoric.compare import compare, split
from rhetoric.familiarity import unfamiliar
from rhetoric.scored import Scored

LABELS = ("demand", "threat")
SENTENCE = (
    "The minister told reporters in the capital on Tuesday that the bridge over the river would be open by spring."
)


def scored(chosen: Any, columns: dict[str, list[Any]] | None = None, texts: list[str] | None = None) -> Scored:
    chosen = np.array(chosen, bool).reshape(-1, len(LABELS))
    texts = texts or [SENTENCE] * len(chosen)
    scores = np.where(chosen, 0.9, 0.1).astype(np.float32)
    return Scored(Path("some.csv"), LABELS, scores, chosen, chosen & False, texts, "text", columns or {}, 0)


def drawn(rates: tuple[float, float], n: int, seed: int) -> Scored:
    return scored(np.random.default_rng(seed).random((n, 2)) < rates)


def test_a_file_against_itself_has_not_moved() -> None:
    one = drawn((0.3, 0.1), 500, 0)
    for shift in compare(one, one).shifts:
        assert shift.difference == 0 and shift.low < 0 < shift.high and not shift.clear
        assert shift.histogram_before == shift.histogram_after and sum(shift.histogram_after) == 500


def test_a_planted_shift_is_found_and_only_it() -> None:
    demand, threat = compare(drawn((0.2, 0.1), 2000, 1), drawn((0.3, 0.1), 2000, 2)).shifts
    assert demand.clear and demand.low > 0.05 and demand.difference == pytest.approx(demand.after - demand.before)
    assert not threat.clear


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    inside = [
        shift.low <= difference <= shift.high
        for seed in range(300)
        for shift, difference in zip(
            compare(drawn((0.2, 0.3), 300, 2 * seed), drawn((0.25, 0.3), 400, 2 * seed + 1), resamples=500).shifts,
            (0.05, 0.0),
            strict=True,
        )
    ]
    assert 0.92 <= np.mean(inside) <= 0.975


def test_documents_are_drawn_whole() -> None:
    # Ten documents that are all demand or none: far less is known than 1,000 rows seem to say.
    chosen = [[number < 500, False] for number in range(1000)]
    documents = [str(number // 100) for number in range(1000)]
    plain = compare(scored(chosen), scored(chosen)).shifts[0]
    whole = compare(scored(chosen, {"document": documents}), scored(chosen, {"document": documents}))
    assert whole.cluster == "document"
    assert whole.shifts[0].high > 4 * plain.high


@pytest.mark.parametrize(("early", "late"), [("one", "many"), ("many", "one"), ("one", "one")])
def test_a_side_with_one_document_is_not_taken_for_certain(early: str, late: str) -> None:
    documents = {"one": ["a"] * 40, "many": [str(i // 4) for i in range(40)]}
    before = scored([[i % 2, 0] for i in range(40)], {"document": documents[early]})
    after = scored([[i % 2 or i == 0, 0] for i in range(40)], {"document": documents[late]})
    found = compare(before, after)
    shift = found.shifts[0]
    assert not shift.clear and shift.high - shift.low > 0.15
    assert any("only one value of document on a side" in line for line in found.warnings)
    plenty = scored([[1, 0]] * 40, {"document": documents["many"]})
    assert not any("only one value" in line for line in compare(plenty, plenty).warnings)


def test_small_groups_and_groups_of_one_document_are_warned_of() -> None:
    columns: dict[str, list[Any]] = {"country": ["A"] * 150 + ["B"] * 50, "document": [str(i % 10) for i in range(150)]}
    columns["document"] += ["b"] * 50
    side = scored([[i % 2, 0] for i in range(200)], columns)
    found = compare(side, side, by="country")
    assert found.warnings == (
        "fewer than 100 rows (country = B): the intervals are rough",
        "only one value of document on a side (country = B): rows were drawn there as if independent, and the "
        "intervals are too narrow",
    )
    assert found.groups[1].shifts[0].low < 0 < found.groups[1].shifts[0].high
    many = scored([[1, 0]] * 100, {"country": [str(i) for i in range(100)]})
    assert any("country = 12 and 95 more" in line for line in compare(many, many, by="country").warnings)


def test_groups_hold_their_own_rows() -> None:
    before = scored([[1, 0], [0, 0], [0, 1]], {"country": ["A", "A", "B"]})
    after = scored([[1, 0], [1, 0], [0, 1]], {"country": ["A", "A", "C"]})
    groups = {group.value: group for group in compare(before, after, by="country").groups}
    assert (groups["A"].rows_before, groups["A"].rows_after) == (2, 2)
    assert groups["A"].shifts[0].difference == 0.5
    assert groups["B"].rows_after == 0 and groups["B"].shifts == ()
    assert groups["C"].rows_before == 0


@pytest.mark.parametrize(
    ("cells", "value", "early"),
    [
        (["2013-12-31", "2014-01-01", "2014-05-01", ""], "2014-01-01", 1),
        (["9", "10", "11", None], "10", 1),
        ([9, 10.5, 11, None], "10.5", 1),
    ],
)
def test_split_compares_dates_and_numbers(cells: list[Any], value: str, early: int) -> None:
    before, after = split(scored([[1, 0]] * 4, {"when": cells}), "when", value)
    assert (len(before), len(after)) == (early, 2)


def test_unusable_sides_are_refused() -> None:
    one = scored([[1, 0]], {"year": ["2000"]})
    other = Scored(Path("o.csv"), ("x", "y"), one.scores, one.chosen, one.uncertain, one.texts, "text", {}, 0)
    with pytest.raises(InputError, match="score both with one model"):
        compare(one, other)
    with pytest.raises(InputError, match="no scored row"):
        compare(one, one.take(np.array([False])))
    with pytest.raises(InputError, match="no row has year below '1990'"):
        split(one, "year", "1990")
    with pytest.raises(InputError, match="no column 'country'"):
        compare(one, one, by="country")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ja", "median text has 1 words"),
        ("word " * 100, "over 80 words"),
        ("Außenministerkonferenzbeschlüsse verpflichten Mitgliedstaaten unverzüglich", "word pieces a word"),
        ("部长 表示 谈判 将 继续 进行 下去 直到 双方 达成 协议 为止", "unknown"),
    ],
)  # fmt: skip
def test_unfamiliar_texts_are_warned_of(text: str, line: str) -> None:
    assert not unfamiliar(scored([[0, 0]]))
    assert any(line in found for found in unfamiliar(scored([[0, 0]], texts=[text])))


def test_many_uncertain_rows_are_warned_of() -> None:
    one = scored([[1, 0]] * 10)
    unsure = Scored(one.path, LABELS, one.scores, one.chosen, one.chosen, one.texts, "text", {}, 0)
    assert any("uncertain" in line for line in unfamiliar(unsure))
