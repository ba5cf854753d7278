"""Public sets become files that the trainer takes: nothing empty, nothing that is on both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "public_sets.py"
LABELS = ["KILL", "ARREST", "FAIL TO ACT", "FORCE", "ANY ACTION"]


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def convert(name: str, folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), name, str(folder), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(path: Path, texts: list[str]) -> None:
    lines = [json.dumps({"text": text, "labels": [LABELS[i % len(LABELS)]]}) for i, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_empty_rows_and_training_rows_of_dev_are_left_out_and_counted(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    write(source / "train.jsonl", ["one", "two", "three", "four", "five", " ", "six  more"])
    write(source / "dev.jsonl", ["six more", ""])
    write(source / "test.jsonl", ["one", "\t", "seven"])
    done = convert("india_police", source, out)
    assert done.returncode == 0, done.stderr
    assert [row["text"] for row in rows(out / "train.jsonl")] == ["one", "two", "three", "four", "five"]
    assert [row["text"] for row in rows(out / "dev.jsonl")] == ["six more"]
    assert [row["text"] for row in rows(out / "test.jsonl")] == ["one", "seven"]
    assert "left out: 3 empty rows, 1 training rows with the text of a dev row" in done.stdout
    assert "1 test rows have the text of a training row" in done.stdout


def test_another_set_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ["one"])
    write(tmp_path / "test.jsonl", ["two"])
    done = convert("india_police", tmp_path, tmp_path / "out")
    assert done.returncode == 1
    assert "remedy: pass its folder" in done.stderr
