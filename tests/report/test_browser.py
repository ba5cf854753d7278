"""A real browser opens the report of 5,000 rows, filters, searches, reads a document, switches the theme."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric.bench.sentences import sentences
from rhetoric.report import report
from rhetoric.scored import Scored
from rhetoric.taxonomy import LABELS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ROWS = 5000


def rows() -> Scored:
    rng = np.random.default_rng(1)
    scores = rng.beta(0.25, 2.5, (ROWS, len(LABELS))).astype(np.float32)
    texts = list(sentences(ROWS))
    texts[17] = "<script>document.title='evil'</script> The walrus clause must go."
    columns = {
        "document": [f"speech {i // 50}" for i in range(ROWS)],
        "date": [f"{2000 + i // 500}-06-01" if i != 1500 else "" for i in range(ROWS)],
        "append": [f"Name {i}" for i in range(ROWS)],  # a method of forms, and more values than a menu takes
        "country": ["Norland" if i % 4 else "Estmark" for i in range(ROWS)],
    }
    return Scored(Path("s.csv"), LABELS, scores, scores > 0.5, abs(scores - 0.5) < 0.1, texts, "text", columns, 0)


def many_labels() -> Scored:
    labels = tuple(f"own{i}" for i in range(60))  # more than the bits of a JavaScript number
    scores = np.zeros((1, 60), np.float32)
    scores[0, [0, 59]] = 0.8, 0.9
    return Scored(Path("s.csv"), labels, scores, scores > 0.5, scores > 1, ["A text."], "text", {}, 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_report_works_in_a_browser(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    scored = rows()
    page = tmp_path / "report.html"
    page.write_text(report(scored, by=["country", "append"]), encoding="utf-8")
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        tab: Any = browser.new_page(color_scheme="light")
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready=yes]", timeout=10_000)

        def count() -> str:
            return str(tab.inner_text("#count"))

        assert count() == "5,000 of 5,000 sentences" and tab.locator(".row").count() == 100
        tab.click("#more")
        assert tab.locator(".row").count() == 200
        place = LABELS.index("threat")
        tab.select_option("select[name=label]", label="threat")
        assert count().startswith(f"{scored.chosen[:, place].sum():,} of")
        tab.select_option("select[name='by country']", label="Estmark")
        estmark = np.arange(ROWS) % 4 == 0
        assert count().startswith(f"{(scored.chosen[:, place] & estmark).sum():,} of")
        tab.fill("input[name='score from']", "0.8")
        high = np.rint(scored.scores[:, place] * 100) >= 80
        assert count().startswith(f"{(scored.chosen[:, place] & estmark & high).sum():,} of")
        for least in ("0.07", "0.55", "0.56", "0.57", "0.58"):
            tab.fill("input[name='score from']", least)
            high = np.rint(scored.scores[:, place] * 100) >= round(100 * float(least))
            assert count().startswith(f"{(scored.chosen[:, place] & estmark & high).sum():,} of"), least
        tab.get_by_role("button", name="Clear").click()
        tab.select_option("select[name=label]", label="uncertain")
        assert count().startswith(f"{scored.uncertain.any(axis=1).sum():,} of")
        tab.select_option("select[name=label]", label="neutral")
        assert count().startswith(f"{(~scored.chosen.any(axis=1)).sum():,} of")
        tab.get_by_role("button", name="Clear").click()
        tab.fill("input[name='by append']", "name 499")
        assert count().startswith("11 of")
        tab.get_by_role("button", name="Clear").click()
        tab.fill("input[name='date from']", "2003")
        tab.fill("input[name='date to']", "2004")
        assert count().startswith("999 of")
        tab.fill("input[name='date from']", "")
        assert count().startswith("2,499 of")
        tab.get_by_role("button", name="Clear").click()
        tab.fill("input[name=search]", "walrus CLAUSE")
        assert count().startswith("1 of") and tab.locator("mark").all_inner_texts() == ["walrus", "clause"]
        assert "<script>" in tab.inner_text(".row")
        tab.locator(".row .meta button").click()
        assert count() == "50 of 5,000 sentences of speech 0"
        paper = "getComputedStyle(document.body).backgroundColor"
        before = tab.evaluate(paper)
        tab.click("#theme")
        assert tab.evaluate(paper) != before
        assert tab.title() == "s.csv"
        tab.set_viewport_size({"width": 390, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        tab.get_by_role("button", name="Clear").click()
        tab.emulate_media(media="print")
        assert not tab.is_visible("#sentences") and not tab.is_visible("#theme")
        tab.emulate_media(media="screen")
        page.write_text(report(many_labels()), encoding="utf-8")
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready=yes]", timeout=10_000)
        assert tab.locator(".row .chip").all_inner_texts() == ["own59 0.90", "own0 0.80"]
        browser.close()
    assert said == []
