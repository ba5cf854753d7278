"""How good simpler ways are on the same rows, by the same metric: what a fine-tuned encoder has to beat.

    python benchmarks/baselines.py --train TRAIN.jsonl --test TEST.jsonl --base MINILM --json out.json

Rows have `text`, `labels` (or `label`), optionally `borderline` (those cells are masked, in training and in
evaluation) and `document` (rows of one are drawn together by the bootstrap). Every classifier is fitted on 80 % of
the training rows, calibrated and given its thresholds and settings on the other 20 %, then fitted again on all:
the test rows decide nothing. The lexicon has nothing to fit. Needs the extra [train]; spaCy for its own row, and
sentence-transformers for --contrastive.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from classifiers import Classifier, ContrastiveLR, EmbeddingLR, SpacyTextcat, TfidfLR
from lexicon import decide_by_lexicon

from rhetoric import RhetoricTagger
from rhetoric.errors import InputError, RhetoricError
from rhetoric.finetune.calibration import calibrate, decide, probabilities
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData, read_labelled, to_data
from rhetoric.finetune.metrics import Scores, f1, score
from rhetoric.finetune.split import split_rows
from rhetoric.model_folder import Task
from rhetoric.taxonomy import LABELS

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

HELD_OUT = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one baseline on the test rows.

    Attributes:
        name: The baseline.
        setting: What was chosen on held-out training rows.
        scores: Its figures.
        example_f1: Harmonic mean of precision over rows with a predicted label and recall over rows with a gold one.
        seconds: Wall-clock time of fitting and predicting.
    """

    name: str
    setting: str
    scores: Scores
    example_f1: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        figures = self.scores.to_dict()
        return {"name": self.name, "setting": self.setting, "seconds": round(self.seconds, 1)} | figures | {
            "example_f1": self.example_f1
        }  # fmt: skip


def read(path: Path, task: Task, labels: Sequence[str] | None = None) -> LabelledData:
    """Reads rows; labels are the twelve types, else those found, unless given.

    Raises:
        InputError: A row is unusable.
    """
    config = TrainConfig(task=task)
    reading = read_labelled(path, config)
    if reading.problems:
        raise InputError(f"{len(reading.problems)} unusable rows, the first: {reading.problems[0]}")
    if labels is None:
        found = {name for row in reading.rows for name in (*row.labels, *row.borderline)}
        labels = LABELS if found <= set(LABELS) else sorted(found)
    return to_data(reading.rows, labels, config)


def rows_of(data: LabelledData, rows: npt.NDArray[np.int64]) -> LabelledData:
    """Some rows of the data."""
    return LabelledData(
        labels=data.labels,
        texts=tuple(data.texts[i] for i in rows),
        targets=data.targets[rows],
        gold=data.gold[rows],
        mask=data.mask[rows],
        groups=tuple(data.groups[i] for i in rows) if data.groups else None,
        places=tuple(data.places[i] for i in rows),
    )


def run(name: str, make: type[Classifier], settings: Sequence[dict[str, Any]], train: LabelledData,
        test: LabelledData, task: Task) -> Result:  # fmt: skip
    """Chooses a setting, calibrates, fits on everything, and scores the test rows."""
    start = time.perf_counter()
    kept, held = (rows_of(train, rows) for rows in split_rows(train, dev_share=HELD_OUT, seed=0))
    best: tuple[float, Any, dict[str, Any]] | None = None
    for setting in settings:
        candidate = make(task=task, **setting)
        candidate.fit(kept)
        logits = candidate.logits(held.texts)
        specs = calibrate(train.labels, logits, held.gold, held.mask, task=task)
        chosen = decide(probabilities(logits, specs, task), specs, task)
        quality = float(f1(held.gold, chosen, held.mask).mean())
        if best is None or quality > best[0]:
            best = quality, specs, setting
    assert best is not None  # settings is never empty
    _, specs, setting = best
    final = make(task=task, **setting)
    final.fit(train)
    scores = probabilities(final.logits(test.texts), specs, task)
    shown = ", ".join(f"{key} {value}" for key, value in setting.items() if not isinstance(value, Path))
    return result(name, shown, test, decide(scores, specs, task), scores, time.perf_counter() - start)


def result(name: str, setting: str, test: LabelledData, decided: Bools, scores: Floats, seconds: float) -> Result:
    """Figures of decisions."""
    figures = score(test.labels, test.gold, decided, test.mask, scores, groups=test.groups)
    return Result(name, setting, figures, example_f1(test.gold, decided, test.mask), seconds)


def example_f1(gold: Bools, decided: Bools, mask: Bools) -> float:
    """Precision averaged over rows with a predicted label, recall over rows with a gold one; their harmonic mean."""
    gold, decided = gold & mask, decided & mask
    hits = (gold & decided).sum(axis=1)
    given, there = decided.sum(axis=1), gold.sum(axis=1)
    if not given.any() or not there.any():
        return 0.0
    precision = float((hits[given > 0] / given[given > 0]).mean())
    recall = float((hits[there > 0] / there[there > 0]).mean())
    return 2 * precision * recall / max(precision + recall, 1e-12)


def by_lexicon(test: LabelledData) -> Result:
    """The keyword lexicon: a label is given if one of its patterns is found."""
    start = time.perf_counter()
    decided = decide_by_lexicon(test.texts, test.labels)
    return result("keyword lexicon", "", test, decided, decided.astype(np.float32), time.perf_counter() - start)


def by_model(folder: Path, test: LabelledData) -> Result:
    """A rhetoric model with its own thresholds."""
    start = time.perf_counter()
    tagger = RhetoricTagger.from_pretrained(folder)
    if tagger.labels != tuple(test.labels):
        raise InputError(f"{folder} has labels {', '.join(tagger.labels)}, the data {', '.join(test.labels)}")
    predictions = tagger.predict(test.texts)
    decided = np.array([[name in p.labels for name in tagger.labels] for p in predictions])
    scores = np.array([[p.scores[name] for name in tagger.labels] for p in predictions], np.float32)
    return result(f"rhetoric ({folder.name})", "", test, decided, scores, time.perf_counter() - start)


def baselines(options: argparse.Namespace, train: LabelledData, test: LabelledData) -> list[Result]:
    """Every baseline that can run here."""
    task: Task = options.task
    results = []

    def add(made: Result) -> None:
        print(f"{made.name}: macro-F1 {made.scores.macro_f1}, {made.seconds:.0f} s", flush=True)
        results.append(made)

    if set(test.labels) <= set(LABELS):
        add(by_lexicon(test))
    add(run("TF-IDF + logistic regression", TfidfLR, [{"C": c} for c in (1, 4, 16)], train, test, task))
    if importlib.util.find_spec("spacy"):
        epochs = [{"epochs": n} for n in options.spacy_epochs]
        add(run("spaCy textcat", SpacyTextcat, epochs, train, test, task))
    else:
        print("spaCy is not installed: its row is left out")
    if options.base:
        settings = [{"C": c, "base": options.base} for c in (1, 4, 16)]
        add(run("frozen MiniLM + logistic regression", EmbeddingLR, settings, train, test, task))
        if options.contrastive:
            own = [{"C": 4, "base": options.base, "minutes": options.minutes / 2}]
            add(run("contrastive MiniLM + logistic regression", ContrastiveLR, own, train, test, task))
    for folder in options.model:
        add(by_model(folder, test))
    return results


def table(results: Sequence[Result], labels: Sequence[str]) -> str:
    """Markdown: the averages, then F1 a label."""
    lines = ["| | macro-F1 [95 %] | micro-F1 | example-F1 | ECE |", "|---|---|---|---|---|"]
    for row in results:
        s = row.scores
        lines.append(
            f"| {row.name} | {s.macro_f1} | {s.micro_f1.value:.3f} | {row.example_f1:.3f} | {s.calibration_error:.3f} |"
        )
    lines += ["", f"| F1 | {' | '.join(row.name for row in results)} |", "|---" * (len(results) + 1) + "|"]
    for i, label in enumerate(labels):
        cells = " | ".join(f"{row.scores.labels[i].f1.value:.2f}" for row in results)
        lines.append(f"| {label} ({results[0].scores.labels[i].support}) | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Reads, fits, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--task", choices=("multi_label", "single_label"), default="multi_label")
    parser.add_argument("--base", type=Path, help="folder of a BERT or MiniLM encoder; without it only the first rows")
    parser.add_argument("--contrastive", action="store_true", help="also fine-tune the encoder on pairs (SetFit-like)")
    parser.add_argument("--minutes", type=float, default=10.0, help="bound of the contrastive training, both fits")
    parser.add_argument("--spacy-epochs", type=int, nargs="+", default=[10])
    parser.add_argument("--model", type=Path, action="append", default=[], help="also score a rhetoric model folder")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    try:
        train = read(options.train, options.task)
        test = read(options.test, options.task, train.labels)
        results = baselines(options, train, test)
    except RhetoricError as error:
        raise SystemExit(f"Error: {error}") from error
    text = f"{len(train.texts)} training rows, {len(test.texts)} test rows\n\n{table(results, test.labels)}\n"
    print(f"\n{text}")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        rows = {"train": len(train.texts), "test": len(test.texts), "task": options.task}
        figures = rows | {"baselines": [made.to_dict() for made in results]}
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
