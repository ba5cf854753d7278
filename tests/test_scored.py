"""A scored file comes back as arrays, whatever its format; what is no scored file is refused with its row."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.compare import compare
from rhetoric.scored import SENTENCE_NAMES, read_scored
from rhetoric.scoring.columns import SENTENCE_FIELDS

TEXTS = ["It is up to Skarn to reopen the strait.", "", "We are ready to meet without preconditions, said one | two."]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scored") / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("id", "year", "body"), *((i, 2000 + i, text) for i, text in enumerate(TEXTS))])
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_rows(kind: str, source: Path, bundled: RhetoricTagger) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    out = source.with_name(f"out.{kind}")
    bundled.score_file(source, out, force=True)
    scored = read_scored(out)
    predictions = bundled.predict([TEXTS[0], TEXTS[2]])
    assert scored.labels == bundled.labels
    assert scored.texts == [TEXTS[0], TEXTS[2]]
    assert scored.text_column == "body"
    assert scored.errors == 1
    assert [str(year) for year in scored.column("year")] == ["2000", "2002"]
    assert np.allclose(scored.scores, [list(p.scores.values()) for p in predictions], atol=1e-6)
    assert [[n for n, c in zip(scored.labels, row, strict=True) if c] for row in scored.chosen] == [
        sorted(p.labels, key=bundled.labels.index) for p in predictions
    ]
    assert np.array_equal(scored.uncertain, [[name in p.uncertain for name in bundled.labels] for p in predictions])


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_spreadsheet_may_have_separated_it_otherwise(mark: str, source: Path, bundled: RhetoricTagger) -> None:
    out = source.with_name("spreadsheet.csv")
    bundled.score_file(source, out, force=True)
    expected = read_scored(out)
    with out.open(encoding="utf-8", newline="") as stream:
        cells = list(csv.reader(stream))
    with out.open("w", encoding="utf-8-sig", newline="") as stream:  # and put a byte order mark in front
        csv.writer(stream, delimiter=mark).writerows(cells)
    scored = read_scored(out)
    assert scored.texts == expected.texts == [TEXTS[0], TEXTS[2]]
    assert scored.columns == expected.columns and list(scored.columns) == ["id", "year"]
    assert np.array_equal(scored.scores, expected.scores) and np.array_equal(scored.chosen, expected.chosen)


def test_a_prefix_and_a_lost_summary_are_understood(source: Path, bundled: RhetoricTagger) -> None:
    out = source.with_name("prefixed.csv")
    bundled.score_file(source, out, prefix="r_")
    assert read_scored(out).labels == bundled.labels
    plain = source.with_name("plain.csv")
    bundled.score_file(source, plain)
    plain.with_name("plain.csv.summary.json").unlink()
    assert read_scored(plain, text_column="body").texts == [TEXTS[0], TEXTS[2]]


def test_take_keeps_rows_together(source: Path, bundled: RhetoricTagger) -> None:
    out = source.with_name("taken.csv")
    bundled.score_file(source, out)
    last = read_scored(out).take(np.array([False, True]))
    assert last.texts == [TEXTS[2]] and last.column("id") == ["2"] and len(last) == 1
    assert last.errors == 0  # the row without scores would count in each of the parts


def test_sparse_jsonl_has_none_where_a_row_has_no_field(tmp_path: Path, bundled: RhetoricTagger) -> None:
    path = tmp_path / "sparse.jsonl"
    path.write_text('{"text": "We wait.", "a": 1}\n{"b": 2, "text": "They left."}\n{"text": "No."}\n', encoding="utf-8")
    out = tmp_path / "out.jsonl"
    bundled.score_file(path, out)
    scored = read_scored(out)
    assert scored.columns == {"a": [1, None, None], "b": [None, 2, None]}
    assert scored.texts == ["We wait.", "They left.", "No."] and scored.labels == bundled.labels


def test_both_names_of_parquet_are_read(source: Path, bundled: RhetoricTagger) -> None:
    pytest.importorskip("pyarrow")
    out = source.with_name("short.pq")
    bundled.score_file(source, out)
    assert read_scored(out).texts == [TEXTS[0], TEXTS[2]]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_sentences_of_documents_lose_the_prefix(kind: str, tmp_path: Path, bundled: RhetoricTagger) -> None:
    assert tuple(field.name for field in SENTENCE_FIELDS) == SENTENCE_NAMES
    source = tmp_path / "in.jsonl"
    rows = [{"name": name, "body": "We wait. They left."} for name in "ab"]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / f"out.{kind}"
    bundled.score_file(source, out, documents=True, text_column="body", id_column="name", prefix="X_")
    scored = read_scored(out)
    assert scored.texts == ["We wait.", "They left."] * 2 and scored.text_column == "text"
    assert scored.column("document") == ["a", "a", "b", "b"] and scored.labels == bundled.labels
    assert compare(scored, scored).cluster == "document"
    assert read_scored(out, text_column="X_text").texts == scored.texts


def test_an_own_column_named_like_one_of_sentences_stays(tmp_path: Path, bundled: RhetoricTagger) -> None:
    source = tmp_path / "in.jsonl"
    row = {"body": "We wait. They left.", "text": "own", "speaker": "Orr"}
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    bundled.score_file(source, out, documents=True, text_column="body", prefix="X_")
    scored = read_scored(out)
    assert scored.texts == ["We wait.", "They left."] and scored.column("text") == ["own", "own"]
    assert scored.column("speaker") == ["Orr", "Orr"] and "X_speaker" in scored.columns


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,text\n1,hello\n", "lacks the columns labels"),
        ("b.csv", "text,labels,demand,uncertain,truncated,error\nx,,high,,false,\n", "row 1, column 'demand': 'high'"),
        ("c.csv", "text,labels,demand,uncertain,truncated,error\nx,,0.1,,false\n", "^[^(]*row 1 has 5 cells"),
        (
            "d.jsonl",
            '{"labels": [], "x": 1}\n{"labels": []}\n',
            "^[^;]*row 2 has other added fields[^;]*; remedy[^;]*$",
        ),
        ("h.jsonl", '{"a": 1}\n{"b": 1}\n', "lacks the columns labels"),
        ("i.jsonl", '{"a": 1}\n[]\n', "row 2 has other added fields"),
        ("e.jsonl", "{broken\n", "cannot be read"),
        ("f.doc", "", "does not tell a format"),
        ("g.csv", "", "lacks the columns labels"),
    ],
)
def test_other_files_are_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_scored(path)


def test_another_layout_and_unknown_columns_are_refused(source: Path, bundled: RhetoricTagger) -> None:
    out = source.with_name("long.csv")
    bundled.score_file(source, out, layout="long")
    with pytest.raises(InputError, match="layout long"):
        read_scored(out)
    wide = source.with_name("wide.csv")
    bundled.score_file(source, wide)
    with pytest.raises(InputError, match="no column 'country'"):
        read_scored(wide).column("country")
    with pytest.raises(InputError, match="no column 'nope'"):
        read_scored(wide, text_column="nope")
    with pytest.raises(InputError, match="no file at .*missing.csv"):
        read_scored(wide.with_name("missing.csv"))


def test_numbers_that_are_none_are_none(tmp_path: Path, bundled: RhetoricTagger) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"year": 2013.0, "text": "We met."}\n{"year": 1.5, "text": "We left."}\n', encoding="utf-8")
    bundled.score_file(source, out)
    out.write_text(out.read_text(encoding="utf-8").replace("1.5,", "NaN,"), encoding="utf-8")
    scored = read_scored(out)
    assert scored.column("year") == [2013.0, None] and scored.values("year") == ["2013", ""]
    assert scored.made["threshold"] is None and scored.take(np.array([True, False])).made == scored.made


@pytest.mark.parametrize(("name", "kind"), [("plain", "csv"), ("odd.csv", "jsonl"), ("odd.jsonl", "tsv")])
def test_a_format_asked_for_outweighs_the_name(
    name: str, kind: str, source: Path, tmp_path: Path, bundled: RhetoricTagger
) -> None:
    bundled.score_file(source, tmp_path / "as-usual.csv")
    bundled.score_file(source, tmp_path / name, format=kind)
    usual, odd = read_scored(tmp_path / "as-usual.csv"), read_scored(tmp_path / name)
    assert odd.texts == usual.texts
    assert np.array_equal(odd.scores, usual.scores)
