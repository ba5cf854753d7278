"""The mean of several networks is a transformers folder with the mean of their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rhetoric.finetune.average import WEIGHTS, average


def network(folder: Path, value: float, **more: float) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    tensors = {"classifier.weight": np.full((12, 4), value, np.float16)}
    save_file(tensors | {name: np.zeros(1, np.float16) for name in more}, folder / WEIGHTS)
    return folder


def test_weights_are_averaged_and_the_rest_is_copied(tmp_path: Path) -> None:
    folders = [network(tmp_path / f"{value}", value) for value in (1.0, 2.0, 6.0)]
    out = average(folders, tmp_path / "mean")
    found = load_file(out / WEIGHTS)["classifier.weight"]
    assert found.dtype == np.float16
    assert (found == 3.0).all()
    assert (out / "config.json").exists()


def test_networks_of_other_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other tensors"):
        average([network(tmp_path / "a", 1.0), network(tmp_path / "b", 1.0, pooler=0.0)], tmp_path / "mean")
