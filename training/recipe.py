"""Makes the bundled model: one command, one config, seeded, resumable.

    python training/recipe.py --corpus CORPUS --base MINILM --out rhetoric/models/default

CORPUS holds train.jsonl, dev.jsonl and pool.jsonl.gz (see DATASHEET.md), MINILM the folder of
sentence-transformers/all-MiniLM-L6-v2. A killed run goes on from its last epoch.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors.numpy import load_file, save_file
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from rhetoric.taxonomy import LABELS

sys.path.insert(0, str(Path(__file__).parent))
from data import BORDERLINE, Rows, join, read_annotations, read_corpus, read_written  # noqa: E402
from release import package  # noqa: E402


@dataclass(frozen=True)
class Config:
    """Settings of a run; configs/release.yaml says what each does."""

    seed: int
    learning_rate: float
    batch_size: int
    epochs: int
    warmup_share: float
    weight_decay: float
    max_tokens: int
    written_copies: int
    freeze_words: bool


class SoftLabelTrainer(Trainer):
    """A Trainer whose targets are probabilities and whose rare labels weigh more."""

    def __init__(self, *args: Any, positive_weight: torch.Tensor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loss = nn.BCEWithLogitsLoss(pos_weight=positive_weight)

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:
        """Binary cross-entropy with soft targets."""
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = self._loss(outputs.logits.float(), labels.float())
        return (loss, outputs) if return_outputs else loss


class EncodedRows(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows as word pieces, for the Trainer."""

    def __init__(self, rows: Rows, tokenizer: Any, max_tokens: int) -> None:
        self.ids = tokenizer(rows.texts, truncation=True, max_length=max_tokens)["input_ids"]
        self.targets = rows.targets
        self.column_names = ["input_ids", "labels", "length"]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.ids[index], "labels": self.targets[index]}


def fit(train: Rows, dev: Rows, base: Path, run: Path, config: Config) -> None:
    """Fine-tunes the base on the rows and leaves a transformers folder at `run / "model"`."""
    # Denormal numbers make the last epochs of a CPU run several times slower.
    torch.set_flush_denormal(True)
    set_seed(config.seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={name: i for i, name in enumerate(LABELS)},
        problem_type="multi_label_classification",
    )
    if config.freeze_words:
        model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    positive = train.clear.sum(axis=0)
    weight = torch.tensor(np.sqrt((len(train.texts) - positive) / positive), dtype=torch.float32)
    encoded = EncodedRows(train, tokenizer, config.max_tokens)
    steps = math.ceil(len(encoded) / config.batch_size) * config.epochs
    arguments = TrainingArguments(
        output_dir=str(run / "checkpoints"),
        seed=config.seed,
        learning_rate=config.learning_rate,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=64,
        num_train_epochs=config.epochs,
        warmup_steps=round(config.warmup_share * steps),
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported(),
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length",
        save_strategy="epoch",
        save_total_limit=1,
        eval_strategy="epoch",
        logging_steps=50,
        report_to=[],
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
    trainer = SoftLabelTrainer(
        model=model,
        args=arguments,
        train_dataset=encoded,
        eval_dataset=EncodedRows(dev, tokenizer, config.max_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda result: {"macro_f1_at_0": macro_f1(result.predictions, result.label_ids)},
        positive_weight=weight,
    )
    trainer.train(resume_from_checkpoint=any((run / "checkpoints").glob("checkpoint-*")))
    trainer.save_model(str(run / "model"))
    tokenizer.save_pretrained(str(run / "model"))


def macro_f1(logits: np.ndarray, targets: np.ndarray) -> float:
    """Macro-F1 at logit 0, borderline cells masked: comparable between epochs, not tuned."""
    chosen, true, counted = logits > 0, targets == 1, targets != np.float32(BORDERLINE)
    hits = (chosen & true & counted).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum((chosen & counted).sum(axis=0) + (true & counted).sum(axis=0), 1)))


def slim(folder: Path) -> None:
    """Makes the folder small: weights in 16 bits (the int8 graph is made from them anyway), JSON without blanks."""
    weights = load_file(folder / "model.safetensors")
    half = {name: value.astype(np.float16) for name, value in weights.items()}
    save_file(half, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}, indent=2) + "\n", encoding="utf-8")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer |= {"truncation": None, "padding": None}
    compact = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(compact, encoding="utf-8")
    for file in folder.iterdir():
        file.chmod(0o644)


def main() -> None:
    """Runs the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/default"), help="checkpoints; delete to start anew")
    parser.add_argument("--config", type=Path, default=Path(__file__).parents[1] / "configs" / "release.yaml")
    options = parser.parse_args()
    config = Config(**yaml.safe_load(options.config.read_text(encoding="utf-8")))
    dev = read_corpus(options.corpus / "dev.jsonl")
    parts = {
        "corpus": read_corpus(options.corpus / "train.jsonl"),
        "annotations": read_annotations(options.corpus / "pool.jsonl.gz"),
        "written": read_written(config.written_copies, config.seed),
    }
    train = join(*parts.values())
    started = time.time()
    fit(train, dev, options.base, options.run, config)
    folder = options.run / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(options.run / "model" / name, folder / name)
    slim(folder)
    manifest = {
        "config": asdict(config),
        "rows": {name: len(part.texts) for name, part in parts.items()} | {"dev": len(dev.texts)},
        "base": "sentence-transformers/all-MiniLM-L6-v2",
        "hours": round((time.time() - started) / 3600, 2),
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "versions": {name: version(name) for name in ("torch", "transformers", "onnxruntime", "numpy")},
    }
    package(folder, parts["corpus"], dev, max_tokens=config.max_tokens, manifest=manifest)
    shutil.rmtree(options.out, ignore_errors=True)
    shutil.copytree(folder, options.out)
    shutil.copy(folder / "README.md", Path(__file__).parents[1] / "model_cards" / "default.md")


if __name__ == "__main__":
    main()
