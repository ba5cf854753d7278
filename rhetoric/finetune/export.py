"""From a transformers folder to the int8 ONNX graph, with its parity measured.

Activation scales are static: what every channel carries is observed once on training texts, then written into the
graph. BERT's [CLS] position carries a few activations ten times larger than all others; they are evened out between
activations and weights (see `quantise.py`) instead of being clipped.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rhetoric.errors import InputError
from rhetoric.finetune.config import Activation
from rhetoric.finetune.graph import BertShape, build_graph, linear_weight, matmul_names
from rhetoric.finetune.quantise import Observed, Quantised, quantise
from rhetoric.model_folder import ONNX_FILE

__all__ = ["Parity", "bert_shape", "export_onnx"]

Array = npt.NDArray[Any]

# Positions of a text, beside the first, that stand for it when ways to scale are compared.
SAMPLED = 8


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the int8 graph is from the float weights, on texts not used to set its scales.

    Attributes:
        texts: Number of texts compared.
        mean_difference: Mean absolute difference of a logit.
        max_difference: Largest absolute difference of a logit.
        float_layers: Matrix products kept in float.
    """

    texts: int
    mean_difference: float
    max_difference: float
    float_layers: tuple[str, ...]


def export_onnx(
    folder: Path,
    *,
    calibration_texts: Sequence[str],
    parity_texts: Sequence[str],
    max_tokens: int,
    float_layers: Collection[str] = (),
) -> Parity:
    """Writes `onnx/model_int8.onnx` from the float weights of a folder.

    Args:
        folder: Transformers folder of a `BertForSequenceClassification` with tokenizer.json.
        calibration_texts: Texts that set the activation ranges; a few hundred are enough.
        parity_texts: Other texts, to measure the difference on.
        max_tokens: Longest sequence, special tokens included.
        float_layers: Matrix products (`matmul_names`) to keep in float.

    Returns:
        The measured parity.

    Raises:
        InputError: The folder holds another architecture, or a name in `float_layers` is unknown.
    """
    shape = bert_shape(folder)
    names = matmul_names(shape)
    for name in float_layers:
        if name not in names:
            raise InputError(f"unknown layer {name!r}; remedy: one of {', '.join(names[:6])}, …")
    weights = _weights(folder)
    places = "embeddings.position_embeddings.weight"
    weights[places] = weights[places][:max_tokens]  # no longer sequence is ever scored
    plain, feeds = build_graph(weights, shape, quantised={}, int8_words=False)
    fed_by: dict[str, list[str]] = {}
    for name in names:
        fed_by.setdefault(feeds[name], []).append(name)
    seen = _observe(weights, shape, list(fed_by), _encode(folder, calibration_texts, max_tokens))
    quantised: dict[str, Quantised] = {}
    for tap, fed in fed_by.items():
        wanted = {name: linear_weight(weights, name) for name in fed if name not in float_layers}
        quantised |= quantise(seen[tap], wanted) if wanted else {}
    model, _ = build_graph(weights, shape, quantised=quantised, int8_words=True)
    target = folder / ONNX_FILE
    target.parent.mkdir(exist_ok=True)
    onnx.save(model, str(target))
    sequences = _encode(folder, parity_texts, max_tokens)
    gap = np.abs(_logits(model, sequences) - _logits(plain, sequences))
    return Parity(len(sequences), float(gap.mean()), float(gap.max()), tuple(sorted(float_layers)))


def bert_shape(folder: Path) -> BertShape:
    """Reads the sizes of the encoder from config.json.

    Args:
        folder: Transformers folder.

    Raises:
        InputError: It is another architecture than BERT with gelu or relu.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] != "bert" or config["hidden_act"] not in get_args(Activation):
        raise InputError(
            f"{folder} is a {config['model_type']!r} model with {config.get('hidden_act')!r} activation; the int8 "
            f"graph is written for BERT with {' or '.join(get_args(Activation))}; "
            "remedy: start from a BERT or MiniLM base"
        )
    return BertShape(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
        activation=config["hidden_act"],
    )


def _weights(folder: Path) -> dict[str, Array]:
    tensors = load_file(folder / "model.safetensors")
    return {name.removeprefix("bert."): tensor.astype(np.float32) for name, tensor in tensors.items()}


def _encode(folder: Path, texts: Sequence[str], max_tokens: int) -> list[Array]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return [np.array([encoding.ids], np.int64) for encoding in tokenizer.encode_batch_fast(list(texts))]


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _observe(
    weights: Mapping[str, Array], shape: BertShape, taps: Sequence[str], sequences: Sequence[Array]
) -> dict[str, Observed]:
    """What each tap carries over all sequences."""
    model, _ = build_graph(weights, shape, quantised={}, int8_words=False, taps=taps)
    session, rng = _session(model), np.random.default_rng(0)
    seen: dict[str, Observed] = {}
    samples: dict[str, list[Array]] = {tap: [] for tap in taps}
    for ids in sequences:
        for tap, value in zip(taps, session.run(list(taps), {"input_ids": ids}), strict=True):
            positions = value.reshape(-1, value.shape[-1])
            samples[tap].append(positions[np.r_[0, rng.integers(0, len(positions), SAMPLED)]])
            if tap not in seen:
                none = np.zeros(positions.shape[1], np.float32)
                seen[tap] = Observed(none, none, np.zeros((len(none), len(none)), np.float32), positions[:0])
            own = seen[tap]
            own.low, own.high = np.minimum(own.low, positions.min(axis=0)), np.maximum(own.high, positions.max(axis=0))
            own.moments += positions.T @ positions
    for tap, own in seen.items():
        own.sample = np.concatenate(samples[tap])
    return seen


def _logits(model: onnx.ModelProto, sequences: Sequence[Array]) -> Array:
    session = _session(model)
    return np.concatenate([session.run(["logits"], {"input_ids": ids})[0] for ids in sequences])
