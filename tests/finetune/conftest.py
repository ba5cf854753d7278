"""Small labelled data that a tiny model can learn, and a model trained on it once."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import rhetoric.cli
from rhetoric.finetune import TrainConfig, TrainResult, train
from tests.cli.conftest import run  # noqa: F401
from tests.conftest import MAX_TOKENS, WORDS

Rows = list[dict[str, Any]]

CLUES = {"demand": "must", "threat": "force", "conciliation": "talks", "solidarity": "friends"}
OWN_CLUES = {"urgent": "today", "vague": "any"}
FILLERS = [word for word in WORDS if word not in {*CLUES.values(), *OWN_CLUES.values()}]


def make_rows(count: int, *, seed: int = 0, clues: dict[str, str] | None = None, exclusive: bool = False) -> Rows:
    """Rows with random words; a label's clue is in the text exactly if the row carries the label."""
    rng = random.Random(seed)
    clues = clues or CLUES
    rows: Rows = []
    for i in range(count):
        labels = [rng.choice(sorted(clues))] if exclusive else [label for label in clues if rng.random() < 0.3]
        words = rng.choices(FILLERS, k=rng.randint(1, 4)) + 3 * [clues[label] for label in labels]
        rng.shuffle(words)
        rows.append({"text": f"{' '.join(words)} {i + 1000 * seed}", "labels": labels})
    return rows


def settings(base: Path, **changes: Any) -> TrainConfig:
    """Settings that teach the tiny model something in a second."""
    quick = {"epochs": 6, "learning_rate": 3e-3, "max_tokens": MAX_TOKENS, "few_rows": 0, "device": "cpu"}
    return TrainConfig(base=str(base)).changed(quick | changes)


def weights(path: Path) -> str:
    """Digest of the weights of a model folder."""
    return hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as JSONL and returns the path."""

    def call(rows: Sequence[dict[str, Any]], name: str = "data.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return call


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """A tiny network gains nothing from threads, and on a busy machine they wait for each other."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rhetoric.finetune.trainer.usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="session")
def trained(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> TrainResult:
    """A model trained on 300 rows; read only."""
    out = tmp_path_factory.mktemp("trained") / "model"
    return train(make_rows(300), out, config=settings(tiny_folder))


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train", "check", "evaluate", "suggest"):
        monkeypatch.setitem(rhetoric.cli.COMMANDS, name, "")
