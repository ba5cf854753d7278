"""The page of a report: no text breaks out of it, nothing is loaded, no row is lost."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from rhetoric.report import report
from rhetoric.scored import Scored
from rhetoric.taxonomy import FAMILIES, LABELS

from ..cli.conftest import Run, run  # noqa: F401

EVIL = '</script><script>document.title="evil"</script><img src=x onerror=alert(1)> & \u2028 <!--'


def scored(n: int = 40, *, errors: int = 0) -> Scored:
    rng = np.random.default_rng(0)
    scores = rng.random((n, len(LABELS))).astype(np.float32)
    texts = [f"{EVIL} sentence {i}" if i % 2 else f"Sentence {i}." for i in range(n)]
    columns = {
        "date": [f"20{i % 20:02}-01-01" for i in range(n)],
        "country": [EVIL if i % 3 else "Norland" for i in range(n)],
        "document": [f"d{i // 10}" for i in range(n)],
    }
    return Scored(Path("s.csv"), LABELS, scores, scores > 0.7, abs(scores - 0.7) < 0.1, texts, "text", columns, errors)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.loaded: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loaded += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def unpacked(html: str) -> dict[str, object]:
    found = re.search(r'<script id="rows"[^>]*>([^<]*)</script>', html)
    assert found
    data: dict[str, object] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def test_texts_stay_texts_and_nothing_is_loaded() -> None:
    html = report(scored(), title=EVIL)
    reader = Reader()
    reader.feed(html)
    assert reader.scripts == 2 and reader.loaded == [] and reader.handlers == []
    assert "url(" not in html and "@import" not in html


def test_every_row_is_in_the_page() -> None:
    rows = scored()
    data = unpacked(report(rows))
    assert data["texts"] == rows.texts
    scores = np.frombuffer(base64.b64decode(str(data["scores"])), np.uint8).reshape(rows.scores.shape)
    assert np.abs(scores / 100 - rows.scores).max() <= 0.006
    marks = np.frombuffer(base64.b64decode(str(data["marks"])), np.uint8).reshape(rows.scores.shape)
    assert np.array_equal(marks & 1, rows.chosen) and np.array_equal(marks >> 1, rows.uncertain)
    assert data["filters"] == ["country"] and data["document"] == "document"


def test_what_was_left_out_is_said() -> None:
    html = report(scored(errors=7))
    assert "7 rows could not be scored" in html
    assert "2000" in html and "How the types moved" in html and "By country" in html
    assert "design effect" in html


def test_the_foot_tells_the_model_and_what_the_job_left_out(tmp_path: Path) -> None:
    rows = replace(scored(errors=7), path=tmp_path / "s.csv")
    assert "was not found" in report(rows)
    summary = {
        "model": {"digest": "0123456789abcdef", "engine": "onnx"},
        "options": {"threshold": {"demand": 0.6}, "top": None},
        "quarantined": 3,
        "truncated": 1200,
        "errors": {"text is <empty>": {"count": 7}},
    }
    (tmp_path / "s.csv.summary.json").write_text(json.dumps(summary), encoding="utf-8")
    html = report(rows)
    assert "ingerprint 0123456789ab" in html and "&quot;demand&quot;: 0.6" in html
    assert "3 never came into the file" in html and "1,200" in html and "text is &lt;empty&gt;: 7" in html
    assert "<empty>" not in html


def test_charts_are_told_in_words() -> None:
    html = report(scored())
    charts = re.findall(r"<svg[^>]*role=\"img\"><title>([^<]+)</title><desc>([^<]+)</desc>", html)
    assert len(charts) == html.count("<svg") == 1 + len(LABELS) + len(FAMILIES) + 1
    assert ("threat: share of sentences over time") in dict(charts)
    assert all("highest" in said for title, said in charts if "over time" in title)
    assert all(f"<b>{family}</b>" in html for family in FAMILIES)


def test_half_a_surrogate_pair_does_not_stop_the_page() -> None:
    rows = scored(2)
    html = report(replace(rows, texts=["a \ud800 b", "c"]))
    assert "a ? b" in html.encode().decode() and unpacked(html)["texts"] == ["a ? b", "c"]


def test_without_dates_groups_or_texts_there_is_a_page_too() -> None:
    rows = scored()
    bare = Scored(rows.path, rows.labels, rows.scores, rows.chosen, rows.uncertain, None, None, {}, 0)
    html = report(bare)
    assert "How often each type occurs" in html and "How the types moved" not in html
    assert "no column of texts" in html


@pytest.mark.usefixtures("tiny_folder")
def test_the_command_writes_whole_or_nothing(run: Run, tmp_path: Path, tiny_folder: Path) -> None:  # noqa: F811
    source, out, page = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "r.html"
    source.write_text("date,text\n2014-01-01,We must begin talks.\n2015-01-01,They said never!\n", encoding="utf-8")
    assert run("score", source, "-o", out, "--model", tiny_folder).code == 0
    assert run("report", out, "-o", page).code == 0
    assert run("report", out, "-o", "-").out == page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("report", out, "-o", page).code == 2
    assert run("report", out, "-o", page, "--force", "--by", "nope").code == 2
    assert run("report", out, "-o", tmp_path / "no" / "r.html").code == 2
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_few_documents_are_told() -> None:
    assert "These are only 4, so the intervals are too narrow." in report(scored(40))
    assert "These are only" not in report(scored(100))


def test_the_page_does_not_replace_the_scored_file(run: Run, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "scored.csv"
    file.write_text("text\n", encoding="utf-8")
    outcome = run("report", file, "-o", file, "--force")
    assert outcome.code == 2 and "is what is read, and would be lost" in outcome.err
    assert file.read_text(encoding="utf-8") == "text\n"
