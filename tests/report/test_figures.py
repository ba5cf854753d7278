"""Figures of a report: known answers, intervals that widen when documents hold alike sentences, guessed dates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric import InputError
from rhetoric.report import figures
from rhetoric.report.figures import balance, guess_time, periods, wilson
from rhetoric.scored import Scored

LABELS = ("threat", "conciliation", "mine")


def scored(chosen: Any, columns: dict[str, list[Any]] | None = None) -> Scored:
    given = np.array(chosen, bool).reshape(-1, 3)
    texts = [f"Sentence {i}." for i in range(len(given))]
    scores = np.where(given, 0.9, 0.1).astype(np.float32)
    return Scored(Path("s.csv"), LABELS, scores, given, given & False, texts, "text", columns or {}, 0)


def test_wilson_is_the_published_interval() -> None:
    # Newcombe (1998), table I: 81 of 263.
    rate = wilson(81, 263)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)
    none = wilson(0, 20)
    assert none.low == 0 and 0.1 < none.high < 0.2


def test_rates_by_period_and_group() -> None:
    found = figures(
        scored(
            [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]],
            {"year": ["2001", "2001", "2003", ""], "who": ["A", "A", "A", "B"]},
        ),
        time="year",
        by=["who"],
    )
    assert [(part.name, part.rows) for part in found.over_time] == [("2001", 2), ("2003", 1)]
    assert found.undated == 1 and found.unit == "year"
    assert [rate.value for rate in found.over_time[0].rates] == [0.5, 0.5, 0]
    assert [(part.name, part.rows) for part in found.by["who"]] == [("A", 3), ("B", 1)]
    assert found.together[0].tolist() == [1, 0.5, 0]
    assert np.isnan(figures(scored([[1, 0, 0]])).together[1]).all()


def test_small_groups_are_put_together_and_none_is_lost() -> None:
    names = [f"s{i:02}" for i in range(30)] + ["big"] * 5
    found = figures(scored([[1, 0, 0]] * 35, {"who": names}), by=["who"]).by["who"]
    assert found[0].name == "big" and found[-1].name == "all 16 others"
    assert sum(part.rows for part in found) == 35


def test_a_family_counts_a_sentence_once() -> None:
    names = ("threat", "coercion", "mine")
    rows = replace(scored([[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]), labels=names)
    found = figures(rows)
    assert found.families == ("coercive",) and [rate.value for rate in found.whole.families] == [0.5]
    assert figures(replace(rows, labels=("a", "b", "c"))).families == ()


def test_documents_widen_intervals() -> None:
    given = [[i < 50, 0, 0] for i in range(100)]
    alike = figures(scored(given, {"document": [str(i // 10) for i in range(100)]}))
    mixed = figures(scored(given, {"document": [str(i % 10) for i in range(100)]}))
    plain = figures(scored(given))
    assert alike.design_effect[0] > 8 and mixed.design_effect[0] == 1
    assert alike.whole.rates[0].low < mixed.whole.rates[0].low == plain.whole.rates[0].low


def test_balance_runs_from_conflict_to_cooperation() -> None:
    given = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    found = balance(given, LABELS)
    assert found is not None and found.value == pytest.approx(1 / 3) and found.low < found.value < found.high
    assert balance(given[3:], LABELS) is None


@pytest.mark.parametrize(
    ("cells", "unit", "first"),
    [
        (["2014-03-18", "2014-03-19"], "day", "2014-03-18"),
        (["2014-03-18T10:00", "2015-03-19"], "month", "2014-03"),
        (["1970-03-18", "2015-03-19"], "year", "1970"),
        ([2014, 2015], "year", "2014"),
        (["2014-03", "2014"], "year", "2014"),
        (["soon", "2014", "later"], None, None),
        (["12345", "20143"], None, None),
        (["2014-13", "2014-02-40", "2014-2016"], None, None),
    ],
)
def test_periods(cells: list[Any], unit: str | None, first: str | None) -> None:
    found, names = periods(cells)
    assert (found, names[0]) == (unit, first)


def test_the_time_column_is_guessed_only_if_it_holds_dates() -> None:
    assert guess_time(scored([[1, 0, 0]], {"Date": ["2014-01-01"]})) == "Date"
    assert guess_time(scored([[1, 0, 0]], {"time": ["noon"], "born": ["1970"]})) is None


def test_unusable_columns_are_named() -> None:
    with pytest.raises(
        InputError, match=r"column 'date' holds no dates \('18/03/2014' is none\); remedy: dates like 2014"
    ):
        figures(scored([[1, 0, 0]] * 4, {"date": [None, "2014-03-18", "18/03/2014", "soon"]}), time="date")
    with pytest.raises(InputError, match=r"column 'date' holds no dates \(it is empty\)"):
        figures(scored([[1, 0, 0]] * 2, {"date": [None, ""]}), time="date")
    with pytest.raises(InputError, match="no column 'nope'"):
        figures(scored([[1, 0, 0]]), by=["nope"])
    with pytest.raises(InputError, match="no scored row"):
        figures(scored(np.zeros((0, 3))))


def test_rows_without_a_document_are_none_together() -> None:
    chosen = [[i % 8 < 4, 0, 0] for i in range(40)]
    few = figures(scored(chosen, {"document": [str(i // 4) for i in range(40)]})).design_effect[0]
    one = figures(scored(chosen, {"document": ["a", None] + ["", None] * 19}))
    assert few > 2 and one.design_effect[0] == pytest.approx(40 / 39) and one.documents == 40
    none = figures(scored(chosen, {"document": ["", None] * 20}))
    assert none.design_effect[0] == 1 and none.documents is None
