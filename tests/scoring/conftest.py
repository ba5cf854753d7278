"""Inputs of every kind with the same hundred rows, and small parts so that a job has many."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from rhetoric import RhetoricTagger
from rhetoric.scoring import job, store

ROWS = 100
PARTS = 7


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "PART_ROWS", PARTS)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # the disk is not what is tested


def rows() -> list[dict[str, Any]]:
    """Rows of which every tenth has no text; texts hold what breaks careless readers."""
    made = []
    for i in range(ROWS):
        text = ["we must begin talks", "you will never\nrefuse", 'they said "peace", today', "friends ; thank you"][
            i % 4
        ]
        made.append({"id": i, "text": "" if i % 10 == 9 else f"{text} {i // 2}", "note": f"ñ {i}", "weight": i / 8})
    return made


def write(path: Path, data: list[dict[str, Any]]) -> Path:
    """Writes rows in the format that the name says."""
    kind = path.name.split(".")[1]
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(data), path, row_group_size=33)
        return path
    if kind in ("csv", "tsv"):
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(data[0]), delimiter="\t" if kind == "tsv" else ",")
            writer.writeheader()
            writer.writerows(data)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in data), encoding="utf-8")
    else:
        path.write_text("".join(row["text"].replace("\n", " ") + "\n" for row in data), encoding="utf-8")
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    if path.suffix == ".zst":
        zstandard = pytest.importorskip("zstandard")
        path.write_bytes(zstandard.compress(path.read_bytes()))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of an output."""
    if path.suffix == ".parquet":
        table: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        return table
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the rows to a file of that name."""
    return lambda name: write(tmp_path / name, rows())


class Killed(BaseException):
    """Stands for kill -9: nothing may catch it."""


def killed_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Lets the job die at its n-th act on the disk, with half of that act done."""
    left = [calls]

    def act(name: str) -> None:
        true = getattr(store.Store, name)

        def method(self: store.Store, *arguments: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                if name == "_append":
                    true(self, arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise Killed
            return true(self, *arguments)

        monkeypatch.setattr(store.Store, name, method)

    for name in ("_append", "_write_manifest", "_replace"):
        act(name)


def stopped(tagger: RhetoricTagger, source: Path, output: Path, **options: Any) -> None:
    """Leaves an unfinished job, with two parts done."""
    with pytest.MonkeyPatch.context() as deadly:
        killed_after(deadly, 12)
        with pytest.raises(Killed):
            tagger.score_file(source, output, **options)
