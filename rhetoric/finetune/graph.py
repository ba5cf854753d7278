"""Builds the ONNX graph of a BERT sequence classifier, in float or in int8.

Written node by node instead of traced, for four reasons: activations get *static* scales, so a sentence's
scores cannot depend on the other sentences in its batch; every row of a batch has the same length, so there is
no padding and no mask; the last layer is computed for the [CLS] position alone, the only one the classifier
reads (exact, and about a seventh of the work of a six-layer model); and the nodes are ONNX Runtime's fused
ones, so nothing is left to optimise when a session starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from rhetoric.finetune.quantise import Quantised

__all__ = ["BertShape", "build_graph", "linear_weight", "matmul_names"]

OPSET = 23
CONTRIB = "com.microsoft"
# The matrix products of a layer, and what they are called in a BERT checkpoint.
SOURCES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
}

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes of a BERT encoder that the graph needs."""

    layers: int
    hidden: int
    heads: int
    epsilon: float
    activation: str


@dataclass
class GraphBuilder:
    """Collects nodes and constants; every method returns the name of the value it adds."""

    weights: Mapping[str, Array]
    quantised: Mapping[str, Quantised]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    matmul_inputs: dict[str, str] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)

    def node(self, op: str, inputs: list[str], name: str, domain: str = "", **attributes: Any) -> str:
        """Adds a node whose single output has the node's own name."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, domain=domain, **attributes))
        self.added.add(name)
        return name

    def constant(self, name: str, value: Array) -> str:
        """Adds an initialiser once."""
        self.constants.setdefault(name, np.ascontiguousarray(value))
        return name

    def matmul(self, x: str, name: str, *, into: str = "", divided: bool = False) -> str:
        """The matrix product `name` of a layer.

        Args:
            x: What it multiplies.
            name: What it is called.
            into: The product that reads this one's result, channel by channel; the result comes divided as that one
                wants it.
            divided: Whether x comes so.
        """
        return self.linear(x, _source(name), name, self._divisor(into), divided=divided)

    def linear(self, x: str, prefix: str, name: str, divisor: Array | float = 1.0, *, divided: bool = False) -> str:
        """`(x @ weight.T + bias) / divisor`, in int8 where `name` is to be quantised, else in float."""
        bias = self.constant(f"{name}.bias", (self.weights[f"{prefix}.bias"] / divisor).astype(np.float32))
        self.matmul_inputs[name] = x
        if name not in self.quantised:
            scaled = (self.weights[f"{prefix}.weight"].T / divisor).astype(np.float32)
            weight = self.constant(f"{name}.weight", scaled)
            return self.node("Add", [self.node("MatMul", [x, weight], f"{name}.product"), bias], name)
        how = self.quantised[name]
        a_scale = self.constant(f"{x}.scale", np.array(how.scale, np.float32))
        a_zero = self.constant(f"{x}.zero", np.array(how.zero, np.uint8))
        u8 = f"{x}.u8"
        if u8 not in self.added:
            even = x if divided else self._even(x, how)
            self.node("QuantizeLinear", [even, a_scale, a_zero], u8)
        inputs = [
            u8,
            self.constant(f"{name}.weight", how.weight),
            a_scale,
            self.constant(f"{name}.weight_scale", (how.steps / divisor).astype(np.float32)),
            a_zero,
            self.constant(f"{name}.weight_zero", np.zeros(len(how.steps), np.int8)),
            bias,
        ]
        if not len(how.outliers):
            return self.node("MatMulIntegerToFloat", inputs, name, domain=CONTRIB)
        product = self.node("MatMulIntegerToFloat", inputs, f"{name}.int8", domain=CONTRIB)
        far = f"{x}.far"
        if far not in self.added:
            gathered = f"{x}.outlying" if divided else far
            outliers = self.constant(f"{x}.outliers", how.outliers.astype(np.int64))
            self.node("Gather", [x, outliers], gathered, axis=-1)
            if divided:  # the input of relu: of what comes divided, only that has outlying channels
                self.node("Relu", [gathered], far)
        weight = self.constant(f"{name}.far_weight", self.weights[f"{prefix}.weight"].T[how.outliers])
        return self.node("Add", [product, self.node("MatMul", [far, weight], f"{name}.far")], name)

    def add_norm(self, x: str, skip: str, prefix: str, name: str, epsilon: float) -> str:
        """Layer normalisation of the sum of two values."""
        gamma = self.constant(f"{name}.gamma", self.weights[f"{prefix}.weight"])
        beta = self.constant(f"{name}.beta", self.weights[f"{prefix}.bias"])
        # Two nodes: ONNX Runtime's fused SkipLayerNormalization took six times as long as this pair.
        summed = self.node("Add", [x, skip], f"{name}.sum")
        return self.node("LayerNormalization", [summed, gamma, beta], name, axis=-1, epsilon=epsilon)

    def embed(self, ids: str, epsilon: float, *, int8: bool) -> str:
        """Word, position and segment embeddings, summed and normalised."""
        words = self.weights["embeddings.word_embeddings.weight"]
        if int8:  # one scale a word: the table is half of the file, and rows differ in size
            row_scale = np.maximum(np.abs(words).max(axis=1, keepdims=True), 1e-8) / 127
            table = self.constant("words", np.rint(words / row_scale).astype(np.int8))
            rows = self.node("Cast", [self.node("Gather", [table, ids], "word.s8")], "word.float", to=TensorProto.FLOAT)
            row = self.node("Gather", [self.constant("words.scale", row_scale.astype(np.float32)), ids], "word.scale")
            word = self.node("Mul", [rows, row], "word")
        else:
            word = self.node("Gather", [self.constant("words", words), ids], "word")
        places = self.weights["embeddings.position_embeddings.weight"]
        segment = self.weights["embeddings.token_type_embeddings.weight"][:1]  # one text: always segment 0
        length = self.node("Slice", [self.node("Shape", [ids], "shape"), *self._indices("one", 1, 2)], "length")
        table = self.constant("positions", (places + segment)[None])
        place = self.node("Slice", [table, self._index("zero", 0), length, self._index("one.start", 1)], "place")
        summed = self.node("Add", [word, place], "embedded")
        gamma = self.constant("embeddings.gamma", self.weights["embeddings.LayerNorm.weight"])
        beta = self.constant("embeddings.beta", self.weights["embeddings.LayerNorm.bias"])
        return self.node("LayerNormalization", [summed, gamma, beta], "hidden", axis=-1, epsilon=epsilon)

    def _even(self, x: str, how: Quantised) -> str:
        """`x`, divided channel by channel as `how` wants it; outlying channels become 0."""
        return self.node("Mul", [x, self.constant(f"{x}.smooth", (1 / how.smooth).astype(np.float32))], f"{x}.even")

    def _divisor(self, name: str) -> Array | float:
        """What a product divides its input by, channel by channel; 1 for what it multiplies in float."""
        if name not in self.quantised:
            return 1.0
        smooth = self.quantised[name].smooth
        return np.where(np.isinf(smooth), 1.0, smooth)

    def first(self, x: str, name: str) -> str:
        """The [CLS] position of every row, keeping the axis: (n, length, h) → (n, 1, h)."""
        return self.node(
            "Slice",
            [x, self._index("zero", 0), self._index("one.start", 1), self._index("one.start", 1)],
            name,
        )

    def _index(self, name: str, value: int) -> str:
        return self.constant(f"index.{name}", np.array([value], np.int64))

    def _indices(self, name: str, start: int, stop: int) -> list[str]:
        return [self._index(f"{name}.start", start), self._index(f"{name}.stop", stop)]


def matmul_names(shape: BertShape) -> list[str]:
    """Names of the matrix products that can run in int8, in the order of the graph."""
    return [f"layer{i}.{part}" for i in range(shape.layers) for part in SOURCES]


def linear_weight(weights: Mapping[str, Array], name: str) -> Array:
    """Weight (inputs, outputs) behind a matrix product."""
    weight: Array = weights[f"{_source(name)}.weight"].T
    return weight


def _source(name: str) -> str:
    """Name of a matrix product in the checkpoint."""
    layer, part = name.removeprefix("layer").split(".")
    return f"encoder.layer.{layer}.{SOURCES[part]}"


def build_graph(
    weights: Mapping[str, Array],
    shape: BertShape,
    *,
    quantised: Mapping[str, Quantised],
    int8_words: bool,
    taps: Collection[str] = (),
) -> tuple[onnx.ModelProto, dict[str, str]]:
    """Builds the graph `input_ids` (n, length) int64 → `logits` (n, labels) float32.

    Args:
        weights: Tensors of a `BertForSequenceClassification`, names without the `bert.` prefix.
        shape: Sizes of the encoder.
        quantised: The matrix products that run in int8; the others stay in float.
        int8_words: Store the word embeddings in int8, one scale a word.
        taps: Values to return beside the logits (to observe activations).

    Returns:
        The model, and the name of the value that feeds each matrix product.
    """
    g = GraphBuilder(weights, quantised)
    hidden = g.embed("input_ids", shape.epsilon, int8=int8_words)
    for i in range(shape.layers):
        source, name = f"encoder.layer.{i}", f"layer{i}"
        query_side = g.first(hidden, f"{name}.cls") if i == shape.layers - 1 else hidden
        query = g.matmul(query_side, f"{name}.query")
        key = g.matmul(hidden, f"{name}.key")
        # an attention is a mean over positions, so channels that are divided before it are divided behind it
        value = g.matmul(hidden, f"{name}.value", into=f"{name}.attended")
        heads = shape.heads
        context = g.node("Attention", [query, key, value], f"{name}.context", q_num_heads=heads, kv_num_heads=heads)
        attended = g.matmul(context, f"{name}.attended", divided=True)
        middle = g.add_norm(
            attended, query_side, f"{source}.attention.output.LayerNorm", f"{name}.middle", shape.epsilon
        )
        if shape.activation == "relu":
            wide = g.matmul(middle, f"{name}.wide", into=f"{name}.narrow")
            # the least number in int8 stands for 0, so that rounding is relu
            active = wide if f"{name}.narrow" in quantised else g.node("Relu", [wide], f"{name}.active")
            narrow = g.matmul(active, f"{name}.narrow", divided=True)
        else:
            wide = g.matmul(middle, f"{name}.wide")
            narrow = g.matmul(g.node("Gelu", [wide], f"{name}.active", domain=CONTRIB), f"{name}.narrow")
        hidden = g.add_norm(narrow, middle, f"{source}.output.LayerNorm", f"{name}.hidden", shape.epsilon)
    pooled = g.node("Tanh", [g.linear(hidden, "pooler.dense", "pooler")], "pooled")
    flat = g.node("Squeeze", [pooled, g.constant("index.axis", np.array([1], np.int64))], "cls")
    g.node("Identity", [g.linear(flat, "classifier", "classifier")], "logits")
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", "labels"])]
    outputs += [helper.make_tensor_value_info(tap, TensorProto.FLOAT, None) for tap in taps]
    graph = helper.make_graph(
        g.nodes,
        "rhetoric",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "length"])],
        outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in g.constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="rhetoric", ir_version=10)
    return model, g.matmul_inputs
