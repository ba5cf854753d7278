"""Quotations and speakers. All texts are invented."""

from __future__ import annotations

import pytest

from rhetoric.documents import split_sentences
from rhetoric.quotations import find_marks, find_quotations


def quoted(document: str) -> list[bool]:
    return [span.quoted for span in split_sentences(document)]


def speakers(document: str) -> list[str | None]:
    return [span.speaker for span in split_sentences(document)]


def quotations(paragraph: str) -> list[str]:
    marks = find_marks(paragraph, 0, len(paragraph))
    return [paragraph[q.start : q.end] for q in find_quotations(paragraph, 0, len(paragraph), marks, False)]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("He said “we wait” and left.", ["“we wait”"]),
        ('He said "we wait" and "we go".', ['"we wait"', '"we go"']),
        ("‘We wait,’ he said.", ["‘We wait,’"]),
        ("'We can't wait,' he said.", ["'We can't wait,'"]),
        ("«We wait», he said, « and we go », too.", ["«We wait»", "« and we go »"]),
        ("„We wait,“ he said.", ["„We wait,“"]),
        ("”We wait,” he said.", ["”We wait,”"]),
        ("A war ‘to the last harbour.’“", ["‘to the last harbour.’"]),
        ("It had “a plan ‘to the last harbour.’“ Then it ended.", ["“a plan ‘to the last harbour.’“"]),
        ("‘The envoys’ talks failed,’ she said.", ["‘The envoys’ talks failed,’"]),
        ("Norland’s and Estmark‘s envoys’ talks of the ’90s weren't long.", []),
        ("It’s 5'10\" tall.", []),
        ("“He said “never” and “no” to us,” Orr said.", ["“He said “never” and “no” to us,”"]),
        ("She said: “We go. He stays.", ["“We go. He stays."]),
        ("A stray ” closes nothing, “this” does.", ["“this”"]),
        ("“”", ["“”"]),
    ],
)
def test_which_marks_pair(paragraph: str, expected: list[str]) -> None:
    assert quotations(paragraph) == expected


def test_quoted_means_more_than_half_of_the_letters() -> None:
    assert quoted("“We will not go. We stay here,” he said. He called it “a ruse.” Nothing more.") == [
        True,
        True,
        False,
        False,
    ]


def test_a_quotation_is_reopened_in_the_next_paragraph() -> None:
    document = (
        "In a note on its site, Orr said the ministry had asked for talks, “but nobody listened, nobody at all.\n"
        "“And the aim was to weaken us,” he said.\n\n"
        "The strait, he said, had been closed by “the old plan of the Estmark navy for good.”\n"
    )
    assert speakers(document) == ["Orr", "Orr", "Orr"]
    assert quoted(document) == [False, True, True]


def test_speech_over_several_paragraphs_has_one_speaker() -> None:
    document = (
        "Voss told the council:\n\n“We stand firm. We do not yield.\n\n“We never shall,” the minister said.\n\nHe left."
    )
    assert speakers(document) == ["Voss", "Voss", "Voss", "the minister", None]
    assert quoted(document) == [False, True, True, False, False]
    document = "“We stand firm.\n\n“We never shall,” the minister said.\n"
    assert speakers(document) == ["the minister", "the minister"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("“We wait. We hope,” one Estmark diplomat said, adding that time was short.", ["one Estmark diplomat"] * 2),
        ("“We wait. We hope,” a second Estmark diplomat said.", ["a second Estmark diplomat"] * 2),
        ("“We wait,” Voss said. “We hope.”", ["Voss", "Voss"]),
        ("“We wait,” Voss said, “and we hope.”", ["Voss"]),
        ("“We wait,” said Carla Voss, the minister.", ["Carla Voss"]),
        ("“Will it end?” Voss asked on Monday.", ["Voss"]),
        ("“We wait,” Voss told the Vell Gazette.", ["Voss"]),
        ("Voss warned: “We wait. We act.”", ["Voss", "Voss"]),
        ("Voss called the plan “a farce.”", ["Voss"]),
        (
            "The aim was a “strategic retreat” from Vell, a senior Norland diplomat said on Monday.",
            ["a senior Norland diplomat"],
        ),
        ("Norland will wait, diplomats said.", ["diplomats"]),
        ("Norland will wait, Kern added.", ["Kern"]),
        ("Kern recalled that Norland had waited.", ["Kern"]),
        ("Estmark officials have denied any contacts.", ["Estmark officials"]),
        ("As Kern said, the wait is over.", ["Kern"]),
        ("Orr said the envoys had asked for talks, “but nobody listened.”", ["Orr"]),
        ("Norland will wait, the Harbour Ministry’s spokesman said.", ["the Harbour Ministry’s spokesman"]),
        ("Deputy Harbour Minister Sven Orr also said it was wrong to wait.", ["Deputy Harbour Minister Sven Orr"]),
        ("Orr said Norland was “open to talks ... So it is up to D. Holm to act.”", ["Orr", "Orr"]),
        (
            "Norland’s envoy to Vell, Ida Kern, quoted by NNA, described the talks as “very early.”",
            ["Norland’s envoy to Vell, Ida Kern"],
        ),
        (
            "NNA said Kern told Vell news that the talks were “only to test the ground, and no more than that.”",
            ["Kern"],
        ),
        ("Chancellor Max Lind, welcoming the turn, urged the ports not to wait.", ["Chancellor Max Lind"]),
        (
            "Two sources with knowledge of the talks told the Gazette that Vell may host them.",
            ["Two sources with knowledge of the talks"],
        ),
        ("According to two people familiar with the talks, the deal is dead.", ["two people familiar with the talks"]),
        ("The deal is dead, according to the Harbour Ministry.", ["the Harbour Ministry"]),
        ("VELL (NNA) — Minister Ida Kern said the deal is dead.", ["Minister Ida Kern"]),
        ("Norland envoy says Estmark must act", ["Norland envoy"]),
        ("On Monday Kern said it was over. Asked about it, Kern said it was “not so.”", ["Kern", "Kern"]),
        ("“The deal is dead,” Voss said, and Orr said “we are done. Go home.”", ["Voss", "Orr"]),
    ],
)
def test_named_speakers(document: str, expected: list[str]) -> None:
    assert speakers(document) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("Orr told the Gazette the ports would open. He also said talks went on.", ["Orr", "Orr"]),
        ("Orr, in a nightly address, spoke of peace.\n“We work on it,” he said. “And we will.”", ["Orr"] * 3),
        ("“It works,” a fourth diplomat said.\n“It would be good to rest,” he said.", ["a fourth diplomat"] * 2),
        (
            "Ministry spokeswoman Ida Kern said it was over. “No threats,” she said.",
            ["Ministry spokeswoman Ida Kern"] * 2,
        ),
    ],
)
def test_pronouns_with_one_candidate(document: str, expected: list[str]) -> None:
    assert speakers(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        "“We wait,” he said.",
        "Orr rejected that. “We never agreed,” he said.",
        "Kern said the talks failed. Orr rejected that. “We never agreed,” he said.",
        "Kern said no, and Orr said yes. “We wait,” he said.",
        "Kern said no. After Orr left the room, he said it was over.",
        "Kern said no. “Why?” he asked.",
        "Kern said no.\n\nIt rained.\n\n“We wait,” he said.",
        "Kern said no.\n\n“Shame!”\n\n“We wait,” he said.",
        "“We wait,” Kern said.\n\n“We hope.”",
        "Norland recalled its envoy and added two ships.",
        "Norland denied visas to the envoys.",
        "The Harbour Ministry said no. “We wait,” he said.",
        "Diplomats said no. “We wait,” she said.",
        "Both said yes. “We wait,” they said.",
        "“Peace now!”",
        "What Orr said was wrong.",
        "The plan Orr said he liked is dead.",
        "Kern was told no.",
        "The ban is said to be near.",
        "The word “peace” fell often.",
        "Kern paused. “It is over.”",
        "“We regret it,” the statement said.",
    ],
)
def test_no_speaker_rather_than_a_guess(document: str) -> None:
    assert speakers(document)[-1] is None
