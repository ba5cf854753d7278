"""Builds a report of a large scored file, and opens it: seconds, megabytes, and how soon it can be used.

    python benchmarks/report.py                    # 50,000 sentences
    python benchmarks/report.py --chromium /usr/bin/chromium

Rows are generated; scores are drawn at random, since only their number matters here. The browser part needs
playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rhetoric.bench.sentences import sentences
from rhetoric.report import report
from rhetoric.scored import Scored, read_scored
from rhetoric.taxonomy import LABELS

COUNTRIES = ("Norland", "Estmark", "Vessaria", "Tarquay", "Drovia", "the Selm Republic")


def write_scored(path: Path, count: int) -> None:
    """Writes a scored CSV file with documents, dates, countries and speakers."""
    rng = np.random.default_rng(0)
    scores = rng.beta(0.25, 2.5, (count, len(LABELS)))
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f"document,date,country,speaker,text,labels,{','.join(LABELS)},uncertain,truncated,error\n")
        for i, text in enumerate(sentences(count)):
            document = i // 40
            year, month = 2005 + document % 20, 1 + document % 12
            quoted = text.replace('"', '""')
            labels = "|".join(name for name, score in zip(LABELS, scores[i], strict=True) if score > 0.5)
            unsure = "|".join(name for name, score in zip(LABELS, scores[i], strict=True) if 0.4 < score < 0.6)
            numbers = ",".join(f"{score:.6f}" for score in scores[i])
            stream.write(
                f'speech-{document},{year}-{month:02}-15,{COUNTRIES[document % 6]},Speaker {document % 90},"{quoted}",'
                f"{labels},{numbers},{unsure},false,\n"
            )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--chromium", help="path of the browser")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="rhetoric-report-") as folder:
        source, page = Path(folder) / "scored.csv", Path(folder) / "report.html"
        write_scored(source, options.count)
        start = time.perf_counter()
        scored: Scored = read_scored(source)
        page.write_text(report(scored), encoding="utf-8")
        print(f"{options.count:,} sentences: built in {time.perf_counter() - start:.1f} s", end=", ")
        print(f"{page.stat().st_size / 1e6:.1f} MB")
        if options.chromium:
            print(f"ready to filter {ready(page, options.chromium):.1f} s after opening")


def ready(page: Path, chromium: str) -> float:
    """Seconds from opening a report to its list being filled."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        start = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready=yes]")
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


if __name__ == "__main__":
    main()
