"""Gives a finished model the newest table of actors, without training: tokenizer, int8 graph, calibration, figures.

    python -m training.refresh MODEL --corpus CORPUS

The weights stay as they are. Run it after rhetoric/data/actors.tsv has grown, then `python -m training.card`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rhetoric.finetune import TrainConfig
from rhetoric.finetune.calibration import calibrate, cross_fitted
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.forward import float_logits
from rhetoric.finetune.gate import export_gated
from rhetoric.finetune.metrics import Scores, score
from rhetoric.model_folder import read_model_folder, write_manifest
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION
from training.data import POOL, Rows, join, read_corpus, read_held_out
from training.hidden_actors import hide_actors


def main() -> None:
    """Refreshes a model folder in place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    options = parser.parse_args()
    before = read_model_folder(options.model)
    with tempfile.TemporaryDirectory() as work:
        folder = hide_actors(options.model, Path(work) / "model")
        scores = finish(folder, options.corpus, before.training, before.max_tokens)
        shutil.rmtree(options.model)
        shutil.copytree(folder, options.model)
    print(f"macro-F1 {scores.macro_f1}, mean calibration error {scores.calibration_error:.3f}")


def finish(folder: Path, corpus: Path, record: Mapping[str, Any], max_tokens: int) -> Scores:
    """Makes a model folder of float weights and a tokenizer: int8 graph, calibration, thresholds, figures, manifest.

    Args:
        folder: Transformers folder, completed in place.
        corpus: Its training rows set the activation scales, its dev rows calibrate and measure.
        record: What is known of the training; the figures in it are replaced.
        max_tokens: Longest sequence.

    Returns:
        The figures on dev, calibration and thresholds fitted on other folds.
    """
    rows = read_corpus(corpus / "dev.jsonl")
    train, dev = _data(read_corpus(corpus / "train.jsonl")), _data(rows)
    config = TrainConfig(labels=LABELS, seed=int(record["settings"]["seed"]), max_tokens=max_tokens)
    # What int8 costs is small beside what one row is worth, so it is measured on all rows that training did not see.
    unseen = _data(join(rows, read_held_out(corpus / POOL)))
    gate, of_unseen = export_gated(folder, train, unseen, float_logits(folder, unseen.texts, max_tokens), config)
    of_dev = of_unseen[: len(dev)]
    specs = calibrate(LABELS, of_dev, dev.gold, dev.mask, task="multi_label")
    probabilities, decided = cross_fitted(LABELS, of_dev, dev.gold, dev.mask, task="multi_label", seed=config.seed)
    scores = score(LABELS, dev.gold, decided, dev.mask, probabilities, seed=config.seed)
    write_manifest(
        folder,
        task="multi_label",
        labels=specs,
        max_tokens=max_tokens,
        taxonomy_version=TAXONOMY_VERSION,
        training={**record, "dev": scores.to_dict(), "int8": gate.to_dict()},
    )
    return scores


def _data(rows: Rows) -> LabelledData:
    places = tuple(f"row {number}" for number in range(1, len(rows.texts) + 1))
    return LabelledData(LABELS, tuple(rows.texts), rows.targets, rows.clear, rows.evaluated, None, places)


if __name__ == "__main__":
    main()
