"""The recipe reads no sentence twice, believes teachers as far as it says, and trains students side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rhetoric import RhetoricTagger
from rhetoric.taxonomy import LABELS

pytest.importorskip("torch")

from training import recipe
from training.data import join, make_rows

WORDS = ["we", "must", "begin", "talks", "peace", "sanctions", "they", "said", "will", "not"]


def texts_of(count: int) -> list[str]:
    rng = random.Random(count)
    return [" ".join(rng.choices(WORDS, k=6)) for _ in range(count)]


def settings(**changed: object) -> recipe.Recipe:
    given = {"seed": 0, "written_copies": 1, "teachers": 1, "teacher": {}, "students": 1, "student": {}}
    return recipe.Recipe(**(given | {"pool_sentences": 0} | changed))  # type: ignore[arg-type]


def test_a_sentence_is_read_once(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    proper = RhetoricTagger.predict_proba

    def counted(self: RhetoricTagger, texts: Sequence[str]) -> object:
        asked.extend(texts)
        return proper(self, texts)

    monkeypatch.setattr(RhetoricTagger, "predict_proba", counted)
    texts = texts_of(30)
    first = recipe._scored(tiny_folder, texts[:20], tmp_path)
    again = recipe._scored(tiny_folder, texts[10:][::-1], tmp_path)
    assert sorted(asked) == sorted(set(texts))
    assert np.array_equal(again[::-1][:10], first[10:])
    expected = proper(RhetoricTagger.from_pretrained(tiny_folder), texts[20:])
    assert np.array_equal(again[::-1][10:], expected)


def test_teachers_move_what_was_read_and_not_what_was_written(tiny_folder: Path, tmp_path: Path) -> None:
    read, written = texts_of(8)[:4], texts_of(8)[4:]
    gold = join(
        *(make_rows((text, ["demand"], [], source) for text in texts) for texts, source in rows_of(read, written))
    )
    rows = recipe._advised(gold, [tiny_folder], tmp_path, settings(trust=0.25))
    said = recipe._scored(tiny_folder, read, tmp_path)
    for row, one in zip(rows[:4], said, strict=True):
        assert row["soft"]["demand"] == pytest.approx(0.75 + 0.25 * one[LABELS.index("demand")], abs=1e-4)
        assert row["soft"]["threat"] == pytest.approx(0.25 * one[LABELS.index("threat")], abs=1e-4)
    assert all(row["soft"] == {name: float(name == "demand") for name in LABELS} for row in rows[4:])


def rows_of(read: list[str], written: list[str]) -> list[tuple[list[str], str]]:
    return [(read, "some agency"), (written, "written")]


@pytest.mark.slow
def test_students_side_by_side_are_what_they_are_alone(tiny_folder: Path, tmp_path: Path) -> None:
    rows = recipe._as_dicts(make_rows((text, ["demand"] * ("must" in text), [], "x") for text in texts_of(300)))
    dev, rows = rows[:60], rows[60:]
    of = {"epochs": 1, "few_rows": 0, "max_tokens": 64}
    outs = [tmp_path / "both-0", tmp_path / "both-1"]
    assert recipe._all_trained(rows, outs, dev, tiny_folder, of, 3) == outs
    alone = recipe._all_trained(rows, [tmp_path / "alone"], dev, tiny_folder, of, 4)[0]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (*outs, alone)]
    assert weights[1] == weights[2] != weights[0]
