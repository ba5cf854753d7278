"""How far the second reader of `annotations/second_pass.tsv` agrees with the first.

    python -m training.agreement [--json]

For each label: F1 of the second reader's clear labels against the first's, cells that either calls borderline left
out, and Cohen's kappa on the same cells.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from sklearn.metrics import cohen_kappa_score, f1_score

from rhetoric.taxonomy import TAXONOMY
from training.data import ANNOTATIONS, NAME_OF_CODE

SECOND = "second_pass.tsv"


def main() -> None:
    """Prints the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = agreement(ANNOTATIONS)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(
        f"{found['sentences']} sentences read twice; macro-F1 {found['macro_f1']:.3f}, same cells {found['same']:.1%}"
    )
    for name, row in found["labels"].items():
        print(f"{name:14}F1 {row['f1']:.2f}   kappa {row['kappa']:.2f}   first {row['first']}, second {row['second']}")


def agreement(folder: Path) -> dict[str, Any]:
    """Compares the second pass with the first labels of the same sentences."""
    first: dict[str, tuple[set[str], set[str]]] = {}
    for file in sorted(folder.glob("pool_*.tsv")):
        first |= _read(file)
    second = _read(folder / SECOND)
    labels: dict[str, dict[str, float]] = {}
    cells = same = 0
    for code in (label.code for label in TAXONOMY):
        pairs = [
            (code in first[key][0], code in second[key][0])
            for key in second
            if code not in first[key][1] | second[key][1]
        ]
        one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        cells, same = cells + len(pairs), same + sum(a == b for a, b in pairs)
        labels[NAME_OF_CODE[code]] = {
            "f1": float(f1_score(one, other, zero_division=0.0)),
            "kappa": float(cohen_kappa_score(one, other)),
            "first": sum(one),
            "second": sum(other),
        }
    return {
        "sentences": len(second),
        "macro_f1": sum(row["f1"] for row in labels.values()) / len(labels),
        "same": same / cells,
        "labels": labels,
    }


def _read(file: Path) -> dict[str, tuple[set[str], set[str]]]:
    lines = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return {key: (_codes(clear), _codes(borderline)) for key, clear, borderline in lines}


def _codes(cell: str) -> set[str]:
    return set() if cell == "-" else set(cell.split(","))


if __name__ == "__main__":
    main()
