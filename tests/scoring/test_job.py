"""A job from input to output: formats, kept columns, layouts, documents."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from rhetoric import InputError, Prediction, RhetoricTagger
from rhetoric.scoring import job
from rhetoric.taxonomy import LABELS

from .conftest import ROWS, Make, read, rows, write

INPUTS = ["in.csv", "in.tsv", "in.jsonl", "in.parquet", "in.txt", "in.csv.gz", "in.jsonl.zst", "in.txt.gz"]
OUTPUTS = ["out.csv", "out.tsv", "out.jsonl", "out.parquet"]


def test_files_of_every_kind_give_the_scores_of_predict(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rhetoric.scoring.job.PART_ROWS", 60)
    texts = [row["text"] for row in rows()]
    good = [i for i, text in enumerate(texts) if text]
    expected = tiny.predict([texts[i] for i in good])
    for name in INPUTS:
        for target in OUTPUTS:
            summary = tiny.score_file(make(name), tmp_path / target, force=True)
            assert (summary.rows, summary.kept, summary.quarantined, summary.scored) == (ROWS, ROWS, 0, len(good))
            if target == "out.tsv":
                continue
            made = read(tmp_path / target)
            assert len(made) == ROWS
            for i, prediction in zip(good, expected, strict=True):
                labels = made[i]["labels"]
                assert (labels.split("|") if isinstance(labels, str) and labels else labels or []) == list(
                    prediction.labels
                )
                scores = [np.float32(made[i][label]) for label in LABELS]
                assert scores == [np.float32(prediction.scores[label]) for label in LABELS]
            assert made[9]["error"] == "text is empty"
            assert not made[9]["labels"]
            assert not made[9]["demand"]


def test_the_contract_of_a_wide_file(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    tiny.score_file(make("in.csv"), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream))
    assert header == ["id", "text", "note", "weight", "labels", *LABELS, "uncertain", "truncated", "error"]
    summary = json.loads((tmp_path / "out.csv.summary.json").read_text())
    assert summary["model"]["labels"] == list(LABELS)
    assert summary["rows"] == summary["kept"] + summary["quarantined"] == ROWS
    assert summary["errors"]["text is empty"]["first"][0].endswith("in.csv row 11")
    assert not (tmp_path / "out.csv.job").exists()
    assert not (tmp_path / "out.csv.quarantine.jsonl").exists()


def test_csv_cells_stay_as_they_are(tiny: RhetoricTagger, tmp_path: Path) -> None:
    cells = ["007", " spaced ", "1e400", "a,b", 'say ""', "x\r\ny", "x\ry", "", "=1+1", "\ttab"]
    source = tmp_path / "in.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["text", *map(str, range(10))], ["we must talk", *cells]])
    for target in ("out.csv", "out.jsonl", "out.parquet"):
        tiny.score_file(source, tmp_path / target)
        [row] = read(tmp_path / target)
        assert [row[str(i)] for i in range(10)] == cells


def test_json_keeps_its_letters(tiny: RhetoricTagger, tmp_path: Path) -> None:
    body = (
        r'"text": "we must talk", "n": 1.10, "big": 123456789012345678901234567890, "u": "\u00e9", "o": {"a":[1, null]}'
    )
    source = tmp_path / "in.jsonl"
    source.write_text("{" + body + "}\n\n{}\n")
    tiny.score_file(source, tmp_path / "out.jsonl")
    first, second = (tmp_path / "out.jsonl").read_text().splitlines()
    assert first.startswith("{" + body + ', "labels": [')
    assert json.loads(second)["error"] == "text is missing"
    assert json.loads(second)["labels"] is None


def test_json_types_become_arrow_types(tiny: RhetoricTagger, tmp_path: Path) -> None:
    data = [
        {"text": "a", "i": 1, "f": 1, "b": True, "l": ["x"], "mixed": 1, "large": 2**60, "o": {"k": 1}},
        {"text": "b", "i": None, "f": 1.5, "late": "x", "mixed": "1", "large": 0.5, "o": {"m": "z"}, "e": {}},
    ]
    tiny.score_file(write(tmp_path / "in.jsonl", data), tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["i"] == "int64"
    assert types["f"] == "double"
    assert types["b"] == "bool"
    assert "list" in types["l"]
    assert types["labels"].startswith("list")
    assert types["demand"] == "float"
    first, second = table.to_pylist()
    assert (first["mixed"], second["mixed"]) == ("1", "1")  # no common type: as text, as in a CSV
    assert (first["large"], second["large"]) == (str(2**60), "0.5")
    assert (first["late"], second["late"]) == (None, "x")
    assert first["o"] == {"k": 1, "m": None}


def test_arrow_types_stay(tiny: RhetoricTagger, tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "when": pyarrow.array([1, None], pyarrow.timestamp("ns", tz="UTC")),
            "kind": pyarrow.array(["x", "y"]).dictionary_encode(),
            "small": pyarrow.array([1, 2], pyarrow.int8()),
            "bytes": pyarrow.array([b"\xff", None]),
            "price": pyarrow.array(["1.50", "2.25"]).cast(pyarrow.decimal128(9, 2)),
            "text": pyarrow.array(["we must talk", None], pyarrow.large_string()),
        }
    )
    source = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(table, source)
    tiny.score_file(source, tmp_path / "out.parquet")
    made = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert made.select(table.column_names).cast(table.schema).equals(table)
    assert [made.schema.field(n).type for n in table.column_names] == [f.type for f in table.schema]
    tiny.score_file(source, tmp_path / "out.jsonl")
    first, second = read(tmp_path / "out.jsonl")
    assert first["when"] == "1970-01-01 00:00:00.000000001Z"
    assert (first["price"], first["bytes"], first["small"]) == ("1.50", "/w==", 1)
    assert second["error"] == "text is missing"


def test_a_collision_is_refused_and_a_prefix_helps(tiny: RhetoricTagger, tmp_path: Path) -> None:
    data = [{"text": "we talk", "threat": 1, "labels": "mine"}]
    for name in ("in.csv", "in.jsonl", "in.parquet"):
        source = write(tmp_path / name, data)
        with pytest.raises(InputError, match="'threat', 'labels' already.*--prefix"):
            tiny.score_file(source, tmp_path / "out.csv", force=True)
        assert not (tmp_path / "out.csv.job").exists()
        tiny.score_file(source, tmp_path / "out.csv", prefix="r_", force=True)
        [row] = read(tmp_path / "out.csv")
        assert (row["labels"], row["threat"]) == ("mine", "1")
        assert 0 <= float(row["r_threat"]) <= 1


def test_a_late_key_never_doubles_a_column(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [{"text": "a"}] * 1100 + [{"text": "b", "labels": 1}])
    with pytest.raises(InputError, match="line 1101 has a column 'labels' already"):
        tiny.score_file(source, tmp_path / "out.jsonl")


def test_files_with_other_columns_are_joined_by_name(tiny: RhetoricTagger, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,x\nwe talk,1\n")
    (tmp_path / "b.csv").write_text("y;text\n2;they talk\n")
    said: list[str] = []
    tiny.score_file(str(tmp_path / "?.csv"), tmp_path / "out.jsonl", say=said.append)
    made = read(tmp_path / "out.jsonl")
    assert [(row["text"], row["x"], row["y"]) for row in made] == [("we talk", "1", ""), ("they talk", "", "2")]
    assert any("separated by ';'" in line for line in said)


def test_folders_leave_out_what_is_ours_and_what_is_other(tiny: RhetoricTagger, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl", "readme.pdf", ".hidden.jsonl"):
        (tmp_path / name).write_text('{"text": "we talk"}\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.ndjson").write_text('{"text": "we talk"}\n')
    said: list[str] = []
    first = tiny.score_file(tmp_path, tmp_path / "out.jsonl", say=said.append)
    again = tiny.score_file(tmp_path, tmp_path / "out.jsonl", force=True)
    assert first.inputs == again.inputs
    assert [Path(name).name for name in first.inputs] == ["a.jsonl", "b.jsonl", "c.ndjson"]
    assert any("1 files of other kinds" in line for line in said)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("in.csv", b"a,b\n1,2\n", {}, "obviously the text; remedy: --text-column, one of: 'a', 'b'"),
        ("in.csv", b"text,b\n1,2\n", {"text_column": "txt"}, "no column 'txt'; did you mean 'text'"),
        ("in.csv", b"text,b\n1,2\n", {"id_column": "key"}, "no column 'key'"),
        ("in.csv", b"text,text\n1,2\n", {}, "column 'text' occurs twice"),
        ("in.csv", b"", {}, "is empty"),
        ("in.csv", b"text\rone\rtwo", {}, "CR alone"),
        ("in.csv", "text\nüber\n".encode("utf-16"), {}, "is UTF-16"),
        ("in.parquet", b"PAR1", {}, "cannot be read as Parquet"),
        ("in.data", b"text\n", {}, "--input-format"),
        ("in.txt", b"talk\n", {"threshold": {"warmth": 0.5}}, "unknown label 'warmth'"),
        ("in.txt", b"talk\n", {"layout": "tall"}, "layout='tall' is unknown"),
        ("in.txt", b"talk\n", {"tops": 1}, "unknown option 'tops'; did you mean 'top'"),
        ("in.txt", b"talk\n", {"top": 0}, "top=0"),
    ],
)
def test_usage_errors_say_what_and_leave_nothing(
    tiny: RhetoricTagger, tmp_path: Path, name: str, content: bytes, options: dict[str, Any], message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        tiny.score_file(tmp_path / name, tmp_path / "out.csv", **options)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_numbers_that_are_none_are_null_in_json(tiny: RhetoricTagger, tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a", "b"], "gdp": [float("nan"), 1.5], "more": [[float("inf"), 2.0], []]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    tiny.score_file(tmp_path / "in.parquet", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    first, second = (json.loads(line, parse_constant=lambda name: pytest.fail(name)) for line in lines)
    assert (first["gdp"], first["more"], second["gdp"]) == (None, [None, 2.0], 1.5)


def test_a_column_that_occurs_twice_is_refused(tiny: RhetoricTagger, tmp_path: Path) -> None:
    table = pyarrow.table([["A"], ["we must talk"], ["B"]], names=["speaker", "text", "speaker"])
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(InputError, match=r"in\.parquet: column 'speaker' occurs twice; remedy: rename one"):
        tiny.score_file(tmp_path / "in.parquet", tmp_path / "out.csv")


@pytest.mark.parametrize("content", ["not json\n", '[{"text": "we must talk"}]\n', ""])
def test_a_file_without_json_objects_is_named(tiny: RhetoricTagger, tmp_path: Path, content: str) -> None:
    (tmp_path / "in.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"in\.jsonl: no line is a JSON object with columns; remedy: JSON Lines"):
        tiny.score_file(tmp_path / "in.jsonl", tmp_path / "out.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_before_it_is_read(tiny: RhetoricTagger, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.csv")
    with pytest.raises(InputError, match="is a pipe or a device, which can be read only once; remedy: - for standard"):
        tiny.score_file(tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv.job").exists()


def test_kinds_are_not_mixed_and_outputs_not_read(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="several kinds"):
        tiny.score_file([make("a.csv"), make("b.jsonl")], tmp_path / "out.csv")
    with pytest.raises(InputError, match="input and output at once"):
        tiny.score_file(make("a.csv"), tmp_path / "a.csv", force=True)
    with pytest.raises(InputError, match="does not tell its format"):
        tiny.score_file(make("a.csv"), tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="no folder"):
        tiny.score_file(make("a.csv"), tmp_path / "missing" / "out.csv")
    with pytest.raises(InputError, match="no file at"):
        tiny.score_file(tmp_path / "nothing*.csv", tmp_path / "out.csv")


def test_documents_become_sentences(tiny: RhetoricTagger, tmp_path: Path) -> None:
    text = "We must begin talks. They said never!"
    data = [{"key": "d1", "text": text, "year": 1990}, {"key": "d2", "text": "", "year": 1991}]
    for target in ("out.csv", "out.jsonl", "out.parquet"):
        tiny.score_file(write(tmp_path / "in.jsonl", data), tmp_path / target, documents=True, id_column="key")
        made = read(tmp_path / target)
        assert list(made[0])[:9] == ["document", "sentence", "start", "end", "text", "quoted", "speaker", "key", "year"]
        assert [row["document"] for row in made] == ["d1", "d1", "d2"]
        assert [row["text"] for row in made] == ["We must begin talks.", "They said never!", made[2]["text"]]
        assert text[int(made[1]["start"]) : int(made[1]["end"])] == made[1]["text"]
        assert made[2]["error"] == "text is empty"
    (tmp_path / "speech.txt").write_text(text)
    tiny.score_file(tmp_path / "speech.txt", tmp_path / "speech.csv", documents=True)
    made = read(tmp_path / "speech.csv")
    assert [Path(row["document"]).name for row in made] == ["speech.txt"] * 2
    assert [row["sentence"] for row in made] == ["1", "2"]


@pytest.mark.parametrize("target", ["out.csv", "out.jsonl", "out.parquet"])
def test_lines_of_several_text_files_say_which(tiny: RhetoricTagger, tmp_path: Path, target: str) -> None:
    data: list[dict[str, Any]] = [{"text": "We must begin talks. They said never!"}, {"text": ""}]
    folder = tmp_path / "folder"
    folder.mkdir()
    files = [write(folder / name, data) for name in ("a.txt", "b.txt.gz")]
    tiny.score_file(folder, tmp_path / target, prefix="r_")
    made = read(tmp_path / target)
    assert list(made[0])[:3] == ["document", "text", "r_labels"]
    assert [row["document"] for row in made] == [file.as_posix() for file in files for _ in range(2)]
    assert made[2]["text"] == data[0]["text"]
    tiny.score_file(folder, tmp_path / target, documents=True, force=True)
    assert list(read(tmp_path / target)[0])[:3] == ["document", "sentence", "start"]
    tiny.score_file(files[:1], tmp_path / target, force=True)  # one file needs no name
    assert list(read(tmp_path / target)[0])[:2] == ["text", "labels"]


@pytest.mark.parametrize("name", ["in.txt", "in.csv", "in.jsonl", "in.parquet"])
def test_documents_of_text_alone_become_parquet(tiny: RhetoricTagger, tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name, [{"text": "We must begin talks. They said never!"}])
    tiny.score_file(source, tmp_path / "out.parquet", documents=True)
    tiny.score_file(source, tmp_path / "out.jsonl", documents=True)
    made = read(tmp_path / "out.parquet")
    assert list(made[0])[:8] == ["document", "sentence", "start", "end", "text", "quoted", "speaker", "labels"]
    assert [row["text"] for row in made] == ["We must begin talks.", "They said never!"]
    for row, other in zip(made, read(tmp_path / "out.jsonl"), strict=True):
        assert row["labels"] == other["labels"]
        assert [np.float32(row[label]) for label in LABELS] == [np.float32(other[label]) for label in LABELS]


def test_a_bad_document_keeps_its_text(tiny: RhetoricTagger, tmp_path: Path) -> None:
    data: list[dict[str, Any]] = [{"text": "We talk\0", "year": 1990}, {"text": "   ", "year": 1991}]
    for name in ("in.jsonl", "in.parquet"):
        source = write(tmp_path / name, data)
        tiny.score_file(source, tmp_path / "out.jsonl", documents=True, force=True)
        assert [(row["text"], row["sentence"], row["labels"]) for row in read(tmp_path / "out.jsonl")] == [
            ("We talk\0", None, None),
            ("   ", None, None),
        ]
        tiny.score_file(source, tmp_path / "out.jsonl", documents=True, on_error="skip", force=True)
        entries = read(tmp_path / "out.jsonl.quarantine.jsonl")
        assert [json.loads(entry["raw"]) for entry in entries] == data
    source = write(tmp_path / "other.jsonl", [{"text": "We talk."}, {"text": {"a": [1]}}, {"text": None}])
    tiny.score_file(source, tmp_path / "out.csv", documents=True)
    assert [row["text"] for row in read(tmp_path / "out.csv")] == ["We talk.", '{"a": [1]}', ""]


def test_a_document_without_an_id_is_named_by_its_row(tiny: RhetoricTagger, tmp_path: Path) -> None:
    data = [{"key": None, "text": "We talk."}, {"key": 0, "text": "We talk."}, {"key": None, "text": ""}]
    for name, first in (("in.jsonl", 1), ("in.parquet", 1), ("in.csv", 2)):
        tiny.score_file(write(tmp_path / name, data), tmp_path / "out.csv", documents=True, id_column="key", force=True)
        names = [Path(row["document"]).name for row in read(tmp_path / "out.csv")]
        assert names == [f"{name}:{first}", "0", f"{name}:{first + 2}"]


def test_layouts_and_thresholds(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source = make("in.jsonl")
    summary = tiny.score_file(source, tmp_path / "long.jsonl", layout="long", threshold=0.0, top=3, round=2)
    made = read(tmp_path / "long.jsonl")
    assert summary.lines == len(made) == 90 * 3 + 10
    assert summary.kept == ROWS
    assert all(row["score"] == round(row["score"], 2) for row in made if row["score"] is not None)
    tiny.score_file(source, tmp_path / "only.jsonl", layout="labels-only", threshold=dict.fromkeys(LABELS, 1.0))
    made = read(tmp_path / "only.jsonl")
    assert list(made[0]) == ["id", "text", "note", "weight", "labels", "error"]
    assert made[0]["labels"] == []


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
def test_large_rows_do_not_pile_up(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = make(name)
    tiny.score_file(source, tmp_path / "whole.csv")
    streams: list[int] = []
    true = tiny.predict_stream

    def stream(texts: Iterable[str], **options: Any) -> Iterator[Prediction]:
        taken = list(texts)
        streams.append(len(taken))
        return true(taken, **options)

    monkeypatch.setattr(job, "HELD_BYTES", 500)
    monkeypatch.setattr(tiny, "predict_stream", stream)
    tiny.score_file(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sum(streams) == ROWS
    assert max(streams) < 40


def test_an_empty_table_gives_an_empty_table(tiny: RhetoricTagger, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,x\n")
    for target in ("out.csv", "out.jsonl", "out.parquet"):
        assert tiny.score_file(tmp_path / "in.csv", tmp_path / target).rows == 0
        assert read(tmp_path / target) == []
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").column_names[:3] == ["text", "x", "labels"]


def test_duplicates_and_labels_are_counted(tiny: RhetoricTagger, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("we must talk\n" * 7 + "peace\n" * 2)
    summary = tiny.score_file(tmp_path / "in.txt", tmp_path / "out.csv", threshold={"demand": 0.0, "threat": 1.0})
    assert summary.duplicates == 7  # within parts of seven rows
    assert summary.labels["demand"] == 9
    assert summary.labels["threat"] == 0
    assert summary.to_dict()["rates"]["demand"] == 1.0


def test_numbers_of_numpy_are_options(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    summary = tiny.score_file(
        make("in.csv"), tmp_path / "out.csv", threshold=np.float32(0.5), top=np.int64(2), round=np.int64(3)
    )
    assert {name: summary.options[name] for name in ("threshold", "top", "round")} == {
        "threshold": 0.5,
        "top": 2,
        "round": 3,
    }
    with pytest.raises(InputError, match=r"top=1\.5 is not possible"):
        tiny.score_file(make("in.csv"), tmp_path / "other.csv", top=1.5)


@pytest.mark.parametrize("target", ["out.jsonl", "out.csv"])
def test_a_column_asked_for_may_come_late(tiny: RhetoricTagger, tmp_path: Path, target: str) -> None:
    rows = [{"other": "talks"}] * 1200 + [{"said": "we must begin talks", "key": "last"}]
    source = write(tmp_path / "in.jsonl", rows)
    summary = tiny.score_file(source, tmp_path / target, text_column="said", id_column="key")
    assert (summary.rows, summary.errors["text is missing"].count) == (1201, 1200)
