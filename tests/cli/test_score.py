"""`rhetoric score`: pipes, progress, the summary, exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from rhetoric.taxonomy import LABELS

from .conftest import Run

TEXT = b"We must begin talks.\n\nThey said never!\n"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "in.txt"
    file.write_bytes(TEXT)
    return file


def test_a_pipe_gives_what_a_file_gives(run: Run, tiny_folder: Path, tmp_path: Path, lines: Path) -> None:
    model = ["--model", tiny_folder]
    piped = run("score", "-", "-o", "-", "--input-format", "txt", *model, stdin=TEXT)
    assert piped.code == 0
    assert run("score", lines, "-o", tmp_path / "out.csv", *model).code == 0
    assert piped.out == (tmp_path / "out.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(piped.out)))
    assert [row["text"] for row in rows] == ["We must begin talks.", "", "They said never!"]
    assert rows[1]["error"] == "text is empty"
    assert run("score", "-", "-o", tmp_path / "b.csv", "--input-format", "txt", *model, stdin=TEXT).code == 0
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_bad_rows_are_code_0_and_in_the_summary(run: Run, tiny_folder: Path, tmp_path: Path, lines: Path) -> None:
    outcome = run("score", lines, "-o", tmp_path / "out.jsonl", "--model", tiny_folder)
    assert (outcome.code, outcome.out) == (0, "")
    assert "1 × text is empty, kept with nulls:" in outcome.err
    assert "3 rows in = 3 out + 0 quarantined" in outcome.err
    assert "scoring" not in outcome.err  # no bar: this is no terminal
    assert outcome.err.startswith("engine ")  # what computes, and why


def test_quarantined_rows_of_a_pipe_are_told(run: Run, tiny_folder: Path) -> None:
    outcome = run(
        "score", "-", "-o", "-", "--input-format", "jsonl", "--model", tiny_folder, stdin=b'{"text": "talks"}\n{"te\n'
    )
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 1
    entry = json.loads(next(line for line in outcome.err.splitlines() if line.startswith("{")))
    assert (entry["row"], entry["raw"]) == (2, '{"te')


def test_progress_for_machines_is_json_alone(run: Run, tiny_folder: Path, tmp_path: Path, lines: Path) -> None:
    outcome = run("score", lines, "-o", tmp_path / "out.csv", "--progress", "json", "--model", tiny_folder)
    entries = [json.loads(line) for line in outcome.err.splitlines()]
    assert entries[-2]["bytes_read"] == entries[-2]["bytes_total"] == len(TEXT)
    assert entries[-2]["rows"] == 3
    assert entries[-1]["summary"]["rows"] == 3


def test_options_reach_the_output(run: Run, tiny_folder: Path, lines: Path) -> None:
    outcome = run(
        *("score", lines, "-o", "-", "--format", "jsonl", "--layout", "long", "--threshold", "0", "--top", "2"),
        *("--round", "2", "--prefix", "r_", "--on-error", "skip", "--model", tiny_folder),
    )
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(rows) == 4
    assert all(row["r_label"] in LABELS and row["r_score"] == round(row["r_score"], 2) for row in rows)


def test_exit_codes(run: Run, tiny_folder: Path, tmp_path: Path, lines: Path) -> None:
    model = ["--model", tiny_folder]
    out = ["-o", tmp_path / "out.csv"]
    assert run("score", lines, *out, "--on-error", "fail", *model).code == 1
    assert run("score", lines, *out, *model).code == 0  # no row of the job was finished
    for wrong, message in (
        (["score", tmp_path / "no.csv", *out], "no file at"),
        (["score", lines, *out], "exists; remedy"),
        (["score", "-", "-o", "-"], "--input-format"),
        (["score", lines, "-"], "Missing option"),
        (["score", lines, "-o", "-", "--format", "parquet"], "cannot be written to standard output"),
        (["score", lines, "-o", "-", "--threshold", "warm=1"], "unknown label"),
    ):
        outcome = run(*wrong, *model)
        assert (outcome.code, outcome.out) == (2, "")
        assert message in outcome.err
        assert "Traceback" not in outcome.err


def test_the_engine_can_be_chosen(run: Run, tiny_folder: Path, lines: Path) -> None:
    budget = run("score", lines, "-o", "-", "--engine", "onnx", "--token-budget", "64", "--model", tiny_folder)
    assert budget.code == 0
    wrong = run("score", lines, "-o", "-", "--engine", "onnx", "--precision", "float32", "--model", tiny_folder)
    assert wrong.code == 2
    assert "precision 'float32' is not possible with engine onnx" in wrong.err


def test_engine_settings_are_refused_where_they_would_do_nothing(run: Run, lines: Path, tmp_path: Path) -> None:
    outcome = run("score", lines, "-o", tmp_path / "out", "--runner", "ray", "--token-budget", "64")
    assert outcome.code == 2
    assert "--token-budget is for --runner local" in outcome.err


NOTE = "note: most rows hold several sentences; labels are about single sentences: --documents scores each"
SEVERAL = b'We must begin talks. They said never!\nPeace? "Not now." So he said.\nThank you.\n'


def test_rows_of_several_sentences_are_noted(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    model = ["--model", tiny_folder]
    source, out = tmp_path / "several.txt", tmp_path / "out.csv"
    source.write_bytes(SEVERAL)
    outcome = run("score", source, "-o", out, *model)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.splitlines().count(NOTE) == 1
    piped = run("score", source, "-o", "-", *model)
    assert piped.out == out.read_text(encoding="utf-8")
    assert piped.err.splitlines().count(NOTE) == 1
    machine = run("score", source, "-o", "-", "--progress", "json", *model)
    assert [json.loads(line) for line in machine.err.splitlines()].count({"message": NOTE}) == 1
    assert "several sentences" not in run("score", source, "-o", "-", "--documents", *model).err


def test_rows_of_a_sentence_are_not_noted(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "single.txt"
    source.write_bytes(
        b"Mr. Speaker, we must talk.\nThe U.S. Congress said no.\nWe talk. They do not.\n\nGrowth of 2.5 per cent.\n"
    )
    assert "several sentences" not in run("score", source, "-o", "-", "--model", tiny_folder).err


def test_placeholders_are_scored_and_told(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("id,text\n1,We must begin talks.\n2,n/a\n3,-\n4,NULL\n", encoding="utf-8")
    outcome = run("score", source, "-o", out, "--model", tiny_folder)
    assert f"3 × text is only a placeholder (n/a, null, -), scored as it stands: {source} row 3, …" in outcome.err
    assert "4 rows in = 4 out + 0 quarantined" in outcome.err
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert all(row["demand"] and not row["error"] for row in rows)
    summary = json.loads((tmp_path / "out.csv.summary.json").read_text(encoding="utf-8"))
    assert (summary["placeholders"], summary["first_placeholder"]) == (3, f"{source} row 3")
    source.write_text("id,text\n1,None of us.\n", encoding="utf-8")
    assert "only a placeholder" not in run("score", source, "-o", out, "--force", "--model", tiny_folder).err


def test_a_pipe_keeps_the_separator(run: Run, tiny_folder: Path) -> None:
    piped = run(
        "score", "-", "-o", "-", "--input-format", "csv", "--model", tiny_folder, stdin=b"id;text\n1;We talk, now.\n"
    )
    header, row = csv.reader(io.StringIO(piped.out), delimiter=";")
    assert header[:3] == ["id", "text", "labels"]
    assert row[:2] == ["1", "We talk, now."]


def test_documents_are_counted_apart_from_sentences(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    good = [json.dumps({"text": text}) for text in ("We must begin talks. They said never!", "Thank you.")]
    source.write_text("\n".join(good), encoding="utf-8")
    command = ["score", source, "-o", out, "--documents", "--force", "--model", tiny_folder]
    assert "2 documents in; 3 sentences = 3 out + 0 quarantined" in run(*command).err
    summary = json.loads((tmp_path / "out.csv.summary.json").read_text(encoding="utf-8"))
    assert (summary["documents"], summary["rows"], summary["kept"]) == (2, 3, 3)
    source.write_text("\n".join([*good, '{"text": ""}', '{"te']), encoding="utf-8")
    assert "4 documents in; 3 sentences + 2 bad documents = 4 out + 1 quarantined" in run(*command).err
    run("score", source, "-o", out, "--force", "--model", tiny_folder)
    assert json.loads((tmp_path / "out.csv.summary.json").read_text(encoding="utf-8"))["documents"] is None
