"""What columns and cells are taken for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric import InputError
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import read_labelled, to_data

DEFAULT = TrainConfig()


def kinds(rows: list[dict[str, Any]], **changes: Any) -> list[tuple[str, int | None]]:
    return [(p.kind, p.row) for p in read_labelled(rows, DEFAULT.changed(changes)).problems]


@pytest.mark.parametrize(
    "cell", [["a", "b"], "a|b", " a | b ", '["a", "b"]', "['a', 'b']", ("a", "b"), np.array(["a", "b"])]
)
def test_label_cells_mean_the_same_in_every_form(cell: object) -> None:
    reading = read_labelled([{"text": "x", "labels": cell}], DEFAULT)
    assert reading.problems == ()
    assert reading.rows[0].labels == ("a", "b")


@pytest.mark.parametrize("one", [1, "1", True, "true", 1.0])
def test_columns_of_zero_and_one_are_labels(one: object) -> None:
    rows = [{"sentence": "x", "a": one, "b": 0}, {"sentence": "y", "a": 0, "b": 0}]
    reading = read_labelled(rows, DEFAULT)
    assert [row.labels for row in reading.rows] == [("a",), ()]
    assert reading.columns == {"text": "sentence", "labels": "a, b"}


@pytest.mark.parametrize(("cell", "fine"), [(" 1", True), (np.int64(1), True), ("", False), ("yes", False), (2, False)])
def test_one_odd_cell_does_not_make_a_column_of_labels_vanish(cell: object, fine: bool) -> None:
    rows = [{"text": f"text {i}", "a": i % 2, "b": "01"[i % 3 == 0]} for i in range(30)]
    rows[4]["b"] = cell
    reading = read_labelled(rows, DEFAULT)
    assert reading.columns["labels"] == "a, b"
    assert [(p.kind, p.row) for p in reading.problems] == ([] if fine else [("no 0 or 1", 4)])
    assert not fine or reading.rows[4].labels == ("b",)


@pytest.mark.parametrize("cell", ["NA", "nan", " N/A ", "NULL"])
def test_what_stands_for_no_value_is_neither_a_label_nor_a_text(cell: str) -> None:
    assert kinds([{"text": "x", "labels": cell}, {"text": cell, "labels": "a"}]) == [
        ("no labels", 0),
        ("missing text", 1),
    ]


def test_a_column_called_label_holds_names() -> None:
    rows = [{"text": f"text {i}", "label": "01"[i % 2]} for i in range(4)]
    assert kinds(rows) == [("labels are no names", i) for i in range(4)]
    assert kinds(rows, task="single_label") == []
    assert read_labelled(rows, DEFAULT.changed({"task": "single_label"})).rows[1].labels == ("1",)


def test_named_columns_of_zero_and_one_must_hold_them() -> None:
    rows = [{"text": "x", "a": 1, "b": 0}, {"text": "y", "a": 2, "b": 0}]
    assert kinds(rows, label_column="a,b") == [("no 0 or 1", 1)]


def test_targets_masks_and_groups() -> None:
    rows = [
        {"text": "x", "labels": ["a"], "borderline": ["b"], "document": "d1"},
        {"text": "y", "labels": [], "borderline": ["a"], "document": None},
        {"text": "z", "labels": ["a"], "borderline": ["a"], "document": 7},
    ]
    data = to_data(read_labelled(rows, DEFAULT).rows, ("a", "b"), DEFAULT.changed({"borderline_target": 0.25}))
    assert data.targets.tolist() == [[1, 0.25], [0.25, 0], [1, 0]]
    assert data.mask.tolist() == [[True, False], [False, True], [True, True]]
    assert data.gold.tolist() == [[True, False], [False, False], [True, False]]
    assert data.groups == ("d1", "rows row 1", "7")
    assert data.take(np.array([2, 0])).texts == ("z", "x")


def test_soft_targets_are_taken_as_they_are() -> None:
    rows = [{"text": "x", "soft": {"a": 0.7, "b": 0}}, {"text": "y", "soft": {"a": 1, "b": 0.2}}]
    config = DEFAULT.changed({"soft_column": "soft"})
    data = to_data(read_labelled(rows, config).rows, ("a", "b"), config)
    assert np.allclose(data.targets, [[0.7, 0], [1, 0.2]])
    assert data.gold.tolist() == [[True, False], [True, False]]  # what dev rows are measured by
    broken = [{"text": "x", "soft": {"a": 1.2}}, {"text": "y", "soft": None}]
    assert kinds(broken, soft_column="soft") == [("no soft target", 0), ("no soft targets", 1)]
    scored = [{"text": "x", "soft": {"a": np.float32(0.7), "b": None}}]  # as predict_proba and Arrow have them
    assert read_labelled(scored, config).rows[0].soft == {"a": pytest.approx(0.7)}


def test_of_soft_targets_of_one_class_the_largest_is_it() -> None:
    config = DEFAULT.changed({"soft_column": "soft", "task": "single_label"})
    rows = [{"text": "x", "soft": {"a": 0.3, "b": 0.4, "c": 0.3}}]
    assert to_data(read_labelled(rows, config).rows, ("a", "b", "c"), config).gold.tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"text": "", "labels": []}, "empty text"),
        ({"text": " \n", "labels": []}, "empty text"),
        ({"text": None, "labels": []}, "missing text"),
        ({"text": math.nan, "labels": []}, "missing text"),
        ({"text": 7, "labels": []}, "text is no text"),
        ({"text": "y", "labels": None}, "no labels"),
        ({"text": "y", "labels": math.nan}, "no labels"),
        ({"text": "y", "labels": "a"}, "mixed label types"),
        ({"text": "y", "labels": 3}, "labels are no names"),
        ({"text": "y", "labels": ["a", 3]}, "labels are no names"),
        ({"text": "y", "labels": ["?"]}, "not labelled yet"),
    ],
)
def test_each_unusable_cell_is_named_once(row: dict[str, Any], kind: str) -> None:
    assert kinds([{"text": "x", "labels": ["a"]}, row, {"text": "z", "labels": ["b"]}]) == [(kind, 1)]


def test_pandas_missing_values_are_missing() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["x", pandas.NA], "labels": ["a", pandas.NA]})
    assert [p.kind for p in read_labelled(frame, DEFAULT).problems] == ["missing text", "no labels"]


def test_missing_columns_are_named_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column named 'text' or 'sentence'.*body, labels"):
        read_labelled([{"body": "x", "labels": []}], DEFAULT)
    with pytest.raises(InputError, match="no text column 'txt'; did you mean 'text'"):
        read_labelled([{"text": "x"}], DEFAULT.changed({"text_column": "txt"}))
    with pytest.raises(InputError, match="no column 'labels' or 'label' and no 0/1 columns"):
        read_labelled([{"text": "x", "kind": "a"}], DEFAULT)
    path = tmp_path / "a.csv"
    path.write_text("text;labels\nx;a\n")
    assert [row.labels for row in read_labelled(path, DEFAULT).rows] == [("a",)]
    path.write_text("text;labels;a, b\nx;a;, y\n")
    with pytest.raises(InputError, match="is the separator not a comma"):
        read_labelled(path, DEFAULT)


def test_a_single_label_task_has_no_borderline() -> None:
    rows = [{"text": "x", "labels": ["a"], "borderline": ["b"]}]
    assert kinds(rows, task="single_label") == [("borderline class", 0)]
