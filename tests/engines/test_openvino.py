"""The OpenVINO engine runs the same graph to the same labels."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rhetoric import ModelError, RhetoricTagger
from rhetoric.batching import Batch
from rhetoric.engines import load_engine

pytest.importorskip("openvino")

TEXTS = ["we must begin talks .", "you will not refuse sanctions", "they said peace", "peace", "we will not withdraw ."]


@pytest.fixture(scope="module")
def tagger(tiny_folder: Path) -> RhetoricTagger:
    return RhetoricTagger.from_pretrained(tiny_folder, engine="openvino", threads=2)


def test_it_agrees_with_the_default_engine(tagger: RhetoricTagger, tiny: RhetoricTagger) -> None:
    assert tagger.choice.engine == "openvino"
    assert (
        np.abs(tagger.predict_proba(TEXTS) - tiny.predict_proba(TEXTS)).max() < 0.05
    )  # bfloat16, where the processor has it


def test_it_knows_relu(tiny_relu_folder: Path) -> None:
    found, expected = (
        RhetoricTagger.from_pretrained(tiny_relu_folder, engine=engine).predict_proba(TEXTS)
        for engine in ("openvino", "onnx")
    )
    assert np.abs(found - expected).max() < 0.05


def test_batch_mates_change_no_score(tagger: RhetoricTagger) -> None:
    alone = np.concatenate([tagger.predict_proba([text]) for text in TEXTS])
    assert np.abs(tagger.predict_proba([*TEXTS, *TEXTS])[: len(TEXTS)] - alone).max() <= 1e-6


def test_padding_changes_no_score(tagger: RhetoricTagger) -> None:
    engine = tagger._engine
    rows = [np.arange(5, 5 + length) for length in (5, 6, 7, 8)]
    lengths = np.array([len(row) for row in rows])
    together = engine.forward(Batch(np.concatenate(rows), lengths, np.arange(4)))
    exact = engine._model.create_infer_request()  # type: ignore[attr-defined]
    for row, found in zip(rows, together, strict=True):
        alone = exact.infer([row[None], np.array([len(row)])])["logits"][0]
        assert np.abs(alone - found).max() <= 1e-6


def test_nothing_is_padded_beyond_what_the_model_reads(tagger: RhetoricTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger._engine, "_longest", 6)
    widths: list[int] = []

    class Request:
        def infer(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
            widths.append(inputs[0].shape[1])
            return {"logits": np.zeros((len(inputs[0]), 12))}

    monkeypatch.setattr(tagger._engine, "_local", SimpleNamespace(request=Request()))
    for length in (3, 4, 5, 6):
        tagger._engine.forward(Batch(np.arange(length), np.array([length]), np.arange(1)))
    assert widths == [4, 4, 6, 6]


def test_a_batch_is_computed_in_shapes_that_come_back(tagger: RhetoricTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    class Request:
        def infer(self, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
            seen.append(inputs[0].shape)
            assert (inputs[1] == 3).all()
            return {"logits": np.repeat(inputs[0][:, 1:2], 12, axis=1)}

    engine = tagger._engine
    monkeypatch.setattr(engine, "_local", SimpleNamespace(request=Request()))
    monkeypatch.setattr(engine, "token_budget", 399)
    for count in range(1, 100):
        ids = np.arange(3 * count)
        logits = engine.forward(Batch(ids, np.full(count, 3), np.arange(count)))
        assert np.array_equal(logits[:, 0], ids[1::3])  # each sequence once, in order
    assert {width for _, width in seen} == {4}
    assert {rows for rows, _ in seen} == {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 99}  # 99 fill the budget


def test_a_broken_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"OpenVINO cannot load .*model_int8.onnx .*engine='onnx'"):
        load_engine(tmp_path, engine="openvino")
