"""The taxonomy table agrees with the codebook it was made from."""

from __future__ import annotations

import re
from pathlib import Path

from rhetoric.taxonomy import FAMILIES, LABELS, TAXONOMY

CODEBOOK = Path(__file__).parents[1] / "training" / "CODEBOOK.md"


def test_names_codes_and_families_are_those_of_the_codebook_in_its_order() -> None:
    rows = re.findall(r"^\| ([A-Z]{3}) \| `(\w+)` \| (\w+) \|", CODEBOOK.read_text(encoding="utf-8"), re.M)
    assert [(row.code, row.name, row.family) for row in TAXONOMY] == rows
    assert len(LABELS) == len(set(LABELS)) == 12


def test_families_are_complete_and_ordered() -> None:
    assert tuple(dict.fromkeys(row.family for row in TAXONOMY)) == FAMILIES


def test_each_type_is_defined_with_an_example() -> None:
    for row in TAXONOMY:
        assert row.definition.endswith(".")
        assert row.example.endswith(".")
        assert row.excludes
