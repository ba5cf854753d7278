"""Readers meet what they should not: nothing crashes, hangs or gets lost, and every record can be found again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rhetoric import InputError, RhetoricError, RhetoricTagger
from rhetoric.scoring import readers
from rhetoric.scoring.readers import read_csv, read_jsonl, read_lines
from rhetoric.scoring.records import Record, is_placeholder, text_problem
from rhetoric.scoring.sources import Source, open_text

from .conftest import read

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = st.sampled_from(
    [
        b"text",
        b"we talk",
        b",",
        b",",
        b";",
        b'"',
        b'""',
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3\xa9",
        b"\xe2\x80\xa8",
        b"\xef\xbb\xbf",
        b"{",
        b"}",
        b'{"text": "peace"}',
        b'{"text": null}',
        b"[]",
        b"\\ud800",
        b"NaN",
        b"\t",
        b" ",
        b"x" * 300,
    ]
)
DATA = st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=200)


def source(path: Path, data: bytes, kind: str) -> Source:
    path.write_bytes(data)
    found = path.stat()
    return Source(path, path.name, kind, found.st_size, found.st_mtime_ns, hashlib.sha256(data).hexdigest())


def csv_records(file: Source, offset: int = 0, number: int = 0, alone: int = 0) -> Iterator[Record]:
    return read_csv(file, offset, number, alone, header=["id", "text"], delimiter=",", text=1)


def jsonl_records(file: Source, offset: int = 0, number: int = 0, alone: int = 0) -> Iterator[Record]:
    return read_jsonl(file, offset, number, "text")


def line_records(file: Source, offset: int = 0, number: int = 0, alone: int = 0) -> Iterator[Record]:
    return read_lines(file, offset, number)


READERS = {"csv": csv_records, "jsonl": jsonl_records, "txt": line_records}


@pytest.mark.parametrize("kind", READERS)
@given(data=DATA)
@FUZZ
def test_reading_can_go_on_behind_any_record(kind: str, data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = source(Path(folder) / "in", data, kind)
        try:
            whole = list(READERS[kind](file))
        except RhetoricError as error:
            assert "UTF-16" in str(error) or "damaged" in str(error)  # noqa: PT017 - any other is a bug
            return
        for i, record in enumerate(whole):
            rest = list(READERS[kind](file, record.end, record.number + 1, record.alone))
            assert [(r.number, r.start, r.end, r.text, r.problem) for r in rest] == [
                (r.number, r.start, r.end, r.text, r.problem) for r in whole[i + 1 :]
            ]
        end, outside = 0, b""
        for record in readers._csv_records(file, 0, 0, ",") if kind == "csv" else whole:  # with the header
            assert end <= record.start < record.end
            outside += data[end : record.start]
            end = record.end
        outside += data[end:]
        assert outside.removeprefix(b"\xef\xbb\xbf").strip() == b""


@given(
    data=DATA, kind=st.sampled_from(["csv", "tsv", "jsonl", "txt"]), out=st.sampled_from(["csv", "jsonl", "parquet"])
)
@FUZZ
def test_the_balance_holds_whatever_the_bytes(tiny: RhetoricTagger, data: bytes, kind: str, out: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"in.{kind}").write_bytes((b"id,text\n" if kind == "csv" else b"") + data)
        try:
            summary = tiny.score_file(folder / f"in.{kind}", folder / f"out.{out}")
        except RhetoricError as error:
            assert "\n" not in str(error)  # noqa: PT017 - that it is one line is the point
            return
        quarantine = folder / f"out.{out}.quarantine.jsonl"
        entries = read(quarantine) if quarantine.exists() else []
        assert summary.rows == summary.kept + summary.quarantined
        assert summary.kept == len(read(folder / f"out.{out}"))
        assert summary.quarantined == len(entries)
        if kind == "txt":
            lines = data.split(b"\n")
            assert summary.rows == len(lines) - (lines[-1] == b"")


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)


@given(table=st.lists(st.tuples(CELLS, CELLS), max_size=20), end=st.sampled_from(["\n", "\r\n"]))
@FUZZ
def test_whatever_csv_writes_is_read(table: list[tuple[str, str]], end: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *table])
    with TemporaryDirectory() as folder:
        file = source(Path(folder) / "in.csv", stream.getvalue().encode(), "csv")
        found = list(csv_records(file))
        assert [tuple(record.cells) for record in found] == table
        assert [record.number for record in found] == list(range(2, len(table) + 2))


@given(value=st.dictionaries(CELLS, st.none() | st.integers() | CELLS | st.lists(CELLS, max_size=3), max_size=5))
@FUZZ
def test_whatever_json_writes_is_read(value: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        file = source(Path(folder) / "in.jsonl", json.dumps(value, ensure_ascii=False).encode(), "jsonl")
        [record] = jsonl_records(file)
        assert record.cells[1] == value


def test_a_quote_never_closed_costs_one_row(tmp_path: Path) -> None:
    good = [f"{i},we talk {i}\n" for i in range(5000)]
    data = "".join(["id,text\n", *good[:10], '10,"open\n', *good[11:]]).encode()
    found = list(csv_records(source(tmp_path / "in.csv", data, "csv")))
    assert len(found) == 5000
    assert [record.number for record in found if record.problem] == [12]
    assert found[10].raw == '10,"open'


def test_quotes_never_closed_everywhere_take_no_time(tmp_path: Path) -> None:
    data = b"id,text\n" + b'a","\n' * 200_000
    start = time.process_time()
    found = list(csv_records(source(tmp_path / "in.csv", data, "csv")))
    assert len(found) == 200_000
    assert time.process_time() - start < 60


def test_lines_without_end_are_cut_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_RECORD", 1000)
    for kind, head in (("csv", b"id,text\n"), ("jsonl", b""), ("txt", b"")):
        file = source(tmp_path / f"in.{kind}", head + b"x" * 5000 + b"\n" + b'1,"peace"\n', kind)
        first, second = READERS[kind](file)
        assert first.problem
        assert "longer than" in first.problem
        assert first.raw is not None
        assert len(first.raw) <= 1000
        assert second.start == len(head) + 5001


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    bom = b"\xef\xbb\xbf"
    assert next(line_records(source(tmp_path / "a.txt", bom + b"talks", "txt"))).text == "talks"
    assert next(jsonl_records(source(tmp_path / "a.jsonl", bom + b'{"text": 1}', "jsonl"))).text == 1
    names, _ = readers.read_header(source(tmp_path / "a.csv", bom + b'"a,b",text\n', "csv"))
    assert names == ["a,b", "text"]


def test_zstd_frames_follow_each_other(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    parts = [b"we talk\n" * 5000, b"", b"peace\n"]
    file = source(tmp_path / "in.txt.zst", b"".join(map(zstandard.compress, parts)), "txt")
    with open_text(file) as (stream, _):
        assert stream.read() == b"".join(parts)
    with open_text(file, 39_992) as (stream, _):
        assert stream.read() == b"we talk\npeace\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("peace", None),
        (None, "text is missing"),
        (float("nan"), "text is missing"),
        (3, "text is not a string: int"),
        ("", "text is empty"),
        ("\u00a0\n", "text is empty"),
        ("a\0", "text holds a NUL character"),
        ("\ud800", "text is not Unicode: half a surrogate pair at character 0"),
    ],
)
def test_what_is_wrong_with_a_text(text: object, problem: str | None) -> None:
    assert text_problem(text) == problem


@pytest.mark.parametrize(
    ("text", "placeholder"),
    [("n/a", True), (" NA\n", True), ("-", True), ("NULL", True), ("None of us.", False), ("- no", False), ("", False)],
)
def test_what_stands_for_no_text(text: str, placeholder: bool) -> None:
    assert is_placeholder(text) is placeholder


def test_the_field_limit_of_the_process_is_left_alone(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    [record] = csv_records(source(tmp_path / "in.csv", b"id,text\n1," + b"x" * (before + 1) + b"\n", "csv"))
    assert record.problem is None
    assert csv.field_size_limit() == before


def test_files_with_long_fields_are_read_in_several_threads(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    data = b"id,text\n" + b"".join(b'%d,"%s\n%d"\n' % (i, b"x" * (before + 1), i) for i in range(60))
    files = [source(tmp_path / f"{n}.csv", data, "csv") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda file: list(csv_records(file)), files):
            assert [(record.problem, record.cells and record.cells[0]) for record in found] == [
                (None, str(i)) for i in range(60)
            ]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"Reden,M\xfcller\na,b\n",
            r"^a\.csv row 1: the header cannot be read \(not UTF-8: byte 0xfc\); remedy: convert it, for example "
            r"iconv -f WINDOWS-1252 -t UTF-8, or save as CSV UTF-8 in the spreadsheet$",
        ),
        (b'te"xt,"id"x\na,b\n', r"row 1: the header cannot be read \(malformed quoting: .*\); remedy: mend this row$"),
    ],
)
def test_a_header_that_cannot_be_read_has_a_remedy(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        readers.read_header(source(tmp_path / "a.csv", data, "csv"))
