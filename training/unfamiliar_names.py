"""Sentences with states, towns and leaders that nobody knows, in the place of those the tokenizer hides.

A name that is in no table is seen by the network, and should move no label either: a foreign minister, a town, a state
of the future. Names are made of syllables, anew for each sentence; those that `training.actor_swap` measures with are
not among them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rhetoric.actors import FORMS, Leader, State
from training.actor_swap import INVENTED, swapped

STATES_DRAWN = 8  # of one sentence, of which those are taken that fit its grammar
ONSETS = "b br ch d dr f g gr h j k kh kr l m n ny p r s sh sk st t tr ts v vl w y z zh".split()
VOWELS = "a a a a e e e e i i i i o o o o u u ai ei ou ö é".split()
INNER_CODAS = ("", "", "", "", "", "l", "n", "r", "s")
LAST_CODAS = "d g k l m n r s t v nd rt sk ll".split()
# "Mali" and "Rome" can be made of syllables.
TAKEN = frozenset({*FORMS, *(state.names[0] for state in INVENTED)})


@dataclass(frozen=True, slots=True)
class Ending:
    """How the name of a state ends, and what is made of its stem."""

    name: str
    adjective: str
    one: str  # "-" is the adjective, "" none
    article: bool = False


ENDINGS = (
    Ending("ia", "ian", "-"),
    Ending("a", "an", "-"),
    Ending("istan", "istani", "-"),
    Ending("ar", "ari", "-"),
    Ending("ania", "anian", "-"),
    Ending("en", "ese", ""),
    Ending("ovo", "ovar", "-"),
    Ending("land", "ish", "lander"),
    Ending("mark", "ic", "marker"),
    Ending("ish Republic", "ish", "", article=True),
    Ending("an Islands", "an", "-", article=True),
    Ending("ian Federation", "ian", "-", article=True),
)


def with_unfamiliar_names(texts: Sequence[str], share: float, seed: int) -> list[str]:
    """The sentences, of which a share has other names; those that name no state of the table stay as they are.

    Args:
        texts: Sentences.
        share: Chance of a sentence.
        seed: Of the draws; what a sentence becomes does not depend on the other sentences.

    Returns:
        As many sentences, in their order.
    """
    made = []
    for text in texts:
        rng = random.Random(f"{seed} names {text}")
        made.append((unfamiliar(text, rng) or text) if rng.random() < share else text)
    return made


def unfamiliar(text: str, rng: random.Random) -> str | None:
    """The text with its states and leaders under names made up for it; None if it names none, or if none fits."""
    return swapped(text, rng, [_state(rng) for _ in range(STATES_DRAWN)])


def _state(rng: random.Random) -> State:
    stem, ending = _word(rng, rng.choice((1, 2, 2)), LAST_CODAS), rng.choice(ENDINGS)
    adjective = stem + ending.adjective
    one = adjective if ending.one == "-" else ending.one and stem + ending.one
    state = State(
        code="",
        names=(stem + ending.name,),
        needs_the=(ending.article,),
        adjectives=(adjective,),
        one=one,
        many=f"{one}s" if one else adjective,
        capitals=(_word(rng, 2),),
        leaders=tuple(_leader(rng, she) for she in (False, True)),
    )
    return _state(rng) if state.names[0] in TAKEN else state


def _leader(rng: random.Random, she: bool) -> Leader:
    last = _word(rng, rng.choice((1, 2, 2, 3)))
    return Leader(f"{_word(rng, rng.choice((1, 2)))}{'a' if she else ''} {last}", last, she)


def _word(rng: random.Random, syllables: int, last_codas: Sequence[str] = ("", *LAST_CODAS)) -> str:
    codas = [rng.choice(INNER_CODAS) for _ in range(syllables - 1)] + [rng.choice(last_codas)]
    word = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + coda for coda in codas).capitalize()
    return _word(rng, syllables, last_codas) if word in TAKEN else word
