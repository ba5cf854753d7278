"""Does speed or memory change with the number of rows? `predict_stream` over 1e3 to 1e6 generated sentences.

    python benchmarks/growth.py --json growth.json --plot growth.svg        # half an hour at 700 sentences a second
    python benchmarks/growth.py --rows 1000 10000

Each size runs in a fresh process; sentences are made on the fly, all distinct, so making them is in the time (the
table says how much it is).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections import deque
from pathlib import Path
from typing import Any

from plots import lines

from rhetoric import RhetoricTagger
from rhetoric.bench.measure import peak_megabytes
from rhetoric.bench.sentences import sentences


def score(rows: int, model: str | None, threads: int | None) -> dict[str, Any]:
    """Streams that many sentences through a fresh tagger."""
    tagger = RhetoricTagger.from_pretrained(model, threads=threads)
    tagger.predict(sentences(200, seed=1))
    loaded = peak_megabytes()
    start = time.perf_counter()
    stream = tagger.predict_stream(sentences(rows))
    next(stream)
    first = time.perf_counter() - start
    deque(stream, maxlen=0)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    deque(sentences(min(rows, 10_000)), maxlen=0)
    making = (time.perf_counter() - start) * rows / min(rows, 10_000)
    return {
        "rows": rows,
        "seconds": seconds,
        "sentences_per_second": rows / seconds,
        "first_row_seconds": first,
        "share_making_sentences": making / seconds,
        "loaded_mb": loaded,
        "peak_mb": peak_megabytes(),
    }


def main() -> None:
    """Measures each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="an .svg file")
    options = parser.parse_args()
    found = []
    print(
        "| rows | sentences/s | first row | making the sentences | memory loaded | peak memory |\n" + "|---" * 6 + "|"
    )
    for rows in options.rows:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures = pool.apply(score, (rows, options.model, options.threads))
        found.append(figures)
        print(
            f"| {rows:,} | {figures['sentences_per_second']:.0f} | {figures['first_row_seconds']:.2f} s "
            f"| {figures['share_making_sentences']:.0%} | {figures['loaded_mb'] or 0:.0f} MB "
            f"| {figures['peak_mb'] or 0:.0f} MB |",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        lines(
            options.plot,
            [row["rows"] for row in found],
            [row["sentences_per_second"] for row in found],
            [row["peak_mb"] or 0 for row in found],
        )


if __name__ == "__main__":
    main()
