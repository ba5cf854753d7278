"""Breaks the code on purpose, one line at a time, and sees a test fail: batching, resuming, calibration.

Each break is made in a copy; the tests named beside it must notice. If this fails, a line that matters is
no longer watched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Break:
    """A line of the code, what it becomes, and the tests that must see it."""

    file: str
    line: str
    broken: str
    tests: str


BATCHING, RUNNER, STORE, JOB = "batching.py", "runner.py", "scoring/store.py", "scoring/job.py"
CALIBRATION = "finetune/calibration.py"
OF_BATCHING, OF_RUNNER = "test_batching.py test_tagger.py", "test_runner.py test_tagger.py"
OF_RESUME = "scoring/test_resume.py scoring/test_job_folder.py scoring/test_job.py"
OF_CALIBRATION = "finetune/test_calibration.py"
BREAKS = {
    "the largest logit of a long text's pieces": Break(
        BATCHING, "np.maximum.reduceat", "np.minimum.reduceat", OF_BATCHING
    ),
    "the token budget": Break(BATCHING, "held + width > token_budget", "held + width > 2 * token_budget", OF_BATCHING),
    "longest first": Break(BATCHING, 'np.argsort(-lengths, kind="stable")', "np.arange(len(lengths))", OF_BATCHING),
    "one length a batch": Break(BATCHING, "length_step is not None and end", "False and end", OF_BATCHING),
    "the end of a long text": Break(
        BATCHING, "    yield length - room\n", "    yield length - room - 1\n", OF_BATCHING
    ),
    "what truncated means": Break(BATCHING, 'on_long == "truncate"', 'on_long == "window"', OF_BATCHING),
    "the order of windows": Break(RUNNER, "pending.popleft()", "pending.pop()", OF_RUNNER),
    "the order of batches": Break(
        RUNNER,
        "return window, collect(window, zip(batches, results",
        "return window, collect(window, zip(batches, results[::-1]",
        OF_RUNNER,
    ),
    "stopping at an error": Break(RUNNER, "cancel_futures=True", "cancel_futures=False", OF_RUNNER),
    "leaving alone what appeared in the place of the output": Break(
        STORE, "(restart or not _is_done(manifest))", "restart", OF_RESUME
    ),
    "cutting off what a kill left": Break(STORE, "        if found > size:", "        if found < 0:", OF_RESUME),
    "where a part ends": Break(
        JOB, "state.position = part[-1][0].after", "state.position = part[0][0].after", OF_RESUME
    ),
    "counting the bytes that count": Break(
        STORE, "self.state.rows_bytes += self._append", "self.state.rows_bytes = self._append", OF_RESUME
    ),
    "noticing another model or input": Break(
        STORE, "            self._check_identity(before)", "            pass", OF_RESUME
    ),
    "the header once": Break(
        JOB, "rows if state.rows_bytes else plan.writer.header() + rows", "plan.writer.header() + rows", OF_RESUME
    ),
    "the way down in Platt scaling": Break(CALIBRATION, "beta -= step", "beta += step", OF_CALIBRATION),
    "labels held near all together": Break(
        CALIBRATION,
        "centre = np.array(around if around is not None else (1.0, 0.0))",
        "centre = np.array((1.0, 0.0))",
        OF_CALIBRATION,
    ),
    "the threshold of the best expected F1": Break(
        CALIBRATION, "np.cumsum(ordered[::-1])[::-1]", "np.cumsum(ordered)", OF_CALIBRATION
    ),
    "borderline cells are masked": Break(
        CALIBRATION, "        rows = mask[:, i]", "        rows = np.ones(len(mask), np.bool_)", OF_CALIBRATION
    ),
    "figures on rows not fitted to": Break(
        CALIBRATION, "rest, own = fold != k, fold == k", "rest, own = fold == k, fold == k", OF_CALIBRATION
    ),
    "one class of exclusive ones": Break(CALIBRATION, "decided &= scores ==", "decided |= scores ==", OF_CALIBRATION),
    "the smallest slope": Break(CALIBRATION, "if beta[0] < SMALLEST_SLOPE", "if False", OF_CALIBRATION),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its tests, with the model where it was."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "rhetoric", folder / "rhetoric", ignore=shutil.ignore_patterns("models", "__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "rhetoric" / "models").symlink_to(ROOT / "rhetoric" / "models")
    for name in ("pyproject.toml", "examples", "training", "configs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(house: Path, tests: str) -> int:
    paths = [f"tests/{name}" for name in tests.split()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    # bytecode of a broken file would pass for that of the mended one, if both were written in one second
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, timeout=300).returncode


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_the_copy_passes_unbroken(house: Path) -> None:
    assert run(house, " ".join(sorted({name for each in BREAKS.values() for name in each.tests.split()}))) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_seen(name: str, house: Path) -> None:
    each = BREAKS[name]
    file = house / "rhetoric" / each.file
    whole = file.read_text(encoding="utf-8")
    assert each.line in whole, f"{each.file} has changed; name another line here"
    file.write_text(whole.replace(each.line, each.broken), encoding="utf-8")
    try:
        assert run(house, each.tests) == 1  # 1: a test failed; others: pytest itself did
    finally:
        file.write_text(whole, encoding="utf-8")


def test_the_lines_to_break_are_there() -> None:
    for each in BREAKS.values():
        assert each.line in (ROOT / "rhetoric" / each.file).read_text(encoding="utf-8"), each.line
