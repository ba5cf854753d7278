"""`rhetoric card`: the card of a model, without loading it."""

from __future__ import annotations

from pathlib import Path

from rhetoric.model_folder import BUNDLED

from .conftest import Run


def test_the_bundled_card_names_the_terms_of_each_source(run: Run) -> None:
    outcome = run("card")
    assert outcome.out == (BUNDLED / "README.md").read_text(encoding="utf-8")
    for terms in ("CC0", "CC BY 4.0", "US public domain", "research use"):
        assert terms in outcome.out


def test_a_model_without_a_card_says_so(run: Run, tiny_folder: Path) -> None:
    outcome = run("card", tiny_folder)
    assert (outcome.code, outcome.out) == (2, "")
    assert "holds no README.md; remedy" in outcome.err
