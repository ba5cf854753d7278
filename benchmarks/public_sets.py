"""Public data sets for retraining, read from a folder and written as labelled rows that the trainer understands.

    python benchmarks/public_sets.py cameo_penta FOLDER OUT      # writes OUT/train.jsonl, OUT/test.jsonl
    python benchmarks/public_sets.py india_police FOLDER OUT     # and OUT/dev.jsonl

FOLDER holds train.jsonl and test.jsonl (and dev.jsonl), rows of `text` with `label` or `labels`. The sets are not
part of this project; where they come from stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rhetoric.errors import InputError, RhetoricError
from rhetoric.model_folder import Task

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class PublicSet:
    """What is known of a set.

    Attributes:
        task: Exclusive classes, or several labels a row.
        n_labels: Distinct labels it must hold, as a check that it is the right folder.
    """

    task: Task
    n_labels: int


SETS = {"cameo_penta": PublicSet("single_label", 5), "india_police": PublicSet("multi_label", 5)}


def read_public_set(name: str, folder: Path) -> dict[str, list[dict[str, object]]]:
    """Reads the splits of a set as rows of `text` and `labels`.

    Args:
        name: One of `SETS`.
        folder: Where its files are.

    Returns:
        Rows of each split that has a file.

    Raises:
        InputError: A file is missing, a row is unusable, or the labels are not those of the set.
    """
    known, splits = SETS[name], {}
    for split in SPLITS:
        path = folder / f"{split}.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            splits[split] = [_row(line, f"{path} row {number}", known) for number, line in enumerate(lines, start=1)]
    if "train" not in splits or "test" not in splits:
        raise InputError(f"{folder} lacks train.jsonl or test.jsonl; remedy: pass the folder of {name}")
    found = {str(label) for row in splits["train"] for label in _labels(row)}
    if len(found) != known.n_labels:
        raise InputError(f"{folder} has labels {sorted(found)}, {name} has {known.n_labels}; remedy: pass its folder")
    return splits


def usable(splits: dict[str, list[dict[str, object]]]) -> tuple[int, int]:
    """Takes out, in place, what the trainer refuses.

    Returns:
        Rows without a visible character, and training rows whose text is a dev row's too.
    """
    empty = leaking = 0
    held_out = {_spaced(row) for row in splits.get("dev", [])}
    for split in splits:
        kept = [row for row in splits[split] if _spaced(row)]
        empty += len(splits[split]) - len(kept)
        if split == "train":
            apart = [row for row in kept if _spaced(row) not in held_out]
            leaking = len(kept) - len(apart)
            kept = apart
        splits[split] = kept
    return empty, leaking


def _spaced(row: dict[str, object]) -> str:
    return " ".join(str(row["text"]).split())


def _row(line: str, place: str, known: PublicSet) -> dict[str, object]:
    row = json.loads(line)
    labels = [row["label"]] if "label" in row else row.get("labels")
    if not isinstance(row.get("text"), str) or not isinstance(labels, list):
        raise InputError(f"{place} has no text or no labels; remedy: rows of text and label or labels")
    if known.task == "single_label" and len(labels) != 1:
        raise InputError(f"{place} has {len(labels)} labels, its classes are exclusive; remedy: one label a row")
    return {"text": row["text"], "labels": labels}


def _labels(row: dict[str, object]) -> list[object]:
    labels = row["labels"]
    return labels if isinstance(labels, list) else []


def main() -> None:
    """Converts a set and says what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=tuple(SETS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        splits = read_public_set(options.name, options.folder)
    except RhetoricError as error:
        raise SystemExit(f"Error: {error}") from error
    left_out = usable(splits)
    options.out.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        written = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (options.out / f"{split}.jsonl").write_text(written, encoding="utf-8")
        counts = Counter(label for row in rows for label in _labels(row))
        print(f"{split}: {len(rows)} rows; {', '.join(f'{label} {n}' for label, n in sorted(counts.items()))}")
    print(f"left out: {left_out[0]} empty rows, {left_out[1]} training rows with the text of a dev row")
    seen = {row["text"] for row in splits["train"]}
    print(f"{sum(row['text'] in seen for row in splits['test'])} test rows have the text of a training row")
    print(f"task: {SETS[options.name].task}")


if __name__ == "__main__":
    main()
