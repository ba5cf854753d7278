"""The default engine: ONNX Runtime on the CPU, int8 weights, static activation scales.

One session, single-threaded inside, called from several threads at once: each thread carries whole batches, so
there is no barrier inside a batch, the weights exist once, and a batch is computed the same way however many
threads there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from rhetoric.batching import Batch, Logits
from rhetoric.engines.choice import Choice
from rhetoric.errors import ModelError
from rhetoric.model_folder import ONNX_FILE

__all__ = ["ENGINE", "OnnxEngine"]


class OnnxEngine:
    """Runs `onnx/model_int8.onnx` of a model folder.

    Args:
        folder: A verified model folder.
        choice: Threads, which are batches computed at once, and token budget.

    Raises:
        ModelError: The graph is missing or ONNX Runtime cannot load it.
    """

    name = "onnx"
    length_step = 1

    def __init__(self, folder: Path, choice: Choice) -> None:
        self.workers: int = choice.threads
        self.token_budget: int = choice.token_budget
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # The graph is written in its final form; optimising again would only delay the first label.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # Without the arena, memory follows the batch in hand instead of the largest shape ever seen.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        path = folder / ONNX_FILE
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(
                f"ONNX Runtime cannot load {path} ({reason}); remedy: install or export the model again"
            ) from error

    def forward(self, batch: Batch) -> Logits:
        """Logits (sequences, labels) of sequences of one length."""
        ids = batch.ids.reshape(len(batch.sequences), -1)
        return np.asarray(self._session.run(["logits"], {"input_ids": ids})[0], np.float32)

    def to_host(self, results: Sequence[Logits]) -> list[Logits]:
        """The results: they are on the host already."""
        return list(results)


ENGINE = OnnxEngine
