"""Texts made of sentences by what happens to sentences: quoted, cut to a clause, put in capitals.

What labels such a text carries only a reader can say, or a teacher (Jiao et al., "TinyBERT", 2020, distil on made text
too); `quoted` alone keeps those of the sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

SPEAKERS = ("he", "she", "the minister", "a spokeswoman", "a senior official", "the president")
SHORTEST = 6  # words of a clause
CAPITALS = 0.05  # share of the variants


def variants(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """So many different variants of sentences drawn at random, fewer if the sentences do not give more.

    What is made of a sentence hangs on it and the seed alone, so that a corpus that grows keeps most of its variants.
    """
    made: dict[str, None] = {}
    for text in sorted(texts, key=lambda text: random.Random(f"{seed} {text}").random()):
        if len(made) == count:
            break
        rng = random.Random(f"{text} {seed}")
        chance = rng.random()
        if chance < CAPITALS:
            made[text.upper()] = None
        elif chance < 0.5:
            made[quoted(text, rng)] = None
        else:
            made.update(dict.fromkeys(clauses(text)[: count - len(made)]))
    return list(made)


def quoted(text: str, rng: random.Random) -> str:
    """The sentence as something somebody said."""
    body = text.rstrip(".").replace("“", "‘").replace("”", "’").replace('"', "'")
    who = rng.choice(SPEAKERS)
    return rng.choice([f"“{body},” {who} said.", f'"{body}," {who} told reporters.', f"“{body}.”"])


def clauses(text: str) -> list[str]:
    """What stands before and after the comma, semicolon or "and" nearest the middle; nothing if one side is short."""
    breaks = [(found.start(), found.end()) for found in re.finditer(r"[,;:] (?:and |but )?| and | but ", text)]
    if not breaks:
        return []
    stop, start = min(breaks, key=lambda at: abs(sum(at) / 2 - len(text) / 2))
    first, second = f"{text[:stop]}.", text[start:]
    if min(len(first.split()), len(second.split())) < SHORTEST:
        return []
    return [first, second[0].upper() + second[1:]]
