"""Trains the network: labelled rows and a base in, a plain transformers folder and dev logits out.

What makes it fit a few CPU cores: word embeddings stay frozen (half of the weights, and most of AdamW's work),
batches hold rows of like length, matrix products run in bf16 where the processor has it, random numbers of dropout
are drawn by the byte, and denormal numbers are flushed to zero. The same seed gives the same weights on the same
machine.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from datasets import Dataset
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from rhetoric.finetune.average import WEIGHTS
from rhetoric.finetune.base import Base, quiet
from rhetoric.finetune.checkpoint import PlainTrainer, last_checkpoint
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.dropout import set_dropout
from rhetoric.finetune.forward import embed, logits
from rhetoric.finetune.head import fit_head
from rhetoric.finetune.hf_metric import UNSURE, calibrated_f1
from rhetoric.finetune.processes import is_first, processes, processes_here
from rhetoric.machine import usable_cores

__all__ = ["Fitted", "Progress", "dev_metric", "fit", "precision"]

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Progress = Callable[[int, int, Mapping[str, float]], None]

WINDOW = 50  # batches that are filled from rows sorted together
EVALUATION_BATCH = 64


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a run of the trainer came to.

    Attributes:
        dev_logits: float32 (dev rows, L) of the weights as they are written.
        macro_f1: Best macro F1 on dev rows, the measure of choice.
        steps: Steps trained.
        best_step: Step the weights are from; 0 if fitting the head alone was best.
        averaged: Trainings whose weights were averaged.
        precision: What the matrix products ran in, and why.
        history: What was logged, in order.
    """

    dev_logits: npt.NDArray[np.float32]
    macro_f1: float
    steps: int
    best_step: int
    averaged: int
    precision: str
    history: tuple[Mapping[str, float], ...] = field(repr=False)


def fit(
    base: Base,
    train: LabelledData,
    dev: LabelledData,
    config: TrainConfig,
    *,
    work: Path,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
) -> Fitted:
    """Trains.

    Args:
        base: Model to start from.
        train: Rows to learn from.
        dev: Rows to stop and choose by.
        config: The settings.
        work: Folder for checkpoints.
        out: Folder the network and its tokenizer are written to.
        resume: Go on from the newest checkpoint in `work`.
        progress: Called with step, number of steps, and what was measured.

    Returns:
        The logits of the dev rows, and how it went.
    """
    torch.set_flush_denormal(True)
    torch.set_num_threads(max(1, usable_cores() // processes_here()))
    set_seed(config.seed)
    network, tokenizer = base.network(train.labels, config.task, layers=config.layers, activation=config.activation)
    with quiet():
        rows = _dataset(train, tokenizer, config)
        # sorted, so that little is padded; undone below
        order = np.argsort([len(ids) for ids in _dataset(dev, tokenizer, config)["input_ids"]], kind="stable")
        dev_sorted = dev.take(order)
        dev_rows = _dataset(dev_sorted, tokenizer, config)
        use_bf16, why = precision(config)
        loss = _loss(train, config)
        metric = dev_metric(dev_sorted, config)
        head_f1 = -1.0
        if len(train) < config.few_rows:
            known = [name in base.labels for name in train.labels]
            head_f1 = _head_first(network, tokenizer, rows, dev_rows, loss, metric, known)
            head_only = {name: tensor.clone() for name, tensor in network.state_dict().items()}
            if progress:
                progress(0, 0, {"eval_macro_f1": head_f1})
        _freeze(network, config)
        set_dropout(network, config.dropout)
        if not _on_gpu(config):
            # a processor computes the gradient of fused attention several times slower than that of its parts
            network.set_attn_implementation("eager")
        trainer = _RhetoricTrainer(
            model=network,
            args=_arguments(config, len(train), work),
            train_dataset=rows,
            eval_dataset=dev_rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda result: metric(np.asarray(result.predictions)),
            callbacks=[_Reporter(progress)] if progress else [],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_EvaluateLast)
        if config.patience:
            trainer.add_callback(EarlyStoppingCallback(config.patience))
        trainer.rows, trainer.loss, trainer.use_bf16, trainer.batch_seed = rows, loss, use_bf16, config.seed
        checkpoint = last_checkpoint(work) if resume else None
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        trainer.accelerator.wait_for_everyone()  # the checkpoints go when the first process is done
        network = trainer.model.cpu()
        best, best_step = float(trainer.state.best_metric or 0.0), int(trainer.state.best_global_step or 0)
        if head_f1 >= best:
            network.load_state_dict(head_only)
            best, best_step = head_f1, 0
        network.half()
        if is_first():
            network.save_pretrained(out)
            shutil.copymode(out / "config.json", out / WEIGHTS)  # safetensors lets the owner alone read it
            _save_tokenizer(tokenizer, out, config.max_tokens)
        # the logits of what is written, not of what it was rounded from
        dev_logits = np.empty(dev.targets.shape, np.float32)
        dev_logits[order] = logits(network.float(), dev_rows["input_ids"], tokenizer.pad_token_id)
    history = tuple(entry for entry in trainer.state.log_history)
    return Fitted(dev_logits, best, trainer.state.global_step, best_step, 1, why, history)


def _save_tokenizer(tokenizer: Any, out: Path, max_tokens: int) -> None:
    """Writes the tokenizer under a class name that transformers 4 and 5 both know."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.model_max_length = max_tokens
    tokenizer.save_pretrained(out)
    file = out / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    if config["tokenizer_class"] == "TokenizersBackend":
        file.write_text(json.dumps(config | {"tokenizer_class": "PreTrainedTokenizerFast"}, indent=2), encoding="utf-8")


def precision(config: TrainConfig) -> tuple[bool, str]:
    """Whether matrix products run in bf16, and why."""
    if config.precision != "auto":
        return config.precision == "bf16", f"{config.precision} (as set)"
    if _on_gpu(config):
        able = torch.cuda.is_bf16_supported()
        return able, f"{'bf16' if able else 'fp32'} on {torch.cuda.get_device_name()}"
    # Without the instructions bf16 is emulated, and slower than fp32.
    able = bool(_cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"})
    return able, f"{'bf16' if able else 'fp32'} (the processor {'has' if able else 'has no'} bf16 instructions)"


def _on_gpu(config: TrainConfig) -> bool:
    return config.device == "auto" and torch.cuda.is_available()


def _cpu_flags() -> set[str]:
    try:
        return set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:  # not Linux
        return set()


def _dataset(data: LabelledData, tokenizer: Any, config: TrainConfig) -> Dataset:
    ids = tokenizer(list(data.texts), truncation=True, max_length=config.max_tokens)["input_ids"]
    return Dataset.from_dict({"input_ids": ids, "labels": data.targets.tolist()})


def _loss(train: LabelledData, config: TrainConfig) -> Loss:
    """Cross entropy with soft targets; positives of rare labels weigh more (by the root of their odds)."""
    count = len(train)
    positive = np.clip((train.targets >= 0.5).sum(axis=0), 1, count)
    odds = np.maximum(count - positive, 1) / positive
    weight = torch.tensor(
        np.sqrt(odds) if config.positive_weight == "sqrt" else np.ones_like(odds), dtype=torch.float32
    )
    if config.task == "multi_label":
        binary = torch.nn.functional.binary_cross_entropy_with_logits
        return lambda logits, targets: binary(logits, targets, pos_weight=weight.to(logits.device))
    return lambda logits, targets: torch.nn.functional.cross_entropy(logits, targets, weight=weight.to(logits.device))


def dev_metric(dev: LabelledData, config: TrainConfig) -> Callable[[npt.NDArray[np.float32]], dict[str, float]]:
    """What measures logits of the dev rows, macro F1 among it, with thresholds fitted on other folds."""
    cells = np.where(dev.mask, dev.gold, UNSURE).astype(np.float32)
    metric = calibrated_f1(config.task)

    def measure(logits: npt.NDArray[np.float32]) -> dict[str, float]:
        measured: dict[str, float] = metric.compute(predictions=logits, references=cells)
        return measured

    return measure


def _freeze(network: Any, config: TrainConfig) -> None:
    if config.freeze == "words":
        network.get_input_embeddings().weight.requires_grad_(False)
    elif config.freeze == "encoder":
        network.base_model.requires_grad_(False)


def _head_first(
    network: Any,
    tokenizer: Any,
    rows: Dataset,
    dev_rows: Dataset,
    loss: Loss,
    metric: Callable[[npt.NDArray[np.float32]], dict[str, float]],
    known: Sequence[bool],
) -> float:
    """Fits the head on frozen embeddings; macro F1 of dev rows after it."""
    pad = tokenizer.pad_token_id
    fit_head(network, embed(network, rows["input_ids"], pad), torch.tensor(rows["labels"]), loss, known=known)
    return metric(logits(network, dev_rows["input_ids"], pad))["macro_f1"]


def _arguments(config: TrainConfig, rows: int, work: Path) -> TrainingArguments:
    per_epoch = math.ceil(rows / config.batch_size)
    interval = math.ceil(per_epoch / config.evaluations_per_epoch)
    on_cpu = config.device == "cpu" or not torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size // processes(),
        per_device_eval_batch_size=EVALUATION_BATCH,
        learning_rate=config.learning_rate,
        warmup_steps=math.ceil(config.warmup_share * per_epoch * config.epochs),
        lr_scheduler_type="linear",
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_gradient_norm,
        optim="adamw_torch_fused",
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=1,  # the newest, and the best beside it
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        logging_steps=max(1, interval // 10),
        report_to=list(config.report_to) or "none",
        disable_tqdm=True,
        seed=config.seed,
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and processes() > 1 else None,
        dataloader_pin_memory=not on_cpu,
        label_names=["labels"],
    )


class _RhetoricTrainer(PlainTrainer):
    """Soft targets, bf16 by our own rule, and batches of like length."""

    rows: Dataset
    loss: Loss
    use_bf16: bool
    batch_seed: int

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        targets = inputs.pop("labels")
        half = self.use_bf16 and model.training
        with torch.autocast(targets.device.type, dtype=torch.bfloat16, enabled=half):
            outputs = model(**inputs)
        value = self.loss(outputs.logits.float(), targets)
        return (value, outputs) if return_outputs else value

    def _get_train_sampler(self, train_dataset: Any = None) -> LikeLengths:
        lengths = [len(ids) for ids in self.rows["input_ids"]]
        # of a step, whichever processes compute it
        return LikeLengths(lengths, self.args.per_device_train_batch_size * self.args.world_size, self.batch_seed)


class LikeLengths(torch.utils.data.Sampler[int]):
    """Order of rows in which each batch holds like lengths; a function of seed and epoch alone.

    Args:
        lengths: Length of each row.
        batch_size: Rows in a batch.
        seed: Of the order.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths: npt.NDArray[np.int64] = np.asarray(lengths)
        self.batch_size: int = batch_size
        self.seed: int = seed
        self.epoch: int = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        rows = rng.permutation(len(self.lengths))
        full = len(rows) - len(rows) % self.batch_size
        batches: list[npt.NDArray[np.int64]] = []
        for start in range(0, full, self.batch_size * WINDOW):
            window = rows[start : min(start + self.batch_size * WINDOW, full)]
            window = window[np.argsort(self.lengths[window], kind="stable")]
            batches.extend(window.reshape(-1, self.batch_size))
        rng.shuffle(batches)
        # the incomplete batch last: anywhere else it would shift the ones behind it
        yield from (int(i) for batch in (*batches, rows[full:]) for i in batch)


class _EvaluateLast(TrainerCallback):
    """Evaluates after the last step too, where the evaluations of an epoch do not divide its steps."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = True


class _Reporter(TrainerCallback):
    """Hands what the Trainer measures to a function."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.progress(state.global_step, state.max_steps, {})

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.progress(state.global_step, state.max_steps, more["logs"])
