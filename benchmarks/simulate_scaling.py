"""How long a job takes on many machines, and what holds it up: a simulation of `rhetoric score --runner ray`.

    python benchmarks/simulate_scaling.py                               # a trillion tokens on 16 to 16,384 cores
    python benchmarks/simulate_scaling.py --rows 2e8 --files 200 --cores 64 256

What it is told was measured on one machine (see docs/scaling.md for how); what it invents is said here. Files differ
in size (log-normal), machines in speed, machines die at random and lose the part they are at. Readers are one a file,
a quarter as many as engines, as in `rhetoric.distributed`; parts go to whichever engine is free. The disk that all
share does so many file operations a second, the driver so many parts.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass

TOKENS = 31  # of a sentence, on average: as in speed.py


@dataclass(frozen=True)
class Measured:
    """Figures of one machine.

    Attributes:
        rows: Sentences a second of one core.
        read: Rows a second of one reader.
        start: Seconds until an engine is loaded in a new process.
        driver: Parts a second that the driver takes in.
        operations: File operations a second of the shared disk; assumed.
        per_part: File operations a part costs.
        output: Bytes of a row in the output.
    """

    rows: float = 358.0
    read: float = 50_000.0
    start: float = 35.0
    driver: float = 58.0
    operations: float = 2_000.0
    per_part: int = 12
    output: int = 60


@dataclass(frozen=True)
class Result:
    """How a job went: seconds in all, share of the cores' time that computed, and what bound it."""

    seconds: float
    busy: float
    bound: str


def simulate(
    rows: float, files: int, cores: int, part_rows: float, of: Measured, *, skew: float, mtbf: float, seed: int
) -> Result:
    """Runs a job.

    Args:
        rows: Rows of all files.
        files: How many files.
        cores: Engines, one a core.
        part_rows: Rows of a part.
        of: Figures of one machine.
        skew: Standard deviation of the logarithm of a file's size.
        mtbf: Mean seconds until a core's machine dies.
        seed: Of what is drawn.
    """
    rng = random.Random(seed)
    weights = [rng.lognormvariate(0, skew) for _ in range(files)]
    sizes = [rows * weight / sum(weights) for weight in weights]
    # Many alike parts are simulated as one: the ends are what matters.
    grain = max(part_rows, rows / 200_000)
    speeds = [of.rows * max(0.3, rng.gauss(1, 0.05)) for _ in range(cores)]
    readers = [of.start] * min(files, max(2, cores // 4))
    ready: list[float] = []
    for size in sizes:
        begin = heapq.heappop(readers)
        parts = max(1, round(size / grain))
        ready += [begin + (i + 1) * size / parts / of.read for i in range(parts)]
        heapq.heappush(readers, begin + size / of.read)
    share = rows / len(ready)
    together = share / part_rows  # parts that one simulated part stands for
    ready.sort()
    free = [(of.start, core) for core in range(cores)]
    heapq.heapify(free)
    computed = last = hub = 0.0
    serial = together * max(1 / of.driver, of.per_part / of.operations)
    for when in ready:
        at, core = heapq.heappop(free)
        took = share / speeds[core]
        begin = max(at, when)
        while (alive := rng.expovariate(1 / mtbf)) < min(took, part_rows / speeds[core]):
            begin += alive + of.start  # what was done of this part is lost
        hub = max(hub, begin + took) + serial if hub else begin + took + serial
        heapq.heappush(free, (begin + took, core))
        computed += took
        last = max(last, begin + took, hub)
    limits = {
        "engines": rows / (cores * of.rows),
        "reading the largest file": max(sizes) / of.read,
        "reading": rows / of.read / min(files, max(2, cores // 4)),
        "shared disk": rows / part_rows * of.per_part / of.operations,
        "driver": rows / part_rows / of.driver,
    }
    return Result(last, computed / (cores * last), max(limits, key=lambda name: limits[name]))


def main() -> None:
    """Simulates, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e12 / TOKENS)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[16, 256, 1024, 4096, 16384])
    parser.add_argument("--part-rows", type=float, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--skew", type=float, default=1.0)
    parser.add_argument("--mtbf-days", type=float, default=30.0)
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour")
    parser.add_argument("--rows-per-second", type=float, default=Measured.rows, help="of one core")
    options = parser.parse_args()
    of = Measured(rows=options.rows_per_second)
    print(f"{options.rows:,.0f} rows ({options.rows * TOKENS:.1e} tokens) in {options.files:,} files,", end=" ")
    print(f"output about {options.rows * of.output / 1e12:.1f} TB")
    print("  part rows   cores       hours   cores busy   core-hours      price   bound by")
    for part_rows in options.part_rows:
        for cores in options.cores:
            found = simulate(
                options.rows,
                options.files,
                cores,
                part_rows,
                of,
                skew=options.skew,
                mtbf=options.mtbf_days * 86_400,
                seed=0,
            )
            hours = found.seconds / 3600
            print(
                f"{part_rows:11,.0f} {cores:7,} {hours:11,.1f} {found.busy:11.0%} {hours * cores:12,.0f}"
                f" {hours * cores * options.price:10,.0f}   {found.bound}"
            )


if __name__ == "__main__":
    main()
