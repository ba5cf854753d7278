"""Trains a teacher several times larger than what is released, on the same labelled rows, and lets it read sentences.

    python -m training.large_teacher --corpus CORPUS --base MPNET --out TEACHER

MPNET is the folder of an encoder of base size, such as sentence-transformers/all-mpnet-base-v2 (Apache-2.0). All
activations are bf16, AdamW's own copy of the weights is float32, and both lie in one flat tensor each, so that a step
is a handful of passes over memory: with bf16 instructions a core trains 20 rows a second, two cores together 28, so
train one teacher a core (`--seed`, OMP_NUM_THREADS=1). All start from the same head, so the mean of their weights is a
teacher too (`--mean FOLDER` of each, instead of `--base`). A killed run goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rhetoric.finetune.average import average
from rhetoric.finetune.base import quiet
from rhetoric.finetune.forward import float_logits, padded
from rhetoric.finetune.trainer import LikeLengths
from rhetoric.machine import usable_cores
from rhetoric.taxonomy import LABELS
from training.data import POOL, Rows, join, read_annotations, read_corpus, read_held_out, read_written, telling
from training.hidden_actors import hide_actors
from training.quality import quality_told

BATCH = 32
PART = 16  # rows whose activations fit the cache; a step adds the gradients of its parts
LEARNING_RATE, WARM_UP, WEIGHT_DECAY, CLIP = 5e-5, 0.06, 0.01, 1.0
LONGEST = 128  # tokens
MULTIPLE = 8  # lengths are padded to it: each new shape costs the processor's library a program of its own
FROZEN_LAYERS = 3  # the first ones, which know words rather than what is meant
PLAIN_SHARE = 0.4  # of the rows without a label, which teach least
KEEP_EVERY = 250  # steps
WEIGHTS = "model.safetensors"


def main() -> None:
    """Trains, and prints how well the teacher does on sentences it has not seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--mean", type=Path, action="append", default=[], help="a teacher trained before")
    parser.add_argument("--beside", type=Path, help="a rhetoric model; the mean of both is measured too")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pool = options.corpus / POOL
    if options.mean:
        average(options.mean, options.out)
    elif not (options.out / WEIGHTS).is_file():
        rows = join(read_corpus(options.corpus / "train.jsonl"), read_annotations(pool), read_written(1, options.seed))
        _train(telling(rows, PLAIN_SHARE, options.seed), options.base, options.out, options.epochs, options.seed)
    for name, unseen in (("dev", read_corpus(options.corpus / "dev.jsonl")), ("held-out", read_held_out(pool))):
        logits = read(options.out, unseen.texts)
        print(quality_told(name, logits, unseen))
        if options.beside:
            other = float_logits(options.beside, unseen.texts, LONGEST)
            both = np.mean([logits, other], axis=0)
            print(quality_told(f"{name}, mean with {options.beside}", both, unseen))


def read(teacher: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What a teacher says of texts: logits (texts, 12). Each core reads a share of them."""
    cores = usable_cores()
    shares = [list(texts[core::cores]) for core in range(cores)]
    out = np.empty((len(texts), len(LABELS)), np.float32)
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        for core, logits in enumerate(pool.map(_read, repeat(teacher), shares)):
            out[core::cores] = logits
    return out


def _read(teacher: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """The logits of texts, computed on one core."""
    torch.set_num_threads(1)
    network, tokenizer = _load(teacher)
    network.eval()
    out = np.empty((len(texts), len(LABELS)), np.float32)
    ids = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
    order = np.argsort([len(row) for row in ids], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            logits = network(*padded([ids[i] for i in chosen], tokenizer.pad_token_id, MULTIPLE)).logits
            out[chosen] = logits.float().numpy()
            if start % (BATCH * 200) == 0:
                _say(f"{start:,} of {len(order):,} sentences read")
    return out


def _train(rows: Rows, base: Path, out: Path, epochs: float, seed: int) -> None:
    torch.manual_seed(0)  # of the head, alike for all
    torch.set_flush_denormal(True)
    work = out.with_name(f"{out.name}.work")
    hidden = hide_actors(base, work / "base")
    network, tokenizer = _load(hidden)
    ids = tokenizer(rows.texts, truncation=True, max_length=LONGEST)["input_ids"]
    targets = torch.from_numpy(rows.targets)
    order = LikeLengths([len(row) for row in ids], BATCH, seed)
    per_epoch = len(order) // BATCH
    steps = round(epochs * per_epoch)
    warm = WARM_UP * steps
    state = _State(network)
    done = state.resume(work / "state.safetensors")
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    network.train()
    began, losses = time.monotonic(), []
    batches = np.empty((0, BATCH), np.int64)
    for step in range(done, steps):
        epoch, place = divmod(step, per_epoch)
        if place == 0 or not len(batches):
            order.set_epoch(epoch)
            batches = np.fromiter(order, np.int64)[: per_epoch * BATCH].reshape(-1, BATCH)
        total = 0.0
        for part in batches[place].reshape(-1, PART):
            logits = network(*padded([ids[i] for i in part], tokenizer.pad_token_id, MULTIPLE)).logits
            loss = loss_of(logits.float(), targets[part]) * (PART / BATCH)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        losses.append(total)
        state.step(LEARNING_RATE * min((step + 1) / warm, (steps - step) / (steps - warm)))
        if (step + 1) % KEEP_EVERY == 0:
            state.keep(work / "state.safetensors", step + 1)
            rate = (step + 1 - done) * BATCH / (time.monotonic() - began)
            _say(f"step {step + 1} of {steps}: loss {np.mean(losses[-KEEP_EVERY:]):.4f}, {rate:.0f} rows a second")
    network.float().save_pretrained(out)
    tokenizer.save_pretrained(out)


class _State:
    """The trained weights of a bf16 network in one float32 tensor, with AdamW over it.

    The network's parameters and their gradients become views of two flat bf16 tensors.
    """

    def __init__(self, network: Any) -> None:
        network.base_model.embeddings.requires_grad_(False)
        network.base_model.encoder.layer[:FROZEN_LAYERS].requires_grad_(False)
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        size = sum(parameter.numel() for parameter in trained)
        self.half = torch.empty(size, dtype=torch.bfloat16)
        self.gradient = torch.zeros(size, dtype=torch.bfloat16)
        start = 0
        for parameter in trained:
            place = slice(start, start := start + parameter.numel())
            self.half[place] = parameter.detach().flatten()
            parameter.data = self.half[place].view_as(parameter)
            parameter.grad = self.gradient[place].view_as(parameter)
        self.full = self.half.float().requires_grad_(True)
        self.adam = torch.optim.AdamW([self.full], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)

    def step(self, rate: float) -> None:
        """One step of AdamW with the gradients added up since the last."""
        self.full.grad = self.gradient.float()
        torch.nn.utils.clip_grad_norm_([self.full], CLIP)
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()
        self.gradient.zero_()
        self.half.copy_(self.full.detach())

    def keep(self, file: Path, step: int) -> None:
        """Writes a checkpoint; the one before stays until this one is whole."""
        moments = self.adam.state[self.full]
        tensors = {"full": self.full.detach(), "mean": moments["exp_avg"], "square": moments["exp_avg_sq"]}
        unfinished = file.with_suffix(".unfinished")
        save_file(tensors, unfinished, metadata={"step": str(step)})
        unfinished.replace(file)

    def resume(self, file: Path) -> int:
        """Goes on from a checkpoint, if there is one; the number of steps done."""
        if not file.is_file():
            return 0
        with safe_open(file, framework="pt") as stored:
            step = int(stored.metadata()["step"])
            tensors = {name: stored.get_tensor(name) for name in ("full", "mean", "square")}
        self.full.data.copy_(tensors["full"])
        self.half.copy_(tensors["full"])
        self.adam.state[self.full] = {
            "step": torch.tensor(float(step)),
            "exp_avg": tensors["mean"],
            "exp_avg_sq": tensors["square"],
        }
        return step


def _load(folder: Path) -> tuple[Any, Any]:
    """A network in bf16 with an output a label and no dropout, and its tokenizer."""
    known = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    none = {name: 0.0 for name in known if name.endswith("dropout_prob")}
    with quiet():
        network = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=len(LABELS), use_safetensors=True, dtype=torch.bfloat16, **none
        )
        return network, AutoTokenizer.from_pretrained(folder)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
