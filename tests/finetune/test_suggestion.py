"""Texts to label next: unsure ones, of every label, no two alike, none labelled already."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.finetune import suggest
from rhetoric.finetune.suggestion import _choose, _closeness, _uncertainty
from rhetoric.taxonomy import LABELS

from .conftest import make_rows


def test_uncertainty_is_highest_at_the_threshold() -> None:
    p = np.array([[0.0, 0.3], [0.2, 0.65], [0.6, 1.0]], np.float32)
    assert np.allclose(_uncertainty(p, np.array([0.2, 0.3], np.float32)), [[0, 1], [1, 0.5], [0.5, 0]])


def test_exclusive_classes_are_unsure_where_the_first_hardly_leads() -> None:
    p = np.array([[0.5, 0.4, 0.1], [0.05, 0.05, 0.9]], np.float32)
    assert np.allclose(_closeness(p), [[0.9, 0, 0], [0, 0, 0.15]])
    assert _choose(["talks", "force"], _closeness(p), 2) == [(0, 0), (1, 2)]


def test_unsure_texts_of_every_label_are_chosen(tiny_folder: Path) -> None:
    pool = make_rows(400)
    chosen = suggest(pool, 36, model=tiny_folder)
    assert len({row.text for row in chosen}) == 36
    assert Counter(row.why for row in chosen) == dict.fromkeys(LABELS, 3)
    assert all(pool[row.row]["text"] == row.text for row in chosen)
    tagger = RhetoricTagger.from_pretrained(tiny_folder)
    limits = np.array(list(tagger.thresholds.values()), np.float32)
    of_all = _uncertainty(tagger.predict_proba([row["text"] for row in pool]), limits).mean(axis=0)
    of_chosen = {name: [] for name in LABELS}  # type: ignore[var-annotated]
    for row in chosen:
        of_chosen[row.why].append(min(row.probability, 1 - row.probability) * 2)
    assert np.mean([np.mean(of_chosen[name]) > of_all[i] for i, name in enumerate(LABELS)]) > 0.8


def test_texts_alike_are_not_chosen_together() -> None:
    texts = [f"we refuse the ultimatum of the junta {i}" for i in range(50)]
    texts += ["talks begin", "sanctions bite", "friends arrive", "no comment", "withdraw now"]
    uncertainty = np.array([[1.0]] * 50 + [[0.9]] * 5, np.float32)
    chosen = [i for i, _ in _choose(texts, uncertainty, 6)]
    assert len(set(chosen)) == 6
    assert sum(i >= 50 for i in chosen) >= 4


def test_labelled_repeated_and_unusable_texts_are_passed_over(tiny_folder: Path) -> None:
    pool = [{"text": text} for text in ("talks today", "Talks  today", "we refuse", "", None, "they begin")]
    assert {row.text for row in suggest(pool, 9, model=tiny_folder)} == {"talks today", "we refuse", "they begin"}
    rest = suggest(pool, 9, model=tiny_folder, exclude=[[{"text": "WE REFUSE", "labels": []}]])
    assert {row.text for row in rest} == {"talks today", "they begin"}
    with pytest.raises(InputError, match="no text that is not labelled already"):
        suggest(pool, 9, model=tiny_folder, exclude=[pool])
    with pytest.raises(InputError, match="count=0"):
        suggest(pool, 0, model=tiny_folder)


def test_as_many_are_chosen_as_asked_for_where_all_labels_doubt_the_same() -> None:
    uncertainty = np.repeat(np.linspace(1, 0.5, 60, dtype=np.float32)[:, None], 12, axis=1)
    chosen = _choose([f"text {i}" for i in range(60)], uncertainty, 60)
    assert sorted(i for i, _ in chosen) == list(range(60))
