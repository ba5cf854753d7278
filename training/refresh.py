"""Gives a finished model the newest table of actors, without training: tokenizer, int8 graph, calibration, figures.

    python -m training.refresh MODEL --corpus CORPUS

The weights stay as they are. Run it after rhetoric/data/actors.tsv has grown, then `python -m training.card`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rhetoric.finetune import TrainConfig
from rhetoric.finetune.calibration import calibrate, cross_fitted
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.gate import export_gated
from rhetoric.finetune.head import embed
from rhetoric.finetune.metrics import score
from rhetoric.model_folder import read_model_folder, write_manifest
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION
from training.data import Rows, read_corpus
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
        train = _data(read_corpus(options.corpus / "train.jsonl"))
        dev = _data(read_corpus(options.corpus / "dev.jsonl"))
        config = TrainConfig(labels=LABELS, seed=int(before.training["settings"]["seed"]), max_tokens=before.max_tokens)
        gate, logits = export_gated(folder, train, dev, float_logits(folder, dev.texts, before.max_tokens), config)
        specs = calibrate(LABELS, logits, dev.gold, dev.mask, task="multi_label")
        probabilities, decided = cross_fitted(LABELS, logits, dev.gold, dev.mask, task="multi_label", seed=config.seed)
        scores = score(LABELS, dev.gold, decided, dev.mask, probabilities, seed=config.seed)
        write_manifest(
            folder,
            task=before.task,
            labels=specs,
            max_tokens=before.max_tokens,
            taxonomy_version=TAXONOMY_VERSION,
            training={**before.training, "dev": scores.to_dict(), "int8": gate.to_dict()},
        )
        shutil.rmtree(options.model)
        shutil.copytree(folder, options.model)
    print(f"macro-F1 {scores.macro_f1}, mean calibration error {scores.calibration_error:.3f}")


def float_logits(folder: Path, texts: tuple[str, ...], max_tokens: int) -> npt.NDArray[np.float32]:
    """Logits (texts, 12) of the float weights."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    ids = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    with torch.inference_mode():
        logits: npt.NDArray[np.float32] = network.classifier(embed(network, ids, tokenizer.pad_token_id)).numpy()
    return logits


def _data(rows: Rows) -> LabelledData:
    places = tuple(f"row {number}" for number in range(1, len(rows.texts) + 1))
    return LabelledData(LABELS, tuple(rows.texts), rows.targets, rows.clear, rows.evaluated, None, places)


if __name__ == "__main__":
    main()
