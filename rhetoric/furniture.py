"""From a page to paragraphs: furniture dropped, wrapped lines joined, bullets and turn labels set apart.

Furniture is what a web page or a wire puts around a text and nobody said. A line of it is dropped only when one
pattern matches all of it, and never when it starts in lower case (it then continues the line above). What is left
in by mistake costs one odd sentence; what is dropped by mistake is lost, so every pattern names its furniture
narrowly and asks for more than a first word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Paragraph", "find_paragraphs", "is_furniture"]

# Longer lines are prose, whatever they begin with.
_MAX_LENGTH = 200

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_ZONE = r"(?:gmt|utc|cet|cest|bst|est|edt|et|pt|msk)(?:[+-]\d{1,2})?"
_CLOCK = rf"\d{{1,2}}[:.]\d{{2}}(?:[:.]\d{{2}})?(?:\s*[ap]\.?m\.?)?(?:\s*{_ZONE})?"
_DATE = (
    rf"(?:{_WEEKDAY},?\s+)?"
    rf"(?:{_DAY}\s+{_MONTH},?\s+\d{{4}}|{_MONTH}\s+{_DAY},?\s+\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}})"
)
_WHEN = rf"(?:{_DATE}(?:(?:\s*[,|·•–—-]|\s+at|T)?\s*{_CLOCK})?|{_CLOCK}(?:\s*[,|·•–—-]?\s*{_DATE})?)"
_AGENCY = (
    r"(?:reuters|ap|associated press|afp|agence france-presse|dpa|efe|epa(?:-efe)?|ansa|kyodo|xinhua|tass|sputnik"
    r"|ria(?: novosti)?|interfax|anadolu(?: agency)?|bloomberg|getty(?: images)?|shutterstock|file|handout|pool)"
)

# (what, why it is safe to drop, pattern for the whole line); matched without regard to case.
FURNITURE: tuple[tuple[str, str, str], ...] = (
    (
        "button",
        "one-word controls, without a full stop: an imperative that somebody utters has an object or a stop",
        r"follow|share|print|e-?mail|save|tweet|like|copy link|menu|search|skip to (?:main )?content|back to top"
        r"|log ?in|sign (?:in|up)|subscribe|follow (?:us|@\w+)|(?:follow|share)(?: us)? on (?:x|twitter|facebook"
        r"|telegram|whatsapp|linkedin|instagram|youtube|google news)|share this (?:article|story|page|post)",
    ),
    ("short address", "a control for copying the page's address", r"short url:?(?:\s*\S+)?"),
    ("address", "a bare web address says nothing", r"(?:https?://|www\.)\S+"),
    (
        "time stamp",
        "a date or time alone, or after a word such as Updated; a date inside a sentence has more around it",
        rf"(?:(?:(?:first |last )?(?:updated|published|posted|modified)|date)(?: on| at)?:?\s*)?{_WHEN}",
    ),
    ("age", "how long ago the page was changed", r"(?:updated )?\d+ (?:min(?:ute)?s?|hours?|days?) ago"),
    ("reading time", "an estimate of the page's length", r"\d+[ -]min(?:ute)?s?(?: read)?|reading time:.{1,30}"),
    ("advertisement", "marks a slot for advertising", r"advertise?ments?|sponsored(?: content)?|promoted content"),
    (
        "cross-reference",
        "links to other pages; after the words stands nothing, or a colon and a title",
        r"(?:read|see|learn) more\s*(?:[:>»→…]+.{0,150})?|(?:read|see) (?:also|next)(?::.{0,150})?|also read:.{0,150}"
        r"|related(?: articles| stories| content| news| topics)?:?|recommended(?: for you)?|most (?:read|popular)",
    ),
    (
        "subscription",
        "names the newsletter or channel on offer, so that subscribing to a view is not caught",
        r"(?:subscribe|sign up) (?:now|today|here|(?:to|for) (?:our|the|my) (?:[\w'’-]+ ){0,4}"
        r"(?:newsletters?|channel|podcast|feed|alerts?|updates?))[.!]?",
    ),
    (
        "credit",
        "agencies alone on a line, with or without brackets",
        rf"\(?{_AGENCY}(?:\s*(?:[/,&|]|and)\s*{_AGENCY})*(?:[ /]photos?)?\)?",
    ),
    (
        "photo credit",
        "the colon or 'by' tells it from prose",
        r"(?:file )?(?:photo|image|picture)s?(?: credit)?(?:\s*:| by ).{1,150}",
    ),
    ("photo mark", "a caption's mark", r"\(?(?:file )?photo\)?"),
    (
        "copyright",
        "asks for the sign or a year; '(c)' alone opens a list item",
        r"(?:copyright\s*)?©.{0,150}|(?:copyright|\(c\)|copyright \(c\))\s+(?:19|20)\d\d.{0,150}"
        r"|all rights reserved\.?",
    ),
    ("page number", "set between dashes or after the word page", r"page \d+(?: of \d+)?|[-–—]\s*\d{1,4}\s*[-–—]"),
)

_FURNITURE = re.compile("|".join(f"(?:{pattern})" for _, _, pattern in FURNITURE), re.IGNORECASE)


def is_furniture(line: str) -> bool:
    """True if a whole line, stripped of white space, is page furniture and not text."""
    continues = line[:1].islower() and not line.startswith(("http", "www."))
    return len(line) <= _MAX_LENGTH and not continues and _FURNITURE.fullmatch(line) is not None


_UNMISTAKABLE_BULLET = r"[•‣◦▪●■·]\s*"
_BULLET = re.compile(
    rf"(?:{_UNMISTAKABLE_BULLET}|(?:[*–—-]|\(?\d{{1,3}}[.)]|\([a-zA-Z]\)|\([ivx]+\)|[a-z]\))\s+)(?=\S)"
)
_SURE_BULLET = re.compile(_UNMISTAKABLE_BULLET)
_ENDED = re.compile(r"[.!?…:;,][\"'“”’»)\]]*$")
_MAX_WRAP = 120  # no text is hard-wrapped wider than this; a longer line is a paragraph
_MAX_HEADING = 100

_TITLE = r"MR|MRS|MS|DR|SECRETARY|MINISTER|PRESIDENT|AMBASSADOR|CHANCELLOR|SENATOR|GENERAL|UNDER SECRETARY"
_CAPITALISED = r"[^\W\d_a-z][\w.'’-]*"
_ASIDE = r"(?:\s*\([^()]{1,40}\))?"  # "(via interpreter)"
_LABEL = re.compile(
    r"(?P<asker>Q|QUESTION|Question)(?::\s*|\s{2,}|\t)|(?P<answerer>A|ANSWER|Answer):\s*"
    rf"|(?P<titled>(?:{_TITLE})\b\.?(?:\s+{_CAPITALISED}){{1,5}}|(?:THE\s+)?MODERATOR){_ASIDE}:\s*"
    r"|(?P<titlecase>(?:Mr|Mrs|Ms|Dr|Secretary|Minister|President|Ambassador|Chancellor|Moderator)\b\.?"
    rf"(?:\s+{_CAPITALISED}){{0,4}}){_ASIDE}:\s*"
    r"|(?P<bare>[^\W\d_a-z][^\W\d_a-z.'’-]*(?:\s+[^\W\d_a-z][^\W\d_a-z.'’-]*){0,3}):\s+"
)


@dataclass(frozen=True, slots=True)
class _Line:
    start: int  # of the first character that is no white space
    end: int
    width: int  # with indentation


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, headline, heading or list item.

    Attributes:
        start: Offset of its first character, after a bullet or label.
        end: Offset after its last character.
        turn: Who has the floor, in a transcript; else None.
    """

    start: int
    end: int
    turn: str | None


def find_paragraphs(text: str) -> Iterator[Paragraph]:
    """Yields paragraphs, headlines, headings and list items, with the speaker whose turn it is."""
    labels = _turn_labels(text)
    blocks = list(_blocks(text))
    wrapped = _is_wrapped(text, blocks)
    turn: str | None = None
    for block in blocks:
        width = max(line.width for line in block) if wrapped else 0
        start = block[0].start
        is_list = False
        for i, line in enumerate(block):
            above = block[i - 1] if i else None
            bullet = _BULLET.match(text, line.start, line.end)
            if bullet and above and not is_list and not _SURE_BULLET.match(text, line.start):
                # In the middle of a wrapped paragraph a dash or a number may open a line by chance.
                bullet = bullet if _ended(text, above) else None
            is_list = is_list or bullet is not None
            label = labels.get(line.start)
            if above and (bullet or label or not _joins(text, above, line, width)):
                yield from _paragraph(text, start, above.end, turn)
                start = line.start
            if label:
                turn, start = label
            elif bullet:
                start = bullet.end()
        yield from _paragraph(text, start, block[-1].end, turn)


def _paragraph(text: str, start: int, end: int, turn: str | None) -> Iterator[Paragraph]:
    if any(c.isalnum() for c in text[start:end]):
        yield Paragraph(start, end, turn)


def _blocks(text: str) -> Iterator[list[_Line]]:
    """Yields runs of lines between blank lines or page furniture."""
    block: list[_Line] = []
    offset = 0
    for raw in text.splitlines(keepends=True):
        content = raw.strip()
        if content and not is_furniture(content):
            start = offset + len(raw) - len(raw.lstrip())
            block.append(_Line(start, start + len(content), len(raw.rstrip())))
        elif block:
            yield block
            block = []
        offset += len(raw)
    if block:
        yield block


def _is_wrapped(text: str, blocks: Sequence[Sequence[_Line]]) -> bool:
    """True if the document is hard-wrapped: where a line has no stop, the next one often starts in lower case.

    That tells wrapped prose from a list of headlines, whose lines are as long.
    """
    below = [
        text[line.start].islower()
        for block in blocks
        for above, line in zip(block, block[1:], strict=False)
        if not (_ended(text, above) or _BULLET.match(text, line.start, line.end))
    ]
    return 3 * sum(below) >= len(below) > 0


def _joins(text: str, above: _Line, line: _Line, width: int) -> bool:
    """True if a line goes on with the paragraph of the line above: cut before a small letter, or wrapped.

    A line was wrapped if the first word of the next had hardly room on it; `width` is that of the block, or 0.
    """
    if _is_heading(text, above) != _is_heading(text, line):
        return False
    if text[line.start].islower() and not _ended(text, above):
        return True
    first_word = text[line.start : min(line.end, line.start + _MAX_WRAP)].split(maxsplit=1)[0]
    return width <= _MAX_WRAP and above.width + 1 + len(first_word) > 0.8 * width > 0


def _ended(text: str, line: _Line) -> bool:
    return _ENDED.search(text, max(line.start, line.end - 8), line.end) is not None


def _is_heading(text: str, line: _Line) -> bool:
    if line.end - line.start > _MAX_HEADING:
        return False
    content = text[line.start : line.end]
    return content.isupper() and not content.endswith((".", ",", ";"))


def _turn_labels(text: str) -> dict[int, tuple[str, int]]:
    """Finds the labels of speakers' turns: offset of the line to (speaker, offset after the label).

    A bare name in capitals before a colon may be a dateline, so it counts only in a dialogue: beside sure labels, or
    where two such names come back again and again.
    """
    matches = []
    offset = 0
    for raw in text.splitlines(keepends=True):
        start = offset + len(raw) - len(raw.lstrip())
        offset += len(raw)
        match = _LABEL.match(text, start, offset)
        if match:
            matches.append(match)
    kinds = Counter(match.lastgroup for match in matches)
    bare = Counter(match["bare"] for match in matches if match["bare"])
    asked = kinds["asker"] > 0
    sure = asked or kinds["titled"] > 0
    dialogue = sure or sum(count >= 3 for count in bare.values()) >= 2
    labels: dict[int, tuple[str, int]] = {}
    for match in matches:
        kind = match.lastgroup
        if kind == "bare" and not (dialogue and (bare[match["bare"]] >= 2 or asked)):
            continue
        if (kind == "titlecase" and not sure and kinds["titlecase"] < 2) or (kind == "answerer" and not asked):
            continue
        name = {"asker": "Question", "answerer": "Answer"}.get(kind or "", match[kind or 0])
        labels[match.start()] = (name, match.end())
    return labels
