"""Quotations: which quote marks open, which close, and what stands between them.

Real pages mix up their glyphs, use apostrophes for quote marks and the reverse, and forget closing marks. So the
characters around a mark weigh more than the mark itself, and one paragraph never spoils the next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["QUOTE_MARKS", "Quotation", "find_marks", "find_quotations"]

# Families are tracked apart, so that a mark of one family inside a quotation of another cannot end it.
_FAMILIES = {"double": '“”„‟"＂', "angle": "«»‹›「」『』", "single": "‘’‚‛'"}
_FAMILY = {mark: family for family, marks in _FAMILIES.items() for mark in marks}
_GLYPH_OPENS = frozenset("“„‟«‹「『‘‚‛")
_GLYPH_CLOSES = frozenset("”»›」』’")
QUOTE_MARKS = "".join(_FAMILY)
_MARKS = re.compile(f"[{QUOTE_MARKS}]+")
_BEFORE_OPENING = frozenset("([{—–-/:;")
_AFTER_CLOSING = frozenset(",;:!?)]}")
_BEFORE_TEXT = frozenset("([{$€£¥#@¿¡")


@dataclass(frozen=True, slots=True)
class Quotation:
    """One direct quotation inside one paragraph, marks included.

    Attributes:
        start: Offset of the opening mark.
        end: Offset after the closing mark, or the end of the paragraph if that mark is missing.
        closed: False if the closing mark is missing.
        continues: True if it goes on from an unclosed quotation at the end of the paragraph before.
    """

    start: int
    end: int
    closed: bool
    continues: bool


def find_marks(text: str, start: int, end: int) -> dict[int, bool]:
    """Finds the quote marks of a paragraph; apostrophes are not among them.

    What stands on both sides decides (broken text writes “ where ” is meant); the glyph decides where they do not.

    Args:
        text: The document.
        start: Offset of the paragraph.
        end: Offset after it.

    Returns:
        Offset to True for an opening and False for a closing mark, in order.
    """
    marks: dict[int, bool] = {}
    straight_open = False
    for run in _MARKS.finditer(text, start, end):
        left = text[run.start() - 1] if run.start() > start else " "
        right = text[run.end()] if run.end() < end else " "
        inside_word = left.isalnum() and right.isalnum()
        boundary = left.isspace() or left in _BEFORE_OPENING or not left.isprintable()
        opens = boundary and not (right.isspace() or right in _AFTER_CLOSING)
        closes = not left.isspace() and not (right.isalnum() or right in _BEFORE_TEXT)
        for position in range(run.start(), run.end()):
            glyph = text[position]
            single = _FAMILY[glyph] == "single"
            if single and (inside_word or (opens and glyph == "’")):
                continue
            if opens != closes:
                role = opens
            elif glyph in _GLYPH_OPENS or glyph in _GLYPH_CLOSES:
                role = glyph in _GLYPH_OPENS
            elif single:
                continue
            else:
                role = not straight_open
            if not single:
                straight_open = role
            marks[position] = role
    return marks


def find_quotations(text: str, start: int, end: int, marks: dict[int, bool], after_open: bool) -> list[Quotation]:
    """Pairs the marks of a paragraph.

    Args:
        text: The document.
        start: Offset of the paragraph.
        end: Offset after it.
        marks: What `find_marks` found there. Single marks that turn out to be apostrophes are removed from it.
        after_open: Whether the paragraph before ended inside a quotation; a mark that opens this one goes on with it.

    Returns:
        Outermost quotations in order; they do not overlap.
    """
    pairs = _pair_single_marks(text, start, end, marks)
    for family in ("double", "angle"):
        pairs += _pair_marks(
            [(position, opens) for position, opens in marks.items() if _FAMILY[text[position]] == family], end
        )

    outermost: list[Quotation] = []
    for first, last, closed in sorted(pairs, key=lambda pair: (pair[0], -pair[1])):
        if outermost and first < outermost[-1].end:
            before = outermost[-1]
            if last > before.end:
                outermost[-1] = Quotation(before.start, last, closed, before.continues)
            continue
        outermost.append(Quotation(first, last, closed, after_open and first == start))
    return outermost


def _pair_marks(marks: list[tuple[int, bool]], end: int) -> list[tuple[int, int, bool]]:
    """Pairs marks of one family; those of a balanced paragraph may nest, else the next closing mark closes."""
    balance = 0
    nests = True
    for _, opens in marks:
        balance += 1 if opens else -1
        nests = nests and balance >= 0
    nests = nests and balance == 0

    pairs: list[tuple[int, int, bool]] = []
    depth, first = 0, 0
    for position, opens in marks:
        if opens:
            first = first if depth else position
            depth = depth + 1 if nests else 1
        elif depth:
            depth -= 1
            if not depth:
                pairs.append((first, position + 1, True))
    if depth:
        pairs.append((first, end, False))
    return pairs


def _pair_single_marks(text: str, start: int, end: int, marks: dict[int, bool]) -> list[tuple[int, int, bool]]:
    """Pairs single marks and removes from `marks` those that are apostrophes after all."""
    pairs: list[tuple[int, int, bool]] = []
    opened: int | None = None
    in_doubt = False  # the last pair may have been closed by a plural possessive (the envoys’ talks)
    singles = [position for position in marks if _FAMILY[text[position]] == "single"]
    for position in singles:
        if marks[position]:
            opened, in_doubt = position, False
        elif opened is not None:
            pairs.append((opened, position + 1, True))
            in_doubt = text[position - 1] == "s" and text[position + 1 : position + 2].isspace()
            opened = None
        elif in_doubt and not text[position - 1].isalpha():
            pairs[-1] = (pairs[-1][0], position + 1, True)
            in_doubt = False
    if opened is not None and text[opened] == "‘" and text[max(start, opened - 2) : opened].strip() in ("", ":", ","):
        pairs.append((opened, end, False))  # speech that goes on in the next paragraph
    used = {offset for first, last, _ in pairs for offset in (first, last - 1)}
    for position in singles:
        if position not in used:
            del marks[position]
    return pairs
