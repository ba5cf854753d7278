"""What `import rhetoric` costs, and what the package exports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rhetoric

HEAVY = (
    "numpy",
    "torch",
    "transformers",
    "sklearn",
    "onnxruntime",
    "tokenizers",
    "pyarrow",
    "pandas",
    "datasets",
    "rich",
    "click",
)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, rhetoric; print(*(m for m in {HEAVY} if m in sys.modules))"
    assert run(code).split() == []


@pytest.mark.parametrize(
    ("before", "then", "seconds"),
    [("", "import rhetoric", 0.100), ("import numpy", "from rhetoric import RhetoricTagger", 0.150)],
)
def test_import_takes_little_time(before: str, then: str, seconds: float) -> None:
    """Processor time, and the best of five, so that a busy machine does not fail it."""
    code = f"import time\n{before}\nstart = time.process_time()\n{then}\nprint(time.process_time() - start)"
    assert min(float(run(code)) for _ in range(5)) < seconds


def test_public_names_are_few_sorted_and_real() -> None:
    assert list(rhetoric.__all__) == sorted(rhetoric.__all__)
    assert len(rhetoric.__all__) <= 10
    assert all(hasattr(rhetoric, name) for name in rhetoric.__all__)
