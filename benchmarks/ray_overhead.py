"""What a cluster costs: `rhetoric score --runner ray` on this machine's cores, one a worker, against `rhetoric score`.

    python benchmarks/ray_overhead.py                      # 200,000 rows: a quarter of an hour on two quiet cores
    python benchmarks/ray_overhead.py --count 10000 --part-rows 1000

The job runs three times on the same rows: alone, on Ray, alone; the two alone are averaged. Start-up is what passes
until the first part is there, less the time that part takes. Overhead is what Ray takes beyond start-up, over the
time alone. Rows, columns and scores of both outputs are compared. Reading alone is timed too: it is what one reader
can feed. Parts of one row (--count 3000 --part-rows 1) show how many parts a second pass through Ray. Needs the extra
[ray].
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet
from scoring import write_rows

import rhetoric.distributed
from rhetoric import RhetoricTagger
from rhetoric.bench.sentences import sentences
from rhetoric.machine import processor, usable_cores
from rhetoric.scoring.options import Options
from rhetoric.scoring.parts import read_parts
from rhetoric.scoring.plan import make_plan
from rhetoric.scoring.progress import Status


def reading(tagger: RhetoricTagger, inputs: list[Path], folder: Path, part_rows: int) -> float:
    """Rows a second of one reader."""
    plan = make_plan(tagger, [str(path) for path in inputs], None, folder, Options.of({}), {}, lambda line: None)
    (folder / "parts").mkdir()
    start = time.perf_counter()
    rows = sum(len(part.rows) for file in range(len(inputs)) for part in read_parts(plan, file, folder, part_rows))
    return rows / (time.perf_counter() - start)


def main() -> None:
    """Generates, measures, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--part-rows", type=int, default=rhetoric.distributed.PART_ROWS)
    parser.add_argument("--model")
    options = parser.parse_args()
    cores = usable_cores()
    tagger = RhetoricTagger.from_pretrained(options.model, threads=cores)
    with TemporaryDirectory(prefix="rhetoric-ray-") as name:
        folder = Path(name)
        texts = list(sentences(options.count))
        share = -(-len(texts) // options.files)
        inputs = [folder / f"{i}.csv" for i in range(options.files)]
        for i, path in enumerate(inputs):
            write_rows(path, texts[i * share : (i + 1) * share])
        tagger.predict(texts[:500])
        print(f"reading alone: {reading(tagger, inputs, folder, options.part_rows):,.0f} rows/s", flush=True)

        def alone() -> float:
            start = time.perf_counter()
            tagger.score_file(inputs, folder / "alone.parquet", force=True)
            return time.perf_counter() - start

        before = alone()
        print(f"alone, before: {len(texts) / before:.0f} rows/s", flush=True)
        reports: list[tuple[float, int]] = []
        start = time.perf_counter()

        def progress(status: Status) -> None:
            reports.append((time.perf_counter() - start, status.rows))

        rhetoric.distributed.score_files(
            inputs, folder / "out", model=options.model, part_rows=options.part_rows, progress=progress
        )
        total = time.perf_counter() - start
        after = alone()
        one, many = (pyarrow.parquet.read_table(folder / path) for path in ("alone.parquet", "out"))
        equal = one.schema.equals(many.schema) and one.equals(many)
        parts = len(list((folder / "out").iterdir()))
    print(f"alone, after: {len(texts) / after:.0f} rows/s")
    own = (before + after) / 2
    first_seconds, first_rows = reports[0]
    startup = first_seconds - first_rows * cores / len(texts) * own  # a worker has one core
    print(f"{processor().model}, {cores} cores; {len(texts):,} rows in {options.files} files, {parts} parts")
    print(f"alone    {own:8.1f} s   {len(texts) / own:7.0f} rows/s")
    print(f"Ray      {total:8.1f} s   of which start-up {startup:.1f} s, then {parts / (total - startup):.1f} parts/s")
    print(f"overhead beyond start-up: {(total - startup) / own - 1:.1%}")
    print(f"output: {'identical' if equal else 'NOT THE SAME'}")


if __name__ == "__main__":
    main()
