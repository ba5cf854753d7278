"""Which unfinished job is taken up, which is refused, and what is never replaced."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rhetoric import InputError, JobError, RhetoricTagger

from ..conftest import write_tiny_model
from .conftest import Killed, Make, stopped


def test_another_input_model_or_option_is_refused(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    stopped(tiny, source, output)
    with pytest.raises(InputError, match=r"differs in options \(layout: 'wide', now 'long'\).*--restart"):
        tiny.score_file(source, output, layout="long")
    other = RhetoricTagger.from_pretrained(write_tiny_model(tmp_path_factory.mktemp("models") / "other", seed=1))
    with pytest.raises(InputError, match=r"differs in model .*--restart"):
        other.score_file(source, output)
    for name, now in (("device", "cuda"), ("precision", "float16")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiny, "_choice", replace(tiny.choice, **{name: now}))
            with pytest.raises(InputError, match=rf"differs in model \({name}: '\w+', now '{now}'\).*--restart"):
                tiny.score_file(source, output)
    stamp = source.stat()
    changed = bytearray(source.read_bytes())
    changed[-3] ^= 1  # same size, same time
    source.write_bytes(changed)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(InputError, match=r"differs in inputs \(.*in\.csv\).*--restart"):
        tiny.score_file(source, output)
    assert tiny.score_file(source, output, restart=True).resumed == 0


def test_a_finished_output_is_not_replaced_unasked(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    tiny.score_file(source, output)
    with pytest.raises(InputError, match="exists; remedy: another name, or --force"):
        tiny.score_file(source, output)
    assert tiny.score_file(source, output, force=True).resumed == 0


def test_a_job_without_finished_rows_is_begun_anew_with_other_options(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('id,text\n1,we must talk\n2,""\n')
    with pytest.raises(JobError, match="remedy: mend the row, or --on-error null"):
        tiny.score_file(source, output, on_error="fail")
    assert (tmp_path / "out.csv.job").exists()
    tiny.score_file(source, output, on_error="null")
    tiny.score_file(source, tmp_path / "whole.csv", on_error="null")
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_what_appeared_in_the_place_of_an_unfinished_job_is_not_replaced(
    tiny: RhetoricTagger, make: Make, tmp_path: Path
) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    stopped(tiny, source, output)
    output.write_text("mine")
    with pytest.raises(InputError, match="exists; remedy: another name, or --force"):
        tiny.score_file(source, output)
    assert output.read_text() == "mine"
    assert tiny.score_file(source, output, force=True).resumed == 1


@pytest.mark.parametrize("done", [False, True])
def test_a_kill_while_a_job_is_thrown_away_leaves_nothing_that_counts(
    tiny: RhetoricTagger, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    source, output, whole = make("in.csv"), tmp_path / "out.csv", tmp_path / "whole.csv"
    tiny.score_file(source, whole)
    stopped(tiny, source, output)
    manifest = tmp_path / "out.csv.job" / "manifest.json"
    if done:
        content = json.loads(manifest.read_text())
        content["state"]["done"] = True
        manifest.write_text(json.dumps(content))
    unlink, left = Path.unlink, [2]

    def killed(path: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        unlink(path, missing_ok)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "unlink", killed)
        tiny.score_file(source, output, restart=True)
    assert tiny.score_file(source, output).resumed == 0
    assert output.read_bytes() == whole.read_bytes()


def test_rows_that_are_gone_are_no_output(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    stopped(tiny, source, output)
    folder = tmp_path / "out.csv.job"
    content = json.loads((folder / "manifest.json").read_text())
    content["state"]["done"] = True
    (folder / "manifest.json").write_text(json.dumps(content))
    (folder / "rows").unlink()
    with pytest.raises(JobError, match=r"rows is missing; remedy: --restart"):
        tiny.score_file(source, output)


def test_what_becomes_of_the_listener_is_not_taken_for_a_full_disk(
    tiny: RhetoricTagger, make: Make, tmp_path: Path
) -> None:
    def hung_up(*_: Any) -> None:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    with pytest.raises(ConnectionResetError):
        tiny.score_file(make("in.csv"), tmp_path / "out.csv", progress=hung_up)


def test_a_damaged_job_folder_is_named(tiny: RhetoricTagger, make: Make, tmp_path: Path) -> None:
    source, output = make("in.csv"), tmp_path / "out.csv"
    stopped(tiny, source, output)
    (tmp_path / "out.csv.job" / "rows").write_bytes(b"")
    with pytest.raises(JobError, match="damaged: 0 bytes.*--restart"):
        tiny.score_file(source, output)
    (tmp_path / "out.csv.job" / "manifest.json").write_text("{")
    with pytest.raises(JobError, match=r"manifest\.json is damaged.*--restart"):
        tiny.score_file(source, output)
    tiny.score_file(source, output, restart=True)
