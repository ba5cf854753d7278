"""Tables from every kind of source, and what is said of malformed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhetoric import InputError
from rhetoric.finetune.tables import read_table


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_csv_and_tsv_keep_quoted_separators_and_count_as_a_spreadsheet_does(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, "a.csv", b'text,labels\n"no, never",a|b\n\n"two\nlines",\n'))
    assert table.columns == {"text": ["no, never", "two\nlines"], "labels": ["a|b", ""]}
    assert list(table.numbers) == [2, 4]
    table = read_table(file(tmp_path, "a.tsv", b"text\tlabels\nno, never\ta\n"))
    assert table.columns["text"] == ["no, never"]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_of_european_spreadsheets_is_split_where_its_header_is(tmp_path: Path, mark: str) -> None:
    lines = ["\ufefftext;labels", '"no, never; not";a|b', "yes, of course;"]
    content = "\r\n".join(lines).replace(";labels", f"{mark}labels").replace('";a', f'"{mark}a')
    table = read_table(file(tmp_path, "a.csv", content.replace("course;", f"course{mark}").encode()))
    assert table.columns == {"text": ["no, never; not", "yes, of course"], "labels": ["a|b", ""]}
    assert list(table.numbers) == [2, 3]


def test_a_comma_in_the_header_is_the_separator(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, "a.csv", b"text,labels;more\nx;y,a\n"))
    assert table.columns == {"text": ["x;y"], "labels;more": ["a"]}
    assert read_table(file(tmp_path, "b.csv", b"text\nx;y\n")).columns == {"text": ["x;y"]}


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert list(read_table(file(tmp_path, "a.csv", b"\xef\xbb\xbftext,labels\nx,y\n")).columns) == ["text", "labels"]
    assert list(read_table(file(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": "x"}\n')).columns) == ["text"]


def test_jsonl_counts_lines_and_fills_missing_keys(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, "a.jsonl", '{"text": "x\u2028y"}\n\n{"text": "z", "labels": []}\n'.encode()))
    assert list(table.numbers) == [1, 3]
    assert table.columns == {"text": ["x\u2028y", "z"], "labels": [None, []]}


def test_parquet_dataframes_and_datasets_read_alike(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    datasets = pytest.importorskip("datasets")
    polars = pytest.importorskip("polars")
    content = {"text": ["x", "y"], "labels": [["a", "b"], []]}
    frame = pandas.DataFrame(content)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (tmp_path / "a.parquet", frame, polars.DataFrame(content), datasets.Dataset.from_dict(content)):
        table = read_table(source)
        assert list(table.columns["text"]) == content["text"]
        assert [list(value) for value in table.columns["labels"]] == content["labels"]
        assert list(table.numbers) == [0, 1]


def test_class_numbers_of_a_dataset_become_names() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["calm", "tense"]),
            "labels": datasets.Sequence(datasets.ClassLabel(names=["a", "b"])),
        }
    )
    content = {"text": ["x", "y"], "label": [1, -1], "labels": [[1, 0], []]}  # -1: not labelled
    data = datasets.Dataset.from_dict(content, features=features)
    assert read_table(data).columns == {"text": ["x", "y"], "label": ["tense", None], "labels": [["b", "a"], []]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,labels\nM\xfcller,a\n", r"line 2: byte 0xfc is not UTF-8"),
        ("a.csv", b"\xff\xfet\x00", "UTF-16"),
        ("a.csv", b"text\nx\n\0\n", "line 3: a NUL byte"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,labels\n", "holds no rows"),
        ("a.csv", b"text,text\na,b\n", "'text' occurs twice"),
        ("a.csv", b"text,labels\nx,a,b\n", "row 2 has 3 fields, the header 2"),
        ("a.csv", b"text;labels\nx;a;b\n", "row 2 has 3 fields, the header 2.*contain the separator ';'"),
        ("a.csv", b'text,labels\n"x,a\ny,b\n', "never closed"),
        ("a.tsv", b'text\tlabels\n"x\ta\ny\tb\nz"\tc\n', "row 2: a quote opens a cell that swallows the rows after it"),
        ("a.jsonl", b'{"text": "x"}\n{"text": \n', "line 2 is no JSON"),
        ("a.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("a.json", b"[]", "of no known kind"),
        ("a.xlsx", b"PK", "save it as CSV"),
        ("a.parquet", b"PAR1 not really", "Parquet"),
    ],
)
def test_malformed_files_are_named_with_the_row(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=message) as caught:
        read_table(file(tmp_path, name, content))
    assert str(tmp_path / name) in str(caught.value)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file at"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="type int"):
        read_table(3)
