"""Explanations: true offsets, the words that matter, and no surprise in HTML."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.explain import occlude

SENTENCES = {
    "Norland must withdraw its patrol boats from the strait by Friday.": "demand",
    "We urge both governments to show restraint in the coming days.": "appeal",
    "The spokesman for the foreign ministry denied the report on Monday.": "rejection",
    "We thank the people of Skarn for their courage this winter.": "solidarity",
    "The council imposed sanctions on three shipping firms in the north.": "coercion",
}


def fake_score(texts: list[str]) -> np.ndarray:
    """Log-odds +2 for "must", +1 for "now", -1 for "maybe"; the second label never moves."""
    odds = [2.0 * ("must" in t) + ("now" in t) - ("maybe" in t) for t in texts]
    return np.array([[1 / (1 + np.exp(-o)), 0.5] for o in odds], np.float32)


def test_contributions_are_what_the_score_loses() -> None:
    explanation = occlude("They must go now maybe .", ["a", "b"], [0, 1], fake_score)
    values = dict(zip((w.text for w in explanation.words), explanation.contributions["a"], strict=True))
    assert max(values, key=lambda w: values[w]) == "must"
    assert min(values, key=lambda w: values[w]) == "maybe"
    assert [word for word, _ in explanation.top("a", 2)] == ["must", "now"]
    with pytest.raises(InputError, match="'z' was not explained; remedy"):
        explanation.top("z")
    assert values["must"] == pytest.approx(2, abs=0.2)
    assert explanation.contributions["b"] == pytest.approx([0] * 6, abs=1e-9)
    assert explanation.scores["a"] == pytest.approx(1 / (1 + np.exp(-2)))


def test_words_are_slices_of_the_text(tiny: RhetoricTagger) -> None:
    text = "  We must\tbegin “talks” ,\n now!  "
    explanation = tiny.explain(text)
    assert [text[w.start : w.end] for w in explanation.words] == [w.text for w in explanation.words] == text.split()


def test_one_word_is_compared_with_none(bundled: RhetoricTagger) -> None:
    found = bundled.explain("Withdraw!")
    assert found.top("demand")[0][0] == "Withdraw!"
    assert found.top("demand")[0][1] > 1


def test_labels_asked_for_or_carried_or_the_strongest(tiny: RhetoricTagger) -> None:
    text = "we must begin talks"
    prediction = tiny.predict_one(text)
    assert tuple(tiny.explain(text).contributions) == (
        prediction.labels or (max(prediction.scores, key=lambda n: prediction.scores[n]),)
    )
    assert tuple(tiny.explain(text, "evasion").contributions) == ("evasion",)
    with pytest.raises(InputError, match="unknown label 'demnad'"):
        tiny.explain(text, "demnad")
    with pytest.raises(InputError, match="empty"):
        tiny.explain(" ")


def test_html_escapes_the_text(tiny: RhetoricTagger) -> None:
    page = tiny.explain("we <script>alert(1)</script> & talks")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_it_turns_into_json(tiny: RhetoricTagger) -> None:
    raw = json.loads(json.dumps(tiny.explain("we must begin talks", "demand").to_dict()))
    assert len(raw["words"]) == len(raw["contributions"]["demand"]) == 4


def test_leaving_out_the_top_words_costs_more_than_random_ones(bundled: RhetoricTagger) -> None:
    rng = random.Random(0)

    def loss(text: str, label: str, dropped: set[int]) -> float:
        kept = " ".join(word for i, word in enumerate(text.split()) if i not in dropped)
        return bundled.predict_one(text).scores[label] - bundled.predict_one(kept).scores[label]

    best, chance = [], []
    for text, label in SENTENCES.items():
        values = bundled.explain(text, label).contributions[label]
        best.append(loss(text, label, set(sorted(range(len(values)), key=lambda i: -values[i])[:2])))
        chance += [loss(text, label, set(rng.sample(range(len(values)), 2))) for _ in range(8)]
    assert np.mean(best) > 2 * np.mean(chance)
