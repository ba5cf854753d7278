"""The look at rows of several sentences; what it says is tested with the command that says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rhetoric import RhetoricTagger
from rhetoric.scoring.several import Several


def test_sentences_of_documents_are_not_looked_at(
    tiny: RhetoricTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    true = Several.look

    def look(self: Several, part: Any) -> None:
        true(self, part)
        looks.append(self.rows)

    monkeypatch.setattr(Several, "look", look)
    source = tmp_path / "in.txt"
    source.write_text("We must begin talks. They said never!\n", encoding="utf-8")
    for documents in (False, True):
        tiny.score_file(source, tmp_path / "out.csv", documents=documents, force=True)
    assert looks == [1, 0]
