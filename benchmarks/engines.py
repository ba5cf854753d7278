"""Engines and models beside each other on this machine, and what an engine's time goes into.

    python benchmarks/engines.py [MODEL …]              # sentences a second, each engine with each model, in turn
    python benchmarks/engines.py [MODEL] --operators    # share of each kind of operator, ONNX Runtime, one thread

Without MODEL, the bundled one. Engines are measured in processes of their own: the waiting threads of one would take
processor time from another.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

from rhetoric.bench.contenders import Rhetoric
from rhetoric.bench.measure import measure, token_counts
from rhetoric.bench.sentences import sentences
from rhetoric.engines.choice import openvino_fits
from rhetoric.machine import processor, usable_cores
from rhetoric.model_folder import ONNX_FILE, locate_model, read_model_folder

TOKENS = 512  # about what the engine computes at once


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--count", type=int, default=2000, help="sentences")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--operators", action="store_true")
    options = parser.parse_args()
    folders = [locate_model(model) for model in options.models or [None]]
    texts = list(sentences(options.count))
    print(f"{processor().model}, {usable_cores()} threads, {len(texts)} generated sentences\n")
    if options.operators:
        print_operators(folders[0], texts)
        return
    engines = ["onnx", *(["openvino"] if openvino_fits() else [])]
    ways = [Rhetoric(folder, None, engine, name=f"{folder.name}, {engine}") for folder in folders for engine in engines]
    for row in measure(ways, texts, token_counts(folders[0], texts), rounds=options.rounds):
        rates = sorted(row.sentences / seconds for seconds in row.seconds)
        speed = f"{row.sentences_per_second:.0f} sentences/s ({rates[0]:.0f} to {rates[-1]:.0f})"
        print(f"{row.name}: {speed}, at most {row.peak_mb or np.nan:.0f} MB")


def print_operators(folder: Path, texts: list[str]) -> None:
    """Prints how the time of the graph is shared among its kinds of operators."""
    lengths = np.minimum(token_counts(folder, texts), read_model_folder(folder).max_tokens)
    spent: Counter[str] = Counter()
    with TemporaryDirectory(prefix="rhetoric-operators-") as work:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # as the engine has it
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(work) / "trace")
        session = onnxruntime.InferenceSession(str(folder / ONNX_FILE), options, providers=["CPUExecutionProvider"])
        for length in lengths:
            ids = np.full((max(1, TOKENS // length), length), 1000, np.int64)
            session.run(["logits"], {"input_ids": ids})
        trace = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    for event in trace:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    for operator, microseconds in spent.most_common(8):
        print(f"{operator}: {microseconds / spent.total():.0%}")


if __name__ == "__main__":
    main()
