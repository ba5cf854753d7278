"""Does a score depend on batch mates, order or threads? Largest differences, for each engine that is installed.

    python benchmarks/invariance.py

Every sentence is scored alone, then all together: as they come, in random batches, sorted, reversed, with one
and two threads. Also printed: how many label decisions agree with the float weights in torch, where installed.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rhetoric import ExtraError, RhetoricTagger
from rhetoric.bench.sentences import sentences

Scores = npt.NDArray[np.float32]


def arrangements(texts: list[str]) -> dict[str, tuple[list[str], int]]:
    """Name of each way to pass the texts: order and size of the calls."""
    shuffled = random.Random(1).sample(texts, len(texts))
    whole = len(texts)
    return {
        "together": (texts, whole),
        "reversed": (texts[::-1], whole),
        "sorted by length": (sorted(texts, key=len), whole),
        "shuffled, 7 a call": (shuffled, 7),
        "shuffled, 64 a call": (shuffled, 64),
    }


def score(tagger: RhetoricTagger, texts: list[str], size: int) -> dict[str, Scores]:
    """Probabilities (labels,) of each text, `size` texts a call."""
    calls: Iterable[Scores] = (tagger.predict_proba(texts[i : i + size]) for i in range(0, len(texts), size))
    return dict(zip(texts, np.concatenate(list(calls)), strict=True))


def main() -> None:
    """Scores and prints a table an engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--engine", choices=("onnx", "openvino", "torch"), action="append", help="repeatable")
    options = parser.parse_args()
    texts = list(sentences(options.count))
    decisions: dict[str, npt.NDArray[np.bool_]] = {}
    for engine in options.engine or ("onnx", "openvino", "torch"):
        try:
            tagger = RhetoricTagger.from_pretrained(engine=engine, device="cpu", threads=1)
        except ExtraError as error:
            print(f"{engine}: left out, {error}\n")
            continue
        limits = np.array(list(tagger.thresholds.values()), np.float32)
        alone = score(tagger, texts, 1)
        decisions[engine] = np.array([alone[text] >= limits for text in texts])
        print(f"{engine}: {len(texts)} sentences against each alone with one thread\n")
        print("| | largest difference | labels that flip |\n|---|---|---|")
        for threads in (1, 2):  # loaded anew: torch has one number of threads for the whole process
            tagger = RhetoricTagger.from_pretrained(engine=engine, device="cpu", threads=threads)
            for name, (ordered, size) in arrangements(texts).items():
                found = score(tagger, ordered, size)
                gap = max(float(np.abs(found[text] - alone[text]).max()) for text in texts)
                flips = sum(int(((found[t] >= limits) != (alone[t] >= limits)).sum()) for t in texts)
                print(f"| {name}, threads {threads} | {gap:.1e} | {flips} |", flush=True)
        print()
    if "torch" in decisions:
        for engine, decided in decisions.items():
            same = np.equal(decided, decisions["torch"])
            print(f"{engine}: {same.mean():.4%} of {same.size} label decisions agree with the float weights")


if __name__ == "__main__":
    main()
