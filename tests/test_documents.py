"""Sentences of documents: cuts, offsets, layout, furniture and turns. All texts are invented."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rhetoric.documents import Span, split_sentences
from rhetoric.furniture import is_furniture


def texts(document: str) -> list[str]:
    return [span.text for span in split_sentences(document)]


WIRE = """\
Norland envoy says Estmark must reopen the strait

The envoy has long asked for talks, Norland‘s Harbour Ministry says. (Reuters)
Short Url
Updated 12 May 2031
Follow

  • Ties have sunk to a low since Estmark’s navy closed the strait

VELL: Norland will not bow to threats, its envoy said on Monday. The U.S. delegation, led by Gen. Smith, agreed.
“We came to talk. We were not heard,” Deputy Minister Ada K. Renn said. “That is over.”
NEXT STEPS
The fund holds 93 billion crowns ($108.74 billion) and pays under No. 5 of Art. 7, D. Holm wrote.
Advertisement
"""


def test_wire_report_sentence_by_sentence() -> None:
    assert texts(WIRE) == [
        "Norland envoy says Estmark must reopen the strait",
        "The envoy has long asked for talks, Norland‘s Harbour Ministry says. (Reuters)",
        "Ties have sunk to a low since Estmark’s navy closed the strait",
        "VELL: Norland will not bow to threats, its envoy said on Monday.",
        "The U.S. delegation, led by Gen. Smith, agreed.",
        "“We came to talk.",
        "We were not heard,” Deputy Minister Ada K. Renn said.",
        "“That is over.”",
        "NEXT STEPS",
        "The fund holds 93 billion crowns ($108.74 billion) and pays under No. 5 of Art. 7, D. Holm wrote.",
    ]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It is up to D. Holm and Dr. A. B. Renn.", "They know."],
        ["Amb. Lund cited para. 4 of res. 17 in full.", "Nobody objected."],
        ["The Norland-U.S. talks go on, right? — which is good.", "They end."],
        ["Ready to talk ...", "So it is up to them."],
        ["“Come to the table.", "It is late,” Gen. Smith said on Monday.", "He left."],
        ["“Will the embargo end?” Smith asked.", "Nobody knew."],
        ["“Will it hold?” he asked.", "“Yes!”", "Then he left."],
        ["“The price is high,” she said."],
        ["She called it “a farce.”", "“And we will not pay,” she said."],
        ["He spoke of a fight ‘to the last harbour.’“", "Then he left."],
        ["„Das ist klar.", "Wir warten,“ sagte er."],
        ["«Nous attendons.", "Rien ne presse», a dit M. Dupuis."],
        ["They have “no plan B.”", "Norland’s team left."],
        ["(He left.", "She stayed.)", "(Why?)", "So be it (why not?) and so it was (p. 5)."],
        ["We said no.", "Norland refused.", "It was ill.", "Vell agreed in May.", "Estmark did not."],
        ["Wait…", "So it ends."],
        ["Asked about sanctions, Ms. Okoye said no.", "Mses. Lee and Orr left.", "MS. LEE spoke.", "They left."],
        ["Mmes. Lee, Mlles. Orr, Cllr. Holm, Lieut. Renn, Gens. Voss and Profs. Lund met.", "They left."],
        ["H.E. Mr. Orr met Sec. Holm, Gov. Renn, Sen. Voss, Rep. Lund and St. Paul.", "They left."],
        ["Lt. Orr, Col. Holm, Maj. Renn, Prof. Voss, Mlle. Lund and Mme. Lee met.", "They left."],
        ["See Vol. II, Ch. 4 of vols. 3 and 4.", "It cost approx. $4 million, approx. 3 % more.", "They left."],
        ["It costs five crowns approx.", "The minister left."],
        ["We met the BMs.", "He runs the firm Boch.", "They left."],
    ],
)
def test_cuts(sentences: list[str]) -> None:
    assert texts(" ".join(sentences)) == sentences


def test_hard_wrapped_paragraphs_are_joined() -> None:
    document = (
        "The ministers of Norland and Estmark met in Vell on Monday and agreed\n"
        "that all steps which could raise tensions must be avoided. Dr. A.\n"
        "Holm chaired. Neither side may close the strait again before the\n"
        "Council of Ports has met.\n"
        "\n"
        "Both fleets go home.\n"
    )
    assert [" ".join(text.split()) for text in texts(document)] == [
        "The ministers of Norland and Estmark met in Vell on Monday and agreed that all steps which could raise "
        "tensions must be avoided.",
        "Dr. A. Holm chaired.",
        "Neither side may close the strait again before the Council of Ports has met.",
        "Both fleets go home.",
    ]


def test_lines_of_like_length_are_not_wrapped_prose() -> None:
    headlines = [
        "Norland minister vows to keep the strait open despite all threats",
        "Estmark envoy warns that harbour talks may fail before the winter",
        "Vell summit ends",
    ]
    assert texts("\n".join(headlines)) == headlines


def test_list_items_lose_their_bullets() -> None:
    document = (
        "The ministers:\n"
        "1. Call upon both fleets to return;\n"
        "2) Welcome the offer\n"
        "   of mediation;\n"
        "(a) and report.\n"
        "- a dash\n* a star\n• a dot\n"
    )
    assert [" ".join(text.split()) for text in texts(document)] == [
        "The ministers:",
        "Call upon both fleets to return;",
        "Welcome the offer of mediation;",
        "and report.",
        "a dash",
        "a star",
        "a dot",
    ]


def test_a_number_that_opens_a_wrapped_line_is_no_bullet() -> None:
    document = "The parties recall the duties that follow from Article\n5. The ports stay open to the ships\nof all."
    assert "5" in "".join(texts(document))


@pytest.mark.parametrize(
    "line",
    [
        *("Short Url", "Updated 06 February 2031", "Updated: May 6, 2031 14:05 GMT", "Published on 2031-02-06"),
        *("12 May 2031", "14:05", "3 hours ago", "5 min read", "Page 3 of 7", "- 3 -"),
        *("Follow", "Share", "SHARE", "Follow us on X", "Subscribe", "Subscribe to our newsletter", "Advertisement"),
        *("Read more", "Read more: Estmark recalls its envoy", "Related articles", "https://example.org/a?b=1"),
        *("(Reuters)", "Reuters", "AP/AFP", "Photo: the ministers shake hands", "File photo"),
        *("© 2031 Norland Wire", "Copyright 2031 Norland Wire. All rights reserved.", "All rights reserved."),
    ],
)
def test_furniture_is_dropped_as_a_whole_line(line: str) -> None:
    assert is_furniture(line)
    assert texts(f"One came.\n{line}\nTwo left.") == ["One came.", "Two left."]
    assert line.split()[0] in " ".join(texts(f"One came. {line} Two left."))


@pytest.mark.parametrize(
    "line",
    [
        "Follow the law.",
        "Follow.",
        "Share the burden",
        "share",
        "Subscribe to the principle of peace.",
        "Copyright is a matter of national law.",
        "(c) the parties shall report",
        "Photo editors were expelled.",
        "Updated sanctions lists follow.",
        "Read more books.",
        "Reuters said so.",
        "Vell, 12 May 2031",
        "More than 12 May",
        "Page 3 was torn out.",
        "2031",
    ],
)
def test_prose_survives(line: str) -> None:
    assert not is_furniture(line)
    assert "".join(texts(line)) in line
    assert texts(line) != []


def test_lines_without_words_are_left_out() -> None:
    assert texts("One came.\n\n* * *\n\n---\n\nTwo left.\n…\n") == ["One came.", "Two left."]
    assert texts("") == texts(" \n\t\u00a0") == []


BRIEFING = """\
DAILY BRIEFING

MR. PRYCE: Good afternoon. I have one item.

It is short: the talks go on.

QUESTION: Will you lift the embargo?
MR. PRYCE: I refer you to the ministry. As Minister Orr said, “Never. Not now.”
Q  And Vell?
MS. LEE (via interpreter): We will see.
Note: this is a transcript.
"""


def test_turns_of_a_transcript() -> None:
    assert [(span.speaker, span.text) for span in split_sentences(BRIEFING)] == [
        (None, "DAILY BRIEFING"),
        ("MR. PRYCE", "Good afternoon."),
        ("MR. PRYCE", "I have one item."),
        ("MR. PRYCE", "It is short: the talks go on."),
        ("Question", "Will you lift the embargo?"),
        ("MR. PRYCE", "I refer you to the ministry."),
        ("MR. PRYCE", "As Minister Orr said, “Never."),
        ("Minister Orr", "Not now.”"),
        ("Question", "And Vell?"),
        ("MS. LEE", "We will see."),
        ("MS. LEE", "Note: this is a transcript."),
    ]


def test_a_dateline_is_no_turn() -> None:
    document = (
        "VELL: The talks go on.\n\nOSLUND: The talks are over.\n\nA: an item\n\nPresident Holm: the strait is open"
    )
    assert [(span.speaker, span.text[:4]) for span in split_sentences(document)] == [
        (None, "VELL"),
        (None, "OSLU"),
        (None, "A: a"),
        (None, "Pres"),
    ]


def test_a_dialogue_of_bare_names() -> None:
    document = "HOLM: Yes.\nRENN: No.\n" * 3
    assert [(span.speaker, span.text) for span in split_sentences(document)] == [("HOLM", "Yes."), ("RENN", "No.")] * 3


def test_long_documents_take_linear_time() -> None:
    paragraph = "“We wait,” Minister Orr said. The U.S. envoy left; he said, she said, (no “deal. " * 12_000  # 1 MB
    assert len(split_sentences(paragraph)) > 12_000
    assert len(split_sentences("he said, " * 100_000)) == 1
    assert len(split_sentences("- “a\n" * 50_000)) == 50_000


# --- Properties ------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *"“”\"'‘’„«»。()）1😀é\n\u00a0\u200b\u3000\x00\ud800",
        *(
            ". ",
            ".",
            "? ",
            "…",
            "... ",
            ", ",
            "\r\n",
            "\n\n",
            "U.S.",
            "Dr. ",
            "5. ",
            "- ",
            "• ",
            "(a) ",
            "Q: ",
            "MR. ORR: ",
        ),
        *("Follow", "\nShare\n", "(Reuters)", "Updated 12 May 2031", "SECTION", "word ", "Vell "),
        *(" he said", " Voss said", "said Orr ", "according to Voss", "Voss, the envoy, said "),
    ]
)
_DOCUMENTS = st.one_of(st.text(), st.lists(_PIECES, max_size=60).map("".join))
_MARKER = re.compile(r"\s*(?:[•‣◦▪●■·*–—-]\s*|\(?\w{1,5}[.)]\s+)?(?:[^:]{1,90}:\s*|Q\s+)?")


@given(_DOCUMENTS)
@settings(max_examples=400, deadline=None)
@example("\u3000X. \u3000Y. Z")
@example("“" * 50 + "a. B" + "”" * 50)
def test_offsets_order_and_coverage(document: str) -> None:
    spans = split_sentences(document)
    end = 0
    covered: set[int] = set()
    for span in spans:
        assert isinstance(span, Span)
        assert end <= span.start < span.end
        assert document[span.start : span.end] == span.text == span.text.strip()
        assert any(c.isalnum() for c in span.text)
        assert span.speaker is None or span.speaker in document or span.speaker in ("Question", "Answer")
        end = span.end
        covered.update(range(span.start, span.end))

    offset = 0
    for line in document.splitlines(keepends=True):
        missing = [i for i, c in enumerate(line) if c.isalnum() and offset + i not in covered]
        if missing and not is_furniture(line.strip()):
            marker = _MARKER.match(line)
            assert marker and missing[-1] < marker.end(), f"{line!r} lost {line[missing[-1] :]!r}"
        offset += len(line)


@given(_DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_blank_lines_around_change_nothing(document: str) -> None:
    shifted = split_sentences(f"\n\n{document}\n\n")
    assert [(s.start - 2, s.end - 2, s.text, s.quoted, s.speaker) for s in shifted] == [
        (s.start, s.end, s.text, s.quoted, s.speaker) for s in split_sentences(document)
    ]
