"""The same int8 graph in OpenVINO, for processors where it is faster; extra `[openvino]`.

OpenVINO reads ONNX Runtime's fused nodes and turns them into its own, int8 products included. As in the default
engine a batch has one length and is computed by one thread, with as many streams as threads: no padding and no
mask, and a sentence meets the same arithmetic whoever its neighbours are. Activations between the products stay
in float32, as bfloat16, OpenVINO's own choice where the processor has it, moves logits three times as far.

OpenVINO prepares its kernels for each new shape, which takes as long as computing a batch of it, and remembers them.
So that shapes come back, a batch that does not fill its budget is computed in parts of 1, 2, 3, 4, 6, 8, 12, 16 …
sequences; full ones of a length have one size.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rhetoric.batching import Batch, Logits
from rhetoric.engines.choice import Choice
from rhetoric.errors import ModelError, require
from rhetoric.model_folder import ONNX_FILE

__all__ = ["ENGINE", "OpenvinoEngine"]


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
    equal_lengths = True

    def __init__(self, folder: Path, choice: Choice) -> None:
        openvino = require("openvino", extra="openvino")
        self.workers: int = choice.threads
        self.token_budget: int = choice.token_budget
        self._local = threading.local()
        path = folder / ONNX_FILE
        settings = {
            "INFERENCE_NUM_THREADS": choice.threads,
            "NUM_STREAMS": choice.threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        try:
            self._model = openvino.Core().compile_model(str(path), "CPU", settings)
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
            raise ModelError(f"OpenVINO cannot load {path} ({reason}); remedy: use engine='onnx'") from error

    def forward(self, batch: Batch) -> Logits:
        """Logits (sequences, labels) of sequences of one length."""
        if not hasattr(self._local, "request"):
            self._local.request = self._model.create_infer_request()
        left = batch.ids.reshape(len(batch.sequences), -1)
        full = left.size + left.shape[1] > self.token_budget
        parts = []
        while len(left):
            size = len(left) if full else _usual_size(len(left))
            parts.append(np.array(self._local.request.infer([left[:size]])["logits"], np.float32))
            left = left[size:]
        return np.concatenate(parts)

    def to_host(self, results: Sequence[Logits]) -> list[Logits]:
        """The results: they are on the host already."""
        return list(results)


def _usual_size(count: int) -> int:
    """The largest number up to `count` of two binary digits and zeros."""
    zeros = max(0, count.bit_length() - 2)
    return count >> zeros << zeros


ENGINE = OpenvinoEngine
