"""Rows in are rows out and quarantined: a row that cannot be scored is never lost, and a job that loses one fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from rhetoric import JobError, RhetoricTagger
from rhetoric.scoring import encode, job
from rhetoric.scoring.summary import Tally

from .conftest import Make, read

BAD = b'id,text\n1,we must talk\n2\n3,\n4,"open\n5,peace\n6,\xff\n7,nul\0\n\n8,a"b\n9,"x"y\n10,fine\n'  # fmt: skip


@pytest.mark.parametrize("on_error", ["null", "skip"])
def test_rows_in_are_rows_out_and_quarantined(tiny: RhetoricTagger, tmp_path: Path, on_error: str) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(BAD)
    summary = tiny.score_file(source, tmp_path / "out.csv", on_error=on_error)
    made = read(tmp_path / "out.csv")
    quarantine = read(tmp_path / "out.csv.quarantine.jsonl")
    assert summary.rows == summary.kept + summary.quarantined == len(made) + len(quarantine) == 10
    kept = ["1", "3", "5", "8", "10"] if on_error == "null" else ["1", "5", "8", "10"]
    assert [row["id"] for row in made] == kept
    by_row = {entry["row"]: entry for entry in quarantine}
    assert by_row[3]["reason"] == "wrong number of fields: 1, not 2"
    assert by_row[5]["raw"] == '4,"open'
    assert by_row[7]["reason"] == "not UTF-8: byte 0xff"
    assert by_row[7]["raw"] == "6,\\xff"
    assert by_row[8]["reason"] == "NUL byte"
    assert by_row[11]["raw"] == '9,"x"y'
    if on_error == "skip":
        assert json.loads(by_row[4]["raw"]) == {"id": "3", "text": ""}
    assert "10 rows in = " in str(summary)


def lose_on_the_way(patch: pytest.MonkeyPatch) -> None:
    true = job._scored
    patch.setattr(job, "_scored", lambda *given: (pair for i, pair in enumerate(true(*given)) if i != 3))


def lose_at_the_writer(patch: pytest.MonkeyPatch) -> None:
    true = encode.added_columns
    patch.setattr(encode, "added_columns", lambda outcomes, layout: true(outcomes[:-1], layout))


def lose_at_the_quarantine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(encode, "_quarantined", lambda row, reason, plan: "")


def lose_a_figure(patch: pytest.MonkeyPatch) -> None:
    def forget(tally: Tally, *given: Any) -> None:
        tally.kept -= 1

    patch.setattr(Tally, "count", forget)


@pytest.mark.parametrize("lose", [lose_on_the_way, lose_at_the_writer, lose_at_the_quarantine, lose_a_figure])
def test_a_lost_row_ends_the_job(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lose: Callable[..., None]
) -> None:
    source = make("in.csv")
    with monkeypatch.context() as patch:
        lose(patch)
        with pytest.raises(JobError, match=r"rows were read, but \d+ written and \d+ quarantined.*remedy"):
            tiny.score_file(source, tmp_path / "out.csv", on_error="skip")
    assert not (tmp_path / "out.csv").exists()
    assert tiny.score_file(source, tmp_path / "out.csv", on_error="skip", restart=True).kept == 90


def test_on_error_fail_stops_and_goes_on_when_told_otherwise(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"in\.csv row 11: text is empty.*--on-error"):
        tiny.score_file(make("in.csv"), tmp_path / "out.csv", on_error="fail")
    assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / "out.csv.job").is_dir()


def test_broken_json_is_quarantined(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    deep = "[" * 100_000
    lines = ['{"text": "a"}', '{"text": ', "[1]", '{"text": 3}', '{"text": "\\ud800"}', '{"text": "b\\u0000"}', deep]
    source.write_text("\n".join(lines))
    for target in ("out.jsonl", "out.csv", "out.parquet"):
        summary = tiny.score_file(source, tmp_path / target)
        assert (summary.rows, summary.kept, summary.quarantined) == (7, 3, 4)
        reasons = {entry["row"]: entry["reason"] for entry in read(tmp_path / f"{target}.quarantine.jsonl")}
        assert reasons[2].startswith("broken JSON: ")
        assert reasons[3] == "not a JSON object: list"
        assert reasons[5] == "not Unicode: half a surrogate pair"
        errors = [row["error"] for row in read(tmp_path / target)]
        assert errors[1:] == ["text is not a string: int", "text holds a NUL character"]


def test_parquet_with_text_that_is_no_utf8(tiny: RhetoricTagger, tmp_path: Path) -> None:
    column = pyarrow.array([b"we talk", b"\xff\xfe", b"fine"], pyarrow.binary()).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), tmp_path / "in.parquet")
    summary = tiny.score_file(tmp_path / "in.parquet", tmp_path / "out.jsonl")
    assert (summary.rows, summary.kept, summary.quarantined) == (3, 2, 1)
    [entry] = read(tmp_path / "out.jsonl.quarantine.jsonl")
    assert (entry["row"], entry["raw"]) == (2, "\\xff\\xfe")


def test_long_texts_can_be_bad_rows(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"text\nwe must begin talks\n{'we must begin talks ' * 20}\n", encoding="utf-8")
    summary = tiny.score_file(source, out, on_long="error")
    assert (summary.rows, summary.truncated) == (2, 0)
    assert summary.errors["longer than the model reads at once"].count == 1
    assert out.read_text(encoding="utf-8").splitlines()[2].endswith(",,,longer than the model reads at once")
    skipped = tiny.score_file(source, out, on_long="error", on_error="skip", force=True)
    assert (skipped.kept, skipped.quarantined) == (1, 1)
    with pytest.raises(JobError, match="row 3: longer than the model reads at once; remedy: --on-long window"):
        tiny.score_file(source, tmp_path / "none.csv", on_long="error", on_error="fail")
    assert not (tmp_path / "none.csv").exists()
