"""Measures a finished model on dev and writes its card; every figure in it comes from here or from a results file.

    python -m training.card rhetoric/models/default --corpus CORPUS

Reads what other commands left in training/results/ (`behaviour.json`, `invariance.json`, `baselines.json`,
`levers.json`), writes the card into the model folder and to model_cards/, and the manifest anew, as it covers the card.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric import RhetoricTagger
from rhetoric.finetune.calibration import cross_fitted, decide
from rhetoric.finetune.forward import float_logits
from rhetoric.finetune.gate import int8_logits
from rhetoric.finetune.metrics import f1, score
from rhetoric.model_folder import ModelFolder, read_model_folder, write_manifest
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION
from training.data import POOL, Rows, read_annotations, read_corpus, read_genres, read_held_out, read_written

HERE = Path(__file__).parent
RESULTS = HERE / "results"
CARDS = HERE.parent / "model_cards"
SOURCES = HERE / "sources.tsv"
EXAMPLES = HERE.parent / "examples" / "labelled.jsonl"
PLOT = "reliability.svg"
BINS = 10

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    options = parser.parse_args()
    folder = read_model_folder(options.model)
    dev = read_corpus(options.corpus / "dev.jsonl")
    logits = int8_logits(folder.path, dev.texts, len(LABELS), folder.max_tokens)
    probabilities, decided = cross_fitted(
        LABELS, logits, dev.clear, dev.evaluated, task="multi_label", seed=int(folder.training["settings"]["seed"])
    )
    bins = reliability(probabilities, dev)
    figures = {
        "genres": by_genre(read_genres(options.corpus / "dev.jsonl"), dev, decided),
        "examples": on_examples(folder.path),
        "agreement": agreement(folder, dev, logits),
        "held_out": on_held_out(folder, read_held_out(options.corpus / POOL)),
        "sources": by_source(options.corpus),
    }
    plot(bins, folder.path / PLOT)
    results = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*.json"))}
    text = card(folder.training, {label.name: label.threshold for label in folder.labels}, figures, results)
    (folder.path / "README.md").write_text(text, encoding="utf-8")
    write_manifest(
        folder.path,
        task=folder.task,
        labels=folder.labels,
        max_tokens=folder.max_tokens,
        taxonomy_version=TAXONOMY_VERSION,
        training=folder.training,
    )
    CARDS.mkdir(exist_ok=True)
    shutil.copy(folder.path / PLOT, CARDS / PLOT)
    (CARDS / "default.md").write_text(text, encoding="utf-8")


def by_genre(genres: list[str], dev: Rows, decided: Bools) -> dict[str, dict[str, float]]:
    """Micro-F1 of each genre's dev rows; with few rows a label, a macro average would be noise."""
    found = {}
    for genre in sorted(set(genres)):
        own = np.array([name == genre for name in genres])
        scores = score(LABELS, dev.clear[own], decided[own], dev.evaluated[own], decided[own].astype(np.float32))
        found[genre] = {
            "rows": int(own.sum()),
            "micro_f1": scores.micro_f1.value,
            "low": scores.micro_f1.low,
            "high": scores.micro_f1.high,
        }
    return found


def by_source(corpus: Path) -> Counter[str]:
    """Labelled sentences of each source that training draws from."""
    parts = (read_corpus(corpus / "train.jsonl"), read_annotations(corpus / POOL), read_written(1, 0))
    return Counter(source for part in parts for source in part.source)


def reliability(probabilities: npt.NDArray[np.float32], dev: Rows) -> list[dict[str, float]]:
    """Of the cells scored in each tenth of [0, 1]: how many, their mean score, the share that is true."""
    cells, true = probabilities[dev.evaluated], dev.clear[dev.evaluated]
    index = np.minimum((cells * BINS).astype(int), BINS - 1)
    return [
        {"cells": int(own.sum()), "score": float(cells[own].mean()), "true": float(true[own].mean())}
        for own in (index == b for b in range(BINS))
        if own.any()
    ]


def on_examples(model: Path) -> dict[str, float]:
    """Macro-F1 on the invented sentences of examples/labelled.jsonl, at the thresholds the model ships with."""
    rows = read_corpus(EXAMPLES)
    predictions = RhetoricTagger.from_pretrained(model).predict(rows.texts)
    decided = np.array([[name in prediction.labels for name in LABELS] for prediction in predictions])
    return {"rows": len(rows.texts), "macro_f1": float(f1(rows.clear, decided, rows.evaluated).mean())}


def on_held_out(folder: ModelFolder, rows: Rows) -> dict[str, Any]:
    """Figures on sentences that neither training nor calibration saw, at the thresholds the model ships with."""
    int8 = int8_logits(folder.path, rows.texts, len(LABELS), folder.max_tokens)
    full = float_logits(folder.path, tuple(rows.texts), folder.max_tokens)
    scores, exact = folder.probabilities(int8), folder.probabilities(full)
    measured = score(LABELS, rows.clear, decide(scores, folder.labels, folder.task), rows.evaluated, scores)
    in_float = f1(rows.clear, decide(exact, folder.labels, folder.task), rows.evaluated)
    return {"rows": len(rows.texts), **measured.to_dict(), "f1_float": dict(zip(LABELS, in_float, strict=True))}


def agreement(folder: ModelFolder, dev: Rows, int8: npt.NDArray[np.float32]) -> float:
    """Share of decisions on dev that are the same with the float weights."""
    full = float_logits(folder.path, tuple(dev.texts), folder.max_tokens)
    one, other = (decide(folder.probabilities(logits), folder.labels, folder.task) for logits in (int8, full))
    return float((one == other).mean())


def plot(bins: list[dict[str, float]], file: Path) -> None:
    """Draws the reliability diagram (DeGroot and Fienberg, 1983)."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "rhetoric", "font.size": 10})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.6, 4.2), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([b["score"] for b in bins], [b["true"] for b in bins], marker="o", color="#1f5a94")
    for b in bins:
        below = -11 if b["true"] > 0.05 else 18  # over neither axis nor line
        axes.annotate(f"{b['cells']:,}", (b["score"], b["true"]), textcoords="offset points", xytext=(7, below), size=7)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share that carries the label")
    axes.set_title("A score of 0.7 is right about 7 times in 10\n(dev; numbers: sentence–label pairs)", size=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, metadata={"Date": None})


def card(
    training: Mapping[str, Any],
    thresholds: Mapping[str, float],
    figures: Mapping[str, Any],
    results: Mapping[str, Any],
) -> str:
    """The card, filled from the run, the measurements and the results files."""
    dev, int8 = training["dev"], training["int8"]
    losses = {name: int8["f1_float"][name] - int8["f1_int8"][name] for name in LABELS}
    worst = max(losses, key=losses.__getitem__)
    labels = "\n".join(
        f"| {row['label']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']['value']:.2f} "
        f"| {row['f1']['low']:.2f}–{row['f1']['high']:.2f} | {row['support']} | {row['calibration_error']:.3f} "
        f"| {thresholds[row['label']]:.2f} |"
        for row in dev["labels"]
    )
    held_out = "\n".join(
        f"| {row['label']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']['value']:.2f} "
        f"| {row['f1']['low']:.2f}–{row['f1']['high']:.2f} | {row['support']} | {row['calibration_error']:.3f} "
        f"| {figures['held_out']['f1_float'][row['label']]:.3f} → {row['f1']['value']:.3f} |"
        for row in figures["held_out"]["labels"]
    )
    genres = "\n".join(
        f"| {name} | {row['rows']} | {row['micro_f1']:.2f} | {row['low']:.2f}–{row['high']:.2f} |"
        for name, row in sorted(figures["genres"].items(), key=lambda item: -item[1]["rows"])
    )
    settings = "\n".join(f"| {name} | {value} |" for name, value in training["settings"].items() if value is not None)
    return (
        (HERE / "card.md")
        .read_text(encoding="utf-8")
        .format(
            labels=labels,
            genres=genres,
            held_out=held_out,
            unseen=figures["held_out"],
            dev=dev,
            rows=training["rows"],
            examples=figures["examples"],
            parity=int8["parity"],
            agreement=figures["agreement"],
            float_f1=np.mean(list(int8["f1_float"].values())),
            int8_f1=np.mean(list(int8["f1_int8"].values())),
            worst=worst,
            worst_loss=100 * losses[worst],
            behaviour=behaviour(results.get("behaviour")),
            invariance=invariance(results.get("invariance")),
            baselines=baselines(results.get("baselines"), dev),
            levers=levers(results.get("levers")),
            sources=sources(figures["sources"]),
            settings=settings,
            versions=", ".join(f"{name} {number}" for name, number in training["versions"].items()),
            machine=training["machine"],
            hours=training["seconds"] / 3600,
            students=len(training.get("averaged_seeds", [0])),
            former=" and of those of the round before" if training.get("former_weight") else "",
        )
    )


def sources(counts: Mapping[str, int]) -> str:
    """What each source is, its terms, and its share of the labelled sentences."""
    with SOURCES.open(encoding="utf-8", newline="") as stream:
        known = {row["source"]: row for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)}
    rows = [
        f"| `{name}` | {known[name]['what']} | {known[name]['terms']} | {count:,} |"
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    closed = sum(count for name, count in counts.items() if "research use" in known[name]["terms"])
    last = f"{closed / sum(counts.values()):.1%} of them come from sources that are neither open nor public records."
    return "\n".join(["| source | what | terms | labelled sentences |", "|---|---|---|---|", *rows, "", last])


def behaviour(result: Mapping[str, Any] | None) -> str:
    """Pass rate of each capability."""
    if result is None:
        return "Not measured for this model."
    rows = [
        f"| {name} | {row['passed']} of {row['n']} | {row['passed'] / row['n']:.0%} |" for name, row in result.items()
    ]
    return "\n".join(["| capability | passed | |", "|---|---|---|", *rows])


def invariance(result: Mapping[str, Any] | None) -> str:
    """What swapping actors does."""
    if result is None:
        return "Not measured for this model."
    rows = [
        f"| {name} | {found['sentences']:,} | {found['twins']:,} | {found['changed_share']:.1%} "
        f"| {found['changed_sentences_share']:.1%} | {found['mean_change']:.4f} |"
        for name, found in (("in the table", result["known"]), ("invented, in no table", result["invented"]))
    ]
    head = "| the other actors | dev sentences | twins | label set changes | in one twin at least | mean score change |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows, "", "(`python -m training.actor_swap measure`)"])


def baselines(result: Mapping[str, Any] | None, dev: Mapping[str, Any]) -> str:
    """Macro-F1 of simpler methods on the same rows."""
    if result is None:
        return "Not measured beside this model."
    own = dev["macro_f1"]
    rows = [f"| **this model** | **{own['value']:.3f}** | {own['low']:.3f}–{own['high']:.3f} |"]
    for system in sorted(result["baselines"], key=lambda system: -system["macro_f1"]["value"]):
        found = system["macro_f1"]
        rows.append(f"| {system['name']} | {found['value']:.3f} | {found['low']:.3f}–{found['high']:.3f} |")
    return "\n".join(["| | macro-F1 | 95 % |", "|---|---|---|", *rows])


def levers(result: Mapping[str, Any] | None) -> str:
    """Gain of each choice over the plain training."""
    if result is None:
        return "Not measured."
    rows = [
        f"| {found['name']} | {found['gain']['macro_f1'] * 100:+.1f} ± {found['error']['macro_f1'] * 100:.1f} "
        f"| {found['gain']['average_precision'] * 100:+.1f} ± {found['error']['average_precision'] * 100:.1f} "
        f"| {len(found['seeds'])} |"
        for found in sorted(result["levers"], key=lambda found: -found["gain"]["average_precision"])
    ]
    plain = result["plain"]
    first = (
        f"Plain: macro-F1 {plain['macro_f1']:.3f}, macro average precision {plain['average_precision']:.3f}, "
        f"mean of {len(plain['seeds'])} seeds."
    )
    head = ["| | macro-F1 | average precision | seeds |", "|---|---|---|---|"]
    missing = f"Not run with three seeds, so not told: {', '.join(result['missing'])}." if result["missing"] else ""
    return "\n".join([first, "", *head, *rows, "", missing]).rstrip()


if __name__ == "__main__":
    main()
