"""The same int8 graph in OpenVINO, for processors where it is faster; extra `[openvino]`.

OpenVINO reads ONNX Runtime's fused nodes and turns them into its own, int8 products included. As in the default
engine a batch is computed by one thread, with as many streams as threads. Where the processor has bfloat16 OpenVINO
keeps activations between the products in it, which gains a twentieth and moves logits no further from the float
weights' than int8 alone does.

OpenVINO prepares its kernels for each new shape, which takes as long as computing a batch of it, and remembers them,
in several hundred kilobytes each. So that shapes are few, lengths are rounded up to a multiple of 4, which pads a
twentieth; what is padded is masked, so its share in an attention is exactly 0, and a sentence's length alone says how
far it is padded: it meets the same arithmetic whoever its neighbours are. And a batch that does not fill its budget is
computed in parts of 1, 2, 3, 4, 6, 8, 12, 16 … sequences; full ones of a length have one size.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.batching import Batch, Logits
from rhetoric.engines.choice import Choice
from rhetoric.errors import ModelError, require
from rhetoric.model_folder import ONNX_FILE

__all__ = ["ENGINE", "OpenvinoEngine"]

MASKED = -1e9  # added to what a position that is padding would weigh: its exponential is 0 in float32


class OpenvinoEngine:
    """Runs `onnx/model_int8.onnx` of a model folder with OpenVINO.

    Args:
        folder: A verified model folder.
        choice: Threads, which are batches computed at once, and token budget.

    Raises:
        ExtraError: OpenVINO is not installed.
        ModelError: The graph is missing or OpenVINO cannot compile it.
    """

    name = "openvino"
    length_step = 4

    def __init__(self, folder: Path, choice: Choice) -> None:
        openvino = require("openvino", extra="openvino")
        self.workers: int = choice.threads
        self.token_budget: int = choice.token_budget
        self._local = threading.local()
        path = folder / ONNX_FILE
        settings = {"INFERENCE_NUM_THREADS": choice.threads, "NUM_STREAMS": choice.threads}
        try:
            core = openvino.Core()
            graph, self._longest = _masked(core.read_model(str(path)))
            self._model = core.compile_model(graph, "CPU", settings)
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
            raise ModelError(f"OpenVINO cannot load {path} ({reason}); remedy: use engine='onnx'") from error

    def forward(self, batch: Batch) -> Logits:
        """Logits (sequences, labels) of sequences whose lengths round up to the same."""
        if not hasattr(self._local, "request"):
            self._local.request = self._model.create_infer_request()
        lengths = batch.lengths
        width = min(-(-int(lengths.max()) // self.length_step) * self.length_step, self._longest)
        ids = np.zeros((len(lengths), width), np.int64)
        ids[np.arange(width) < lengths[:, None]] = batch.ids
        full = ids.size + width > self.token_budget
        parts = []
        while len(ids):
            size = len(ids) if full else _usual_size(len(ids))
            parts.append(np.array(self._local.request.infer([ids[:size], lengths[:size]])["logits"], np.float32))
            ids, lengths = ids[size:], lengths[size:]
        return np.concatenate(parts)

    def to_host(self, results: Sequence[Logits]) -> list[Logits]:
        """The results: they are on the host already."""
        return list(results)


def _masked(model: Any) -> tuple[Any, int]:
    """The model with a second input, the length of each sequence, beyond which no attention goes.

    Returns:
        The model, `input_ids` (n, width) and `lengths` (n,) → `logits`; and how wide `input_ids` may be.
    """
    from openvino import Model
    from openvino import opset13 as ops

    nodes = {node.friendly_name: node for node in model.get_ordered_ops()}
    ids = model.input(0)
    lengths = ops.parameter([-1], np.int64, name="lengths")
    width = ops.gather(ops.shape_of(ids), np.int64(1), np.int64(0))
    places = ops.range(np.int64(0), width, np.int64(1), output_type="i64")
    beyond = ops.greater_equal(places, ops.unsqueeze(lengths, np.int64(1)))
    mask = ops.select(beyond, np.float32(MASKED), np.float32(0))
    mask = ops.unsqueeze(mask, np.array([1, 2], np.int64))  # (n, heads, queries, width), for all heads and queries
    for node in nodes.values():
        if node.get_type_name() == "ScaledDotProductAttention":
            parts = [node.input(i).get_source_output() for i in range(3)]
            masked = ops.scaled_dot_product_attention(*parts, mask, causal=False)
            for user in node.output(0).get_target_inputs():
                user.replace_source_output(masked.output(0))
    longest = int(nodes["positions"].output(0).shape[1])
    return Model(model.get_results(), [*model.get_parameters(), lengths], "rhetoric"), longest


def _usual_size(count: int) -> int:
    """The largest number up to `count` of two binary digits and zeros."""
    zeros = max(0, count.bit_length() - 2)
    return count >> zeros << zeros


ENGINE = OpenvinoEngine
