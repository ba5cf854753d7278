"""The record of a run, and the model card written from it; nothing in a card is typed by hand."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import rhetoric
from rhetoric.finetune.checks import DataReport
from rhetoric.finetune.config import TrainConfig
from rhetoric.machine import usable_cores
from rhetoric.model_folder import LabelSpec
from rhetoric.taxonomy import TAXONOMY

if TYPE_CHECKING:
    from rhetoric.finetune.run import TrainResult

__all__ = ["model_card", "training_record"]

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "onnx", "onnxruntime", "numpy")


def training_record(
    result: TrainResult, config: TrainConfig, report: DataReport, identity: Mapping[str, Any]
) -> dict[str, Any]:
    """How a model was made, as plain JSON values, for `rhetoric.json`.

    Args:
        result: The run.
        config: Its settings.
        report: What the data holds.
        identity: Digests of data and base.
    """
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": identity["data"],
        "base": config.base or "the bundled model",
        "base_digest": identity["base"],
        "settings": config.to_dict(),
        "rows": {"train": result.train_rows, "dev": result.dev_rows},
        "label_rows": dict(report.labels),
        "problems": len(report.problems),
        "steps": result.steps,
        "best_step": result.best_step,
        "averaged": result.averaged,
        "seconds": round(result.seconds, 1),
        "precision": result.precision,
        "machine": f"{platform.system()} {platform.machine()}, {usable_cores()} cores",
        "versions": {"python": platform.python_version(), "rhetoric": rhetoric.__version__}
        | {name: version(name) for name in PACKAGES},
        "dev": result.scores.to_dict(),
        "old_labels": [asdict(old) for old in result.old_labels],
        "int8": result.gate.to_dict(),
    }


def model_card(record: Mapping[str, Any], labels: Sequence[LabelSpec]) -> str:
    """Markdown with the front matter the Hugging Face Hub reads.

    Args:
        record: Of `training_record`.
        labels: What the model decides by.
    """
    return "\n".join(
        [
            *_front(record),
            *_use(labels),
            *_quality(record),
            *_old(record),
            *_making(record),
            *_limits(record),
        ]
    )


def _front(record: Mapping[str, Any]) -> list[str]:
    settings = record["settings"]
    return [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-classification",
        f"tags: [rhetoric, diplomacy, {settings['task'].replace('_', '-')}]",
        "---",
        "",
        "# A rhetoric model",
        "",
        f"Made by `rhetoric train` on {record['finished'][:10]} from {record['rows']['train']:,} labelled rows, "
        f"starting from {record['base']}.",
        "",
    ]


def _use(labels: Sequence[LabelSpec]) -> list[str]:
    meaning = {row.name: row.definition for row in TAXONOMY}
    return [
        "## Use",
        "",
        "```python",
        "from rhetoric import RhetoricTagger",
        "",
        'tagger = RhetoricTagger.from_pretrained("this folder")',
        'tagger.predict(["We call on both sides to return to the table."])',
        "```",
        "",
        "| label | given from | meaning |",
        "|---|---|---|",
        *(f"| {label.name} | {label.threshold:.2f} | {meaning.get(label.name, '')} |" for label in labels),
        "",
        "`model.safetensors` and `config.json` are a plain transformers sequence classifier; thresholds and "
        "calibration are in `rhetoric.json`.",
        "",
    ]


def _quality(record: Mapping[str, Any]) -> list[str]:
    dev = record["dev"]
    rows = [
        "## Quality",
        "",
        f"On {record['rows']['dev']:,} held-out dev rows, calibration and thresholds fitted on other folds of them. "
        "The weights were chosen by the same rows, so expect a little less on new text. Brackets: 95 % bootstrap "
        "intervals.",
        "",
        "| label | precision | recall | F1 | rows | calibration error | F1 float → int8 |",
        "|---|---|---|---|---|---|---|",
    ]
    for label in dev["labels"]:
        name = label["label"]
        int8 = f"{record['int8']['f1_float'][name]:.3f} → {record['int8']['f1_int8'][name]:.3f}"
        if not label["support"]:
            rows.append(f"| {name} | – | – | – | 0 | – | – |")
            continue
        rows.append(
            f"| {name} | {label['precision']:.2f} | {label['recall']:.2f} | {_interval(label['f1'])} | "
            f"{label['support']} | {label['calibration_error']:.3f} | {int8} |"
        )
    parity = record["int8"]["parity"]
    kept = f"; kept in float: {', '.join(parity['float_layers'])}" if parity["float_layers"] else ""
    return [
        *rows,
        "",
        f"Macro F1 {_interval(dev['macro_f1'])}, micro F1 {_interval(dev['micro_f1'])}, all labels of a row right "
        f"{_interval(dev['subset_accuracy'])}, calibration error {dev['calibration_error']:.3f}.",
        "",
        f"int8 logits differ from float by {parity['mean_difference']:.3f} on average over {parity['texts']} texts"
        f"{kept}.",
        "",
    ]


def _old(record: Mapping[str, Any]) -> list[str]:
    if not record["old_labels"]:
        return []
    rows = [
        "## What became of the base's labels",
        "",
        "| label | F1 before | F1 after | decides alike | remark |",
        "|---|---|---|---|---|",
    ]
    for old in record["old_labels"]:
        before, after = ("–" if value is None else f"{value:.3f}" for value in (old["f1_before"], old["f1_after"]))
        rows.append(f"| {old['label']} | {before} | {after} | {old['agreement']:.1%} | {old['unmeasured']} |")
    return [*rows, ""]


def _making(record: Mapping[str, Any]) -> list[str]:
    changed = TrainConfig().changed(record["settings"]).not_default()
    averaged = record["averaged"]
    weights = f"weights of step {record['best_step']}" if averaged == 1 else f"mean of {averaged} trainings"
    data = [f"| {entry['name']} | {entry['rows']:,} | `{entry['sha256'][:16]}…` |" for entry in record["data"].values()]
    return [
        "## Training",
        "",
        "| data | rows | SHA-256 |",
        "|---|---|---|",
        *data,
        "",
        f"{record['steps']} steps, {weights}, {record['seconds']:.0f} s, {record['precision']}, {record['machine']}.",
        "",
        "Settings other than the defaults: "
        + (", ".join(f"`{name}: {value}`" for name, value in changed.items()) or "none")
        + ". All are in `config.yaml`, what was logged in `history.jsonl`.",
        "",
        "Versions: " + ", ".join(f"{name} {value}" for name, value in record["versions"].items()) + ".",
        "",
    ]


def _limits(record: Mapping[str, Any]) -> list[str]:
    weak = [x["label"] for x in record["dev"]["labels"] if x["support"] > 0 and x["f1"]["value"] < 0.5]
    rare = [x["label"] for x in record["dev"]["labels"] if 0 < x["support"] < 20]
    return [
        "## Limits",
        "",
        "- It judges a text alone, without what came before it or who said it.",
        "- Scores are calibrated for text like the dev rows, with labels as frequent as there.",
        *([f"- Weak (F1 below 0.5): {', '.join(weak)}."] if weak else []),
        *([f"- Measured on fewer than 20 rows: {', '.join(rare)}."] if rare else []),
        "- The licence of the training data is for whoever trained it to state.",
        "",
    ]


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
