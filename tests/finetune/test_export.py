"""The hand-built graph computes what transformers computes, and int8 stays near it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from rhetoric import InputError
from rhetoric.finetune.export import _logits, _weights, bert_shape, export_onnx
from rhetoric.finetune.graph import build_graph, matmul_names
from rhetoric.finetune.quantise import LEVELS
from rhetoric.model_folder import ONNX_FILE
from tests.conftest import MAX_TOKENS, WORDS

TEXTS = [" ".join(np.random.default_rng(i).choice(WORDS, i % 12 + 1)) for i in range(60)]

IDS = np.arange(4, 24)[None]


@pytest.fixture(params=["gelu", "relu"])
def folder(request: pytest.FixtureRequest, tiny_folder: Path, tiny_relu_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder if request.param == "gelu" else tiny_relu_folder, tmp_path / "model"))


def test_float_graph_equals_transformers(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    graph, _ = build_graph(_weights(folder), bert_shape(folder), quantised={}, int8_words=False)
    rng = np.random.default_rng(0)
    for length in (2, 3, 17, MAX_TOKENS):
        ids = rng.integers(4, 60, (5, length))
        with torch.inference_mode():
            expected = model(input_ids=torch.tensor(ids)).logits.numpy()
        assert np.allclose(_logits(graph, [ids]), expected, atol=1e-5)


def test_int8_is_near_full_precision(folder: Path) -> None:
    parity = export_onnx(folder, calibration_texts=TEXTS[:40], parity_texts=TEXTS[40:], max_tokens=MAX_TOKENS)
    graph, _ = build_graph(_weights(folder), bert_shape(folder), quantised={}, int8_words=False)
    spread = float(_logits(graph, [IDS]).std())
    assert parity.texts == 20
    assert 0 < parity.mean_difference < 0.1 * spread
    assert parity.float_layers == ()


def test_layers_can_be_kept_in_float(folder: Path) -> None:
    options = {"calibration_texts": TEXTS, "parity_texts": TEXTS, "max_tokens": MAX_TOKENS}
    names = matmul_names(bert_shape(folder))
    assert len(names) == 12
    every = export_onnx(folder, **options, float_layers=names)  # type: ignore[arg-type]
    none = export_onnx(folder, **options)  # type: ignore[arg-type]
    assert every.float_layers == tuple(sorted(names))
    assert every.mean_difference < none.mean_difference
    with pytest.raises(InputError, match=r"unknown layer 'layer9\.wide'"):
        export_onnx(folder, **options, float_layers=["layer9.wide"])  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", ["attended", "narrow", "value", "wide"])
def test_what_one_product_divides_another_makes_up_for(folder: Path, kept: str) -> None:
    """Divided channels run from one product into the next, also where one of the two stays in float."""
    options = {"calibration_texts": TEXTS, "parity_texts": TEXTS, "max_tokens": MAX_TOKENS}
    float_layers = [f"layer{i}.{kept}" for i in range(2)]
    parity = export_onnx(folder, **options, float_layers=float_layers)  # type: ignore[arg-type]
    graph, _ = build_graph(_weights(folder), bert_shape(folder), quantised={}, int8_words=False)
    assert 0 < parity.mean_difference < 0.1 * float(_logits(graph, [IDS]).std())


def test_rounding_is_relu(tiny_relu_folder: Path) -> None:
    nodes = onnx.load(str(tiny_relu_folder / "onnx" / "model_int8.onnx")).graph.node
    for i in range(2):
        readers = {node.op_type for node in nodes if f"layer{i}.wide" in node.input}
        assert "QuantizeLinear" in readers
        assert readers <= {"QuantizeLinear", "Gather"}  # no node for all channels between the two products


def test_an_outlying_channel_behind_relu_counts(tiny_relu_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_relu_folder, tmp_path / "model"))
    tensors = load_file(folder / "model.safetensors")
    for i in range(2):  # one channel thirty times as large, which the next product undoes
        layer = f"bert.encoder.layer.{i}"
        for name in (f"{layer}.intermediate.dense.weight", f"{layer}.intermediate.dense.bias"):
            tensors[name][3] *= 30
        tensors[f"{layer}.output.dense.weight"][:, 3] /= 30
    save_file(tensors, folder / "model.safetensors")
    parity = export_onnx(folder, calibration_texts=TEXTS[:40], parity_texts=TEXTS[40:], max_tokens=MAX_TOKENS)
    graph = onnx.load(str(folder / "onnx" / "model_int8.onnx")).graph
    assert [3] in [onnx.numpy_helper.to_array(t).tolist() for t in graph.initializer if t.name.endswith("outliers")]
    assert parity.mean_difference < 0.1 * float(_logits(onnx.load(str(folder / ONNX_FILE)), [IDS]).std())


def test_weights_leave_room_for_16_bit_sums(folder: Path) -> None:
    """Two products of a u8 and a weight must fit 16 bits, or processors without VNNI compute nonsense."""
    graph = onnx.load(str(folder / "onnx" / "model_int8.onnx")).graph
    weights = [onnx.numpy_helper.to_array(t) for t in graph.initializer if t.name.endswith(".weight")]
    int8 = [weight for weight in weights if weight.dtype == np.int8]
    assert len(int8) == 12
    assert all(255 * 2 * np.abs(weight.astype(int)).max() <= np.iinfo(np.int16).max for weight in int8)
    assert max(np.abs(weight.astype(int)).max() for weight in int8) == LEVELS


def test_no_scale_is_computed_from_the_batch(folder: Path) -> None:
    graph = onnx.load(str(folder / "onnx" / "model_int8.onnx")).graph
    operators = {node.op_type for node in graph.node}
    assert "DynamicQuantizeLinear" not in operators
    assert "MatMulIntegerToFloat" in operators


def test_other_architectures_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "deberta"}))
    with pytest.raises(InputError, match="'deberta' model"):
        export_onnx(folder, calibration_texts=TEXTS, parity_texts=TEXTS, max_tokens=MAX_TOKENS)
