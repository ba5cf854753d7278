"""How the second reading of annotated sentences agrees with the first.

    python -m training.agreement

The second reader had the sentences and the codebook, not the first reader's labels. Both are language models of one
kind: this is how stable the reading is, not how two persons would agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from rhetoric.taxonomy import LABELS
from training.data import ANNOTATIONS, HERE
from training.hydrate import Labels, read_file, read_labels

SECOND = HERE / "second_pass.tsv"


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


def main() -> None:
    """Compares, prints."""
    second = read_file(SECOND)
    first = {key: labels for key, labels in read_labels(ANNOTATIONS).items() if key in second}
    same = sum(set(first[key].clear) == set(found.clear) for key, found in second.items())
    print(f"{len(second)} sentences read twice: the same clear labels on {same}")
    print("label          clear (1st, 2nd)   F1   F1 without borderline cells")
    for name in (*LABELS, "all"):
        names = LABELS if name == "all" else (name,)
        counts = [sum(part in labels.clear for labels in r.values() for part in names) for r in (first, second)]
        scores = [f1(first, second, names, masked=masked) for masked in (False, True)]
        print(f"{name:14} {counts[0]:7} {counts[1]:7}   {scores[0]:6.2f} {scores[1]:6.2f}")


if __name__ == "__main__":
    main()
