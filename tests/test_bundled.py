"""The model that ships: right on plain cases, the same whatever the batch, small, and quick to start."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rhetoric import RhetoricTagger
from rhetoric.model_folder import BUNDLED
from rhetoric.taxonomy import LABELS, TAXONOMY

ROOT = Path(__file__).parents[1]
ARTICLE = (ROOT / "examples" / "strait.txt").read_text(encoding="utf-8")

PLAIN = [
    ("Estmark must hand over the ship before Friday.", "demand"),
    ("The ball is in the court of the Estmark government.", "demand"),
    ("We urge all parties to exercise restraint.", "appeal"),
    ("If they attack, there will be grave consequences.", "threat"),
    ("The council imposed sanctions on five banks.", "coercion"),
    ("They are the bully of the region.", "coercion"),
    ("The junta has lied to its own people for years.", "accusation"),
    ("The ministry denied the report.", "rejection"),
    ("We will never surrender an inch of our soil.", "resolve"),
    ("Norland is open to dialogue at any time.", "conciliation"),
    ("We will provide ten million crowns for the refugees.", "commitment"),
    ("Thank you for your friendship and your hospitality.", "solidarity"),
    ("I have nothing to announce on that today.", "evasion"),
    ("I'm not going to comment on private conversations.", "evasion"),
]
NEUTRAL = [
    "The two ministers met for three hours on Tuesday.",
    "Norland supplies about 40 percent of the grain that passes through the strait.",
    "The sanctions committee will meet again in March.",
    "The delegation arrived in Skarn by train.",
    "Trade between the two countries reached four billion crowns last year.",
    "The building was completed in 1974.",
]


@pytest.mark.parametrize(("text", "label"), PLAIN)
def test_plain_cases(bundled: RhetoricTagger, text: str, label: str) -> None:
    assert label in bundled.predict_one(text).labels


@pytest.mark.parametrize("text", NEUTRAL)
def test_plain_narration_carries_no_label(bundled: RhetoricTagger, text: str) -> None:
    assert bundled.predict_one(text).labels == ()


def test_most_examples_of_the_taxonomy_carry_their_label(bundled: RhetoricTagger) -> None:
    right = [row.name in bundled.predict_one(row.example).labels for row in TAXONOMY]
    assert sum(right) >= 10


def test_the_example_article(bundled: RhetoricTagger) -> None:
    document = bundled.tag_document(ARTICLE)
    found = {label for sentence in document.sentences for label in sentence.labels}
    assert {"demand", "accusation", "threat", "conciliation", "coercion", "solidarity", "commitment"} <= found
    headline = next(s for s in document.sentences if s.text.startswith("Norland says Estmark must"))
    assert headline.labels == ("demand",)
    said = next(s for s in document.sentences if s.text.startswith("“We are ready to sit down"))
    assert (said.quoted, said.speaker, "conciliation" in said.labels) == (True, "Halik", True)
    assert all(ARTICLE[s.start : s.end] == s.text for s in document.sentences)
    assert not any("Short Url" in s.text or s.text == "Follow" for s in document.sentences)


def sample(count: int) -> list[str]:
    rng = random.Random(0)
    clauses = [text.rstrip(".") for text, _ in PLAIN] + [text.rstrip(".") for text in NEUTRAL]
    return list(dict.fromkeys(", and ".join(rng.sample(clauses, rng.randint(1, 4))) + "." for _ in range(count)))


def test_scores_depend_on_the_text_alone(bundled: RhetoricTagger) -> None:
    texts = sample(150)
    alone = np.concatenate([bundled.predict_proba([text]) for text in texts])
    one_thread = RhetoricTagger.from_pretrained(threads=1, token_budget=2048)
    order = random.Random(1).sample(range(len(texts)), len(texts))
    assert np.abs(bundled.predict_proba(texts) - alone).max() <= 1e-6
    assert np.abs(one_thread.predict_proba([texts[i] for i in order]) - alone[order]).max() <= 1e-6


def test_int8_agrees_with_full_precision(bundled: RhetoricTagger) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(BUNDLED, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(BUNDLED)
    assert tuple(model.config.id2label.values()) == LABELS
    texts = sample(120)
    with torch.inference_mode():
        logits = np.concatenate([model(**tokenizer(text, return_tensors="pt")).logits.numpy() for text in texts])
    exact = bundled._folder.probabilities(logits)
    int8 = bundled.predict_proba(texts)
    limits = np.array(list(bundled.thresholds.values()), np.float32)
    assert ((exact >= limits) == (int8 >= limits)).mean() >= 0.99
    assert np.abs(exact - int8).mean() < 0.02


def test_the_folder_is_whole_and_small() -> None:
    raw = json.loads((BUNDLED / "rhetoric.json").read_text(encoding="utf-8"))
    assert [label["name"] for label in raw["labels"]] == list(LABELS)
    assert raw["training"]["dev"]["macro_f1"]["value"] >= 0.75
    assert sum(entry["bytes"] for entry in raw["files"].values()) <= 70e6
    suffixes = {Path(name).suffix for name in raw["files"]}
    assert suffixes == {".json", ".jsonl", ".safetensors", ".onnx", ".md", ".svg", ".yaml"}


def test_an_article_is_tagged_soon_after_the_start() -> None:
    """The limit is 2.5 s on two free cores; the best of three, since a test machine is rarely free."""

    def seconds() -> float:
        start = time.perf_counter()
        code = "from rhetoric.cli import main; main()"
        subprocess.run(
            [sys.executable, "-c", code, "tag", ROOT / "examples" / "strait.txt"], check=True, capture_output=True
        )
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 2.5


def test_tagging_needs_no_torch() -> None:
    code = (
        "import sys; from rhetoric import RhetoricTagger; RhetoricTagger.from_pretrained().tag_document('Peace now.'); "
        "print(*(m for m in ('torch', 'transformers', 'sklearn', 'pyarrow') if m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
