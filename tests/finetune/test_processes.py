"""Two processes that train together come to what one comes to, and one of them writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.finetune.processes import check_batch_size, from_first

from .conftest import make_rows


def test_a_step_is_shared_evenly_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    check_batch_size(15)
    monkeypatch.setenv("WORLD_SIZE", "4")
    check_batch_size(16)
    with pytest.raises(InputError, match="batch_size=18 cannot be shared evenly by 4 processes; .* batch_size=20"):
        check_batch_size(18)


def test_one_process_has_what_it_has() -> None:
    assert from_first("x") == "x"


@pytest.fixture
def base(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny network without dropout, of which every process draws its own."""
    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    (folder / "rhetoric.json").unlink()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_two_processes_are_as_good_as_one(base: Path, write: Callable[..., Path], tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text("from rhetoric.cli import main\nmain()\n", encoding="utf-8")
    # The rows of an epoch fill their steps: else the last one is filled up with rows drawn twice.
    data = [write(make_rows(304), "train.jsonl"), "--dev", write(make_rows(100, seed=1), "dev.jsonl")]
    settings = {"base": base, "batch_size": 16, "epochs": 4, "learning_rate": 3e-3, "max_tokens": 24}
    settings |= {"precision": "fp32", "device": "cpu", "few_rows": 0, "dropout": 0}
    together = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29611"]

    def train(out: Path, start: list[str]) -> dict[str, Any]:
        chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        command = [sys.executable, *start, script, "train", *data, "-o", out, "--json", *chosen]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert done.returncode == 0, done.stderr
        if start:
            assert done.stderr.count("2 processes with 8 rows each: 16 rows in a step, as with one") == 1
        found: dict[str, Any] = json.loads(done.stdout)  # which one process has printed
        return found

    one, two = train(tmp_path / "one", []), train(tmp_path / "two", together)
    assert one["steps"] == two["steps"] == 4 * 19
    histories = [
        [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("one", "two")
    ]
    for left, right in zip(*histories, strict=True):
        # not the dev loss, in which transformers counts rows twice that fill the last batch
        for name in {"loss", "grad_norm", "eval_macro_f1"} & left.keys():
            assert right[name] == pytest.approx(left[name], rel=2e-3)
    assert two["scores"]["macro_f1"] == pytest.approx(one["scores"]["macro_f1"], abs=0.01)
    texts = [row["text"] for row in make_rows(50, seed=2)]
    scores = [RhetoricTagger.from_pretrained(tmp_path / name).predict_proba(texts) for name in ("one", "two")]
    assert abs(scores[0] - scores[1]).max() < 0.1
    left_behind = {path.name for path in tmp_path.iterdir()}
    assert left_behind == {"base", "run.py", "train.jsonl", "dev.jsonl", "one", "two"}
