"""Rates that moved are told from rates that did not, with intervals that hold what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric import InputError
from rhetoric.compare import compare, split
from rhetoric.familiarity import unfamiliar
from rhetoric.model_folder import BUNDLED, read_model_folder
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


def counted(hits: int, rows: int, documents: int | None = None) -> Scored:
    """Rows of which the first have demand and lack threat, and the others have threat and lack demand."""
    columns: dict[str, list[Any]] = {} if documents is None else {"document": [str(i % documents) for i in range(rows)]}
    return scored([[i < hits, i >= hits] for i in range(rows)], columns)


@pytest.mark.parametrize("in_documents", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [((0, 5), (12, 62)), ((0, 2), (6, 18)), ((0, 12), (12, 62)), ((0, 20), (30, 300)), ((0, 10), (0, 1000))],
)
def test_a_rate_of_none_or_all_is_not_taken_for_certain(
    before: tuple[int, int], after: tuple[int, int], in_documents: bool
) -> None:
    # Fisher's exact test finds a p of 0.13 or more in each; threat has the same at 100 %.
    one, other = (counted(*side, side[1] if in_documents else None) for side in (before, after))
    for shift in (*compare(one, other).shifts, *compare(other, one).shifts):
        assert shift.low < 0 < shift.high and not shift.outside and not shift.clear


def test_documents_that_all_lack_a_label_are_not_taken_for_certain() -> None:
    # 0 of 12 documents against 2 of 12 that are full of it: Fisher's p is 0.48. The other way round at 100 %.
    documents = {"document": [str(i // 10) for i in range(120)]}
    one, other = (scored([[i < hits, i >= hits] for i in range(120)], documents) for hits in (0, 20))
    for shift in compare(one, other).shifts:
        assert shift.low < 0 < shift.high and not shift.outside
    # A label in one row of a hundred stays rare: what is added is a document like those that have it.
    rare = {"document": [str(i // 100) for i in range(1200)]}
    shift = compare(*(scored([[i % 100 == 0, 0] for i in range(1200)], rare),) * 2).shifts[0]
    assert -0.01 < shift.low <= 0 <= shift.high < 0.01


@pytest.mark.parametrize("documents", [None, 30])
def test_a_rate_of_none_that_rose_for_sure_is_still_told(documents: int | None) -> None:
    for shift in compare(counted(0, 120, documents), counted(24, 120, documents)).shifts:
        assert shift.outside and shift.clear


@pytest.mark.parametrize(("rows", "documents"), [(9, None), (10, None), (300, 1), (300, 9), (300, 10)])
def test_fewer_than_ten_units_give_no_star(rows: int, documents: int | None) -> None:
    found = compare(counted(0, rows, documents), counted(300, 300, documents and 100))
    for shift in found.shifts:
        assert (shift.low > 0 or shift.high < 0) and shift.outside == shift.clear == ((documents or rows) == 10)


@pytest.mark.slow
def test_rare_labels_of_small_sides_get_no_more_stars_than_they_say() -> None:
    found = [
        shift.outside
        for seed in range(150)
        for shift in compare(
            drawn((0.1, 0.05), 20, 2 * seed), drawn((0.1, 0.05), 200, 2 * seed + 1), resamples=500
        ).shifts
    ]
    assert np.mean(found) <= 0.05


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
        "only one value of document on a side (country = B): rows were drawn there as if independent, the "
        "intervals are too narrow, and no label has * or **",
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
        (["9", "10", "11", "n/a"], "10", 1),  # as text 9 would come last
        ([2013.0, 2014.0, 2015.0, None], "2014", 1),
        (["2013-12-31", "2014-01-01", "2014-05", "n.d."], "2014", 1),
        (["2014-03-01 08:00:00", "2014-03-01 13:00:00", "2014-03-02", None], "2014-03-01T12:00", 1),
        (["2013/12/31", "2014/01/01", "2014/05/01", ""], "2014-01-01", 1),
        (["2013Q4", "2014Q1", "2014Q2", ""], "2014", 1),
        (["autumn", "spring", "summer", None], "spring", 1),
        (["2012", "2013", "2014", None], "2013-01-01", 1),
        (["2012", "2013", "2014", "2015"], "2013-06-01", 1),  # 2013 lies on both sides
        (["2013-02", "2013-03", "2013-04", None], "2013-03-01", 1),
        (["2013-02", "2013-03-14", "2013-03-15", "2013"], "2013-03-14", 1),
        (["2012-Q4", "2014-Q1", "2014-Q2", "2013-Q3"], "2013-03-01", 1),
    ],
)
def test_split_compares_dates_and_numbers(cells: list[Any], value: str, early: int) -> None:
    before, after = split(scored([[1, 0]] * 4, {"when": cells}), "when", value)
    assert (len(before), len(after)) == (early, 2)


@pytest.mark.parametrize("value", ["15/02/2014", "15.2.14", "2014-2-15", "15 February 2014", "February 2014"])
def test_dates_that_do_not_sort_are_refused(value: str) -> None:
    side = scored([[1, 0]] * 2, {"date": ["20/01/2014", "03/03/2014"]})
    with pytest.raises(InputError, match="cannot be put in order with the values of date; remedy: dates like 2014"):
        split(side, "date", value)
    with pytest.raises(InputError, match="'20/01/2014' is no date like 2014-03-18"):
        split(side, "date", "2014-02-15")


@pytest.mark.parametrize("documents", [2, 9, 10])
def test_few_documents_a_side_are_warned_of(documents: int) -> None:
    few = scored([[i % 2, 0] for i in range(180)], {"document": [str(i % documents) for i in range(180)]})
    many = scored([[i % 2, 0] for i in range(180)], {"document": [str(i // 3) for i in range(180)]})
    found = compare(few, many, names=("May", "June"))
    assert (found.before, found.after) == ("May", "June")
    assert (found.units_before, found.units_after) == (documents, 60)
    warning = (
        f"fewer than 10 values of document on a side (May: {documents}): the intervals are too narrow, and no "
        "label has * or **"
    )
    assert found.warnings == ((warning,) if documents < 10 else ())


def test_rows_without_a_document_are_none_together() -> None:
    chosen = [[i < 90, 0] for i in range(180)]
    empty = compare(scored(chosen, {"document": [None] * 180}), scored(chosen, {"document": [""] * 180}))
    assert empty.cluster is None and empty.warnings == ()
    part = scored(chosen, {"document": [str(i // 4) for i in range(80)] + [""] * 100})
    found = compare(part, part)
    assert found.units_before == 120
    # One document of a hundred rows would make it twice as wide.
    assert found.shifts[0].high < 1.5 * compare(scored(chosen), scored(chosen)).shifts[0].high * 2**0.5


def test_documents_on_one_side_only_are_warned_of() -> None:
    chosen = [[i % 2, 0] for i in range(120)]
    found = compare(scored(chosen), scored(chosen, {"doc_id": [str(i // 6) for i in range(120)]}), names=("A", "B"))
    assert found.cluster is None
    assert found.warnings == (
        "B has a column doc_id, A none that is filled: rows were drawn as if independent, and the intervals are too "
        "narrow",
    )


def test_groups_are_the_same_whatever_the_format() -> None:
    before = scored([[1, 0]] * 3, {"year": ["2013", "2014", ""]})
    after = scored([[1, 0]] * 3, {"year": [2013.0, 2014, None]})
    groups = compare(before, after, by="year").groups
    assert [(group.value, group.rows_before, group.rows_after) for group in groups] == [
        ("(none)", 1, 1),
        ("2013", 1, 1),
        ("2014", 1, 1),
    ]


def test_sides_scored_in_different_ways_are_warned_of() -> None:
    one, made = drawn((0.3, 0.1), 200, 0), {"model": "aaa", "threshold": None, "top": None, "documents": False}
    before, alike, after = (
        replace(one, made=made | change)
        for change in ({}, {}, {"model": "bbb", "threshold": {"demand": 0.6, "threat": 0.6}})
    )
    assert compare(before, alike).warnings == compare(before, one).warnings == ()
    assert compare(before, after).warnings == (
        "A and B were scored differently (model aaa and bbb; threshold not set and 0.6): rates may differ for that "
        "alone; remedy: score both with the same model and options",
    )


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


def test_rows_of_another_model_are_not_held_against_the_bundled_ones() -> None:
    long = ["word " * 100]
    assert unfamiliar(scored([[0, 0]], texts=long))
    assert not unfamiliar(replace(scored([[0, 0]], texts=long), made={"model": "0123456789ab"}))
    bundled = {"model": read_model_folder(BUNDLED).digest[:12]}
    assert unfamiliar(replace(scored([[0, 0]], texts=long), made=bundled))
