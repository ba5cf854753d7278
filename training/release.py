"""From a fine-tuned folder to a released one: int8 graph, calibration, thresholds, measured figures, model card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from data import Rows, read_corpus
from sklearn.linear_model import LogisticRegression

from rhetoric import RhetoricTagger
from rhetoric.finetune.export import export_onnx
from rhetoric.model_folder import LabelSpec, write_manifest
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples" / "labelled.jsonl"
# A calibrated probability in this band is right less than 70 times in 100, whichever way it is read.
ABSTAIN = (0.3, 0.7)
# Of int8 and float logits; their standard deviation is near 3.
MAX_MEAN_DIFFERENCE = 0.15
FOLDS = 5
RESAMPLES = 1000

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def package(folder: Path, train: Rows, dev: Rows, *, max_tokens: int, manifest: dict[str, Any]) -> None:
    """Exports, calibrates, measures and writes the card; `folder` is complete afterwards."""
    parity = export_onnx(
        folder, calibration_texts=train.texts[:600], parity_texts=train.texts[1000:1500], max_tokens=max_tokens
    )
    if parity.mean_difference > MAX_MEAN_DIFFERENCE:
        raise SystemExit(f"int8 is too far from full precision: {parity}; keep layers in float")
    plain = [LabelSpec(name, 0.5, 1.0, 0.0, ABSTAIN) for name in LABELS]
    write_manifest(folder, task="multi_label", labels=plain, max_tokens=max_tokens, taxonomy_version=None, training={})
    tagger = RhetoricTagger.from_pretrained(folder)
    logits = log_odds(tagger, dev.texts)
    labels = [calibrate(name, logits[:, i], dev.clear[:, i], dev.evaluated[:, i]) for i, name in enumerate(LABELS)]
    measured = measure(logits, dev)
    examples = read_corpus(EXAMPLES)
    foreign = macro_f1(log_odds(tagger, examples.texts), examples, labels)
    training = manifest | {"parity": asdict(parity), "dev": measured}
    training |= {"examples": {"rows": len(examples.texts), "macro_f1": round(foreign, 3)}}
    (folder / "README.md").write_text(card(training, labels), encoding="utf-8")
    write_manifest(
        folder,
        task="multi_label",
        labels=labels,
        max_tokens=max_tokens,
        taxonomy_version=TAXONOMY_VERSION,
        training=training,
    )
    print(json.dumps(measured, indent=1))


def calibrate(name: str, logit: Floats, clear: Bools, counted: Bools) -> LabelSpec:
    """Platt scaling and the threshold of one label, borderline cells left out.

    The threshold is the middle of those within half a point of the best F1, so that it does not sit on a spike.
    """
    fitted = LogisticRegression(C=1e4).fit(logit[counted, None], clear[counted])
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    probability = 1 / (1 + np.exp(-(slope * logit[counted] + intercept)))
    candidates = np.arange(0.10, 0.91, 0.01)
    f1 = np.array([f1_of(probability >= t, clear[counted]) for t in candidates])
    threshold = float(np.median(candidates[f1 >= f1.max() - 0.005]))
    low, high = min(ABSTAIN[0], threshold), max(ABSTAIN[1], threshold)
    return LabelSpec(name, round(threshold, 3), round(slope, 5), round(intercept, 5), (round(low, 3), round(high, 3)))


def log_odds(tagger: RhetoricTagger, texts: list[str]) -> Floats:
    """Logits of texts from a model whose calibration is still the identity."""
    scores = tagger.predict_proba(texts).astype(np.float64)
    return np.asarray(np.log(scores / (1 - scores)))


def macro_f1(logits: Floats, rows: Rows, labels: list[LabelSpec]) -> float:
    """Macro-F1 at the released thresholds, borderline cells left out."""
    found = []
    for i, spec in enumerate(labels):
        chosen = 1 / (1 + np.exp(-(spec.slope * logits[:, i] + spec.intercept))) >= spec.threshold
        found.append(f1_of(chosen & rows.evaluated[:, i], rows.clear[:, i]))
    return float(np.mean(found))


def f1_of(chosen: Bools, true: Bools) -> float:
    """F1 of one label; 0 where nothing is chosen or true."""
    return 2 * float((chosen & true).sum()) / max(float(chosen.sum() + true.sum()), 1.0)


def measure(logits: Floats, dev: Rows) -> dict[str, Any]:
    """Figures on dev with calibration and thresholds fitted on the other folds, so that they flatter nobody."""
    rng = np.random.default_rng(0)
    fold = rng.integers(0, FOLDS, len(dev.texts))
    probability, chosen = np.empty_like(logits), np.empty(logits.shape, np.bool_)
    for k in range(FOLDS):
        inside, outside = fold == k, fold != k
        for i, name in enumerate(LABELS):
            spec = calibrate(name, logits[outside, i], dev.clear[outside, i], dev.evaluated[outside, i])
            probability[inside, i] = 1 / (1 + np.exp(-(spec.slope * logits[inside, i] + spec.intercept)))
            chosen[inside, i] = probability[inside, i] >= spec.threshold
    rows: dict[str, Any] = {}
    draws = rng.integers(0, len(fold), (RESAMPLES, len(fold)))
    macro_draws = np.zeros(RESAMPLES)
    for i, name in enumerate(LABELS):
        hit, said, true = (
            a & dev.evaluated[:, i] for a in (chosen[:, i] & dev.clear[:, i], chosen[:, i], dev.clear[:, i])
        )
        f1_draws = 2 * hit[draws].sum(axis=1) / np.maximum(said[draws].sum(axis=1) + true[draws].sum(axis=1), 1)
        macro_draws += f1_draws / len(LABELS)
        rows[name] = {
            "precision": round(float(hit.sum() / max(said.sum(), 1)), 3),
            "recall": round(float(hit.sum() / max(true.sum(), 1)), 3),
            "f1": round(f1_of(said, true), 3),
            "interval": [round(float(q), 3) for q in np.quantile(f1_draws, (0.025, 0.975))],
            "support": int(true.sum()),
            "ece": round(calibration_error(probability[dev.evaluated[:, i], i], true[dev.evaluated[:, i]]), 3),
        }
    return {
        "labels": rows,
        "macro_f1": round(float(np.mean([row["f1"] for row in rows.values()])), 3),
        "macro_f1_interval": [round(float(q), 3) for q in np.quantile(macro_draws, (0.025, 0.975))],
        "mean_ece": round(float(np.mean([row["ece"] for row in rows.values()])), 3),
    }


def calibration_error(probability: Floats, true: Bools, bins: int = 10) -> float:
    """Expected calibration error with bins of equal width (Naeini et al. 2015)."""
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(probability[index == b].mean() - true[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def card(training: dict[str, Any], labels: list[LabelSpec]) -> str:
    """The model card, filled from the run."""
    dev = training["dev"]
    thresholds = {spec.name: spec.threshold for spec in labels}
    table = "\n".join(
        f"| {name} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} "
        f"| {row['interval'][0]:.2f}–{row['interval'][1]:.2f} | {row['support']} | {row['ece']:.3f} "
        f"| {thresholds[name]:.2f} |"
        for name, row in dev["labels"].items()
    )
    return (
        (HERE / "card.md")
        .read_text(encoding="utf-8")
        .format(
            table=table,
            macro=dev["macro_f1"],
            low=dev["macro_f1_interval"][0],
            high=dev["macro_f1_interval"][1],
            ece=dev["mean_ece"],
            rows=training["rows"],
            examples=training["examples"],
            parity=training["parity"],
            config="\n".join(f"| {key} | {value} |" for key, value in training["config"].items()),
            versions=", ".join(f"{name} {number}" for name, number in training["versions"].items()),
            hardware=training["hardware"],
            hours=training["hours"],
        )
    )
