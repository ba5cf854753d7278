"""Texts that are the same, or nearly: they leak from training into dev rows and count one judgement twice.

Same means equal after white space and case are evened out. Nearly the same means that the sets of three-word runs
overlap by four fifths, once the names of states, organisations and leaders are hidden, as the tokenizer of the bundled
model hides them: "Russia condemns it" and "China condemns it" are one text to it. Candidates come from MinHash bands
(Broder, 1997), so it stays linear in the rows.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from rhetoric.actors import Place, find_actors

__all__ = ["alike", "hidden", "near_duplicates", "normalised"]

NEAR = 0.8
RUN = 3
BANDS, BAND_ROWS = 20, 4  # finds pairs at 0.8 with probability 0.9999, pairs at 0.4 with 0.4
LARGEST_BUCKET = 20  # rows of a template share their bands; comparing all with all would be quadratic
CLOSE = 0.6  # share of equal minima from which two texts are compared: at an overlap of 0.8 four deviations down

_WORD = re.compile(r"\w+")
_POSSESSIVE = re.compile(r"['’]s?(?!\w)")  # "the United States' envoy" and "Kenya's envoy" are to be alike


def normalised(text: str) -> str:
    """Text with compatibility forms, case and white space evened out."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def hidden(text: str) -> str:
    """Normalised text with one word for every state, one for every organisation and one for every leader."""
    pieces, after = [], 0
    for place in find_actors(text):
        pieces += [text[after : place.start], _stand_in(place)]
        owner = _POSSESSIVE.match(text, place.end)
        after = owner.end() if owner else place.end
    return normalised("".join([*pieces, text[after:]]))


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Pairs of texts that are nearly the same, names of actors apart.

    Args:
        texts: Texts as they stand.

    Returns:
        (earlier index, later index, overlap of their three-word runs): of each later text the first that it resembles,
        and more where it ties together texts that did not hang together before. A text that is the same as an
        earlier one is nearly the same too.
    """
    rng = np.random.default_rng(0)
    # multiply-shift hashing: the product wraps at 2^64, and its upper half is the hash
    factors = rng.integers(0, 1 << 63, (BANDS * BAND_ROWS, 1), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    first: dict[str, int] = {}
    runs: dict[int, frozenset[int]] = {}
    signatures = np.zeros((len(texts), BANDS * BAND_ROWS), np.uint32)
    sets = _Sets(len(texts))
    pairs = []
    for index, text in enumerate(map(hidden, texts)):
        if (same := first.setdefault(text, index)) != index:  # one stands for all, so that a template fills no bucket
            pairs.append((same, index, 1.0))
            continue
        own = runs[index] = _runs(text)
        hashes = np.fromiter(own, np.uint64, len(own))
        signatures[index] = ((hashes * factors) >> np.uint64(32)).min(axis=1)
        keys = [(band, row.tobytes()) for band, row in enumerate(signatures[index].reshape(BANDS, BAND_ROWS))]
        candidates = np.array(sorted({i for key in keys for i in buckets[key]}), np.int64)
        close = (signatures[candidates] == signatures[index]).mean(axis=1) >= CLOSE
        for other in candidates[close].tolist():
            if sets.first(other) == sets.first(index):
                continue
            overlap = len(own & runs[other]) / len(own | runs[other])
            if overlap >= NEAR:
                pairs.append((other, index, overlap))
                sets.join(other, index)
        for key in keys:
            if len(buckets[key]) < LARGEST_BUCKET:
                buckets[key].append(index)
    return pairs


def alike(texts: Sequence[str]) -> list[int]:
    """For each text the first of those it hangs together with, by being the same or nearly, through others too."""
    sets = _Sets(len(texts))
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        sets.join(first.setdefault(normalised(text), index), index)
    for earlier, later, _ in near_duplicates(texts):
        sets.join(earlier, later)
    return [sets.first(index) for index in range(len(texts))]


class _Sets:
    """Which of n things hang together; the first of them stands for all (union-find)."""

    def __init__(self, n: int) -> None:
        self._before = list(range(n))

    def first(self, thing: int) -> int:
        before = self._before
        while before[thing] != thing:
            before[thing] = thing = before[before[thing]]
        return thing

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.first(one), self.first(other)))
        self._before[other] = one


def _stand_in(place: Place) -> str:
    return {"leader": "leader", "short": "organisation", "full": "organisation"}.get(place.form.role, "state")


def _runs(text: str) -> frozenset[int]:
    """Hashes of the three-word runs of a text; of its words if there are fewer."""
    words = _WORD.findall(text) or [text]
    count = max(len(words) - RUN + 1, 1)
    return frozenset(zlib.crc32(" ".join(words[i : i + RUN]).encode()) for i in range(count))
