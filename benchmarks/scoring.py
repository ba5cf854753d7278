"""Batch scoring end to end: rows a second against the engine's own rate on the same sentences, and memory over time.

    python benchmarks/scoring.py                          # 20,000 rows, some minutes on two cores
    python benchmarks/scoring.py --count 1000000          # the full measurement: a night's work for a laptop

The engine's rate is that of `predict_proba`, measured before and after the job on a sample of its sentences, in the
same process. Sentences are generated (see sentences.py), all distinct. Memory is read from /proc (Linux).
"""

from __future__ import annotations

import argparse
import csv
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rhetoric import RhetoricTagger
from rhetoric.bench.sentences import sentences
from rhetoric.scoring.progress import Status


def write_rows(path: Path, texts: Iterable[str]) -> None:
    """Writes sentences as a CSV, JSONL or Parquet file with three more columns."""
    rows = ({"id": i, "text": text, "year": 1950 + i % 75, "note": f"row {i}"} for i, text in enumerate(texts))
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        batch: list[dict[str, object]] = []
        schema = pyarrow.schema([("id", "int64"), ("text", "string"), ("year", "int16"), ("note", "string")])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for row in rows:
                batch.append(row)
                if len(batch) == 100_000:
                    writer.write_table(pyarrow.Table.from_pylist(batch, schema))
                    batch = []
            if batch:
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))
        return
    with path.open("w", encoding="utf-8", newline="") as stream:
        if path.suffix == ".jsonl":
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            table = csv.DictWriter(stream, ("id", "text", "year", "note"))
            table.writeheader()
            table.writerows(rows)


def resident() -> float:
    """Memory of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def watched(samples: list[tuple[float, float]], every: float) -> Iterator[None]:
    """Samples (seconds, MB) while the block runs."""
    stop, start = threading.Event(), time.perf_counter()

    def sample() -> None:
        while not stop.wait(every):
            samples.append((time.perf_counter() - start, resident()))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        samples.append((time.perf_counter() - start, resident()))


def main() -> None:
    """Generates, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv", help="of input and output")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--sample", type=int, default=20_000, help="sentences for the engine's own rate")
    parser.add_argument("--model")
    options = parser.parse_args()
    tagger = RhetoricTagger.from_pretrained(options.model, threads=options.threads)
    texts = list(sentences(min(options.count, options.sample)))
    tagger.predict(texts[:500])

    def engine() -> float:
        start = time.perf_counter()
        tagger.predict_proba(texts)
        return len(texts) / (time.perf_counter() - start)

    with TemporaryDirectory(prefix="rhetoric-bench-") as name:
        source, target = (Path(name) / f"{part}.{options.format}" for part in ("in", "out"))
        write_rows(source, sentences(options.count))
        print(f"{options.count:,} rows, {source.stat().st_size / 1e6:.0f} MB {options.format}", flush=True)
        before = engine()
        print(f"engine before: {before:.0f} sentences/s; resident {resident():.0f} MB", flush=True)
        samples: list[tuple[float, float]] = []
        next_line = [0.0]

        def progress(status: Status) -> None:
            if time.perf_counter() >= next_line[0]:
                next_line[0] = time.perf_counter() + 60
                print(f"  {status.rows:>9,} rows, {status.rows_per_second:.0f}/s, {resident():.0f} MB", flush=True)

        start = time.perf_counter()
        with watched(samples, 1.0):
            summary = tagger.score_file(source, target, progress=progress)
        seconds = time.perf_counter() - start
        after = engine()
    print(f"engine after: {after:.0f} sentences/s")
    rate, own = summary.rows / seconds, (before + after) / 2
    share = f"{rate / own:.1%} of the engine's {own:.0f}/s"
    print(f"job: {summary.rows:,} rows in {seconds:.1f} s: {rate:.0f} rows/s, {share}")
    peak = max(megabytes for _, megabytes in samples)
    tenths = [samples[len(samples) * i // 10 : max(len(samples) * (i + 1) // 10, 1)] for i in range(10)]
    print(f"peak resident {peak:.0f} MB; highest in each tenth of the job:")
    print("  " + " ".join(f"{max((megabytes for _, megabytes in part), default=0):.0f}" for part in tenths))


if __name__ == "__main__":
    main()
