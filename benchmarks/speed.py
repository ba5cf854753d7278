"""Sentences a second, side by side on this machine: this library, and transformers on the same weights.

    python benchmarks/speed.py

All contenders score the same sentences in turn, several rounds; medians are printed. Needs the extra [train].
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from sentences import sentences
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from rhetoric import RhetoricTagger
from rhetoric.machine import usable_cores
from rhetoric.model_folder import BUNDLED


def contenders(texts: list[str]) -> dict[str, Callable[[], object]]:
    """Name and call of each way to score the texts."""
    tagger = RhetoricTagger.from_pretrained()
    single = RhetoricTagger.from_pretrained(threads=1)
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED)
    model = AutoModelForSequenceClassification.from_pretrained(BUNDLED, dtype=torch.float32).eval()
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")

    def sorted_torch() -> None:
        encoded = tokenizer(texts)["input_ids"]
        order = np.argsort([-len(ids) for ids in encoded])
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                batch = [{"input_ids": encoded[i]} for i in order[start : start + 32]]
                model(**tokenizer.pad(batch, return_tensors="pt")).logits.sigmoid().numpy()

    return {
        "rhetoric": lambda: tagger.predict(texts),
        "rhetoric, one thread": lambda: single.predict(texts),
        "transformers pipeline, one by one": lambda: classify(texts),
        "transformers pipeline, batches of 8": lambda: classify(texts, batch_size=8),
        "transformers pipeline, batches of 32": lambda: classify(texts, batch_size=32),
        "torch fp32, sorted by length, batches of 32": sorted_torch,
    }


def main() -> None:
    """Runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = usable_cores()
    torch.set_num_threads(cores)
    texts = list(sentences(options.count))
    ways = contenders(texts)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    lengths = [p.n_tokens + 2 for p in RhetoricTagger.from_pretrained().predict(texts)]
    print(f"{len(texts)} sentences, mean {np.mean(lengths):.1f} tokens (sd {np.std(lengths):.1f}), {cores} cores,")
    print(f"medians of {options.rounds} rounds in turn\n")
    print("| | sentences/s | tokens/s | rhetoric is faster by |")
    print("|---|---|---|---|")
    ours = statistics.median(seconds["rhetoric"])
    for name, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {name} | {len(texts) / median:.0f} | {sum(lengths) / median:.0f} | {median / ours:.1f} × |")


if __name__ == "__main__":
    main()
