"""The default engine: ONNX Runtime on the CPU, int8 weights, static activation scales.

One session, single-threaded inside, called from several threads at once: each thread carries whole batches, so
there is no barrier inside a batch, the weights exist once, and a batch is computed the same way however many
threads there are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rhetoric.batching import Batch, Logits
from rhetoric.errors import ModelError
from rhetoric.machine import usable_cores
from rhetoric.model_folder import ONNX_FILE

__all__ = ["OnnxEngine"]


class OnnxEngine:
    """Runs `onnx/model_int8.onnx` of a model folder.

    Args:
        folder: A verified model folder.
        threads: Batches computed at once; None for every usable core.

    Raises:
        ModelError: The graph is missing or ONNX Runtime cannot load it.
    """

    name = "onnx"
    equal_lengths = True
    # A batch's widest activation (budget * 1536 floats, 3 MB) then stays near the core that works on it.
    token_budget = 512

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        import onnxruntime

        self.workers = threads or usable_cores()
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
