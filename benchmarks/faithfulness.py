"""Are explanations faithful? Leaving out the words named must lower the score more than leaving out others.

    python benchmarks/faithfulness.py                              # examples/labelled.jsonl
    python benchmarks/faithfulness.py --data FILE.jsonl --sentences 150 --words 3

For each sentence and label given: the drop in log-odds without its strongest words, and without as many other words,
drawn at random (mean of several draws). This is "comprehensiveness" of DeYoung et al., ERASER, 2020, beside chance.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rhetoric import RhetoricTagger

EXAMPLES = Path(__file__).parents[1] / "examples" / "labelled.jsonl"
DRAWS = 20


def without(text: str, words: list[tuple[int, int]]) -> str:
    """The text with some of its words left out."""
    for start, end in sorted(words, reverse=True):
        text = text[:start] + text[end:].lstrip()
    return text or "."


def log_odds(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Logits of probabilities."""
    clipped = np.clip(probabilities.astype(float), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=EXAMPLES)
    parser.add_argument("--sentences", type=int, default=150)
    parser.add_argument("--words", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tagger = RhetoricTagger.from_pretrained()
    texts = [json.loads(line)["text"] for line in options.data.read_text(encoding="utf-8").splitlines()]
    rng.shuffle(texts)
    named: list[float] = []
    chance: list[float] = []
    for text in texts:
        if len(named) >= options.sentences:
            break
        prediction = tagger.predict_one(text)
        if not prediction.labels:
            continue
        label = prediction.labels[0]
        explanation = tagger.explain(text, label)
        spans = [(word.start, word.end) for word in explanation.words]
        if len(spans) <= 2 * options.words:
            continue
        order = np.argsort([-value for value in explanation.contributions[label]], kind="stable")
        top = [spans[i] for i in order[: options.words]]
        rest = [spans[i] for i in order[options.words :]]
        variants = [text, without(text, top), *(without(text, rng.sample(rest, options.words)) for _ in range(DRAWS))]
        odds = log_odds(tagger.predict_proba(variants)[:, tagger.labels.index(label)])
        named.append(odds[0] - odds[1])
        chance.append(odds[0] - odds[2:].mean())
    drops = np.array([named, chance]).T
    drawn = drops[np.random.default_rng(options.seed).integers(0, len(drops), (2000, len(drops)))].mean(axis=1)
    low, high = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    least, most = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    print(f"{len(drops)} sentences, {options.words} words left out; mean drop in log-odds of the strongest label:")
    print(f"  the words named {drops[:, 0].mean():.2f}, others {drops[:, 1].mean():.2f}")
    print(f"  difference {(drops[:, 0] - drops[:, 1]).mean():.2f} (95 %: {low:.2f} to {high:.2f})")
    print(f"  ratio {drops[:, 0].mean() / drops[:, 1].mean():.1f} (95 %: {least:.1f} to {most:.1f})")
    print(f"  larger for the words named in {(drops[:, 0] > drops[:, 1]).mean():.0%} of the sentences")


if __name__ == "__main__":
    main()
