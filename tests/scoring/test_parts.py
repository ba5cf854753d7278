"""A folder of parts has the rows of the one file that a local job writes, whatever was killed in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.errors import JobError
from rhetoric.scoring.options import Options
from rhetoric.scoring.parts import (
    finish,
    is_moved,
    make_folders,
    open_folder,
    read_parts,
    rows_and_bytes,
    score_part,
)
from rhetoric.scoring.plan import make_plan
from rhetoric.scoring.store import Store
from rhetoric.scoring.summary import Summary

from .conftest import Make, rows, write

PART_ROWS = 7


def score(
    tagger: RhetoricTagger, inputs: list[Path], output: Path, *, stop: int = 10**6, force: bool = False, **options: Any
) -> Summary | None:
    """What a cluster does, in this process; None if it was stopped after some parts."""
    wanted = Options.of(options | {"format": "parquet"})
    with open_folder(output, restart=False, force=force) as folder:
        plan = make_plan(tagger, inputs, output, folder, wanted, {"digest": "d"}, lambda line: None)
        store = Store(output, folder)
        store.begin(plan.identity)
        if not is_moved(store):
            make_folders(folder)
            parts = [p for file in range(len(plan.sources)) for p in read_parts(plan, file, folder, PART_ROWS)]
            for part in reversed(parts[:stop]):  # in any order
                score_part(tagger, plan, folder, part)
            if stop < len(parts):
                return None
        return finish(plan, store)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "txt", "csv.gz"])
def test_same_rows_as_one_file(tiny: RhetoricTagger, make: Make, tmp_path: Path, kind: str) -> None:
    inputs = [make(f"a.{kind}"), make(f"b.{kind}")]
    local = tiny.score_file(inputs, tmp_path / "local.parquet")
    summary = score(tiny, inputs, tmp_path / "out")
    assert summary is not None
    one, many = (pyarrow.parquet.read_table(tmp_path / name) for name in ("local.parquet", "out"))
    assert one.schema == many.schema
    assert one.equals(many)
    assert len(list((tmp_path / "out").iterdir())) == 2 * 15
    for name in ("rows", "kept", "quarantined", "lines", "labels", "neutral", "uncertain", "truncated"):
        assert getattr(summary, name) == getattr(local, name)
    assert {k: (v.count, v.first) for k, v in summary.errors.items()} == {
        k: (v.count, v.first) for k, v in local.errors.items()
    }
    assert not (tmp_path / "out.job").exists()


@pytest.mark.parametrize("options", [{"layout": "long"}, {"documents": True}, {"on_error": "skip"}])
def test_same_rows_with_options(tiny: RhetoricTagger, make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    source = make("a.csv")
    local = tiny.score_file(source, tmp_path / "local.parquet", **options)
    summary = score(tiny, [source], tmp_path / "out", **options)
    one, many = (pyarrow.parquet.read_table(tmp_path / name) for name in ("local.parquet", "out"))
    assert one.equals(many)
    assert summary is not None
    assert (summary.rows, summary.kept, summary.quarantined) == (local.rows, local.kept, local.quarantined)
    assert summary.documents == local.documents == (100 if "documents" in options else None)
    if options.get("on_error") == "skip":
        assert local.quarantined == 10
        both = [Path(f"{tmp_path / name}.quarantine.jsonl").read_text() for name in ("local.parquet", "out")]
        assert both[0] == both[1]


def test_placeholders_of_all_parts_are_counted(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("We talk.\n" * 10 + "n/a\n" * 10, encoding="utf-8")
    summary = score(tiny, [source], tmp_path / "out")
    assert summary is not None
    assert (summary.placeholders, summary.first_placeholder) == (10, f"{source.as_posix()} row 11")


def test_a_stopped_job_goes_on(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("a.csv"), tmp_path / "out"
    assert score(tiny, [source], output, stop=6) is None
    assert not output.exists()
    folder = tmp_path / "out.job"
    assert rows_and_bytes(folder)[0] == 6 * PART_ROWS
    before = {file.name: file.stat().st_mtime_ns for file in (folder / "parts").iterdir()}
    (folder / "parts" / "part-000000-000003.parquet").unlink()  # its figures are there, it is not: a kill in between
    summary = score(tiny, [source], output)
    assert summary is not None
    assert summary.rows == 100
    after = {file.name: file.stat().st_mtime_ns for file in output.iterdir()}
    assert all(after[name] == when for name, when in before.items() if "000003" not in name)
    tiny.score_file(source, tmp_path / "local.parquet")
    assert pyarrow.parquet.read_table(output).equals(pyarrow.parquet.read_table(tmp_path / "local.parquet"))


@pytest.mark.parametrize("place", ["Path.rename", "Path.unlink"])
def test_a_kill_at_the_end_loses_nothing(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    source, output = make("a.csv"), tmp_path / "out"
    name = place.split(".")[1]
    original: Callable[..., Any] = getattr(Path, name)

    def killed(path: Path, *more: Any, **options: Any) -> Any:
        if path.name in ("parts", "manifest.json") and path.exists():
            raise KeyboardInterrupt
        return original(path, *more, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, name, killed)
        score(tiny, [source], output)
    assert (tmp_path / "out.job").exists()
    summary = score(tiny, [source], output)
    assert summary is not None
    assert summary.rows == len(pyarrow.parquet.read_table(output)) == 100
    assert not (tmp_path / "out.job").exists()
    assert json.loads((tmp_path / "out.summary.json").read_text())["rows"] == 100


def test_a_missing_part_is_no_output(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert score(tiny, [make("a.csv")], output, stop=6) is None
    with open_folder(output, restart=False, force=False) as folder:
        wanted = Options.of({"format": "parquet"})
        plan = make_plan(tiny, [tmp_path / "a.csv"], output, folder, wanted, {"digest": "d"}, lambda line: None)
        with pytest.raises(JobError, match=r"part 6 of .*a\.csv is missing"):
            finish(plan, Store(output, folder))
    assert not output.exists()


def test_a_file_without_rows_is_an_empty_part(tiny: RhetoricTagger, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n")
    summary = score(tiny, [tmp_path / "a.csv"], tmp_path / "out")
    assert summary is not None
    assert summary.rows == 0
    tiny.score_file(tmp_path / "a.csv", tmp_path / "local.parquet")
    empty = pyarrow.parquet.read_table(tmp_path / "out")
    assert empty.schema == pyarrow.parquet.read_table(tmp_path / "local.parquet").schema


def test_only_a_folder_of_parts_is_replaced(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("a.csv"), tmp_path / "out"
    score(tiny, [source], output)
    with pytest.raises(InputError, match="exists"):
        score(tiny, [source], output)
    write(tmp_path / "a.csv", rows()[:50])
    summary = score(tiny, [source], output, force=True)
    assert summary is not None
    assert len(pyarrow.parquet.read_table(output)) == summary.rows == 50
    (output / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no folder of parts"):
        score(tiny, [source], output, force=True)
    assert (output / "thesis.txt").exists()


def test_a_folder_that_appeared_meanwhile_is_not_replaced(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("a.csv"), tmp_path / "out"
    assert score(tiny, [source], output, stop=3) is None
    output.mkdir()
    (output / "thesis.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(InputError, match="no folder of parts"):
            score(tiny, [source], output, force=force)
    assert (output / "thesis.txt").read_text() == "mine"


def test_parts_without_a_manifest_are_not_taken_up(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("a.csv"), tmp_path / "out"
    assert score(tiny, [source], output, stop=3, threshold=0.99) is None
    (tmp_path / "out.job" / "manifest.json").unlink()  # as a kill in the midst of --restart leaves it
    summary = score(tiny, [source], output, threshold=0.01)
    assert summary is not None
    tiny.score_file(source, tmp_path / "local.parquet", threshold=0.01)
    assert pyarrow.parquet.read_table(output).equals(pyarrow.parquet.read_table(tmp_path / "local.parquet"))
