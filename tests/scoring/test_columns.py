"""The layouts, on predictions made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rhetoric import InputError, Prediction
from rhetoric.scoring.columns import Layout, added_columns, check_collisions

LABELS = ("demand", "threat", "appeal")


def prediction(*labels: str, **scores: float) -> Prediction:
    return Prediction(labels, {name: scores.get(name, 0.1) for name in LABELS}, ("threat",), False, 5)


TWO = prediction("threat", "demand", threat=0.9, demand=0.8)
NONE = prediction()


def test_wide_has_a_column_a_label_and_nulls_for_bad_rows() -> None:
    added = added_columns([TWO, "text is empty", NONE], Layout("wide", LABELS))
    assert added.source == [0, 1, 2]
    assert list(added.columns) == ["labels", *LABELS, "uncertain", "truncated", "error"]
    assert added.columns["labels"] == [["threat", "demand"], None, []]
    assert added.columns["demand"] == [0.8, None, 0.1]
    assert added.columns["uncertain"] == [["threat"], None, ["threat"]]
    assert added.columns["truncated"] == [False, None, False]
    assert added.columns["error"] == [None, "text is empty", None]


def test_long_has_a_row_a_label_and_loses_no_row() -> None:
    added = added_columns([TWO, "text is empty", NONE], Layout("long", LABELS))
    assert added.source == [0, 0, 1, 2]
    assert added.columns["label"] == ["threat", "demand", None, None]
    assert added.columns["score"] == [0.9, 0.8, None, None]
    assert added.columns["uncertain"] == [True, False, None, None]
    assert added.columns["error"] == [None, None, "text is empty", None]


def test_labels_only_top_and_prefix() -> None:
    added = added_columns([TWO, "bad"], Layout("labels-only", LABELS, top=1, prefix="r_"))
    assert added.columns == {"r_labels": [["threat"], None], "r_error": [None, "bad"]}


def test_all_digits_of_a_float32_or_as_many_as_asked() -> None:
    score = float(np.float32(0.8765432))
    [exact] = added_columns([prediction(demand=score)], Layout("wide", LABELS)).columns["demand"]
    assert np.float32(exact) == np.float32(score)
    assert len(repr(exact)) <= 11
    [short] = added_columns([prediction(demand=score)], Layout("wide", LABELS, decimals=2)).columns["demand"]
    assert short == 0.88


@pytest.mark.parametrize("kind", ["wide", "long", "labels-only"])
def test_no_rows_still_have_columns(kind: str) -> None:
    layout = Layout(kind, LABELS)
    added = added_columns([], layout)
    assert added.source == []
    assert added.columns == {field.name: [] for field in layout.fields}


def test_a_column_is_never_overwritten() -> None:
    with pytest.raises(InputError, match=r"data\.csv has a column 'threat' already.*--prefix"):
        check_collisions(["id", "threat"], ["labels", "threat"], where="data.csv")
