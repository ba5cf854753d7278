"""Whether scored texts look like those the bundled model learned from; where they do not, its figures mean less.

data/familiarity.json holds what `python -m training.familiarity` measured on the training sentences: no text.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.model_folder import BUNDLED, read_model_folder
from rhetoric.scored import DIGITS, NOT_TOLD, Scored

__all__ = ["measure", "unfamiliar"]

FILE = Path(__file__).parent / "data" / "familiarity.json"
SAMPLE = 2000


@cache
def reference() -> dict[str, float]:
    """The figures of the training sentences, under the names that `measure` gives them."""
    found: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def measure(texts: list[str]) -> dict[str, float]:
    """What texts look like to the model.

    Args:
        texts: At least one text; at most `SAMPLE` of them, evenly spread, are looked at.

    Returns:
        `words` in the median text, the share of `long` texts (over 80 words), word `pieces` a word (about 1.2 in
        English, 2 and more in other languages), and the share of `unknown` pieces.
    """
    from tokenizers import Tokenizer

    chosen = [texts[i] for i in np.unique(np.linspace(0, len(texts) - 1, min(len(texts), SAMPLE)).astype(int))]
    tokenizer = Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encoded = tokenizer.encode_batch(chosen, add_special_tokens=False)
    unknown = tokenizer.token_to_id("[UNK]")
    words = np.array([len(text.split()) for text in chosen])
    pieces = sum(len(one.ids) for one in encoded)
    return {
        "words": float(np.median(words)),
        "long": float((words > 80).mean()),
        "pieces": pieces / max(int(words.sum()), 1),
        "unknown": sum(1 for one in encoded for i in one.ids if i == unknown) / max(pieces, 1),
    }


def unfamiliar(scored: Scored) -> list[str]:
    """Lines that say in what scored texts differ from the training sentences; none if they do not.

    Args:
        scored: At least one scored row. Of rows that another model scored nothing is known.
    """
    if not _by_bundled(scored):
        return []
    usual = reference()
    lines = []
    doubtful = float(scored.uncertain.any(axis=1).mean())
    if doubtful > 1.5 * usual["uncertain"]:
        lines.append(f"{doubtful:.0%} of the rows are uncertain, of the training sentences {usual['uncertain']:.0%}")
    if not scored.texts:
        return lines
    found: dict[str, Any] = measure(scored.texts)
    if not usual["words"] / 2.5 <= found["words"] <= usual["words"] * 2.5:
        lines.append(
            f"the median text has {found['words']:.0f} words, the median training sentence {usual['words']:.0f}"
        )
    if found["long"] > 0.1:
        lines.append(f"{found['long']:.0%} of the texts have over 80 words; split documents with --documents")
    if found["pieces"] > 1.4 * usual["pieces"]:
        lines.append(
            f"{found['pieces']:.1f} word pieces a word, in the training sentences {usual['pieces']:.1f}: "
            "another language, codes or markup? The model knows English"
        )
    if found["unknown"] > max(0.01, 5 * usual["unknown"]):
        lines.append(f"{found['unknown']:.1%} of the word pieces are unknown to the model")
    return lines


def _by_bundled(scored: Scored) -> bool:
    """Whether the bundled model scored the rows, as far as the summary tells."""
    return scored.made.get("model", NOT_TOLD) in (NOT_TOLD, _bundled_digest())


@cache
def _bundled_digest() -> str:
    """As summaries give it; once a process, as every file is hashed for it."""
    return read_model_folder(BUNDLED).digest[:DIGITS]
