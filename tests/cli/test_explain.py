"""`rhetoric explain`: the words, as colours, JSON or HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rhetoric.cli.explain import _print_coloured
from rhetoric.explain import Explanation, Word

from .conftest import Run


def test_terminal_json_and_html(run: Run, tiny_folder: Path) -> None:
    call = ["explain", "we must begin talks", "--model", tiny_folder, "--label", "demand"]
    shown, raw, page = run(*call), run(*call, "--json"), run(*call, "--html")
    assert shown.out.startswith("we must begin talks\ndemand ")
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


def test_the_text_stands_once_above_its_labels(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = "stop now or we will act , which we would regret as much as anyone here"
    words = tuple(Word(word, 0, 0) for word in text.split())
    first = (3.0, 0.5) + (0.0,) * (len(words) - 2)
    against = (-0.2, 0.0, 0.0, 0.0, 1.5) + (-1.0,) * (len(words) - 5)
    silent = (-1.0,) * len(words)
    explanation = Explanation(
        text, words, {"demand": first, "threat": against, "own": silent}, {"demand": 0.9, "threat": 0.8, "own": 0.7}
    )
    _print_coloured(explanation)
    assert capsys.readouterr().out.splitlines() == [
        text,
        "demand 0.90: stop +3.00, now +0.50",
        "threat 0.80: will +1.50",
        "own 0.70: no single word",
    ]
    del explanation.contributions["own"], explanation.scores["own"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    _print_coloured(explanation)
    out = capsys.readouterr().out
    # For a label is green whatever others say; against one and for none is red.
    assert "\x1b[1;32mstop \x1b[0m\x1b[32mnow \x1b[0m" in out and "\x1b[1;32mwill " in out and "\x1b[1;31mact " in out


def test_an_unknown_label_is_suggested(run: Run, tiny_folder: Path) -> None:
    outcome = run("explain", "talks today", "--model", tiny_folder, "--label", "demnad")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean 'demand'?" in outcome.err


def test_a_label_that_is_not_given_and_a_long_text_are_told(run: Run, tiny_folder: Path) -> None:
    call = ["--model", tiny_folder, "--json"]
    given = json.loads(run("tag", "we must begin talks", "--threshold", "0", *call).out)["sentences"][0]["scores"]
    outcome = run("explain", "we must begin talks", *call)
    carried = run("tag", "we must begin talks", *call).out
    if json.loads(carried)["sentences"][0]["labels"]:
        assert outcome.err == ""
    else:
        assert list(json.loads(outcome.out)["contributions"]) == [max(given, key=given.__getitem__)]
        assert outcome.err == "note: the text carries no label; the one that scores highest is explained\n"
    long = run("explain", "we must talk " * 50, "--label", "demand", *call)
    assert long.code == 0
    assert long.err == "note: the text has 150 words, so 450 variants are scored; best is one sentence\n"
    endless = run("explain", "talks " * 1001, *call)
    assert (endless.code, endless.out) == (2, "")
    assert "the text has 1,001 words, more than 1,000; remedy: pass one sentence of it" in endless.err


def test_a_page_goes_to_a_file_unless_one_is_there(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.html"
    arguments = ("explain", "we must begin talks", "--model", tiny_folder, "--label", "demand", "--html", "-o", out)
    assert (run(*arguments).code, run(*arguments).code, run(*arguments, "--force").code) == (0, 2, 0)
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
