"""`rhetoric explain`: the words, as colours, JSON or HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run


def test_terminal_json_and_html(run: Run, tiny_folder: Path) -> None:
    call = ["explain", "we must begin talks", "--model", tiny_folder, "--label", "demand"]
    shown, raw, page = run(*call), run(*call, "--json"), run(*call, "--html")
    assert "we must begin talks" in shown.out
    assert shown.out.startswith("demand ")
    assert list(json.loads(raw.out)["contributions"]) == ["demand"]
    assert page.out.count('title="') == 4


def test_colours_are_for_terminals_and_words_are_no_markup(
    run: Run, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "[/must] [red]begin [/bold] talks [/i] today [/b]"
    call = ["explain", text, "--model", tiny_folder, "--label", "demand"]
    piped = run(*call)
    assert (piped.code, piped.err) == (0, "")
    assert text in piped.out and "\x1b" not in piped.out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run(*call).out


def test_an_unknown_label_is_suggested(run: Run, tiny_folder: Path) -> None:
    outcome = run("explain", "talks today", "--model", tiny_folder, "--label", "demnad")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean 'demand'?" in outcome.err
