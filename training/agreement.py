"""How the second reading of sentences agrees with the first.

    python -m training.agreement [--corpus CORPUS]

The second reader had the sentences and the codebook, not the first reader's labels. All are language models of one
kind: this is how stable the reading is, not how two persons would agree. With the corpus at hand, the readers of the
annotations are also compared with those of the corpus, on corpus sentences that were mixed in among theirs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from rhetoric.taxonomy import LABELS
from training.data import ANNOTATIONS, HERE
from training.hydrate import Labels, read_file, read_labels

SECOND = HERE / "second_pass.tsv"
CORPUS_SECOND = HERE / "corpus_second_pass.tsv"


def f1(first: Mapping[str, Labels], second: Mapping[str, Labels], names: tuple[str, ...], *, masked: bool) -> float:
    """F1 of the second reader's clear labels against the first's, over all cells of these labels.

    Args:
        first: By id.
        second: By id, ids of `first`.
        names: Labels that count.
        masked: Leave out the cells that either reader holds borderline; else borderline is absent.
    """
    both = one = 0
    for key, found in second.items():
        for name in names:
            if masked and (name in found.borderline or name in first[key].borderline):
                continue
            both += name in found.clear and name in first[key].clear
            one += (name in found.clear) != (name in first[key].clear)
    return 2 * both / max(1, 2 * both + one)


def compare(first: Mapping[str, Labels], second: Mapping[str, Labels]) -> None:
    """Prints how two readings of the ids of `second` agree."""
    same = sum(set(first[key].clear) == set(found.clear) for key, found in second.items())
    print(f"{len(second)} sentences read twice: the same clear labels on {same}")
    print("label          clear (1st, 2nd)   F1   F1 without borderline cells")
    for name in (*LABELS, "all"):
        names = LABELS if name == "all" else (name,)
        counts = [sum(part in r[key].clear for key in second for part in names) for r in (first, second)]
        scores = [f1(first, second, names, masked=masked) for masked in (False, True)]
        print(f"{name:14} {counts[0]:7} {counts[1]:7}   {scores[0]:6.2f} {scores[1]:6.2f}")


def main() -> None:
    """Compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder of train.jsonl and dev.jsonl")
    options = parser.parse_args()
    print("Annotated sentences")
    compare(read_labels(ANNOTATIONS), read_file(SECOND))
    if options.corpus:
        files = (options.corpus / "train.jsonl", options.corpus / "dev.jsonl")
        rows = (json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())
        corpus = {row["id"]: Labels(tuple(row["labels"]), tuple(row["borderline"])) for row in rows}
        print("\nSentences of the corpus; the first reading is the corpus's")
        compare(corpus, read_file(CORPUS_SECOND))


if __name__ == "__main__":
    main()
