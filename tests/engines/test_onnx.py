"""The ONNX engine: the graph it needs, and what it says when that is missing or broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rhetoric import ModelError
from rhetoric.batching import Batch
from rhetoric.engines import load_engine
from rhetoric.machine import usable_cores
from rhetoric.model_folder import ONNX_FILE


def batch(ids: list[list[int]]) -> Batch:
    lengths = np.array([len(row) for row in ids])
    return Batch(np.concatenate(ids), lengths, np.arange(len(ids)))


def test_forward_gives_one_row_a_sequence(tiny_folder: Path) -> None:
    engine = load_engine(tiny_folder, engine="onnx")
    rows = [[2, 5, 6, 3], [2, 9, 8, 3], [2, 5, 6, 3]]
    logits = engine.forward(batch(rows))
    assert logits.shape == (3, 12)
    assert logits.dtype == np.float32
    assert np.array_equal(logits[0], logits[2])
    assert not np.array_equal(logits[0], logits[1])
    assert np.array_equal(engine.forward(batch(rows[1:2]))[0], logits[1])


def test_threads_are_the_usable_cores_unless_set(tiny_folder: Path) -> None:
    assert load_engine(tiny_folder, engine="onnx").workers == usable_cores()
    assert load_engine(tiny_folder, engine="onnx", threads=3).workers == 3


def test_a_missing_or_broken_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"cannot load .*{ONNX_FILE}"):
        load_engine(tmp_path, engine="onnx")
    (tmp_path / "onnx").mkdir()
    (tmp_path / ONNX_FILE).write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"cannot load .*model_int8.onnx \("):
        load_engine(tmp_path, engine="onnx")
