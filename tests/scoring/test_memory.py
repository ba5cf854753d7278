"""Memory does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PEAK = """
import resource, sys
from rhetoric import RhetoricTagger
RhetoricTagger.from_pretrained(sys.argv[1]).score_file(sys.argv[2], sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
FEW, MANY = 20_000, 120_000
ALLOWED = 80  # MB; the rows between, with their predictions, would hold several hundred


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the peak in other units")
@pytest.mark.parametrize("target", ["csv", "jsonl"])
def test_six_times_the_rows_take_the_same_memory(tiny_folder: Path, tmp_path: Path, target: str) -> None:
    peaks = []
    for count in (FEW, MANY):
        source = tmp_path / f"{count}.csv"
        lines = (f"{i},we must begin talks {i} before they withdraw {i}\n" for i in range(count))
        source.write_text("id,text\n" + "".join(lines), encoding="utf-8")
        command = [sys.executable, "-c", PEAK, str(tiny_folder), str(source), str(tmp_path / f"scored{count}.{target}")]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] - peaks[0] < ALLOWED, peaks
