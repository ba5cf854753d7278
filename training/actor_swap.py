"""Twins of a sentence with other actors, for training and for measuring whether names of actors sway the model.

    python -m training.actor_swap measure --data FILE.jsonl [--model MODEL] [--twins N] [--seed S] [--json]

A state keeps its role: wherever its name, adjective, nationals, capital, offices or leaders stand, those of one other
state do. That state is drawn from those that fit the grammar of the sentence ("the", "Germans" but "the Dutch"), so
nothing but the actors changes. actors.tsv is the table; what is not in it stays as it is.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric import InputError, RhetoricTagger
from rhetoric.actors import ORGANISATIONS, STATES, Leader, Organisation, Place, State, find_actors, parse_leader

Actor = State | Organisation

TWINS = 3
KNOWN: tuple[Actor, ...] = (*STATES, *ORGANISATIONS)
# States in no table and in no training row: a model that hides those it knows cannot hide these.
INVENTED = (
    State(
        "",
        ("Kestrand",),
        (False,),
        ("Kestrandic",),
        "Kestrander",
        "Kestranders",
        ("Mirn",),
        (parse_leader("Ilse Torv*"),),
    ),
    State(
        "",
        ("Quillmark",),
        (False,),
        ("Quillmarkian",),
        "Quillmarkian",
        "Quillmarkians",
        ("Port Senna",),
        (parse_leader("Jon Adeyo"),),
    ),
    State(
        "",
        ("Vessaria",),
        (False,),
        ("Vessarian",),
        "Vessarian",
        "Vessarians",
        ("Olmeto",),
        (parse_leader("Nadia Kerr*"),),
    ),
    State(
        "", ("Tarquay",), (False,), ("Tarquayan",), "Tarquayan", "Tarquayans", ("Ruhan",), (parse_leader("Osei Bram"),)
    ),
    State("", ("Selm Republic",), (True,), ("Selmish",), "", "Selmish", ("Brask",), (parse_leader("Petar Umbo"),)),
    State("", ("Drovia",), (False,), ("Drovian",), "Drovian", "Drovians", ("Kaltz",), (parse_leader("Maren Tisk*"),)),
)

# A name before one of these is no attribute: "the United States has", but "the United States delegation".
_GO_ON = frozenset(
    "is are was were has have had will would shall should can could may might must to of and or but nor not in on "
    "at by for from with as than that which who whose when while if because since until after before during over "
    "under against between among into through about also both too again now today yesterday tomorrow said says "
    "say does did do itself alone, must needs wants calls urges rejects accuses warns vows denies threatens "
    "demands".split()
)
# A bare name after one of these has no adjective or article of its own: "with Kenya", but "post-war Kenya".
_LEAD_IN = frozenset(
    "of in to by with for from between and or against on at as that than if when while because but into over "
    "toward towards via including like called urged accused told asked said says thanked urges calls accuses "
    "tells asks thanks unless until whether since after before".split()
)
_NEXT_WORD = re.compile(r"\s+([\w'’]+)")
_WORD_BEFORE = re.compile(r"([\w'’]+)\s+$")
# Letters that sound otherwise than they look after "a" or "an".
_CONSONANT = re.compile(r"U(?:S|K|N|AE|\.|kr|gand|rug|nit)|Eu")
# The mark of possession after a form in s.
_OWNER = re.compile(r"['’](?=\s\w)")
_VOWEL = re.compile(r"[AEIOUÉ]|SCO\b")


@dataclass(frozen=True)
class Use:
    """A place in a text where an actor is named, and what other could stand there."""

    text: str
    place: Place

    @property
    def actor(self) -> Actor:
        """The actor named."""
        return self.place.form.actor

    @cached_property
    def ends_phrase(self) -> bool:
        """Whether what follows cannot be a noun that this is an attribute of."""
        rest = self.text[self.place.end :]
        word = _NEXT_WORD.match(rest)
        return word[1] in _GO_ON if word else not rest.startswith("-")

    @cached_property
    def alone(self) -> bool:
        """Whether a name could take a "the" of its own here, or lose it."""
        form, article = self.place.form, self.place.article
        if form.article:
            return self.ends_phrase and article.lower() in ("", "the")
        before = self.text[: self.place.start]
        word = _WORD_BEFORE.search(before)
        opens = word[1].lower() in _LEAD_IN if word else not before.endswith("-")
        return self.ends_phrase and opens and not article

    def fits(self, other: Actor) -> bool:
        """Whether the other's form can stand here without harm to the grammar."""
        form, article = self.place.form, self.place.article
        if isinstance(other, Organisation) or isinstance(self.actor, Organisation):
            return type(other) is type(self.actor) and other.article == self.actor.article
        if form.role == "name":
            needs_the = bool(form.article and article)
            return self.alone or other.article == needs_the or (form.article and not article)
        if form.role == "adjective" and not article and not self.ends_phrase:
            return True  # "German leaders" is an attribute, whatever the nationals are called
        if form.role in ("adjective", "one", "many"):
            return (self.actor.nouns, other.nouns) == ("own", "regular") or self.actor.nouns == other.nouns
        return True

    def written(self, other: Actor, leader: Leader | None) -> str:
        """What stands here when the actor is another.

        Args:
            other: The other actor, which fits.
            leader: Whom to name, if a leader is named here.
        """
        form, article = self.place.form, self.place.article
        shown = self.text[self.place.start : self.place.end].removeprefix(article).lstrip()
        if isinstance(other, Organisation):
            new = other.short if form.role == "short" else other.full
        elif form.role == "name" and form.article and not article and not self.ends_phrase:
            new = other.adjectives[0]  # "US officials"
        elif form.role == "name":
            new = other.names[0]
            if not form.article and other.article:
                article = "the"
            elif self.alone and not other.article:
                article = ""
        elif form.role == "office":
            new = f"{other.adjectives[0]} {form.office}"
            article = article or ("the" if form.article else "")
        elif leader is not None and form.leader is not None:
            new = leader.full if shown.lower() == form.leader.full.lower() else leader.short
        else:
            new = {"one": other.one, "many": other.many, "capital": other.capitals[0]}.get(
                form.role, other.adjectives[0]
            )
        owner = _OWNER.match(self.text[self.place.end :])
        if owner and shown.endswith("s") and form.role != "many" and not new.endswith("s"):
            new += f"{owner[0]}s"  # the United States' – Kenya's; the mark itself is taken out by `swapped`
        return self._cased(article, new)

    def _cased(self, article: str, new: str) -> str:
        if article.lower() in ("a", "an"):
            article = article[0] + ("n" if _VOWEL.match(new) and not _CONSONANT.match(new) else "")
        elif article and not self.place.article:
            before = self.text[: self.place.start].rstrip()
            article = "The" if not before or before[-1] in '.!?“"' else "the"
        phrase = f"{article} {new}" if article else new
        return phrase.upper() if self.place.form.upper else phrase


def swapped(text: str, rng: random.Random, others: Sequence[Actor] = KNOWN) -> str | None:
    """The text with every known actor replaced, the same one always by the same.

    Args:
        text: A sentence.
        rng: Draws the other actors; in the same state it gives the same twin.
        others: What to draw from; where no state or no organisation is in it, those of the text stay.

    Returns:
        The twin; None if the text names no known actor, or if no other fits its grammar.
    """
    kinds = {type(actor) for actor in others}
    uses = [Use(text, place) for place in find_actors(text) if type(place.form.actor) in kinds]
    drawn = _draw_others(uses, others, rng)
    if not drawn:
        return None
    leaders = _draw_leaders(uses, drawn, others, rng)
    pieces, done = [], 0
    for use in uses:
        leader = use.place.form.leader
        pieces += [text[done : use.place.start], use.written(drawn[use.actor], leader and leaders[leader.short])]
        done = use.place.end
        if _OWNER.match(text[done:]) and pieces[-1].endswith(f"{text[done]}s"):
            done += 1
    return "".join([*pieces, text[done:]])


def _draw_others(uses: Sequence[Use], known: Sequence[Actor], rng: random.Random) -> dict[Actor, Actor]:
    """Another actor for each, all different; empty if there is none for one of them."""
    sources = list(dict.fromkeys(use.actor for use in uses))
    others: dict[Actor, Actor] = {}
    for source in sources:
        own = [use for use in uses if use.actor == source]
        free = [
            actor
            for actor in known
            if actor not in sources and actor not in others.values() and all(use.fits(actor) for use in own)
        ]
        if not free:
            return {}
        others[source] = rng.choice(free)
    return others


def _draw_leaders(
    uses: Sequence[Use], others: Mapping[Actor, Actor], known: Sequence[Actor], rng: random.Random
) -> dict[str, Leader]:
    """Another leader for each by short name: of the other state if the table has one of that sex, or else of any."""
    leaders: dict[str, Leader] = {}
    named = {use.place.form.leader: use.actor for use in uses if use.place.form.leader is not None}
    states = [actor for actor in known if isinstance(actor, State) and actor not in others]
    anyone = [leader for state in states for leader in state.leaders]
    for leader, state in named.items():
        if leader is None or leader.short in leaders:
            continue
        other = others[state]
        taken = {chosen.short for chosen in leaders.values()}
        own = other.leaders if isinstance(other, State) else ()
        for pool in (own, anyone):
            free = [one for one in pool if one.she == leader.she and one.short not in taken]
            if free:
                leaders[leader.short] = rng.choice(free)
                break
    return leaders


def measure(
    tagger: RhetoricTagger,
    texts: Iterable[str],
    *,
    twins: int = TWINS,
    seed: int = 0,
    others: Sequence[Actor] = KNOWN,
) -> dict[str, Any]:
    """How far names of actors sway a model.

    Args:
        tagger: The model.
        texts: Sentences; those that name no known actor are left out.
        twins: Twins of each.
        seed: Seed of the draws; a sentence's twins do not depend on the other sentences.
        others: The actors that stand in the twins.

    Returns:
        `sentences` that name an actor and their `twins`; `changed_share` of the twins whose label set is another,
        `changed_sentences_share` of the sentences with such a twin; `mean_change` and `largest_change` of a score;
        `labels`: share of the twins in which each label comes or goes.
    """
    pairs: list[tuple[str, str]] = []
    for text in texts:
        rng = random.Random(f"{seed} {text}")
        drawn = [swapped(text, rng, others) for _ in range(twins)]
        pairs += [(text, twin) for twin in drawn if twin is not None]
    sentences = list(dict.fromkeys(text for text, _ in pairs))
    if not sentences:
        raise InputError("no sentence names a known actor; give sentences that name states")
    told = dict(zip(sentences, tagger.predict(sentences), strict=True))
    labels = tagger.labels
    moved, flips, changed = [], [], set()
    for (text, _), twin in zip(pairs, tagger.predict([twin for _, twin in pairs]), strict=True):
        moved.append([abs(told[text].scores[label] - twin.scores[label]) for label in labels])
        flips.append([(label in told[text].labels) != (label in twin.labels) for label in labels])
        if any(flips[-1]):
            changed.add(text)
    return {
        "sentences": len(sentences),
        "twins": len(pairs),
        "changed_share": float(np.any(flips, axis=1).mean()),
        "changed_sentences_share": len(changed) / len(sentences),
        "mean_change": float(np.mean(moved)),
        "largest_change": float(np.max(moved)),
        "labels": dict(zip(labels, np.mean(flips, axis=0).tolist(), strict=True)),
    }


def main() -> int:
    """Measures a model on the sentences of a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["measure"])
    parser.add_argument("--model", type=Path, help="model folder; the bundled model if left out")
    parser.add_argument("--data", type=Path, required=True, help="JSONL with a text in each line")
    parser.add_argument("--twins", type=int, default=TWINS, help="twins of each sentence")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    texts = [json.loads(line)["text"] for line in options.data.read_text(encoding="utf-8").splitlines()]
    tagger = RhetoricTagger.from_pretrained(options.model)
    found = {
        name: measure(tagger, texts, twins=options.twins, seed=options.seed, others=others)
        for name, others in (("known", KNOWN), ("invented", INVENTED))
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, figures in found.items():
        print(f"{name} actors: {figures['sentences']:,} of {len(texts):,} sentences, {figures['twins']:,} twins")
        print(f"  the label set changes in {figures['changed_share']:.1%} of the twins")
        print(f"  and for {figures['changed_sentences_share']:.1%} of the sentences in at least one twin")
        print(f"  a score moves by {figures['mean_change']:.4f} on average, by {figures['largest_change']:.2f} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
