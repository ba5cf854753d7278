"""Which texts to label next: those the model is least sure of, label by label, and no two alike.

Uncertainty sampling (Lewis and Gale, 1994), each label in turn, so that common labels do not take all places;
every text chosen lowers the value of texts that share its words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError
from rhetoric.finetune.data import text_column
from rhetoric.finetune.duplicates import normalised
from rhetoric.finetune.tables import Source, read_table
from rhetoric.tagger import RhetoricTagger

__all__ = ["Suggestion", "suggest"]

DIMENSIONS = 1024
CANDIDATES = 10  # for each text to choose
CHUNK = 4096

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text worth labelling.

    Attributes:
        text: The text.
        source: The file it comes from.
        row: Its row there.
        why: The label the model is unsure of.
        probability: What the model gives that label.
        labels: What the model would label it with.
    """

    text: str
    source: str
    row: int
    why: str
    probability: float
    labels: tuple[str, ...]


def suggest(
    pool: Source,
    count: int,
    *,
    model: str | Path | None = None,
    column: str | None = None,
    exclude: Sequence[Source] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Suggestion, ...]:
    """Chooses texts to label next.

    Args:
        pool: Unlabelled texts: anything `read_table` reads.
        count: How many to choose.
        model: Folder or Hub id; None for the bundled model.
        column: Column of the text; None for "text" or "sentence".
        exclude: Data whose texts are labelled already, under `column`, or else "text" or "sentence".
        progress: Called with texts scored and texts in all.

    Returns:
        The texts, fewer than `count` if the pool is smaller.

    Raises:
        InputError: The pool cannot be read, or holds no new text.
        ModelError: The model is missing or damaged.
    """
    if count < 1:
        raise InputError(f"count={count} is not possible; remedy: a number from 1")
    table = read_table(pool)
    texts, numbers = _new_texts(table.columns[text_column(table, column)], table.numbers, exclude, column)
    if not texts:
        raise InputError(f"{table.name} holds no text that is not labelled already; remedy: another pool")
    tagger = RhetoricTagger.from_pretrained(model)
    parts = []
    for start in range(0, len(texts), CHUNK):
        parts.append(tagger.predict_proba(texts[start : start + CHUNK]))
        if progress:
            progress(min(start + CHUNK, len(texts)), len(texts))
    probabilities = np.concatenate(parts)
    if tagger.task == "single_label":
        uncertainty = _closeness(probabilities)
    else:
        thresholds = np.array([tagger.thresholds[name] for name in tagger.labels], np.float32)
        uncertainty = _uncertainty(probabilities, thresholds)
    chosen = _choose(texts, uncertainty, count)
    predictions = tagger.predict([texts[i] for i, _ in chosen])
    return tuple(
        Suggestion(
            text=texts[i],
            source=table.name,
            row=numbers[i],
            why=tagger.labels[label],
            probability=float(probabilities[i, label]),
            labels=prediction.labels,
        )
        for (i, label), prediction in zip(chosen, predictions, strict=True)
    )


def _new_texts(
    column: Sequence[object], numbers: Sequence[int], exclude: Sequence[Source], name: str | None
) -> tuple[list[str], list[int]]:
    """Texts of the pool that are text, occur for the first time, and are not excluded."""
    seen = set()
    for source in exclude:
        other = read_table(source)
        # What `rhetoric suggest` wrote for a pool with another name has its own.
        column_there = name if name in other.columns else None
        seen |= {normalised(text) for text in other.columns[text_column(other, column_there)] if isinstance(text, str)}
    texts, rows = [], []
    for text, number in zip(column, numbers, strict=True):
        if isinstance(text, str) and text.strip() and (key := normalised(text)) not in seen:
            seen.add(key)
            texts.append(text)
            rows.append(number)
    return texts, rows


def _uncertainty(
    probabilities: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """1 at the threshold, 0 at the probabilities 0 and 1, straight between; shape (n, L)."""
    limits = np.clip(thresholds, 0.05, 0.95)
    return np.asarray(np.minimum(probabilities / limits, (1 - probabilities) / (1 - limits)), np.float32)


def _closeness(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Of exclusive classes: 1 less the lead of the likeliest over the next, told of the likeliest; shape (n, L)."""
    ordered = np.sort(probabilities, axis=1)
    lead = ordered[:, -1] - (ordered[:, -2] if probabilities.shape[1] > 1 else 0)
    likeliest = probabilities == ordered[:, -1:]
    return np.asarray(np.where(likeliest, 1 - lead[:, None], 0), np.float32)


def _choose(texts: Sequence[str], uncertainty: npt.NDArray[np.float32], count: int) -> list[tuple[int, int]]:
    """Pairs of a text and the label it is chosen for, each label in turn."""
    labels = uncertainty.shape[1]
    share = min(len(texts), max(count, -(-CANDIDATES * count // labels)))  # enough even if all labels doubt the same
    best = np.argpartition(-uncertainty, share - 1, axis=0)[:share]
    candidates = np.unique(best)
    vectors = _vectors([texts[i] for i in candidates])
    value, free = uncertainty[candidates], np.ones(len(candidates), np.bool_)
    nearest = np.zeros(len(candidates), np.float32)
    chosen: list[tuple[int, int]] = []
    while len(chosen) < min(count, len(candidates)):
        label = len(chosen) % labels
        gain = np.where(free, value[:, label] * (1 - nearest), -1)
        if gain.max() <= 0:  # no text left is unsure of this label
            gain = np.where(free, value.max(axis=1) * (1 - nearest), -1)
        pick = int(np.argmax(gain))
        if value[pick, label] <= 0:
            label = int(value[pick].argmax())
        chosen.append((int(candidates[pick]), label))
        nearest = np.maximum(nearest, np.clip(vectors @ vectors[pick], 0, 1))
        free[pick] = False
    return chosen


def _vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Unit vectors of hashed words, rare words weighing more."""
    counts = np.zeros((len(texts), DIMENSIONS), np.float32)
    for row, text in zip(counts, texts, strict=True):
        for word in _WORD.findall(text.casefold()):
            row[zlib.crc32(word.encode()) % DIMENSIONS] += 1
    weight = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    vectors = np.sqrt(counts) * weight
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)
