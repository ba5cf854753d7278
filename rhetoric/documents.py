"""From a raw document to sentences: exact offsets, what is quoted, and who speaks.

No model is needed for it: `furniture` finds the paragraphs of the page, they are cut into sentences here, `quotations`
says what is direct speech, and `attribution` whose. Sentence ends come from sentencex, which knows the
abbreviations. It reads a mask of the text, of the same length, in which quote marks are blanks: it would keep a
quotation of many sentences whole. So are round brackets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

from rhetoric.attribution import find_speakers, opens_with_attribution
from rhetoric.furniture import find_paragraphs
from rhetoric.quotations import QUOTE_MARKS, Quotation, find_marks, find_quotations

__all__ = ["Span", "split_sentences"]


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence of a document.

    Attributes:
        start: Offset of its first character in the document.
        end: Offset after its last character.
        text: `document[start:end]`; never starts or ends with white space.
        quoted: True if more than half of its letters stand inside a direct quotation.
        speaker: Who says it, in the words of the document; None if the text does not make it plain.
    """

    start: int
    end: int
    text: str
    quoted: bool
    speaker: str | None


def split_sentences(text: str) -> list[Span]:
    """Splits a document into sentences.

    Headlines, headings and list items are sentences of their own. Left out are page furniture, lines without a
    letter or digit, bullets, and the labels of speakers' turns in a transcript (which become `speaker`).

    Args:
        text: A news report, speech, communiqué or transcript. Paragraphs may be hard-wrapped or one to a line.

    Returns:
        Its sentences in order; they do not overlap.
    """
    sentences: list[tuple[int, int, int]] = []
    turns: list[str | None] = []
    quotations: list[Quotation] = []
    open_before = False
    for number, paragraph in enumerate(find_paragraphs(text)):
        marks = find_marks(text, paragraph.start, paragraph.end)
        found = find_quotations(text, paragraph.start, paragraph.end, marks, open_before)
        open_before = bool(found) and not found[-1].closed
        quotations += found
        for start, end in _sentences(text, paragraph.start, paragraph.end, marks):
            sentences.append((start, end, number))
            turns.append(paragraph.turn)

    overlaps = _overlaps(sentences, quotations)
    speakers = find_speakers(text, sentences, quotations, overlaps)
    spans = []
    for (start, end, _), overlap, speaker, turn in zip(sentences, overlaps, speakers, turns, strict=True):
        pieces = (quotations[i] for i in overlap)
        inside = sum(_letters(text, max(start, piece.start), min(end, piece.end)) for piece in pieces)
        quoted = 2 * inside > _letters(text, start, end)
        if turn and not (quoted and speaker):
            speaker = turn
        spans.append(Span(start, end, text[start:end], quoted, speaker))
    return spans


def _overlaps(sentences: Sequence[tuple[int, int, int]], quotations: Sequence[Quotation]) -> list[range]:
    """The indices of the quotations that each sentence touches."""
    overlaps = []
    first = 0
    for start, end, _ in sentences:
        while first < len(quotations) and quotations[first].end <= start:
            first += 1
        stop = first
        while stop < len(quotations) and quotations[stop].start < end:
            stop += 1
        overlaps.append(range(first, stop))
    return overlaps


def _letters(text: str, start: int, end: int) -> int:
    return sum(map(str.isalpha, text[start:end]))


# Abbreviations of diplomatic prose that sentencex does not know.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:Amb|[Pp]aras?|[Rr]es|[Cc]f|Adm|Brig|Hon|Rt|op|M[sS]|Mses|Mmes|Mlles|Cllr|Lieut|Gens|Profs)\.$"
)
# These may end a sentence ("five crowns approx."), but not before a number.
_BEFORE_NUMBER = re.compile(r"(?:^|[\s(])(?:[Vv]ols?|[Cc]hs?|[Aa]pprox)\.$")
_NUMBER = re.compile(r"[$€£]?\d|[IVXLC]+\b")
_CREDIT = re.compile(r"\([^().!?]{1,40}\)")  # "(Reuters)" after a caption is no sentence
_GOES_ON = re.compile(r"[—–-]\s*[a-z]")  # "It is late, right? — which is why we go."
_INITIAL = re.compile(r"\b[A-Z]\.$")  # "the Norland-U.S. talks"
_ALNUM = re.compile(r"[^\W_]")
# What must not read as the mark or the abbreviation it looks like: an apostrophe, a letter that ends a quotation
# (“plan B.” is no initial), common words that sentencex takes for short forms.
_INERT = re.compile(
    rf"(?<=\w)['‘’‚‛](?=\w)|\b[A-Z](?=\.[{QUOTE_MARKS}])|\b(?:[Mm]ay|no|me|ill|art|fed|miss|con)(?=\.(?!\s+\d))"
)
_CONTEXT = 240  # characters on either side of a cut that decide whether it is one


class _Mask(dict[int, str]):
    """Maps each character to one with the same bearing on sentence ends; filled as characters turn up.

    All but ASCII is masked since sentencex panics on some white space of several bytes.
    """

    def __missing__(self, code: int) -> str:
        c = chr(code)
        if c in QUOTE_MARKS or c in "()" or c.isspace():
            mask = " "
        elif code < 128 or c in "。！？":
            mask = c
        elif c == "…":
            mask = "."
        elif c.isalnum() or unicodedata.combining(c):
            mask = "X" if c.isupper() else "x"
        else:
            mask = "-" if unicodedata.category(c) == "Pd" else " "
        self[code] = mask
        return mask


_MASK = _Mask()


def _sentences(text: str, start: int, end: int, marks: dict[int, bool]) -> Iterator[tuple[int, int]]:
    """Yields the offsets of the sentences of one paragraph; they touch but for white space."""
    mask = _INERT.sub(lambda inert: "0" * len(inert[0]), text[start:end]).translate(_MASK)
    last_word = end - start
    while not mask[last_word - 1].isalnum():
        last_word -= 1
    begin, seen = 0, 0
    has_word = False
    for boundary in get_sentence_boundaries("en", mask)[:-1]:
        cut = _place_cut(text, start, mask, boundary["end_index"], marks)
        has_word = has_word or _ALNUM.search(mask, seen, cut) is not None
        seen = max(seen, cut)
        if has_word and begin < cut < last_word and not _belongs_together(text, start + begin, start + cut, end):
            yield _strip(text, start + begin, start + cut)
            begin, has_word = cut, False
    yield _strip(text, start + begin, end)


def _place_cut(text: str, start: int, mask: str, boundary: int, marks: dict[int, bool]) -> int:
    """Moves a sentence end to where closing marks go with the sentence before and opening ones with the one after."""
    cut = boundary
    while cut and mask[cut - 1] == " ":
        cut -= 1
    for position in range(cut, len(mask)):
        c, opens = text[start + position], marks.get(start + position)
        closes = opens is False or c in ")]}"
        if opens or c == "(" or not (closes or mask[position] == " "):
            break
        if closes:
            cut = position + 1
    return cut


def _belongs_together(text: str, start: int, cut: int, end: int) -> bool:
    """True if what sentencex took for a sentence end at `cut` is none."""
    left, right = text[max(start, cut - _CONTEXT) : cut].rstrip(), text[cut : min(end, cut + _CONTEXT)].strip()
    if _ABBREVIATION.search(left) or _CREDIT.fullmatch(right) or _GOES_ON.match(right):
        return True
    if _BEFORE_NUMBER.search(left) and _NUMBER.match(right):
        return True
    if _INITIAL.search(left) and not text[cut].isspace():
        return True
    spoken = left.rstrip(QUOTE_MARKS + ")")
    if spoken == left or not spoken.endswith(("?", "!", "…", "...")):
        return False
    return right[:1].islower() or opens_with_attribution(right)


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
