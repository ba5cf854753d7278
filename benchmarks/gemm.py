"""The processor's own int8 peak in ONNX Runtime, and the work in one of our sentences."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

# rows, inputs, outputs: our two widest products with many rows, and a large square
SHAPES = ((4096, 384, 1536), (4096, 1536, 384), (1024, 384, 1536), (2048, 2048, 2048))
SECONDS = 0.5


def multiply_adds(lengths: npt.NDArray[np.int64], *, layers: int, hidden: int, wide: int, labels: int) -> int:
    """Multiply-adds of our exact forward over sentences of these lengths: the last layer for [CLS] alone."""
    n = int(lengths.sum())
    squares = int((lengths**2).sum())
    whole = (layers - 1) * (n * (4 * hidden**2 + 2 * hidden * wide) + 2 * hidden * squares)
    last = n * 2 * hidden**2 + len(lengths) * (2 * hidden**2 + 2 * hidden * wide) + 2 * hidden * n
    return whole + last + len(lengths) * (hidden**2 + hidden * labels)


@dataclass
class Int8Peak:
    """Measured like a contender: a round gives the best rate of all shapes (multiply-adds a second)."""

    threads: int
    name: str = "int8 peak"
    setting: str = ""
    step: int = 1
    rates: list[float] = field(default_factory=list)
    sessions: list[Any] = field(default_factory=list, init=False, repr=False)

    def load(self) -> None:
        """Builds a MatMulInteger graph a shape."""
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        rng = np.random.default_rng(0)
        for rows, inputs, outputs in SHAPES:
            weight = rng.integers(-63, 64, (inputs, outputs)).astype(np.int8)
            graph = helper.make_graph(
                [helper.make_node("MatMulInteger", ["a", "b", "zero"], ["c"])],
                "gemm",
                [helper.make_tensor_value_info("a", TensorProto.UINT8, [rows, inputs])],
                [helper.make_tensor_value_info("c", TensorProto.INT32, [rows, outputs])],
                [
                    onnx.numpy_helper.from_array(weight, "b"),
                    onnx.numpy_helper.from_array(np.array(128, np.uint8), "zero"),
                ],
            )
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
            session = onnxruntime.InferenceSession(model.SerializeToString(), options)
            self.sessions.append((session, rng.integers(0, 256, (rows, inputs)).astype(np.uint8), outputs))

    def tune(self, texts: Sequence[str]) -> None:
        """Nothing to set."""

    def score(self, texts: Sequence[str]) -> None:
        """A round: each shape for half a second; a single text is the round of a latency, and skipped."""
        if len(texts) == 1:
            return
        best = 0.0
        for session, a, outputs in self.sessions:
            done, start = 0, time.perf_counter()
            while time.perf_counter() - start < SECONDS:
                session.run(None, {"a": a})
                done += 1
            best = max(best, done * a.size * outputs / (time.perf_counter() - start))
        self.rates.append(best)
        self.setting = f"{float(np.median(self.rates)):.6g}"

    def decisions(self, scores: object) -> None:
        """None: it decides nothing."""

    def computed_tokens(self, lengths: npt.NDArray[np.int64]) -> None:
        """None: it reads none."""
