"""Texts made of sentences keep the words, and are as many and as mixed as was asked."""

from __future__ import annotations

import random

import pytest

from training.variants import clauses, quoted, variants

LONG = "The minister said that the talks had failed again, and she warned that the border would be closed by Monday."


def test_a_quotation_keeps_the_words() -> None:
    found = {quoted('They call it "peace".', random.Random(i)) for i in range(20)}
    assert len(found) > 3
    assert all("They call it 'peace'" in text for text in found)


def test_a_long_sentence_falls_into_two_clauses() -> None:
    assert clauses(LONG) == [
        "The minister said that the talks had failed again.",
        "She warned that the border would be closed by Monday.",
    ]


@pytest.mark.parametrize("text", ["We must talk, and soon.", "There is nothing here that divides this sentence", ""])
def test_what_has_no_two_sides_is_left_alone(text: str) -> None:
    assert clauses(text) == []


def test_variants_are_different_and_as_many_as_asked() -> None:
    texts = [LONG.replace("Monday", f"day {i}") for i in range(400)]
    found = variants(texts, 300, 0)
    assert len(found) == len(set(found)) == 300
    assert not set(found) & set(texts)
    capitals, quotations = sum(text.isupper() for text in found), sum(text[0] in '“"' for text in found)
    assert 0 < capitals < 60 < quotations < 250
    assert found == variants(texts, 300, 0)
    assert len(variants(texts[:3], 300, 0)) < 10
    assert len(set(found) & set(variants(texts[:-1], 300, 0))) > 290  # one sentence less takes little away
