"""Who speaks: which "X said" belongs to which sentence and which quotation.

A grammar of names and descriptions stands in for a parser: a speaker is what it finds right before (or after) a verb
of saying, where a clause begins. Precision comes first: where the text does not make it plain who speaks, the
answer is None. A speaker is a verbatim piece of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rhetoric.quotations import QUOTE_MARKS, Quotation

__all__ = ["find_speakers", "opens_with_attribution"]

_QUOTED = "\x00"  # stands for every character inside a quotation, so that no pattern reads there
_UPPER = "".join(filter(str.isupper, map(chr, range(0x530))))

_FUNCTION_WORD = (
    r"a|an|the|and|or|but|nor|yet|so|as|at|by|for|from|in|into|of|on|onto|over|to|with|without|under|than|then|that|this"
    r"|these|those|which|who|whom|whose|what|when|where|while|whereas|whether|if|because|since|although|though|after|before"
    r"|during|until|is|are|was|were|be|been|being|has|have|had|will|would|shall|should|can|could|may|might|must|do|does|did"
    r"|not|no|it|he|she|they|we|you|i|said|says|say|told|there|here|also|however|meanwhile|instead|later|earlier|still|even"
    r"|some|many|most|few|others|asked|speaking|according|nobody|everyone|everybody|someone|somebody|anyone|none|nothing|everything"
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
    r"|head|director|inspector|captain|colonel|admiral|king|queen|prince|pope|mayor|lawyer|participant|attach[ée]|consul|journalist|reporter"
)
_BODY = (
    r"ministry|government|embassy|office|delegation|mission|kremlin|presidency|commission|agency|council|parliament"
    r"|administration|team|department|foundation|army|navy|police|guard|bank|military|alliance|bloc|union|party|committee|secretariat|house|court"
)
_HEAD = rf"(?i:(?:{_PERSON}|{_BODY})s?|ministries|agencies|embassies|people|spokesmen|allies)"
_WORD = rf"{_NOT_FUNCTION_WORD}\w(?:[\w&]|\.(?=\s*\w)|['’‘-](?=\w))*"
_DETERMINER = r"(?i:a|an|the|one|some|many|most|few|his|her|its|their|our|my|this|that)"
_COMPLEMENT = (
    r"(?:\s+(?:with|of|for|to|from|in|at|familiar\s+with|close\s+to|briefed\s+on)"
    rf"(?:\s+(?:the|a|an))?(?:\s+{_WORD}){{1,4}})"
)
_DESCRIPTION = rf"(?:{_DETERMINER}\s+)?(?:{_WORD}\s+){{0,5}}{_HEAD}\b{_COMPLEMENT}{{0,3}}(?:,?\s+{_NAME})?"
_SUBJECT = rf"(?:{_DESCRIPTION}|(?:[Tt]he\s+)?{_NAME}|[Hh]e|[Ss]he)"

# Verbs after which whatever follows is the subject's own word, quoted or not; the last line needs a clause, or stands
# after what was said ("Norland recalled its envoy" reports no word) ...
_WEAK = (
    r"added|adds|recalled|maintained|observed|concluded|responded|countered|conceded|declared|admitted|claimed|replied"
)
_REPORTING = (
    r"sa(?:id|ys|y)(?!\s+to\s+(?:be|have)\b)|t(?:old|ells)|w(?:rote|rites)|noted|warn(?:ed|s)|stressed|argue[ds]|stated"
    r"|insist(?:ed|s)|announced|acknowledged|emphasi[sz]ed|underlined|underscored|reiterated|reaffirm(?:ed|s)|explained"
    r"|remarked|cautioned|urge[ds]|pledged|vow(?:ed|s)|tweeted|complained|predicted|promised|spoke(?=\s+(?:of|about)\b)"
    r"|call(?:ed|s)(?=\s+(?:for|on)\b)|denied(?=\s+(?:that|any|having|being|it|the\s+(?:charge|claim|report)s?)\b)"
    rf"|(?:{_WEAK})(?=\s+that\b|\s*(?:[.,;:—\x00]|$))"
)
# ... and verbs that say so only of a quotation beside them.
_QUOTING = (
    rf"{_WEAK}|describe[ds]|called|dismissed|denounced|condemned|branded|labell?ed|termed|hailed|praised|asked|answered"
    r"|continued|posted|commented|went\s+on|joked|quipped|accused|referred|demanded|thanked|welcomed|rejected"
    r"|critici[sz]ed|denied"
)
_VERB = re.compile(rf"\b(?:(?P<reporting>{_REPORTING})|{_QUOTING})\b")
_ADVERBS = r"(?:(?:also|then|later|again|has|have|had|further|repeatedly|still|earlier|on\s+\w+day)\s+){0,3}"
_SUBJECT_BEFORE = re.compile(rf"(?<![\w'’‘-])(?=\w)(?P<subject>{_SUBJECT})\s+{_ADVERBS}$")
_SUBJECT_AFTER = re.compile(
    rf"\s+(?P<subject>{_SUBJECT})(?=\s*(?:[.,;:!?)\x00—–]|$)|\s+(?:on|in|at|during|after|when|as|to|late|last)\b)"
)
_ACCORDING = re.compile(rf"\b[Aa]ccording\s+to\s+(?P<subject>{_SUBJECT})(?=\s*(?:[.,;:!?)\x00—–]|$))")
_WINDOW = 200  # characters before a verb in which its subject is looked for
_MAX_SENTENCE = 5_000  # longer ones are tables or lists without stops, and would cost quadratic time

_INTRODUCTION = (
    r"(?:In|On|At|After|Before|During|Speaking|Asked|Addressing|Writing|Responding|While|When|Although|As|Since|For|With"
    r"|Following|Earlier|Later|Meanwhile|However|Late|Last|But|And|Yet|Still)"
)
_DATELINE = re.compile(
    rf"[{_UPPER}][{_UPPER} .'’-]{{2,30}}(?:,[\w .]{{1,30}})?(?:\s*\([^()]{{2,40}}\))?\s*(?:—|–|--|-|:)\s+"
)
_APPOSITION = re.compile(
    rf"(?:{_INTRODUCTION}\b[^,\x00]{{0,120}},\s+|(?:But|And|Yet)\s+)?"
    rf"(?P<subject>(?:{_DESCRIPTION}|(?:[Tt]he\s+)?{_NAME}))(?:,[^,\x00]{{1,120}}){{0,2}},\s+{_ADVERBS}$"
)
_CLAUSE_START = re.compile(
    r"(?:But|And|Yet|Still|So|As|Then|Meanwhile|However|Later|Instead|Earlier|On\s+\w+day|Late\s+on\s+\w+day)?,?"
)
_INTRODUCED_NAME = re.compile(rf"{_INTRODUCTION}\b[^\x00]*?\s[{_UPPER}]")
_INTRODUCED = re.compile(rf"{_INTRODUCTION}\b.*,", re.DOTALL)
_NESTED = re.compile(rf"\b(?:{_REPORTING})(?:\s+that)?$")
_QUOTATION_AHEAD = re.compile(r"[^,\x00]*\x00")
_COORDINATED = re.compile(r"\b(?:and|but|while|whereas|although|though)$")
_TAIL = re.compile(
    rf"(?:\s+(?:reporters|journalists|(?:the\s+)?{_NAME}))?(?:\s*(?:[.,;:!?)\x00—–]|$)|\s+(?:on|in|at|to|during|after"
    r"|before|late|early|last|this|earlier|yesterday|today|when|through|via|by|from|of|as|while|ahead|following"
    r"|(?i:\w+day))\b)"
)
_PRONOUN = re.compile(r"[Hh]e|[Ss]he")
_SEVERAL = re.compile(
    rf"(?i:\b(?:(?:{_PERSON}|{_BODY})s|ministries|agencies|embassies|people|spokesmen|allies)\b)|\band\s+[{_UPPER}]"
)
_ONE = re.compile(rf"(?i:\b(?:{_PERSON})\b)")
_NOBODY = re.compile(rf"(?i:\b(?:{_BODY}|reuters)\b)|^[Tt]he\s+[{_UPPER}]|^[{_UPPER}.]+$")
_EXCHANGE = re.compile(r"\s+(?:asked|answered|replied|responded|countered)\b")
_SAME_SUBJECT = re.compile(rf"\W*(?:(?:He|She|His|Her)\b|[^{_UPPER}]*$)")


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
    verb = _VERB.search(text, 0, _WINDOW)
    if verb is None or not _TAIL.match(text, verb.end()):
        return False
    return _SUBJECT_BEFORE.match(text, 0, verb.start()) is not None


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
    last_paragraph = -1  # where that person was named as the speaker, or meant
    for (start, end, paragraph), inside in zip(sentences, overlaps, strict=True):
        narration = _narration(text, start, end, [quotations[i] for i in inside])
        if paragraph > last_paragraph + 1:
            last = None
        found = _attributions(text, start, narration, last) if end - start <= _MAX_SENTENCE else []
        attributions.append(found)
        persons = {a.speaker for a in found if a.speaker and _is_one_person(a.speaker)}
        if found:
            last = persons.pop() if len(persons) == 1 and all(a.speaker for a in found) else None
            last_paragraph = paragraph
        elif not _SAME_SUBJECT.match(narration):
            last = None  # somebody else may have entered

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


def _is_one_person(speaker: str) -> bool:
    """True if 'he' or 'she' can mean this speaker: not several, not a body."""
    return not _SEVERAL.search(speaker) and (_ONE.search(speaker) is not None or not _NOBODY.search(speaker))


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

    def add(match: re.Match[str], end: int, whole: bool, after_quotation: bool) -> None:
        first, stop = match.span("subject")
        speaker: str | None = text[offset + first : offset + stop]
        if _PRONOUN.fullmatch(narration, first, stop):
            # An introduction that names somebody ("After Lind left, he said"), or an exchange, leaves it open.
            open_to_doubt = _INTRODUCED_NAME.match(narration, begin, first) or _EXCHANGE.match(narration, stop)
            speaker = None if open_to_doubt else last
        found.append(_Attribution(offset + first, offset + end, speaker, whole, after_quotation))

    for match in _ACCORDING.finditer(narration, begin):
        add(match, match.end(), True, False)
    for verb in _VERB.finditer(narration, begin):
        whole = verb["reporting"] is not None
        if not (whole or _QUOTED in narration):
            continue
        origin = max(begin, verb.start() - _WINDOW)
        subject = _SUBJECT_BEFORE.search(narration, origin, verb.start())
        before = narration[begin : (subject or verb).start()].rstrip()
        after_speech = _after_speech(text, offset + begin, before)
        if subject:
            clause = _CLAUSE_START.fullmatch(before)
            if _NESTED.search(before):  # "NNA said Kern called it “early”", but not "Orr said they had asked, “but …”"
                clause = _NESTED.search(before) if whole else _QUOTATION_AHEAD.match(narration, verb.end())
            inserted = before.endswith((",", "—", "–", "(")) and (
                _TAIL.match(narration, verb.end()) or _INTRODUCED.fullmatch(before)
            )
            if after_speech or clause or inserted or _COORDINATED.search(before):
                add(subject, verb.end(), whole and bool(after_speech or clause or inserted), after_speech)
        elif after_speech or (before.endswith(",") and verb[0] in ("said", "says")):
            subject = _SUBJECT_AFTER.match(narration, verb.end())
            if subject:
                add(subject, subject.end("subject"), True, after_speech)
        if subject is None and origin == begin:
            subject = _APPOSITION.match(narration, begin, verb.start())
            if subject:
                add(subject, verb.end(), whole, False)
    return sorted(found, key=lambda a: a.start)


def _after_speech(text: str, offset: int, before: str) -> bool:
    """True if the narration so far ends with a quotation that hands over to its attribution: “…,” or “…”, or “…” —."""
    quoted = before.rstrip(" ,—–-")
    if not quoted.endswith(_QUOTED):
        return False
    inner = text[offset : offset + len(quoted)].rstrip(QUOTE_MARKS)
    return before != quoted or inner.endswith((",", ".", "!", "?", "…", "—", "–", "-"))


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
        elif previous and previous[-1].after_quotation and quotation.end >= sentences[last_of[i]][1]:
            same_paragraph = sentences[first - 1][2] == sentences[first][2]
            said[i] = previous[-1].speaker if same_paragraph else None  # “A,” she said. “B.”

    for order in (range(1, len(quotations)), range(len(quotations) - 1, 0, -1)):
        for i in order:
            if quotations[i].continues:
                said[i] = said[i] or said[i - 1]
                said[i - 1] = said[i - 1] or said[i]
    return said
