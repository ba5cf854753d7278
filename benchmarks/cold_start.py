"""From starting the interpreter to the first label: a fresh process each time, with warm file caches.

    python benchmarks/cold_start.py

Prints the median of ten for the library and for `rhetoric tag`, and the processor time beside it: on a busy
machine only that one means something. Bytecode is compiled once before (an installer does that too).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

TEXT = "Ankara must withdraw its troops."
LIBRARY = f"from rhetoric import RhetoricTagger; RhetoricTagger.from_pretrained().predict_one({TEXT!r})"
COMMAND = f"import sys; sys.argv = ['rhetoric', 'tag', {TEXT!r}]; from rhetoric.cli import main; main()"
WAYS = {"interpreter alone": "pass", "numpy alone": "import numpy", "library": LIBRARY, "rhetoric tag": COMMAND}


def measure(code: str, environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds and processor seconds of a fresh process."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def main() -> None:
    """Runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
        for code in WAYS.values():
            measure(code, environment)
        for _ in range(options.rounds):
            for name, code in WAYS.items():
                figures[name].append(measure(code, environment))
    print(f"median of {options.rounds} fresh processes, {os.cpu_count()} processors\n")
    print("| | seconds | processor seconds | fastest |\n|---|---|---|---|")
    for name, measured in figures.items():
        wall, used = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"| {name} | {wall:.2f} | {used:.2f} | {min(measured)[0]:.2f} |")


if __name__ == "__main__":
    main()
