"""Texts that are the same, or nearly: they leak from training into dev rows and count one judgement twice.

Same means equal after white space and case are evened out. Nearly the same means that the sets of three-word
runs overlap by four fifths; candidates come from MinHash bands (Broder, 1997), so it stays linear in the rows.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

__all__ = ["near_duplicates", "normalised"]

NEAR = 0.8
RUN = 3
BANDS, BAND_ROWS = 20, 4  # finds pairs at 0.8 with probability 0.9999, pairs at 0.4 with 0.4
LARGEST_BUCKET = 20  # rows of a template share their bands; comparing all with all would be quadratic

_WORD = re.compile(r"\w+")


def normalised(text: str) -> str:
    """Text with compatibility forms, case and white space evened out."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Pairs of nearly the same texts that are not the same.

    Args:
        texts: Distinct normalised texts.

    Returns:
        (earlier index, later index, overlap of their three-word runs), each later text with the first it resembles.
    """
    runs = [_runs(text) for text in texts]
    rng = np.random.default_rng(0)
    # multiply-shift hashing: the product wraps at 2^64, and its upper half is the hash
    factors = rng.integers(0, 1 << 63, (BANDS * BAND_ROWS, 1), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    pairs = []
    for index, own in enumerate(runs):
        hashes = np.fromiter(own, np.uint64, len(own))
        minima = ((hashes * factors) >> np.uint64(32)).min(axis=1).reshape(BANDS, BAND_ROWS)
        keys = [(band, row.tobytes()) for band, row in enumerate(minima)]
        for other in sorted({i for key in keys for i in buckets[key]}):
            overlap = len(own & runs[other]) / len(own | runs[other])
            if overlap >= NEAR:
                pairs.append((other, index, overlap))
                break
        else:  # one text stands for all that resemble it, so that a template fills no bucket
            for key in keys:
                if len(buckets[key]) < LARGEST_BUCKET:
                    buckets[key].append(index)
    return pairs


def _runs(text: str) -> frozenset[int]:
    """Hashes of the three-word runs of a text; of its words if there are fewer."""
    words = _WORD.findall(text) or [text]
    count = max(len(words) - RUN + 1, 1)
    return frozenset(zlib.crc32(" ".join(words[i : i + RUN]).encode()) for i in range(count))
