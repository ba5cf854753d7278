"""A tokenizer that hides actors gives twins the same word pieces, in every program that reads the file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from rhetoric.model_folder import locate_model
from training.actor_swap import swapped
from training.hidden_actors import hide_actors, hiding


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The bundled tokenizer hides actors already; hiding twice must change nothing but be possible.
    return hide_actors(locate_model(None), tmp_path_factory.mktemp("hidden") / "model")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The United States' envoy met US officials.", "Norway's envoy met Norway officials."),
        ("Kenya's envoy met Kenyan officials.", "Norway's envoy met Norway officials."),
        ("Berlin told the Dutch that a German was free.", "Norway told Norway that Norway was free."),
        ("Vladimir Putin wrote to the European Union.", "Johnson wrote to NATO."),
        ("GERMANY WARNS THE EU", "Norway WARNS NATO"),
        ("The turkey was indeed tunisian.", "The turkey was indeed tunisian."),
        ("South Sudan and Sudan, Nigeria and Niger", "Norway and Norway, Norway and Norway"),
        ("Germanys, Chadwick and Perugia are no states.", "Germanys, Chadwick and Perugia are no states."),
        ("", ""),
    ],
)
def test_each_kind_of_actor_becomes_one_word(text: str, plain: str) -> None:
    for step in hiding():
        text = step.normalize_str(text)
    assert text == plain


def test_twins_have_the_same_word_pieces(tokenizer: Tokenizer) -> None:
    text = "Moscow accused the United Kingdom of bullying, and Russian diplomats asked NATO what British troops want."
    rng = random.Random(0)
    twins = {swapped(text, rng) for _ in range(20)}
    assert len(twins) > 10 and None not in twins
    ids = tokenizer.encode(text).ids
    assert all(tokenizer.encode(twin).ids == ids for twin in twins if twin is not None)


def test_transformers_reads_the_same_word_pieces(folder: Path, tokenizer: Tokenizer) -> None:
    transformers = pytest.importorskip("transformers")
    text = "Russia and the Germans warn Emmanuel Macron."
    other = transformers.AutoTokenizer.from_pretrained(folder)
    assert other(text)["input_ids"] == tokenizer.encode(text).ids
    assert other.tokenize("Russia") == ["norway"]
