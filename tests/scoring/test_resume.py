"""Killed anywhere, a job goes on and ends with the same bytes; and what stops it says so in one line."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rhetoric import JobError, RhetoricTagger
from rhetoric.scoring import job, lock, readers, store

from .conftest import Killed, Make, killed_after, rows, write

CASES = [
    ("in.csv", "out.csv", {}),
    ("in.csv.gz", "out.jsonl", {"layout": "long"}),
    ("in.jsonl", "out.parquet", {}),
    ("in.jsonl.zst", "out.csv", {"on_error": "skip"}),
    ("in.parquet", "out.parquet", {"layout": "long"}),
    ("in.parquet", "out.jsonl", {"documents": True}),
    ("in.txt", "out.csv", {}),
]


@pytest.mark.parametrize(("name", "target", "options"), CASES)
def test_killed_at_any_act_the_output_is_the_same(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, name: str, target: str, options: dict[str, Any]
) -> None:
    source = make(name)
    whole, output = tmp_path / "whole" / target, tmp_path / target
    whole.parent.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "PART_ROWS", 23)
        expected = tiny.score_file(source, whole, **options)
        kills = 0
        for calls in range(1, 100):
            with pytest.MonkeyPatch.context() as deadly:
                killed_after(deadly, calls)
                try:
                    tiny.score_file(source, output, **options)
                    break
                except Killed:
                    kills += 1
            if output.exists():  # killed behind the last rename: it must be whole
                break
            summary = tiny.score_file(source, output, **options)
            assert output.read_bytes() == whole.read_bytes()
            assert summary.rows == expected.rows
            assert summary.errors == expected.errors
            assert summary.labels == expected.labels
            both = [file.with_name(f"{file.name}.quarantine.jsonl") for file in (output, whole)]
            assert both[0].exists() == both[1].exists()
            if both[0].exists():
                assert both[0].read_bytes() == both[1].read_bytes()
            assert not (tmp_path / f"{target}.job").exists()
            output.unlink()
    assert kills > 15


def test_killed_inside_lines_that_a_quote_swallowed(tiny: RhetoricTagger, tmp_path: Path) -> None:
    """Such lines are read each alone, also the last, which would take the next one with it if it began a record."""
    source, whole, output = tmp_path / "in.csv", tmp_path / "whole.csv", tmp_path / "out.csv"
    swallowed = "".join(f"{i},we must begin talks {i} {'today ' * 50}\n" for i in range(60))
    source.write_text(f'id,text\na,"we must\n{swallowed}b,"they said\nnever"\nc,thank you\n', encoding="utf-8")
    assert len(swallowed) > readers.RETRY
    expected = tiny.score_file(source, whole)
    assert expected.quarantined == 3  # rows a and b, and the line behind b
    for calls in (4, 8, 12, 16, 20):
        with pytest.MonkeyPatch.context() as deadly, pytest.raises(Killed):
            killed_after(deadly, calls)
            tiny.score_file(source, output)
        assert tiny.score_file(source, output).errors == expected.errors
        assert output.read_bytes() == whole.read_bytes()
        output.unlink()


def test_a_part_is_on_the_disk_before_the_manifest_says_so(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    append, manifest = store.Store._append, store.Store._write_manifest

    def watched(self: store.Store, name: str, data: bytes) -> int:
        count = append(self, name, data)
        events.append(f"append {name}")
        return count

    monkeypatch.setattr(store.os, "fsync", lambda descriptor: events.append("sync"))
    monkeypatch.setattr(store.Store, "_append", watched)
    monkeypatch.setattr(store.Store, "_write_manifest", lambda self: (events.append("manifest"), manifest(self))[1])
    tiny.score_file(make("in.csv"), tmp_path / "out.csv")
    one = ["sync", "append rows", "append quarantine.jsonl", "manifest", "sync", "sync"]
    assert events[3:-4][: len(one) * 15] == one * 15


def test_killed_between_the_last_renames(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    with pytest.MonkeyPatch.context() as deadly:
        deadly.setattr(store.shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            tiny.score_file(source, output)
    before = output.read_bytes()
    tiny.score_file(source, output)
    assert output.read_bytes() == before
    assert not (tmp_path / "out.csv.job").exists()


def test_documents_are_taken_up_inside(tiny: RhetoricTagger, tmp_path: Path) -> None:
    text = " ".join(f"We must begin talks number {i}." for i in range(40))
    source = write(tmp_path / "in.jsonl", [{"text": text}, {"text": text + " Peace."}])
    whole = tmp_path / "whole.csv"
    tiny.score_file(source, whole, documents=True)
    for calls in (6, 12, 20):
        output = tmp_path / f"out{calls}.csv"
        with pytest.MonkeyPatch.context() as deadly:
            killed_after(deadly, calls)
            with pytest.raises(Killed):
                tiny.score_file(source, output, documents=True)
        summary = tiny.score_file(source, output, documents=True)
        assert summary.resumed == (1 if calls > 6 else 0)  # before, nothing was finished
        assert summary.documents == 2
        assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(("calls", "line"), [(3, "no finished rows: starting anew"), (12, "going on after 14 rows")])
def test_what_is_said_of_an_unfinished_job_is_true(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, calls: int, line: str
) -> None:
    source, output, said = make("in.csv"), tmp_path / "out.csv", list[str]()
    with pytest.MonkeyPatch.context() as deadly:
        killed_after(deadly, calls)
        with pytest.raises(Killed):
            tiny.score_file(source, output)
    tiny.score_file(source, output, say=said.append)
    assert len(said) == 1
    assert said[0].endswith(line)


def test_a_full_disk_is_one_line_and_the_job_goes_on(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output, whole = make("in.csv"), tmp_path / "out.csv", tmp_path / "whole.csv"
    tiny.score_file(source, whole)
    true, left = os.write, [4000]

    def write(descriptor: int, data: Any) -> int:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = true(descriptor, data[: left[0]])  # as a disk does: the last write is cut
        left[0] -= count
        return count

    with monkeypatch.context() as full:
        full.setattr(store.os, "write", write)
        with pytest.raises(JobError, match="disk is full.*run the same command again") as error:
            tiny.score_file(source, output)
        assert "\n" not in str(error.value)
    assert not output.exists()
    assert tiny.score_file(source, output).resumed == 1
    assert output.read_bytes() == whole.read_bytes()


def test_a_file_size_limit_in_a_real_process(tiny_folder: Path, make: Make, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    code = (
        "import resource, sys; from rhetoric.cli import main; from rhetoric.scoring import job; job.PART_ROWS = 7;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)) if sys.argv.pop() == 'small' else None; main()"
    )
    command = [sys.executable, "-c", code, "score", make("in.csv"), "-o", tmp_path / "out.csv", "--model", tiny_folder]
    first = subprocess.run([*command, "small"], capture_output=True, text=True, check=False)
    assert first.returncode == 1
    assert "the disk is full" in first.stderr
    assert "Traceback" not in first.stderr
    second = subprocess.run([*command, "free"], capture_output=True, text=True, check=False)
    assert second.returncode == 0
    assert "going on after" in second.stderr
    RhetoricTagger.from_pretrained(tiny_folder).score_file(tmp_path / "in.csv", tmp_path / "whole.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_folder_that_cannot_be_written_to(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    source = make("in.csv")
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(JobError, match=r"out\.csv\.job cannot be written to \(Permission denied\)"):
        tiny.score_file(source, tmp_path / "out.csv")


def test_an_input_that_vanishes_or_changes_mid_job(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    first, second, away = make("a.csv"), make("b.csv"), tmp_path / "away"
    whole = tmp_path / "whole.csv"
    tiny.score_file([first, second], whole)
    true = job.read_rows

    def vanishing(*arguments: Any) -> Any:
        for i, row in enumerate(true(*arguments)):
            if i == 50 and second.exists():
                second.rename(away)
            yield row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "read_rows", vanishing)
        with pytest.raises(JobError, match=r"b\.csv vanished while the job ran .*same command again"):
            tiny.score_file([first, second], tmp_path / "out.csv")
    away.rename(second)
    summary = tiny.score_file([first, second], tmp_path / "out.csv")
    assert summary.resumed == 1
    assert (tmp_path / "out.csv").read_bytes() == whole.read_bytes()

    def changing(*arguments: Any) -> Any:
        for i, row in enumerate(true(*arguments)):
            if i == 50:
                first.write_bytes(first.read_bytes() + b"x")
            yield row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "read_rows", changing)
        with pytest.raises(JobError, match=r"a\.csv was changed while the job ran; remedy: .*--restart"):
            tiny.score_file([first, second], tmp_path / "out2.csv")


@pytest.mark.parametrize("name", ["in.csv.gz", "in.csv.zst"])
def test_an_archive_that_is_cut_off(tiny: RhetoricTagger, tmp_path: Path, name: str) -> None:
    data = [row | {"note": random.Random(i).randbytes(400).hex()} for i, row in enumerate(rows() * 5)]
    source = write(tmp_path / name, data)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(JobError, match="damaged or cut off"):
        tiny.score_file(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_second_job_on_one_output_is_refused(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"

    def second(*arguments: Any) -> Any:
        with pytest.raises(JobError, match="another job is writing"):
            tiny.score_file(source, output)
        return true(*arguments)

    true = job.read_rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "read_rows", second)
        tiny.score_file(source, output)
    assert output.exists()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    source = make("in.csv")
    monkeypatch.setattr(lock, "_take", refuse)
    with pytest.raises(JobError, match=rf"out\.csv\.job cannot lock files \({os.strerror(code)}\); remedy: "):
        tiny.score_file(source, tmp_path / "out.csv")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    ("name", "target"), [("in.csv", "out.csv"), ("in.jsonl.gz", "out.jsonl"), ("in.parquet", "out.parquet")]
)
def test_kill_9_at_random_moments(tiny_folder: Path, tmp_path: Path, name: str, target: str) -> None:
    source = write(tmp_path / name, [row | {"id": i} for i, row in enumerate(rows() * 60)])
    whole, output = tmp_path / "whole" / target, tmp_path / target
    whole.parent.mkdir()
    code = "from rhetoric.cli import main; from rhetoric.scoring import job; job.PART_ROWS = 300; main()"
    command = [sys.executable, "-c", code, "score", source, "--model", tiny_folder, "--threads", "1", "-o"]
    start = time.monotonic()
    subprocess.run([*command, whole], check=True, capture_output=True)
    seconds, rng, kills = time.monotonic() - start, random.Random(0), 0
    for _ in range(30):
        process = subprocess.Popen([*command, output], stderr=subprocess.DEVNULL)
        try:
            process.wait((rng.uniform(0.3, 1.0) if kills else 0.3) * seconds)  # one is killed for certain
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            if output.exists():  # killed behind the last rename: it must be whole
                break
    subprocess.run([*command, output, *(["--force"] if output.exists() else [])], check=True, capture_output=True)
    assert kills
    assert output.read_bytes() == whole.read_bytes()
    summary = json.loads(output.with_name(f"{target}.summary.json").read_text())
    assert summary["rows"] == 6_000
