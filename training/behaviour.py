"""Tests of behaviour in the manner of CheckList: does a model do the simple things right, one capability at a time?

    python -m training.behaviour [MODEL] [--json]

training/behaviour/ holds a file a capability. A line has a `text`, the labels that must be `present` and those that
must be `absent`, judged by CODEBOOK.md alone; whatever stands in neither list is left open. Lines with the same
`pair` differ in one thing. The sentences were written for this and no model is trained on them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhetoric import InputError, RhetoricTagger
from rhetoric.taxonomy import LABELS

FOLDER = Path(__file__).parent / "behaviour"
FIELDS = {"text", "present", "absent", "pair"}


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence and what is expected of it.

    Attributes:
        text: The sentence.
        present: Labels that must be given.
        absent: Labels that must not be given.
        pair: Names the sentences of one file that differ in one thing; None if it stands alone.
    """

    text: str
    present: tuple[str, ...]
    absent: tuple[str, ...]
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence whose labels are not as expected.

    Attributes:
        text: The sentence.
        missing: Labels that should have been given, with their scores.
        unwanted: Labels that should not have been given, with their scores.
    """

    text: str
    missing: Mapping[str, float]
    unwanted: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return {"text": self.text, "missing": dict(self.missing), "unwanted": dict(self.unwanted)}


@dataclass(frozen=True, slots=True)
class Result:
    """How a model did on one capability.

    Attributes:
        n: Sentences.
        pairs: Groups of sentences that differ in one thing.
        pairs_passed: Groups of which every sentence passed.
        failures: The sentences that failed, in the file's order.
    """

    n: int
    pairs: int
    pairs_passed: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> int:
        """Sentences that passed."""
        return self.n - len(self.failures)

    @property
    def rate(self) -> float:
        """Share of sentences that passed, in [0, 1]."""
        return self.passed / self.n

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return {
            "n": self.n,
            "passed": self.passed,
            "pairs": self.pairs,
            "pairs_passed": self.pairs_passed,
            "failures": [failure.to_dict() for failure in self.failures],
        }


def read_cases(folder: Path = FOLDER) -> dict[str, list[Case]]:
    """The cases of each capability, which is the name of its file.

    Raises:
        InputError: A line lacks a field, has an unknown one, names an unknown label or one both ways.
    """
    return {
        file.stem: [
            _case(json.loads(line), f"{file.name}, line {number}")
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        ]
        for file in sorted(folder.glob("*.jsonl"))
    }


def _case(row: Mapping[str, Any], where: str) -> Case:
    if not FIELDS - {"pair"} <= row.keys() <= FIELDS:
        raise InputError(f"{where}: the fields are {sorted(row)}; write text, present, absent and, if need be, pair")
    present, absent = tuple(row["present"]), tuple(row["absent"])
    unknown = {*present, *absent} - set(LABELS)
    if unknown:
        raise InputError(f"{where}: {sorted(unknown)[0]!r} is not a label; the labels are {', '.join(LABELS)}")
    if set(present) & set(absent):
        raise InputError(f"{where}: {sorted(set(present) & set(absent))[0]!r} is both present and absent; choose one")
    if not present and not absent:
        raise InputError(f"{where}: nothing is expected of {row['text']!r}; name a label in present or absent")
    return Case(row["text"], present, absent, row.get("pair"))


def run(tagger: RhetoricTagger, capabilities: Mapping[str, Sequence[Case]]) -> dict[str, Result]:
    """Tags the cases and compares.

    Args:
        tagger: A model with the twelve labels.
        capabilities: Cases of each capability, as `read_cases` gives them.

    Returns:
        A result for each capability, in the order given.
    """
    results = {}
    for name, cases in capabilities.items():
        failures = []
        broken = set()
        for case, prediction in zip(cases, tagger.predict([case.text for case in cases]), strict=True):
            missing = {label: prediction.scores[label] for label in case.present if label not in prediction.labels}
            unwanted = {label: prediction.scores[label] for label in case.absent if label in prediction.labels}
            if missing or unwanted:
                failures.append(Failure(case.text, missing, unwanted))
                broken.add(case.pair)
        pairs = {case.pair for case in cases if case.pair is not None}
        results[name] = Result(len(cases), len(pairs), len(pairs - broken), tuple(failures))
    return results


def table(results: Mapping[str, Result]) -> str:
    """Pass rates, then the failures of each capability."""
    lines = [f"{'capability':22}{'passed':>12}{'rate':>7}{'pairs':>12}"]
    for name, result in results.items():
        pairs = f"{result.pairs_passed} of {result.pairs}" if result.pairs else ""
        lines.append(f"{name:22}{f'{result.passed} of {result.n}':>12}{result.rate:>7.0%}{pairs:>12}")
    for name, result in results.items():
        if result.failures:
            lines += ["", name]
        for failure in result.failures:
            lines.append(f"  {failure.text}")
            lines += [f"      missing  {label} ({score:.2f})" for label, score in failure.missing.items()]
            lines += [f"      unwanted {label} ({score:.2f})" for label, score in failure.unwanted.items()]
    return "\n".join(lines)


def main() -> None:
    """Runs every capability and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="model folder; the bundled model if left out")
    parser.add_argument("--json", action="store_true", help="print JSON: n, passed, pairs, failures of each capability")
    options = parser.parse_args()
    results = run(RhetoricTagger.from_pretrained(options.model), read_cases())
    if options.json:
        found = {name: result.to_dict() for name, result in results.items()}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
