"""Whether rows hold several sentences each: then labels, which are about one sentence, say little about a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rhetoric.scoring.columns import Outcome
from rhetoric.scoring.rows import Row

__all__ = ["Several"]

NOTE = "note: most rows hold several sentences; labels are about single sentences: --documents scores each"
# Rows looked at, and characters of each: enough to tell, and nothing beside the scoring.
ROWS, CHARACTERS = 500, 2000
# The end of a sentence with another behind it. A guess: only initials and the commonest titles are passed over.
END = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|No))(?<!\b(?:Mrs|Gen|Sen|Rep|Gov|Hon))(?<!\bProf)"
    r"[.!?][\"'”’»)]*\s+[\"'“‘„«(]*[A-ZÀ-ÖØ-ÞΑ-ΩА-Я]"
)


@dataclass(slots=True)
class Several:
    """Looks at the first rows that a run scores.

    Attributes:
        documents: Whether rows are sentences that documents were split into: then there is nothing to look for.
        rows: How many it has looked at.
        several: How many of them hold two or more sentences.
    """

    documents: bool = False
    rows: int = 0
    several: int = 0

    def look(self, part: Iterable[tuple[Row, Outcome]]) -> None:
        """Looks at the rows of a part, until it has seen enough; bad rows are passed over."""
        for row, outcome in part:
            if self.documents or self.rows >= ROWS:
                return
            if not isinstance(outcome, str):
                self.rows += 1
                self.several += END.search(row.text[:CHARACTERS]) is not None

    @property
    def note(self) -> str | None:
        """What the user should know, or None: a note if the median row has two sentences or more."""
        return NOTE if 2 * self.several > self.rows else None
