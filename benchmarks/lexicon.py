"""Labels by keyword: `lexicon.json` holds patterns a label, written from the code book alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).parent / "lexicon.json"


def decide_by_lexicon(texts: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Decisions (texts, labels): True where a pattern of the label is found, whatever its case.

    Raises:
        KeyError: The lexicon lacks a label.
    """
    lexicon = json.loads(FILE.read_text(encoding="utf-8"))
    patterns = [re.compile("|".join(lexicon[label]), re.IGNORECASE) for label in labels]
    return np.array([[bool(pattern.search(text)) for pattern in patterns] for text in texts], np.bool_)
