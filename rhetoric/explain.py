"""Which words carried a label: occlusion, in batches, on whatever engine the tagger runs.

Every run of one to three words is left out in turn and the text is scored again. The contributions are those that
explain best what each run cost, as the sum over its words (ridge regression, as in Ribeiro et al., "Why should I
trust you?", 2016, but on neighbouring words instead of random ones). Runs of several words matter where a text says
it twice ("must", "has to"): no single word then costs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError

__all__ = ["Explanation", "Word", "occlude"]

LONGEST_RUN = 3
# Small beside the three to six runs a word is in: it only settles ties.
RIDGE = 0.1
WORD = re.compile(r"\S+")
NOTHING = "."  # what is left of a text of one word

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the explained text.

    Attributes:
        text: The word with its punctuation.
        start: Offset of its first character: `explanation.text[start:end] == text`.
        end: Offset after its last character.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """How much each word contributes to each label asked for.

    Attributes:
        text: The explained text.
        words: Its words in order.
        contributions: For each label one number a word, in log-odds of the calibrated score: positive words speak
            for the label, negative ones against it.
        scores: Calibrated probability of each label in `contributions`.
    """

    text: str
    words: tuple[Word, ...]
    contributions: dict[str, tuple[float, ...]]
    scores: dict[str, float]

    def top(self, label: str, n: int = 5) -> list[tuple[str, float]]:
        """The words that speak most for a label, strongest first; only positive ones.

        Raises:
            InputError: The label was not explained.
        """
        if label not in self.contributions:
            raise InputError(f"{label!r} was not explained; remedy: explain(text, {label!r})")
        ranked = sorted(zip(self.words, self.contributions[label], strict=True), key=lambda pair: -pair[1])
        return [(word.text, value) for word, value in ranked[:n] if value > 0]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return {
            "text": self.text,
            "words": [{"text": word.text, "start": word.start, "end": word.end} for word in self.words],
            "contributions": {label: list(values) for label, values in self.contributions.items()},
            "scores": dict(self.scores),
        }

    def __str__(self) -> str:
        lines = []
        for label, score in self.scores.items():
            words = ", ".join(f"{word} {value:+.2f}" for word, value in self.top(label)) or "no single word"
            lines.append(f"{label} {score:.2f}: {words}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from rhetoric.html import explanation

        return explanation(self)


def occlude(
    text: str,
    labels: Sequence[str],
    columns: Sequence[int],
    score: Callable[[list[str]], Probabilities],
) -> Explanation:
    """Explains labels of a text.

    Args:
        text: A text with at least one word.
        labels: The labels to explain.
        columns: Their columns in what `score` returns.
        score: Calibrated probabilities (texts, labels of the model) of texts.

    Returns:
        The contributions of the words.
    """
    words = [Word(match[0], match.start(), match.end()) for match in WORD.finditer(text)]
    longest = max(1, min(LONGEST_RUN, len(words) - 1))  # leaving every word out would leave no text
    runs = [(first, first + n) for n in range(1, longest + 1) for first in range(len(words) - n + 1)]
    variants = [text[: words[a].start] + text[words[b - 1].end :].lstrip() or NOTHING for a, b in runs]
    scores = score([text, *variants])[:, list(columns)].astype(float)
    odds = _log_odds(scores)
    inside = np.zeros((len(runs), len(words)))
    for row, (a, b) in enumerate(runs):
        inside[row, a:b] = 1
    normal = inside.T @ inside + RIDGE * np.eye(len(words))
    share = np.linalg.solve(normal, inside.T @ (odds[0] - odds[1:]))
    return Explanation(
        text=text,
        words=tuple(words),
        contributions={name: tuple(share[:, i].tolist()) for i, name in enumerate(labels)},
        scores={name: float(scores[0, i]) for i, name in enumerate(labels)},
    )


def _log_odds(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))
