"""A stopped, failed or killed training: it goes on where it was, and leaves nothing half written or overwritten."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rhetoric import InputError, JobError
from rhetoric.finetune import TrainResult, train
from rhetoric.finetune.checkpoint import last_checkpoint
from rhetoric.model_folder import read_model_folder

from .conftest import make_rows, settings, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def stop_after(steps: int) -> Callable[[int, int, Mapping[str, float]], None]:
    def progress(step: int, total: int, measured: Mapping[str, float]) -> None:
        if step >= steps:
            raise KeyboardInterrupt

    return progress


def test_a_stopped_run_goes_on_where_it_was(tiny_folder: Path, tmp_path: Path, trained: TrainResult) -> None:
    """16 steps an epoch: stopped at 40, it has the checkpoint of step 32, and ends with the very same weights."""
    out, config, rows = tmp_path / "model", settings(tiny_folder), make_rows(300)
    with pytest.raises(KeyboardInterrupt):
        train(rows, out, config=config, progress=stop_after(40))
    assert not out.exists()
    assert (tmp_path / "model.training" / "checkpoint-32").is_dir()
    with pytest.raises(InputError, match="an unfinished run is at"):
        train(rows, out, config=config)
    with pytest.raises(InputError, match=r"had other settings \(epochs\)"):
        train(rows, out, config=config.changed({"epochs": 5}), resume=True)
    with pytest.raises(InputError, match="had other data"):
        train(rows[:-1], out, config=config, resume=True)
    steps: list[int] = []
    result = train(rows, out, config=config, resume=True, progress=lambda step, total, measured: steps.append(step))
    assert steps[0] > 32
    assert weights(out) == weights(trained.path)
    assert result.scores == trained.scores
    assert not (tmp_path / "model.training").exists()


@pytest.mark.slow
def test_half_a_checkpoint_is_passed_over(tiny_folder: Path, tmp_path: Path, trained: TrainResult) -> None:
    out, config, rows = tmp_path / "model", settings(tiny_folder), make_rows(300)
    with pytest.raises(KeyboardInterrupt):
        train(rows, out, config=config, progress=stop_after(20))
    (tmp_path / "model.training" / "checkpoint-32").mkdir()
    (tmp_path / "model.training" / "checkpoint-32" / "trainer_state.json").write_text('{"global_')
    steps: list[int] = []
    train(rows, out, config=config, resume=True, progress=lambda step, total, measured: steps.append(step))
    assert steps[0] > 16  # from the checkpoint before it
    assert weights(out) == weights(trained.path)


def test_checkpoints_hold_no_pickle(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(make_rows(100), tmp_path / "model", config=settings(tiny_folder), progress=stop_after(10))
    files = [file for file in (tmp_path / "model.training").rglob("*") if file.is_file()]
    assert files
    assert {file.suffix for file in files} == {".json", ".safetensors"}


@pytest.mark.slow
def test_a_stop_under_force_keeps_the_checkpoints(tiny_folder: Path, tmp_path: Path) -> None:
    out, config, rows = tmp_path / "model", settings(tiny_folder), make_rows(100)
    before = weights(train(rows, out, config=config.changed({"seed": 5, "epochs": 1})).path)
    with pytest.raises(KeyboardInterrupt):
        train(rows, out, config=config, force=True, progress=stop_after(10))
    assert weights(out) == before
    assert list((tmp_path / "model.training").glob("checkpoint-*"))
    steps: list[int] = []
    train(rows, out, config=config, force=True, resume=True, progress=lambda step, *_: steps.append(step))
    assert steps[0] > 5
    assert weights(out) != before


def test_other_training_rows_are_noticed_beside_the_same_dev_rows(tiny_folder: Path, tmp_path: Path) -> None:
    """Both are lists, so neither has a name of its own."""
    out, config, rows, dev = tmp_path / "model", settings(tiny_folder), make_rows(100), make_rows(40, seed=1)
    with pytest.raises(KeyboardInterrupt):
        train(rows, out, dev=dev, config=config, progress=stop_after(10))
    with pytest.raises(InputError, match=r"had other data \(train\)"):
        train(rows[:-1], out, dev=dev, config=config, resume=True)


def test_an_early_stop_outlives_a_resume(tiny_folder: Path, tmp_path: Path) -> None:
    config = settings(tiny_folder, learning_rate=1e-9, epochs=9, patience=2)
    whole = train(make_rows(100), tmp_path / "whole", config=config)
    assert whole.steps < 9 * 6
    with pytest.raises(KeyboardInterrupt):
        train(make_rows(100), tmp_path / "part", config=config, progress=stop_after(14))
    part = train(make_rows(100), tmp_path / "part", config=config, resume=True)
    assert part.steps == whole.steps
    assert weights(part.path) == weights(whole.path)


def test_nothing_is_overwritten_unasked(tiny_folder: Path, tmp_path: Path, trained: TrainResult) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    config = settings(tiny_folder, epochs=1)
    with pytest.raises(InputError, match="exists; remedy: another name, or --force"):
        train(make_rows(60), out, config=config)
    with pytest.raises(InputError, match="is no model folder, so --force does not replace it"):
        train(make_rows(60), out, config=config, force=True)
    assert (out / "thesis.txt").read_text() == "years of work"
    (out / "thesis.txt").unlink()
    first = train(make_rows(60), out, config=config, force=True)
    before = weights(first.path)
    train(make_rows(60), out, config=config.changed({"seed": 5}), force=True)
    assert weights(out) != before


@pytest.mark.parametrize("step", ["rhetoric.finetune.run.write_manifest", "rhetoric.finetune.gate.export_onnx"])
def test_a_full_disk_leaves_nothing_half_written(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, trained: TrainResult
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out, config = tmp_path / "model", settings(tiny_folder)
    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        with pytest.raises(JobError, match="the disk is full"):
            train(make_rows(300), out, config=config)
    assert not out.exists()
    assert not (tmp_path / "model.training" / "model").exists()
    train(make_rows(300), out, config=config, resume=True)
    assert weights(out) == weights(trained.path)


def test_an_error_before_the_first_checkpoint_leaves_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    def fail(step: int, total: int, measured: Mapping[str, float]) -> None:
        raise RuntimeError("surprise")

    with pytest.raises(RuntimeError, match="surprise"):
        train(make_rows(60), tmp_path / "model", config=settings(tiny_folder), progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_process_can_be_resumed(tiny_folder: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    data, out = write(make_rows(600)), tmp_path / "model"
    options = ["base=" + str(tiny_folder), "max_tokens=24", "epochs=30", "patience=0", "learning_rate=0.001"]
    start = "import os; os.sched_setaffinity(0, {0}); from rhetoric.cli.train import command; command()"
    command = [sys.executable, "-c", start, str(data), "-o", str(out)]
    command += [part for option in options for part in ("--set", option)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("model.training/checkpoint-*/trainer_state.json")):
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    checkpoint = last_checkpoint(tmp_path / "model.training")
    kept = int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else 0  # the kill may have cut the first off
    finished = subprocess.run([*command, "--resume"], stderr=subprocess.PIPE, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    measured = [int(step) for step in re.findall(r"^step (\d+) of", finished.stderr, re.MULTILINE)]
    assert min(measured) > kept  # nothing is trained twice
    read_model_folder(out)
