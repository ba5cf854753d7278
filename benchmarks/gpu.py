"""Sentences a second on a GPU, side by side on the same weights, and what limits this library there.

    python benchmarks/gpu.py                                    # all contenders on cuda
    python benchmarks/gpu.py --device cpu --count 500 --rounds 1   # does it run at all?

Contenders: this library in bf16 and fp16, on ragged rows and on padded ones; the transformers pipeline and
sentence-transformers in half precision at their best batch sizes. Each has a process of its own and takes its turn
in every round; medians. Then, alone: tokenising with 1, 2, 4, … threads, the engine on sentences tokenised before,
and the share of the time in which the GPU computes. Needs the extra [train]; sentence-transformers where installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from peers import Logits, SortedSentenceTransformer

import rhetoric.engines.torch as torch_engine
from rhetoric import RhetoricTagger
from rhetoric.bench.contenders import Rhetoric, TransformersPipeline, fastest_size
from rhetoric.bench.measure import Contender, measure, token_counts
from rhetoric.bench.sentences import sentences
from rhetoric.machine import usable_cores
from rhetoric.model_folder import locate_model
from rhetoric.runner import run_windows

SIZES = (8, 32, 64, 128, 256, 512)
TOKENISE = """
import sys, time
from tokenizers import Tokenizer
from rhetoric.bench.sentences import sentences
tokenizer = Tokenizer.from_file(sys.argv[1])
texts = list(sentences(int(sys.argv[2])))
tokenizer.encode_batch_fast(texts[:100])
start = time.perf_counter()
tokenizer.encode_batch_fast(texts)
print(len(texts) / (time.perf_counter() - start))
"""


@dataclass
class OnDevice(Rhetoric):
    """This library's torch engine."""

    device: str = "cuda"
    precision: str = "bfloat16"
    ragged: bool = True

    def load(self) -> None:
        """Loads the tagger."""
        if not self.ragged:
            torch_engine._varlen_attn = lambda: None  # this process is this contender's alone
        self.tagger = RhetoricTagger.from_pretrained(
            self.folder, engine="torch", device=self.device, precision=self.precision
        )
        self.setting = f"{self.tagger.choice.token_budget} tokens a batch"

    def computed_tokens(self, lengths: Any) -> None:
        """None: what attention pads is not counted."""


@dataclass
class HalfPipeline(TransformersPipeline):
    """The transformers pipeline in half precision."""

    device: str = "cuda"

    def load(self) -> None:
        """Loads model and tokenizer, then moves them."""
        import torch

        super().load()
        self.classify.model.to(self.device, torch.bfloat16)
        self.classify.device = torch.device(self.device)

    def tune(self, texts: Sequence[str]) -> None:
        """Takes its fastest batch size."""
        self.batch_size = fastest_size(lambda size: self.classify(list(texts), batch_size=size), SIZES)
        self.setting = f"batches of {self.batch_size}"


@dataclass
class HalfSentenceTransformer(SortedSentenceTransformer):
    """sentence-transformers in half precision."""

    device: str = "cuda"

    def load(self) -> None:
        """Loads the model, then moves it."""
        import torch

        super().load()
        self.model.to(self.device, torch.bfloat16)

    def tune(self, texts: Sequence[str]) -> None:
        """Takes its fastest batch size."""

        def run(size: int) -> None:
            self.batch_size = size
            self.score(texts)

        self.batch_size = fastest_size(run, SIZES)
        self.setting = f"batches of {self.batch_size}"

    def score(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels); bf16 has no numpy type, so they come as float32."""
        logits: Logits = (
            self.model.encode(
                list(texts), batch_size=self.batch_size, show_progress_bar=False, convert_to_tensor=True
            )
            .float()
            .cpu()
            .numpy()
        )  # fmt: skip
        return logits


@dataclass(frozen=True)
class Limits:
    """What the parts reach alone.

    Attributes:
        tokenising: Sentences a second by number of threads.
        engine: Sentences a second of the engine on sentences tokenised before.
        computing: Share of that time in which the GPU computes; None on other devices.
    """

    tokenising: dict[int, float] = field(default_factory=dict)
    engine: float = 0.0
    computing: float | None = None


def limits(folder: Path, texts: list[str], device: str, precision: str) -> Limits:
    """Measures the parts alone."""
    threads = [n for n in (1, 2, 4, 8, 16, 32) if n <= usable_cores()]
    tokenising = {}
    for n in threads:
        environment = os.environ | {"RAYON_NUM_THREADS": str(n), "TOKENIZERS_PARALLELISM": "true"}
        command = [sys.executable, "-c", TOKENISE, str(folder / "tokenizer.json"), str(len(texts))]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        tokenising[n] = float(done.stdout)
    tagger = RhetoricTagger.from_pretrained(folder, engine="torch", device=device, precision=precision)
    windows = list(tagger._encode(texts, "window"))
    engine = tagger._engine

    def run() -> None:
        list(run_windows(engine, windows, n_labels=len(tagger.labels), token_budget=engine.token_budget))

    run()
    seconds = statistics.median(timed(run) for _ in range(5))
    return Limits(tokenising, len(texts) / seconds, computing(run) if device == "cuda" else None)


def computing(run: Callable[[], None]) -> float:
    """Share of a run's time in which the GPU has a kernel or a copy under way."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as found:
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    spans = sorted((e.time_range.start, e.time_range.end) for e in found.events() if e.device_type.name == "CUDA")
    busy = end = 0.0
    for begin, stop in spans:  # kernels may overlap
        busy += max(0.0, stop - max(begin, end))
        end = max(end, stop)
    return busy / 1e6 / seconds


def timed(run: Callable[[], None]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune-on", type=int, default=5_000)
    parser.add_argument("--model", help="another model folder than the bundled one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder, device = locate_model(options.model), options.device
    texts = list(sentences(options.count))
    lengths = token_counts(folder, texts)
    half = ("bfloat16", "float16") if device == "cuda" else ("float32",)
    ways: list[Contender] = [
        OnDevice(
            folder, name=f"rhetoric, {name}{'' if ragged else ', padded'}", device=device, precision=name, ragged=ragged
        )
        for name in half
        for ragged in (True, False)
    ]
    ways.append(HalfPipeline(folder, usable_cores(), 8, name="transformers pipeline, bf16", device=device))
    if find_spec("sentence_transformers"):
        ways.append(HalfSentenceTransformer(folder, usable_cores(), name="sentence-transformers, bf16", device=device))
    rows = measure(ways, texts, lengths, rounds=options.rounds, tune_on=options.tune_on)
    ours, reference = rows[0], rows[0].decisions
    print(f"{device}; {len(texts):,} sentences, mean {lengths.mean():.1f} word pieces; {options.rounds} rounds\n")
    print("| | sentences/s | rhetoric is faster by | first result | decisions as ours |\n|---|---|---|---|---|")
    for row in rows:
        same, times = np.mean(row.decisions == reference), ours.sentences_per_second / row.sentences_per_second
        print(
            f"| {row.name} ({row.setting}) | {row.sentences_per_second:,.0f} | {times:.1f} × "
            f"| {row.first_result_seconds:.1f} s | {same:.2%} |"
        )
    parts = limits(folder, texts, device, half[0])
    print()
    for n, rate in parts.tokenising.items():
        print(f"tokenising alone, {n} threads: {rate:,.0f} sentences/s")
    print(f"engine alone, tokenised before: {parts.engine:,.0f} sentences/s")
    if parts.computing is not None:
        print(f"the GPU computes {parts.computing:.0%} of that time")
    slower = "tokenising" if max(parts.tokenising.values()) < parts.engine else "the engine"
    print(f"what limits: {slower}")
    if options.json:
        found = {"device": device, "rows": [row.to_dict() for row in rows], "limits": vars(parts)}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
