"""Frames of three packages: the same columns added, the frame's own kept, rows in place."""

from __future__ import annotations

from typing import Any

import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.taxonomy import LABELS

TEXTS = ["we must talk", None, "peace today", ""]


def test_pandas(tiny: RhetoricTagger) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "n": [1, 2, 3, 4]}, index=[7, 7, 8, 9])
    made = tiny.score_frame(frame)
    assert list(made.columns) == ["text", "n", "labels", *LABELS, "uncertain", "truncated", "error"]
    assert list(made.index) == [7, 7, 8, 9]
    assert list(frame.columns) == ["text", "n"]
    expected = tiny.predict([TEXTS[0], TEXTS[2]])
    assert made["labels"].iloc[0] == list(expected[0].labels)
    assert made["demand"].iloc[2] == pytest.approx(expected[1].scores["demand"])
    assert list(made["error"]) == [None, "text is missing", None, "text is empty"]
    assert made["demand"].isna().tolist() == [False, True, False, True]
    assert list(tiny.score_frame(frame, on_error="skip")["n"]) == [1, 3]


def test_pandas_without_a_header(tiny: RhetoricTagger) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({0: ["x"], 1: ["we must talk"]})
    assert list(tiny.score_frame(frame, 1)["labels"]) == [list(tiny.predict_one("we must talk").labels)]


@pytest.mark.parametrize("kind", ["string", "object"])
def test_missing_values_of_pandas(tiny: RhetoricTagger, kind: str) -> None:
    pandas = pytest.importorskip("pandas")
    missing = [pandas.NA] if kind == "string" else [pandas.NA, pandas.NaT, float("nan"), None]
    frame = pandas.DataFrame({"text": pandas.Series([*missing, "we must talk"], dtype=kind)})
    made = tiny.score_frame(frame)
    assert list(made["error"]) == ["text is missing"] * len(missing) + [None]
    assert made["demand"].isna().tolist() == [True] * len(missing) + [False]
    assert list(made["labels"])[:-1] == [None] * len(missing)
    assert len(tiny.score_frame(frame, on_error="skip")) == 1


def test_only_strings_are_text_in_arrow(tiny: RhetoricTagger) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"said": ["we must talk"], "tags": [["a", "b"]]})
    made = tiny.score_frame(table)
    assert made.column("error").to_pylist() == [None]
    assert made.column("labels").to_pylist() == [list(tiny.predict_one("we must talk").labels)]


def test_polars(tiny: RhetoricTagger) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"id": [1, 2, 3, 4], "said": TEXTS})
    made = tiny.score_frame(frame, "said", layout="long", threshold=0.0, top=2)
    assert made.columns == ["id", "said", "label", "score", "uncertain", "truncated", "error"]
    assert made["id"].to_list() == [1, 1, 2, 3, 3, 4]
    with pytest.raises(InputError, match="LazyFrame"):
        tiny.score_frame(frame.lazy(), "said")


def test_arrow(tiny: RhetoricTagger) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"text": TEXTS, "n": pyarrow.array([1, 2, 3, 4], pyarrow.int8())})
    made = tiny.score_frame(table, layout="labels-only", prefix="r_")
    assert made.column_names == ["text", "n", "r_labels", "r_error"]
    assert made.select(["text", "n"]).equals(table)
    assert tiny.score_frame(table.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        ({"text": ["a"]}, {}, "a dict is no frame"),
        ("pandas", {"text_column": "txt"}, "no column 'txt'; did you mean 'text'"),
        ("pandas", {"documents": True}, "documents=True is for files"),
        ("pandas", {"on_error": "fail"}, "row 1 of the frame: text is missing"),
        ("taken", {}, "a column 'labels' already"),
        ("pandas", {"layuot": "long"}, "unknown option 'layuot'; did you mean 'layout'"),
    ],
)
def test_wrong_calls(tiny: RhetoricTagger, frame: Any, options: dict[str, Any], message: str) -> None:
    pandas = pytest.importorskip("pandas")
    if frame == "pandas":
        frame = pandas.DataFrame({"text": TEXTS})
    elif frame == "taken":
        frame = pandas.DataFrame({"text": TEXTS, "labels": 1})
    with pytest.raises(InputError, match=message):
        tiny.score_frame(frame, **options)


def test_long_texts_can_be_refused(tiny: RhetoricTagger) -> None:
    pandas = pytest.importorskip("pandas")
    long = "we must begin talks " * 20
    frame = pandas.DataFrame({"text": ["we must begin talks", long]})
    scored = tiny.score_frame(frame, on_long="error")
    assert scored["error"].tolist() == [None, "longer than the model reads at once"]
    assert len(tiny.score_frame(frame, on_long="error", on_error="skip")) == 1
    with pytest.raises(InputError, match="row 1 of the frame: longer than the model reads at once"):
        tiny.score_frame(frame, on_long="error", on_error="fail")
