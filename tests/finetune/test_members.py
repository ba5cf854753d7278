"""Several trainings and the mean of their weights: exact, resumable, and never worse than each of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from rhetoric import RhetoricTagger
from rhetoric.finetune import TrainResult, members, train
from rhetoric.finetune.average import WEIGHTS

from .conftest import make_rows, settings, weights

pytestmark = pytest.mark.usefixtures("one_thread")

ROWS = make_rows(120)


@pytest.fixture(scope="module")
def single(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[TrainResult]:
    """The same trainings one by one; a dev file, as the seed would also decide the split."""
    folder = tmp_path_factory.mktemp("single")
    return [
        train(ROWS, folder / f"{seed}", dev=make_rows(40, seed=1), config=settings(tiny_folder, epochs=2, seed=seed))
        for seed in (5, 6)
    ]


def test_the_model_is_the_mean_of_its_members(
    tiny_folder: Path, tmp_path: Path, single: list[TrainResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "dev_metric", lambda *_: lambda _: {"macro_f1": 1.0})
    seen: list[tuple[int, int]] = []
    config = settings(tiny_folder, epochs=2, seed=5, members=2)
    result = train(
        ROWS,
        tmp_path / "model",
        dev=make_rows(40, seed=1),
        config=config,
        progress=lambda step, steps, measured: seen.append((step, steps)),
    )
    found, one, other = (load_file(path / WEIGHTS) for path in (result.path, single[0].path, single[1].path))
    for name, tensor in found.items():
        half = (one[name].astype(np.float64) + other[name]) / 2
        assert np.array_equal(tensor, half.astype(tensor.dtype)), name
    assert result.averaged == 2
    assert result.steps == single[0].steps + single[1].steps
    assert "mean of 2 trainings" in (result.path / "README.md").read_text()
    steps = [step for step, _ in seen]
    assert steps == sorted(steps)
    assert seen[-1] == (result.steps, result.steps)
    assert not (tmp_path / "model.training").exists()
    scores = RhetoricTagger.from_pretrained(result.path).predict_proba([row["text"] for row in ROWS])
    float_scores = RhetoricTagger.from_pretrained(result.path, engine="torch").predict_proba([r["text"] for r in ROWS])
    assert np.abs(scores - float_scores).max() < 0.1


def test_a_mean_that_is_worse_than_each_gives_way_to_the_best(
    tiny_folder: Path, tmp_path: Path, single: list[TrainResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "dev_metric", lambda *_: lambda _: {"macro_f1": -1.0})
    lines: list[str] = []
    config = settings(tiny_folder, epochs=2, seed=5, members=2)
    result = train(ROWS, tmp_path / "model", dev=make_rows(40, seed=1), config=config, say=lines.append)
    assert weights(result.path) in [weights(one.path) for one in single]
    assert result.averaged == 1
    assert any("so the model is the best member" in line for line in lines)


def test_a_stopped_run_keeps_the_members_that_were_done(tiny_folder: Path, tmp_path: Path) -> None:
    config = settings(tiny_folder, epochs=2, members=2)
    whole = train(ROWS, tmp_path / "whole", config=config)
    per_member = whole.steps // 2

    def stop(step: int, steps: int, measured: Mapping[str, float]) -> None:
        if step > per_member:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(ROWS, tmp_path / "part", config=config, progress=stop)
    work = tmp_path / "part.training"
    assert not list((work / "member-0").glob("checkpoint-*"))  # a member that is done needs none
    steps: list[int] = []
    part = train(
        ROWS, tmp_path / "part", config=config, resume=True, progress=lambda step, steps_, measured: steps.append(step)
    )
    assert min(steps) > per_member
    assert weights(part.path) == weights(whole.path)
    assert part.scores == whole.scores
    assert part.averaged == whole.averaged
