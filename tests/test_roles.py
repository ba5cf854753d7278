"""Actors are found where they stand, and a role is given only where the sentence is plain about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhetoric import RhetoricTagger
from rhetoric.actors import FORMS, STATES
from rhetoric.roles import find_roles


def roles(text: str) -> list[tuple[str, str | None]]:
    return [(actor.code, actor.role) for actor in find_roles(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Iran accuses Israel of sabotage.", [("IRN", "source"), ("ISR", "target")]),
        ("Iran accused of sabotage by Israel.", [("IRN", "target"), ("ISR", None)]),
        ("Iran was accused by Israel.", [("IRN", "target"), ("ISR", "source")]),
        ("It is up to the United States to act.", [("USA", "target")]),
        ("Kenya's deputy foreign minister Jon Halik urged Uganda to wait.", [("KEN", "source"), ("UGA", "target")]),
        ("Greece must leave, said a Turkish official.", [("GRC", "target"), ("TUR", "source")]),
        ("Sanctions against Cuba were imposed by the EU.", [("CUB", "target"), ("EU", "source")]),
        ("Talks with Cuba said to be near failure.", [("CUB", None)]),
        ("The ministers met in Vienna.", [("AUT", None)]),
        ("Talks on ending the war in Ukraine must begin.", [("UKR", None)]),
        ("The sovereignty of Cyprus must be respected.", [("CYP", None)]),
        ("The government of Cyprus must withdraw.", [("CYP", "target")]),
        ("The authorities in Nicosia were urged to wait.", [("CYP", "target")]),
        ("The envoy to Cyprus was accused of spying.", [("CYP", None)]),
        ("The Vienna Convention was signed.", []),
        ("France rejected Russia's demands.", [("FRA", "source"), ("RUS", None)]),
        ("Israel rejected Iran’s pledges.", [("ISR", "source"), ("IRN", None)]),
        ("The minister dismissed China's calls for talks.", [("CHN", None)]),
        ("The United States' demands were rejected by Iran.", [("USA", None), ("IRN", "source")]),
        ("Norway ignored Iran's promised reforms.", [("NOR", None), ("IRN", None)]),
        ("Israel rejected Iran's new offers.", [("ISR", "source"), ("IRN", None)]),
        ("Israel rejected Iranian pledges.", [("ISR", "source"), ("IRN", None)]),
        ("The former Russian vows were empty.", [("RUS", None)]),
        ("Iran rejected US demands.", [("IRN", "source"), ("USA", None)]),
        ("Iran dismissed the EU offers.", [("IRN", "source"), ("EU", None)]),
        ("Iran demands an apology.", [("IRN", "source")]),
        ("US offers help.", [("USA", "source")]),
        ("Russia's foreign ministry demands talks.", [("RUS", "source")]),
        ("Russian officials offered talks.", [("RUS", "source")]),
        ("The United States' envoy promises aid.", [("USA", "source")]),
        ("The Dutch rejected the plan.", [("NLD", "source")]),
        ("Russia's Orlov calls for talks.", [("RUS", "source")]),
        ("She danced in the china shop with a turkey.", []),
    ],
)
def test_roles(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert roles(text) == expected


@given(st.lists(st.sampled_from([*FORMS, "said", "accused", "by", "the", ".", "“", "must", "\n"]), max_size=12))
def test_spans_are_those_of_the_text(words: list[str]) -> None:
    text = " ".join(words)
    after = 0
    for actor in find_roles(text):
        assert text[actor.start : actor.end] == actor.text and actor.start >= after
        assert actor.text in FORMS and actor.role in ("source", "target", None)
        after = actor.end


def test_offsets_are_those_of_the_document(bundled: RhetoricTagger) -> None:
    text = "The rain stopped.\n\n“No,” said the Kremlin. France thanked the Dutch."
    document = bundled.tag_document(text)
    named = [actor for sentence in document.sentences for actor in sentence.actors]
    assert [(actor.text, actor.code) for actor in named] == [("Kremlin", "RUS"), ("France", "FRA"), ("Dutch", "NLD")]
    assert all(text[actor.start : actor.end] == actor.text for actor in named)
    assert document.to_dict()["sentences"][1]["actors"][0]["role"] == "source"


def test_every_member_of_the_united_nations_is_in_the_table() -> None:
    codes = {state.code for state in STATES}
    assert len(codes) == len(STATES) == 197  # 193 members, the Holy See, Palestine, Kosovo, Taiwan
    assert {"VAT", "PSE", "XKX", "TWN", "GNB", "WSM"} <= codes
