"""`rhetoric explain`: the words, as colours, JSON or HTML."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run


def test_terminal_json_and_html(run: Run, tiny_folder: Path) -> None:
    call = ["explain", "we must begin talks", "--model", tiny_folder, "--label", "demand"]
    shown, raw, page = run(*call), run(*call, "--json"), run(*call, "--html")
    assert "we must begin talks" in shown.out
    assert shown.out.startswith("demand ")
    assert list(json.loads(raw.out)["contributions"]) == ["demand"]
    assert page.out.count('style="--w:') == 4


def test_an_unknown_label_is_suggested(run: Run, tiny_folder: Path) -> None:
    outcome = run("explain", "talks today", "--model", tiny_folder, "--label", "demnad")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean 'demand'?" in outcome.err
