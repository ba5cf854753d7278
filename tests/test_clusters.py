"""The column that names documents is the first usual one that each side has filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric.clusters import cluster_column
from rhetoric.scored import Scored


def scored(columns: dict[str, list[Any]]) -> Scored:
    scores = np.zeros((2, 1), np.float32)
    return Scored(Path("s.csv"), ("demand",), scores, scores > 0, scores > 0, None, None, columns, 0)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([{"speech_id": [1, 2], "document": ["a", "b"]}], "document"),
        ([{"speech_id": [1, 2], "document": ["", None]}], "speech_id"),
        ([{"document": ["a", ""]}, {"document": [None, "b"]}], "document"),
        ([{"document": ["a", "b"], "doc_id": [1, 1]}, {"doc_id": [1, 2]}], "doc_id"),
        ([{"document": ["a", "b"]}, {"document": ["", ""]}], None),
        ([{"country": ["A", "B"]}], None),
    ],
)
def test_the_first_column_that_each_side_has_filled(columns: list[dict[str, list[Any]]], found: str | None) -> None:
    assert cluster_column(*map(scored, columns)) == found
