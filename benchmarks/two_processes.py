"""Do two processes on one machine slow each other more than sharing its cores explains?

    python benchmarks/two_processes.py

Two processes score the same sentences at once, and then one of them scores both shares alone; with perfect
sharing both take equally long. A second pair is told to use half of the cores each.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rhetoric.machine import usable_cores

WORK = """
import sys, time
sys.path.insert(0, sys.argv[3])
from rhetoric.bench.sentences import sentences
from rhetoric import RhetoricTagger
tagger = RhetoricTagger.from_pretrained(device="cpu", threads=int(sys.argv[2]))
texts = list(sentences(int(sys.argv[1])))
tagger.predict(texts[:64])
print("ready", flush=True)
sys.stdin.readline()
tagger.predict(texts)
print("done", flush=True)
"""


def together(processes: int, count: int, threads: int) -> float:
    """Seconds until all processes have scored `count` sentences each; loading is not counted."""
    command = [sys.executable, "-c", WORK, str(count), str(threads), str(Path(__file__).parent)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    try:
        for process in running:
            _expect(process, "ready")
        start = time.perf_counter()
        for process in running:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in running:
            _expect(process, "done")
        return time.perf_counter() - start
    finally:
        for process in running:
            process.communicate()


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    if process.stdout.readline().strip() != word:
        raise SystemExit("a process failed; its error stands above")


def main() -> None:
    """Runs the rounds in turn and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="sentences a process")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = usable_cores()
    ways = {
        "one process, twice the sentences": (1, 2 * options.count, cores),
        "two processes, every core each": (2, options.count, cores),
        "two processes, half of the cores each": (2, options.count, max(1, cores // 2)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            seconds[name].append(together(*way))
    alone = statistics.median(seconds["one process, twice the sentences"])
    print(f"{2 * options.count} sentences in all, {cores} cores, medians of {options.rounds} rounds in turn\n")
    print("| | seconds | against one process |\n|---|---|---|")
    for name, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {name} | {median:.2f} | {median / alone:.2f} × |")


if __name__ == "__main__":
    main()
