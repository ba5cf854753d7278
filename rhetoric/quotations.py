"""Quotations and who speaks: which quote marks open and close, and which attribution belongs to what.

`find_marks` and `find_quotations` read one paragraph; `find_speakers` reads the sentences of a document with
the quotations found in it. A speaker is a verbatim piece of the text. Precision comes first: where the text does
not make it plain who speaks, the answer is None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["QUOTE_MARKS", "Quotation", "find_marks", "find_quotations", "find_speakers", "opens_with_attribution"]

# Families are tracked apart, so that a mark of one family inside a quotation of another cannot end it.
_FAMILIES = {"double": '“”„‟"＂', "angle": "«»‹›「」『』", "single": "‘’‚‛'"}
_FAMILY = {mark: family for family, marks in _FAMILIES.items() for mark in marks}
_GLYPH_OPENS = frozenset("“„‟«‹「『‘‚‛")
_GLYPH_CLOSES = frozenset("”»›」』’")
QUOTE_MARKS = "".join(_FAMILY)
_MARKS = re.compile(f"[{QUOTE_MARKS}]+")
_BEFORE_OPENING = frozenset("([{—–-/:;")
_BEFORE_TEXT = frozenset("([{$€£¥#@¿¡")
_ENDS_SPEECH = frozenset(",.!?…—–-")


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

    Returns:
        Offset to True for an opening and False for a closing mark, in order.
    """
    marks: dict[int, bool] = {}
    straight_open = False
    for run in _MARKS.finditer(text, start, end):
        left = text[run.start() - 1] if run.start() > start else " "
        right = text[run.end()] if run.end() < end else " "
        inside_word = left.isalnum() and right.isalnum()
        opens = (not left.isprintable() or left.isspace() or left in _BEFORE_OPENING) and not right.isspace()
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
    pairs: list[tuple[int, int, bool]] = []
    opened: dict[str, int] = {}
    for position, opens in marks.items():
        family = _FAMILY[text[position]]
        if family == "single":
            continue
        if opens:
            opened.setdefault(family, position)
        elif family in opened:
            pairs.append((opened.pop(family), position + 1, True))
    pairs.extend((position, end, False) for position in opened.values())
    pairs.extend(_pair_single_marks(text, end, marks))

    outermost: list[Quotation] = []
    for first, last, closed in sorted(pairs, key=lambda pair: (pair[0], -pair[1])):
        if outermost and first < outermost[-1].end:
            before = outermost[-1]
            if last > before.end:
                outermost[-1] = Quotation(before.start, last, closed, before.continues)
            continue
        outermost.append(Quotation(first, last, closed, after_open and first == start))
    return outermost


def _pair_single_marks(text: str, end: int, marks: dict[int, bool]) -> list[tuple[int, int, bool]]:
    pairs: list[tuple[int, int, bool]] = []
    opened: int | None = None
    possessive = False  # the last pair was closed by what may have been a plural possessive (the envoys’ talks)
    used: set[int] = set()
    singles = [position for position in marks if _FAMILY[text[position]] == "single"]
    for position in singles:
        if marks[position]:
            opened, possessive = position, False
            continue
        follows_letter = text[position - 1].isalpha()
        if opened is not None:
            pairs.append((opened, position + 1, True))
            used |= {opened, position}
            possessive = text[position - 1] in "sS" and text[position + 1 : position + 2].isspace()
            opened = None
        elif possessive and not follows_letter:
            first, false_close, _ = pairs[-1]
            pairs[-1] = (first, position + 1, True)
            used.discard(false_close - 1)
            used.add(position)
            possessive = False
    for position in singles:
        if position not in used:
            del marks[position]
    return pairs


# --- Attribution -----------------------------------------------------------------------------------------------

_QUOTED = "\x00"  # stands for every character inside a quotation, so that no pattern reads there
_UPPER = "".join(filter(str.isupper, map(chr, range(0x530))))
_APOSTROPHE = "['’‘]"

_FUNCTION_WORD = (
    r"a|an|the|and|or|but|nor|yet|so|as|at|by|for|from|in|into|of|on|onto|over|to|with|without|under|than|then|that|this"
    r"|these|those|which|who|whom|whose|what|when|where|while|whereas|whether|if|because|since|although|though|after|before"
    r"|during|until|is|are|was|were|be|been|being|has|have|had|will|would|shall|should|can|could|may|might|must|do|does|did"
    r"|not|no|it|he|she|they|we|you|i|said|says|say|told|there|here|also|however|meanwhile|instead|later|earlier|still|even"
    r"|asked|speaking|according|nobody|everyone|everybody|someone|somebody|anyone|none|nothing|everything"
    r"|reports?|statements?|today|yesterday|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march|april|june|july|august|september|october|november|december"
)
_NOT_FUNCTION_WORD = rf"(?!(?i:{_FUNCTION_WORD})\b)"
_CAPITALISED = rf"(?:[dD]['’]|[ae]l-)?[{_UPPER}](?:[\w&]|\.(?=\s*[\w,])|['’‘-](?=\w))*"
_PARTICLE = r"(?:of|for|to|and|the|de|da|di|del|della|der|den|du|van|von|bin|ibn|al|el|la|le|zu)"
_NAME = rf"{_NOT_FUNCTION_WORD}{_CAPITALISED}(?:\s+(?:{_PARTICLE}\s+){{0,2}}{_NOT_FUNCTION_WORD}{_CAPITALISED}){{0,9}}"
_PERSON = (
    r"diplomat|official|source|minister|president|ambassador|envoy|leader|analyst|advis[eo]r|aide|expert|secretary|chief"
    r"|chancellor|premier|lawmaker|senator|negotiator|delegate|general|commander|spokesman|spokeswoman|spokesperson"
    r"|governor|mediator|observer|historian|professor|officer|chairman|chairwoman|commissioner|representative|counterpart"
    r"|head|director|king|queen|prince|pope|mayor|lawyer|participant|attach[ée]|consul|journalist|reporter"
)
_BODY = (
    r"ministry|government|embassy|office|delegation|mission|kremlin|presidency|commission|agency|council|parliament"
    r"|administration|department|foundation|army|military|alliance|bloc|union|party|committee|secretariat|house|court"
)
_HEAD = rf"(?i:(?:{_PERSON}|{_BODY})s?|ministries|agencies|embassies|people|spokesmen|allies)"
_WORD = rf"{_NOT_FUNCTION_WORD}\w(?:[\w&]|\.(?=\s*\w)|['’‘-](?=\w))*"
_DETERMINER = r"(?i:a|an|the|one|his|her|its|their|our|my|this|that)"
_COMPLEMENT = rf"(?:\s+(?:with|of|for|to|from|in|at|familiar\s+with|close\s+to|briefed\s+on)(?:\s+(?:the|a|an))?(?:\s+{_WORD}){{1,4}})"
_DESCRIPTION = rf"(?:{_DETERMINER}\s+)?(?:{_WORD}\s+){{0,5}}{_HEAD}\b{_COMPLEMENT}{{0,3}}(?:,?\s+{_NAME})?"
_SUBJECT = rf"(?:{_DESCRIPTION}|(?:[Tt]he\s+)?{_NAME}|[Hh]e|[Ss]he)"

# Verbs after which whatever follows is the subject's own word, quoted or not ...
_REPORTING = (
    r"sa(?:id|ys|y)(?!\s+to\s+(?:be|have)\b)|t(?:old|ells)|w(?:rote|rites)|add(?:ed|s)|noted|warn(?:ed|s)|stressed|argue[ds]"
    r"|insist(?:ed|s)|claimed|stated|declared|announced|acknowledged|admitted|emphasi[sz]ed|underlined|underscored"
    r"|reiterated|reaffirmed|reaffirms|maintained|explained|concluded|remarked|observed|conceded|cautioned|urge[ds]|pledged"
    r"|vow(?:ed|s)|spoke(?=\s+(?:of|about)\b)|denied|tweeted|recalled|replied|responded|countered|complained|predicted"
    r"|promised|called(?=\s+(?:for|on)\b)|calls(?=\s+(?:for|on)\b)"
)
# ... and verbs that say so only of a quotation beside them.
_QUOTING = (
    r"described|called|dismissed|denounced|condemned|branded|labelled|labeled|termed|hailed|praised|asked|answered|continued"
    r"|posted|commented|went\s+on|joked|quipped|accused|referred|demanded|thanked|welcomed|rejected|criticised|criticized"
)
_VERB = re.compile(rf"\b(?:(?P<reporting>{_REPORTING})|{_QUOTING}|describe[ds])\b")
_ADVERBS = r"(?:(?:also|then|later|again|has|have|had|further|repeatedly|still|earlier|on\s+\w+day)\s+){0,3}"
_SUBJECT_BEFORE = re.compile(rf"(?<![\w'’‘-])(?P<subject>{_SUBJECT})\s+{_ADVERBS}$")
_SUBJECT_AFTER = re.compile(
    rf"\s+(?P<subject>{_SUBJECT})(?=\s*(?:[.,;:!?)\x00—–]|$)|\s+(?:on|in|at|during|after|when|as|to|late|last)\b)"
)
_ACCORDING = re.compile(rf"\b[Aa]ccording\s+to\s+(?P<subject>{_SUBJECT})(?=\s*(?:[.,;:!?)\x00—–]|$))")
_WINDOW = 200  # characters before a verb in which its subject is looked for

_INTRODUCTION = (
    r"(?:In|On|At|After|Before|During|Speaking|Asked|Addressing|Writing|Responding|While|When|Although|As|Since|For|With"
    r"|Following|Earlier|Later|Meanwhile|However|Late|Last|But|And|Yet|Still)"
)
_DATELINE = re.compile(
    rf"[{_UPPER}][{_UPPER} .'’-]{{2,30}}(?:,[\w .]{{1,30}})?(?:\s*\([^()]{{2,40}}\))?\s*(?:—|–|--|-|:)\s+"
)
_APPOSITION = re.compile(
    rf"(?:{_INTRODUCTION}\b[^,\x00]{{0,120}},\s+|(?:But|And|Yet)\s+)?"
    rf"(?P<subject>(?:{_DESCRIPTION}|(?:[Tt]he\s+)?{_NAME}))(?:,[^,\x00]{{1,120}}){{1,2}},\s+{_ADVERBS}$"
)
_CLAUSE_START = re.compile(
    r"(?:But|And|Yet|Still|So|Then|Meanwhile|However|Later|Instead|Earlier|On\s+\w+day|Late\s+on\s+\w+day)?,?"
)
_INTRODUCED = re.compile(rf"{_INTRODUCTION}\b.*,", re.DOTALL)
_NESTED = re.compile(rf"\b(?:{_REPORTING})(?:\s+that)?$")
_COORDINATED = re.compile(r"\b(?:and|but|while|whereas|although|though)$")
_TAIL = re.compile(
    rf"(?:\s+(?:reporters|journalists|(?:the\s+)?{_NAME}))?(?:\s*(?:[.,;:!?)\x00—–]|$)|\s+(?:on|in|at|to|during|after|before|late"
    rf"|early|last|this|earlier|yesterday|today|when|through|via|by|from|of|as|while|ahead|following|(?i:\w+day))\b)"
)
_PRONOUN = re.compile(r"[Hh]e|[Ss]he")
_NOT_ONE_PERSON = re.compile(
    rf"(?i:\b(?:(?:{_PERSON}|{_BODY})s|{_BODY}|people|spokesmen|allies|and|reuters)\b)|^[Tt]he\s+[{_UPPER}]|^[{_UPPER}.]+$"
)
_EXCHANGE = frozenset({"asked", "answered", "replied", "responded", "countered"})


@dataclass(frozen=True, slots=True)
class _Attribution:
    """One 'X said', with absolute offsets; `whole` if it holds for the whole sentence, quoted or not."""

    start: int
    end: int
    speaker: str | None
    whole: bool
    after_quotation: bool


def opens_with_attribution(text: str) -> bool:
    """True if a stretch of text begins like the words after a quotation: “Is it?” the envoy asked."""
    if text[:1].islower():
        return True
    verb = _VERB.search(text, 0, _WINDOW)
    if verb is None or not _TAIL.match(text, verb.end()):
        return False
    subject = _SUBJECT_BEFORE.search(text[: verb.start()])
    return subject is not None and subject.start() == 0


def find_speakers(
    text: str,
    sentences: Sequence[tuple[int, int, int]],
    quotations: Sequence[Quotation],
    overlaps: Sequence[range],
) -> list[str | None]:
    """Finds who says each sentence.

    Args:
        text: The document.
        sentences: (start, end, number of the paragraph) of each sentence, in order.
        quotations: Those of all paragraphs, in order.
        overlaps: The indices of the quotations that each sentence touches.

    Returns:
        The speaker of each sentence, in the words of the document, or None.
    """
    attributions: list[list[_Attribution]] = []
    last: str | None = None  # the one person a following 'he' or 'she' can mean
    last_paragraph = -1
    for (start, end, paragraph), inside in zip(sentences, overlaps, strict=True):
        narration = _narration(text, start, end, [quotations[i] for i in inside])
        if paragraph > last_paragraph + 1:
            last = None
        found = _attributions(text, start, narration, last)
        attributions.append(found)
        persons = {a.speaker for a in found if a.speaker and not _NOT_ONE_PERSON.search(a.speaker)}
        if found:
            last = persons.pop() if len(persons) == 1 and all(a.speaker for a in found) else None
        elif any(c.isalpha() for c in narration) and not re.match(r"\W*(?:He|She|His|Her)\b", narration):
            last = None  # somebody else may have entered
        last_paragraph = paragraph

    said = _quotation_speakers(text, sentences, quotations, overlaps, attributions)
    speakers: list[str | None] = []
    for (start, end, _), inside, found in zip(sentences, overlaps, attributions, strict=True):
        known = [i for i in inside if said[i]]
        if known:
            widest = max(known, key=lambda i: min(end, quotations[i].end) - max(start, quotations[i].start))
            speakers.append(said[widest])
        else:
            speakers.append(next((a.speaker for a in found if a.whole), None))
    return speakers


def _narration(text: str, start: int, end: int, quotations: Sequence[Quotation]) -> str:
    pieces = []
    position = start
    for quotation in quotations:
        first, last = max(start, quotation.start), min(end, quotation.end)
        pieces += [text[position:first].replace(_QUOTED, " "), _QUOTED * (last - first)]
        position = last
    pieces.append(text[position:end].replace(_QUOTED, " "))
    return "".join(pieces)


def _attributions(text: str, offset: int, narration: str, last: str | None) -> list[_Attribution]:
    """All 'X said' of one sentence outside its quotations."""
    found: list[_Attribution] = []
    dateline = _DATELINE.match(narration)
    begin = dateline.end() if dateline else 0
    quotes = _QUOTED in narration

    def add(subject: re.Match[str], at: int, end: int, whole: bool, after_quotation: bool, verb: str = "") -> None:
        first, stop = at + subject.start("subject"), at + subject.end("subject")
        speaker: str | None = text[offset + first : offset + stop]
        if _PRONOUN.fullmatch(narration, first, stop):
            # An introduction that names somebody ("After Lind left, he said"), or an exchange, leaves it open.
            named = not after_quotation and re.search(rf"\s[{_UPPER}]", narration[begin:first].rstrip(", "))
            speaker = None if named or verb in _EXCHANGE else last
        found.append(_Attribution(offset + first, offset + end, speaker, whole, after_quotation))

    for match in _ACCORDING.finditer(narration, begin):
        add(match, 0, match.end(), True, False)
    for verb in _VERB.finditer(narration, begin):
        if not verb["reporting"] and not quotes:
            continue
        origin = max(begin, verb.start() - _WINDOW)
        left = narration[origin : verb.start()]
        subject = _SUBJECT_BEFORE.search(left)
        if subject is None:
            before = narration[begin : verb.start()].rstrip()
            if _after_speech(text, offset, before, begin) or (before.endswith(",") and verb[0] in ("said", "says")):
                subject = _SUBJECT_AFTER.match(narration, verb.end())
                if subject:
                    add(subject, 0, subject.end("subject"), True, before.endswith((_QUOTED, _QUOTED + ",")), verb[0])
                    continue
            apposition = _APPOSITION.match(left) if origin == begin else None
            if apposition:
                add(apposition, origin, verb.end(), bool(verb["reporting"]), False, verb[0])
            continue
        before = narration[begin : origin + subject.start("subject")].rstrip()
        whole = bool(verb["reporting"])
        if _after_speech(text, offset, before, begin):
            add(subject, origin, verb.end(), whole, True, verb[0])
        elif _CLAUSE_START.fullmatch(before) or _NESTED.search(before):
            add(subject, origin, verb.end(), whole, False, verb[0])
        elif before.endswith((",", "—", "–", "(")):
            tail = _TAIL.match(narration, verb.end())
            if tail or _INTRODUCED.fullmatch(before):
                add(subject, origin, verb.end(), whole, False, verb[0])
        elif _COORDINATED.search(before):
            add(subject, origin, verb.end(), False, False, verb[0])
    return sorted(found, key=lambda a: a.start)


def _after_speech(text: str, offset: int, before: str, begin: int) -> bool:
    """True if the narration so far ends with a quotation that hands over to its attribution: “…,” or “…”, or “…” —."""
    quoted = before.rstrip(" ,—–-")
    if len(quoted) <= begin or not quoted.endswith(_QUOTED):
        return False
    inner = text[offset + begin : offset + len(quoted)].rstrip(QUOTE_MARKS)
    return before != quoted or inner[-1:] in _ENDS_SPEECH


def _quotation_speakers(
    text: str,
    sentences: Sequence[tuple[int, int, int]],
    quotations: Sequence[Quotation],
    overlaps: Sequence[range],
    attributions: Sequence[Sequence[_Attribution]],
) -> list[str | None]:
    first_of: dict[int, int] = {}
    last_of: dict[int, int] = {}
    for number, inside in enumerate(overlaps):
        for i in inside:
            first_of.setdefault(i, number)
            last_of[i] = number

    said: list[str | None] = [None] * len(quotations)
    for i, first in first_of.items():
        quotation = quotations[i]
        here, there = attributions[first], attributions[last_of[i]]
        opens_sentence = quotation.start <= sentences[first][0]
        after = [a for a in there if a.after_quotation and a.start >= quotation.end]
        ahead = [a for a in here if a.end <= quotation.start]
        previous = attributions[first - 1] if first and opens_sentence else []
        if after and not any(quotation.end <= quotations[j].start < after[0].start for j in overlaps[last_of[i]]):
            said[i] = after[0].speaker
        elif ahead:
            said[i] = ahead[-1].speaker
        elif any(a.whole for a in (*here, *there)):
            said[i] = next(a.speaker for a in (*here, *there) if a.whole)
        elif previous and text[sentences[first - 1][1] - 1] == ":":
            said[i] = previous[-1].speaker
        elif previous and previous[-1].after_quotation and sentences[first - 1][2] == sentences[first][2]:
            said[i] = previous[-1].speaker  # “A,” she said. “B.”

    for order in (range(1, len(quotations)), range(len(quotations) - 1, 0, -1)):
        for i in order:
            if quotations[i].continues:
                said[i] = said[i] or said[i - 1]
                said[i - 1] = said[i - 1] or said[i]
    return said
