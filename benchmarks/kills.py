"""Kills scoring jobs with SIGKILL at random moments and checks that what they end with is the same, byte for byte.

    python benchmarks/kills.py --kills 25

Each case is one input and output format. A job is run whole once; then it is started and killed over and over, and
every time it gets to its end, output and quarantine are compared with the whole run's. Exits with 1 if any differ.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from scoring import write_rows

from rhetoric.bench.sentences import sentences

CASES = (
    ("in.csv", "out.csv", ()),
    ("in.jsonl", "out.jsonl", ()),
    ("in.parquet", "out.parquet", ()),
    ("in.csv.gz", "out.parquet", ("--layout", "long")),
    ("in.jsonl", "out.csv", ("--on-error", "skip")),
    ("in.parquet", "out.jsonl", ("--documents",)),
)
# Small parts, so that a job of seconds has many.
CODE = "from rhetoric.cli import main; from rhetoric.scoring import job; job.PART_ROWS = {parts}; main()"


def write_input(path: Path, count: int) -> None:
    """Writes generated sentences, every hundredth of them empty, and a row that is none."""
    texts = [text if i % 100 else "" for i, text in enumerate(sentences(count))]
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    write_rows(plain, texts)
    if plain.suffix != ".parquet":
        with plain.open("ab") as stream:
            stream.write(b'{"broken\n' if plain.suffix == ".jsonl" else b"1,\xff\n")
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes()))


def outputs(path: Path) -> list[bytes]:
    """Bytes of an output and of its quarantine."""
    quarantine = path.with_name(f"{path.name}.quarantine.jsonl")
    return [file.read_bytes() if file.exists() else b"" for file in (path, quarantine)]


def main() -> None:
    """Runs the cases in turn until enough were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--part-rows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model")
    options = parser.parse_args()
    rng, kills, wrong = random.Random(options.seed), 0, 0
    model = ["--model", options.model] if options.model else []
    start_job = [sys.executable, "-c", CODE.format(parts=options.part_rows), "score", *model]
    each = -(-options.kills // len(CASES))
    for name, target, extra in CASES:
        with TemporaryDirectory(prefix="rhetoric-kills-") as folder:
            source, whole, output = Path(folder) / name, Path(folder) / f"whole-{target}", Path(folder) / target
            write_input(source, options.rows)
            start = time.perf_counter()
            subprocess.run([*start_job, source, "-o", whole, *extra], check=True, stderr=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            here = finished = resumed = different = 0
            while here < each or not finished:
                process = subprocess.Popen([*start_job, source, "-o", output, *extra], stderr=subprocess.DEVNULL)
                try:
                    # Before, while and after the first parts; the last run of a case may end.
                    process.wait(rng.uniform(0, seconds) if here < each else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    here += 1
                    # A process may die with its job done, before it has ended itself.
                    if not output.exists() or output.with_name(f"{target}.job").exists():
                        continue
                if process.returncode not in (0, -signal.SIGKILL):
                    sys.exit(f"{name} → {target}: the job failed with {process.returncode}")
                finished += 1
                resumed += json.loads(output.with_name(f"{target}.summary.json").read_text())["resumed"]
                different += outputs(output) != outputs(whole)
                output.unlink()
            kills += here
            wrong += different
            case = " ".join((name, "→", target, *extra))
            counts = f"{here} kills, {finished} finished, resumed {resumed} times, {different} differ"
            print(f"{case}: {counts}", flush=True)
    print(f"{kills} kills, {wrong} outputs differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
