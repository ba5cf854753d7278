"""The torch engine: equal to transformers, to attention written out, and unshaken by a lack of memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rhetoric import ModelError, RhetoricError, RhetoricTagger
from rhetoric.batching import Batch
from rhetoric.engines import load_engine

torch = pytest.importorskip("torch")
from rhetoric.engines.torch import Ragged, TorchEngine, padded_attention  # noqa: E402

ROWS = [[2, 5, 6, 7, 8, 9, 3], [2, 10, 3], [2, 11, 12, 13, 3], [2, 3]]


def batch(rows: list[list[int]]) -> Batch:
    return Batch(np.concatenate(rows), np.array([len(row) for row in rows]), np.arange(len(rows)))


def ragged(*lengths: int) -> Ragged:
    return Ragged(torch.tensor(np.concatenate(([0], np.cumsum(lengths))), dtype=torch.int32), max(lengths))


def computed(folder: Path) -> np.ndarray:
    """Logits of ROWS as transformers computes them."""
    transformers = pytest.importorskip("transformers")
    model = transformers.BertForSequenceClassification(transformers.BertConfig.from_pretrained(folder)).eval()
    from safetensors.torch import load_file

    model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    with torch.inference_mode():
        return np.concatenate([model(torch.tensor([row])).logits.numpy() for row in ROWS])


@pytest.fixture
def engine(tiny_folder: Path) -> TorchEngine:
    loaded = load_engine(tiny_folder, engine="torch", device="cpu", threads=1)
    assert isinstance(loaded, TorchEngine)
    return loaded


def test_it_computes_what_transformers_computes(engine: TorchEngine, tiny_folder: Path, tiny_relu_folder: Path) -> None:
    with_relu = load_engine(tiny_relu_folder, engine="torch", device="cpu", threads=1)
    for folder, loaded in ((tiny_folder, engine), (tiny_relu_folder, with_relu)):
        (found,) = loaded.to_host([loaded.forward(batch(ROWS))])
        assert np.abs(found - computed(folder)).max() < 1e-5


def test_batch_mates_change_no_score(engine: TorchEngine) -> None:
    (together,) = engine.to_host([engine.forward(batch(ROWS))])
    alone = engine.to_host([engine.forward(batch([row])) for row in ROWS])
    assert np.abs(together - np.concatenate(alone)).max() < 1e-5


def test_the_tagger_gets_one_row_a_text_in_order(tiny_folder: Path) -> None:
    tagger = RhetoricTagger.from_pretrained(tiny_folder, engine="torch", device="cpu", token_budget=12)
    texts = ["peace", "we must begin talks .", "they said peace and troops today", "you will not refuse"]
    alone = np.concatenate([tagger.predict_proba([text]) for text in texts])
    assert np.abs(np.diff(alone, axis=0)).max(axis=1).min() > 0.01
    assert np.abs(tagger.predict_proba(texts) - alone).max() < 1e-5


@pytest.mark.parametrize("asking", [(4, 1, 6), (1, 1, 1)])
def test_padded_attention_is_attention_of_each_sequence_alone(asking: tuple[int, ...]) -> None:
    asked, heads, width = (4, 1, 6), 2, 8
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(sum(asking), heads, width, generator=generator)
    key, value = torch.randn(2, sum(asked), heads, width, generator=generator)
    found = padded_attention(query, key, value, ragged(*asking), ragged(*asked))
    expected = []
    for q, k, v in zip(query.split(asking), key.split(asked), value.split(asked), strict=True):
        weights = torch.einsum("qhd,khd->hqk", q, k).div(width**0.5).softmax(-1)
        expected.append(torch.einsum("hqk,khd->qhd", weights, v))
    assert torch.allclose(found, torch.cat(expected), atol=1e-6)


NO_ROOM = [torch.OutOfMemoryError("no room"), RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")]


@pytest.mark.parametrize("error", NO_ROOM, ids=["cuda", "mps"])
def test_too_little_memory_halves_the_batches_and_goes_on(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    (expected,) = engine.to_host([engine.forward(batch(ROWS * 4))])
    sizes: list[int] = []
    compute = engine._compute

    def small(part: Batch) -> object:
        sizes.append(len(part.ids))
        if len(part.ids) > 20:
            raise error
        return compute(part)

    monkeypatch.setattr(engine, "_compute", small)
    (found,) = engine.to_host([engine.forward(batch(ROWS * 4))])
    assert np.abs(found - expected).max() < 1e-5
    failures = sum(size > 20 for size in sizes)
    sizes.clear()
    engine.forward(batch(ROWS * 4))
    assert failures > 0
    assert max(sizes) <= 20  # it has learnt what fits


@pytest.mark.parametrize("error", NO_ROOM, ids=["cuda", "mps"])
def test_no_room_for_one_sequence_is_an_error(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def full(part: Batch) -> object:
        raise error

    monkeypatch.setattr(engine, "_compute", full)
    with pytest.raises(RhetoricError, match=r"cpu has no memory left for one sequence of \d+ tokens; remedy"):
        engine.forward(batch(ROWS))


def test_other_errors_are_not_taken_for_a_lack_of_memory(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(part: Batch) -> object:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(engine, "_compute", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        engine.forward(batch(ROWS))


def test_other_architectures_and_missing_weights_are_named(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"no tensor 'encoder.layer.2"):
        load_engine(folder, engine="torch", device="cpu")
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}), encoding="utf-8")
    with pytest.raises(ModelError, match="'roberta' model"):
        load_engine(folder, engine="torch", device="cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_cuda_agrees_with_the_processor(tiny_folder: Path, engine: TorchEngine, precision: str) -> None:
    there = load_engine(tiny_folder, device="cuda", precision=precision)
    (expected,) = engine.to_host([engine.forward(batch(ROWS))])
    (found,) = there.to_host([there.forward(batch(ROWS))])
    assert np.abs(found - expected).max() < {"float16": 0.02, "bfloat16": 0.2, "float32": 1e-3}[precision]
