"""Which actors a sentence names, and whether the act comes from them or is aimed at them.

Patterns around the name stand in for a parser. Precision comes first: without a plain sign there is no role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rhetoric.actors import Organisation, Place, find_actors
from rhetoric.prediction import NamedActor

__all__ = ["find_roles"]

# What may stand between the name and its verb: "'s deputy foreign minister Jon Halik", "officials", "and its allies".
# The first of these do not speak: "'s new demands" are nobody's act.
_QUALITY = (
    r"foreign|defen[cs]e|prime|deputy|vice|state|trade|finance|interior|energy|top|senior|chief|special|permanent|former|"
    r"acting|new|outgoing|coast|general|of|affairs|security"
)
_OFFICE = (
    rf"{_QUALITY}|government|administration|ministry|minister|ministers|president|presidency|leaders?|leadership|"
    r"officials?|diplomats?|envoys?|ambassador|spokes\w+|delegation|representative|mission|embassy|parliament|lawmakers?|senator|guard|"
    r"army|navy|military|forces|troops|authorities|chancellor|premier|secretary|negotiators?|commanders?|court|side|"
    r"council|Secretary|Minister|President|Foreign|Defen[cs]e|Prime|Ministry|Ambassador|"
    r"Deputy|Chancellor|Affairs|State|Security|Council|General"
)
# After a possessor comes a holder: what follows "Iran's" at once is a noun or a participle ("Iran's promised reforms").
_PHRASE = (
    rf"(?:['’]s?(?=\s+(?:(?:{_OFFICE})\b|[A-ZÀ-Þ])))?"
    rf"(?:\s+(?:{_OFFICE})\b){{0,6}}(?:\s+(?!The\b)[A-ZÀ-Þ][\w.’'-]+){{0,4}}"
)
_BETWEEN = (
    r"(?:\s*,[^,.;“”\"]{1,60},)?(?:\s+(?:has|have|had|also|again|then|later|meanwhile|now|repeatedly|strongly|sharply|"
    r"immediately|promptly|publicly|formally|openly|firmly|today|yesterday|on\s+\w+day|\w+day)){0,3}\s+"
)
_AIMED = (
    r"accus|urg|warn|condemn|denounc|criticis|criticiz|threaten|blam|invit|prais|thank|congratulat|blackmail|pressur|"
    r"sanction|rebuk|chid|implor|press"
)
_ACTIVE = re.compile(
    rf"{_PHRASE}{_BETWEEN}(?:"
    # These take an object; where "of", "to" or "by" follows at once they are passive ("Norland accused of theft").
    r"(?:accuse[sd]?|urge[sd]?|condemn(?:s|ed)|denounce[sd]|criticis(?:es|ed)|criticiz(?:es|ed)|blame[sd]|thank(?:s|ed)|"
    r"praise[sd]|congratulate[sd]|invite[sd]|told|tells|asks|asked)\b(?!\s+(?:of|to|by|for|over)\b)|"
    r"(?:sa(?:id|ys)|calls?|called|demand(?:s|ed)|reject(?:s|ed)|refuse[sd]|threaten(?:s|ed)\s+(?!with\b|by\b)|vow(?:s|ed)|"
    r"pledge[sd]|promise[sd]|offer(?:s|ed)|welcome[sd]|den(?:y|ies|ied)|insist(?:s|ed)|appeal(?:s|ed)|propose[sd]|"
    r"impose[sd]|declin(?:es|ed)|announce[sd]|expelled|expels|apologis(?:es|ed)|apologiz(?:es|ed)|agree[sd]?|"
    r"dismiss(?:es|ed)|protest(?:s|ed)|ruled\s+out|rules\s+out|lash(?:es|ed)\s+out|backs?|backed|hails?|hailed)\b"
    r"(?!\s+(?:by|off)\b)|warn(?:s|ed)\b(?!\s+(?:by|to|not)\b))"
)
# Nouns that look like verbs of _ACTIVE, where nobody stands before them who could act.
_NOUN = re.compile(
    rf"(?:['’]s?)?(?:\s+(?:{_QUALITY})\b)*{_BETWEEN}"
    r"(?:calls?|demands|offers|pledges|promises|appeals|protests|vows|praises|thanks|welcomes)\b"
)
# "Iran rejected US demands": an object, of which the name is a part.
_TAKEN = re.compile(
    r"\b(?:reject|dismiss|rebuff|ignor|refus|spurn|accept|welcom|hail|oppos|resist|defy|defi|bow\w*\s+to|yield\w*\s+to)"
    r"(?:e[sd]?|s|ed|ing)?\s+$"
)
_MUST = re.compile(
    rf"{_PHRASE}\s+(?:alone\s+)?(?:must|ha(?:s|ve)\s+to|needs?\s+to|shall|should|ought\s+to|cannot\s+be\s+allowed)\b"
)
_PASSIVE = re.compile(
    rf"{_PHRASE}(?:\s+(?:was|were|is|are|(?:has|have|had)\s+been)\s+(?:again\s+|also\s+|\w+ly\s+)?(?:(?:{_AIMED})e?d|told|asked|"
    r"called\s+(?:up)?on)\b|\s+(?:(?:{_AIMED})e?d|told|asked|called\s+(?:up)?on)\s+(?:to|by|for|over)\b|\s+accused\s+of\b)"
)
_OBJECT = re.compile(
    rf"(?:\b(?:{_AIMED})(?:e[sd]?|s|d|ed|ing)?|tell(?:s|ing)?|told|asks?|asked|bull(?:y|ies|ied|ying)|"
    r"call(?:s|ed|ing)?\s+(?:on|upon)|appeal(?:s|ed|ing)?\s+to|(?:demand|insist)(?:s|ed|ing)?\s+that|up\s+to|"
    r"(?:sanctions?|tariffs|duties|embargo|blockade|threats?|accusations?|charges?|allegations?|protests?|ultimatum|"
    r"warning|measures|appeal|demands?)\s+(?:on|against|to|at|of))\s+(?:both\s+)?$",
    re.IGNORECASE,
)
_AGENT = re.compile(
    rf"(?:(?:{_AIMED})e?d|imposed|demanded|rejected|issued|expelled|ordered|told|asked)\s+(?:\w+\s+)?by\s+$"
)
# “…,” said the Belgian minister; says Merz, “…”.
_SAID_BEFORE = re.compile(r"[”’'\"»,]\s*(?:sa(?:id|ys)|wrote|writes|added|adds)\s+$")
_ACCORDING = re.compile(r"\baccording\s+to\s+$", re.IGNORECASE)
# "the war in Norland must end", "the envoy to Norland was accused": the name is part of a longer subject.
_INSIDE = re.compile(
    r"\b(?:with|from|in|near|for|between|about|over|at|on|to|into|against|by|under|across|inside|around|of)\s+$",
    re.IGNORECASE,
)
# Whereas "the government of Norland must" speaks of Norland.
_GOVERNED = re.compile(
    rf"\b(?:(?:{_OFFICE}|people)\s+of|(?:government|authorities|leadership|regime)\s+in)\s+$", re.IGNORECASE
)
_BEFORE = 60  # characters before a name that decide its role


def find_roles(text: str, start: int = 0, end: int | None = None) -> Iterator[NamedActor]:
    """Yields the actors that a sentence names, in order.

    Args:
        text: The document.
        start: Where the sentence begins.
        end: Where it ends; None for the end of the text.
    """
    sentence = text[start:end]
    for place in find_actors(sentence):
        actor = place.form.actor
        first = place.start + len(place.article)
        first += len(sentence[first : place.end]) - len(sentence[first : place.end].lstrip())
        yield NamedActor(
            text=sentence[first : place.end],
            start=start + first,
            end=start + place.end,
            code=actor.short if isinstance(actor, Organisation) else actor.code,
            kind="organisation" if isinstance(actor, Organisation) else "state",
            role=_role(sentence, place),
        )


def _role(sentence: str, place: Place) -> str | None:
    start, end = place.start, place.end
    before = sentence[max(0, start - _BEFORE) : start]
    if _ACCORDING.search(before) or _AGENT.search(before) or _SAID_BEFORE.search(before):
        return "source"
    if _OBJECT.search(before):
        return "target"
    if _INSIDE.search(before) and not _GOVERNED.search(before):
        return None
    if _MUST.match(sentence, end) or _PASSIVE.match(sentence, end):
        return "target"
    owner = place.form.role == "adjective" or sentence[end : end + 1] in ("'", "’") or _TAKEN.search(before)
    if owner and _NOUN.match(sentence, end):
        return None
    return "source" if _ACTIVE.match(sentence, end) else None
