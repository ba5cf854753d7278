"""States and organisations, how they are written, and where a sentence names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = [
    "FORMS",
    "ORGANISATIONS",
    "STATES",
    "Form",
    "Leader",
    "Organisation",
    "Place",
    "State",
    "find_actors",
    "parse_leader",
]

TABLE = Path(__file__).parent / "data" / "actors.tsv"

Role: TypeAlias = Literal["name", "adjective", "one", "many", "capital", "office", "leader", "short", "full"]


@dataclass(frozen=True, slots=True)
class Leader:
    """A person who speaks for a state; `she` if that is the pronoun."""

    full: str
    short: str
    she: bool


@dataclass(frozen=True, slots=True)
class State:
    """A state and its forms; the first name, adjective and capital are those a twin is written with.

    Attributes:
        code: ISO 3166 code.
        names: Names without "the".
        needs_the: For each name, whether it takes "the".
        adjectives: Adjectives.
        one: One national; empty where nouns differ too much to be swapped (Briton, Frenchwoman).
        many: Several nationals.
        capitals: Spellings of the capital.
        leaders: Leaders of any time.
    """

    code: str
    names: tuple[str, ...]
    needs_the: tuple[bool, ...]
    adjectives: tuple[str, ...]
    one: str
    many: str
    capitals: tuple[str, ...]
    leaders: tuple[Leader, ...]

    @property
    def article(self) -> bool:
        """Whether the name takes "the"."""
        return self.needs_the[0]

    @property
    def nouns(self) -> Literal["regular", "bare", "own"]:
        """How nationals are named: Germans (the adjective and s), the Dutch (the adjective), Turks (another word)."""
        if not self.one:
            return "bare"
        return "regular" if self.one == self.adjectives[0] else "own"


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation; `article` if its short name takes "the"."""

    short: str
    full: str
    article: bool


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing an actor.

    Attributes:
        actor: The state or organisation.
        role: What of it is named.
        article: Whether it needs "the" before it.
        upper: Whether it is written in capitals.
        leader: The leader named.
        office: What the office is called in any state.
    """

    actor: State | Organisation
    role: Role
    article: bool = False
    upper: bool = False
    leader: Leader | None = None
    office: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands in a text: `text[start:end]` is the article, if there is one, and the form."""

    start: int
    end: int
    article: str
    form: Form


def _read_states() -> tuple[State, ...]:
    states = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, names, adjectives, nationals, capitals, leaders = line.split("\t")
        one, many = nationals.split("/")
        states.append(
            State(
                code,
                tuple(name.removeprefix("the ") for name in names.split("|")),
                tuple(name.startswith("the ") for name in names.split("|")),
                tuple(adjectives.split("|")),
                one.strip("-"),
                many,
                tuple(capitals.split("|")),
                tuple(parse_leader(cell) for cell in leaders.split("|")) if leaders != "-" else (),
            )
        )
    return tuple(states)


def parse_leader(cell: str) -> Leader:
    """A leader as the table writes it: `Full Name:Short*`."""
    full, _, short = cell.rstrip("*").partition(":")
    return Leader(full, short or full.split()[-1], cell.endswith("*"))


STATES = _read_states()
# The United Nations is where actors speak rather than one of them, and stays.
ORGANISATIONS = (
    Organisation("EU", "European Union", True),
    Organisation("AU", "African Union", True),
    Organisation("OAS", "Organization of American States", True),
    Organisation("OSCE", "Organization for Security and Co-operation in Europe", True),
    Organisation("GCC", "Gulf Cooperation Council", True),
    Organisation("SCO", "Shanghai Cooperation Organization", True),
    Organisation("EAEU", "Eurasian Economic Union", True),
    Organisation("NATO", "North Atlantic Treaty Organization", False),
    Organisation("ASEAN", "Association of Southeast Asian Nations", False),
    Organisation("ECOWAS", "Economic Community of West African States", False),
    Organisation("CARICOM", "Caribbean Community", False),
    Organisation("OPEC", "Organization of the Petroleum Exporting Countries", False),
)
# Seats and houses that stand for those in them; "the" where the name has none but what replaces it needs it.
OFFICES = (
    ("USA", "White House", "government", False),
    ("USA", "State Department", "foreign ministry", False),
    ("USA", "Pentagon", "defence ministry", False),
    ("USA", "Capitol Hill", "parliament", True),
    ("RUS", "Kremlin", "government", False),
    ("RUS", "State Duma", "parliament", False),
    ("FRA", "Élysée Palace", "presidency", False),
    ("FRA", "Elysee Palace", "presidency", False),
    ("FRA", "Quai d'Orsay", "foreign ministry", False),
    ("GBR", "Downing Street", "government", True),
    ("GBR", "Foreign Office", "foreign ministry", False),
    ("DEU", "Bundestag", "parliament", False),
    ("ISR", "Knesset", "parliament", False),
    ("UKR", "Verkhovna Rada", "parliament", False),
)


def _forms() -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for state in STATES:
        for name, article in zip(state.names, state.needs_the, strict=True):
            forms[name] = Form(state, "name", article)
        for adjective in state.adjectives:
            forms.setdefault(adjective, Form(state, "adjective"))
        if state.one:
            forms.setdefault(state.one, Form(state, "one"))
        forms.setdefault(state.many, Form(state, "many"))
        for capital in state.capitals:
            forms.setdefault(capital, Form(state, "capital"))
        for leader in state.leaders:
            for name in (leader.full, leader.short):
                forms.setdefault(name, Form(state, "leader", leader=leader))
    by_code = {state.code: state for state in STATES}
    for code, name, office, article in OFFICES:
        forms[name] = Form(by_code[code], "office", article, office=office)
    for organisation in ORGANISATIONS:
        forms[organisation.short] = Form(organisation, "short", organisation.article)
        forms[organisation.full] = Form(organisation, "full", True)
    capitals = {text.upper(): replace(form, upper=True) for text, form in forms.items()}
    return capitals | forms


FORMS = _forms()
# Names with a state or capital in them that mean something else.
_KEPT_AFTER = re.compile(
    r" (?:Accords?|Act|Agreements?|Charter|Club|Communiqué|Conference|Consensus|Convention|Declaration|Document|"
    r"Final Act|Format|Group|Memorandum|Platform|Post|Principles|Process|Protocol|Round|Statute|Times|Treaty|accords?|"
    r"agreements?|format|process)(?![^\W_])"
)
_KEPT = re.compile(
    r"(?:(?:Latin|South|North|Central|Native|African)[ -]Americ\w+|American Samoa|New Mexico|Northern Ireland|"
    r"South Georgia|(?:East|West) German\w*|East Jerusalem|(?:South|East) China Sea|Indian Ocean|Sea of Japan|"
    r"Gulf of (?:Mexico|Oman)|Lake Chad|Niger (?:Delta|River)|Jordan (?:River|Valley)|Panama (?:Canal|Papers)|"
    r"Singapore Strait|Vietnam War|Cuban Missile Crisis|Iran-Contra|French (?:Guiana|Polynesia)|George Washington|"
    r"Washington State)(?![^\W_]|\$)"
)
_WORD = re.compile(r"[^\W_]+")
_ARTICLE = re.compile(r"(?<![^\W_])(?:[Aa]n?|[Tt]he|AN|THE)\s+$")
_AFTER = re.compile(r"[^\W_]|\$")


def _by_first_word() -> dict[str, tuple[str, ...]]:
    """The forms by their first word, longest first: a dictionary is a hundred times faster than 2,900 alternatives."""
    found: dict[str, list[str]] = {}
    for text in sorted(FORMS, key=len, reverse=True):
        word = _WORD.match(text)
        if word is not None:
            found.setdefault(word[0], []).append(text)
    return {word: tuple(texts) for word, texts in found.items()}


_FORMS_FROM = _by_first_word()


def find_actors(text: str) -> Iterator[Place]:
    """Yields the places where known actors are named, in order.

    A longer form wins over a shorter one in it; forms stand between word borders and are written as in the table or
    all in capitals. "US" in a text all in capitals may be the pronoun and is left out unless "THE" is before it.
    """
    capitals = text.isupper()
    done = 0
    for word in _WORD.finditer(text):
        start = word.start()
        if start < done or not word[0][0].isupper() and word[0] not in _FORMS_FROM:
            continue
        if kept := _KEPT.match(text, start):
            done = kept.end()
            continue
        for written in _FORMS_FROM.get(word[0], ()):
            end = start + len(written)
            if text.startswith(written, start) and not _AFTER.match(text, end):
                break
        else:
            continue
        form = FORMS[written]
        if form.role == "capital" and (kept := _KEPT_AFTER.match(text, end)):
            done = kept.end()
            continue
        article = _ARTICLE.search(text, done, start)
        done = end
        if written == "US" and capitals and article is None:
            continue
        first = start if article is None else article.start()
        named = "" if article is None else text[first:start].rstrip()
        yield Place(first, end, named, replace(form, upper=True) if capitals and not form.upper else form)
