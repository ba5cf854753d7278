"""A small training with one thing changed, of which `training.levers` measures what the change is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForMaskedLM, set_seed

from rhetoric.finetune.base import Base, quiet
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.forward import embed, logits, padded
from rhetoric.finetune.head import fit_head
from rhetoric.finetune.trainer import LikeLengths, precision
from rhetoric.taxonomy import FAMILIES, LABELS, TAXONOMY
from training.data import BORDERLINE, Rows

Logits = npt.NDArray[np.float32]

EPOCHS, BATCH, RATE, WARMUP, DECAY, LONGEST = 2, 8, 2e-4, 0.06, 0.01, 128
MASKED = 0.15  # share of the word pieces, as BERT has it
# Row f says which labels are of family f.
MEMBERS = torch.tensor([[float(row.family == family) for row in TAXONOMY] for family in FAMILIES])


@dataclass(frozen=True)
class Lever:
    """One change of the plain training, which hides names and weighs positives by the root of their odds.

    Attributes:
        name: Of the run.
        weighted: Whether positives of rare labels weigh more.
        gamma: Cells the network is sure of count less, by this power of its doubt: for positives, for negatives
            (focal loss, Lin et al. 2017, if alike; asymmetric loss, Ridnik et al. 2021, if not).
        borderline: Target of borderline cells; None leaves them out.
        family: Weight of a second head's loss, which learns the families.
        layer_decay: Learning rate of a layer, relative to the one above it.
        names: Hidden from the network; seen by it; or seen, with a twin of each row that has other names.
        quoted: Share of the rows that become a quotation.
        dropout: Share of the activations that is dropped; BERT has 0.1.
        annotations: Whether as many sentences of training/annotations are added.
        written: Whether as many sentences of training/written.tsv are added.
        adapted: Whether the base first learned to fill in masked words of the pool.
        taught: Whether sentences of the pool are added with what the plain runs, together, say of them.
    """

    name: str
    weighted: bool = True
    gamma: tuple[float, float] = (0.0, 0.0)
    borderline: float | None = BORDERLINE
    family: float = 0.0
    layer_decay: float = 1.0
    names: Literal["hidden", "seen", "twins"] = "hidden"
    quoted: float = 0.0
    dropout: float = 0.0
    annotations: bool = False
    written: bool = False
    adapted: bool = False
    taught: bool = False


def fine_tune(network: Any, tokenizer: Any, rows: Rows, lever: Lever, seed: int) -> dict[str, torch.Tensor]:
    """Trains in place; returns the mean of the weights at eight moments of the last epoch."""
    set_seed(seed)
    network.get_input_embeddings().weight.requires_grad_(False)
    families = torch.nn.Linear(network.config.hidden_size, len(FAMILIES))
    ids = tokenizer(rows.texts, truncation=True, max_length=LONGEST)["input_ids"]
    targets = torch.tensor(rows.targets)
    weight = positive_weight(targets) if lever.weighted else torch.ones(len(LABELS))
    fit_head(
        network,
        embed(network, ids, tokenizer.pad_token_id),
        targets,
        lambda logits, wanted: cell_loss(logits, wanted, weight, lever),
        known=[False] * len(LABELS),
    )
    sampler = LikeLengths([len(i) for i in ids], BATCH, seed)
    steps = EPOCHS * -(-len(ids) // BATCH)
    optimizer = torch.optim.AdamW(
        [*parameters(network, lever.layer_decay), {"params": list(families.parameters())}], lr=RATE, fused=True
    )
    warm = int(WARMUP * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / (steps - warm))
    )
    moments = {round(steps * (1 - (8 - k) / 8 / EPOCHS)) for k in range(1, 9)}
    summed: dict[str, torch.Tensor] = {}
    network.train()
    half = precision(TrainConfig())[0]
    for number, batch in enumerate(batches(sampler), start=1):
        inputs, attention = padded([ids[i] for i in batch], tokenizer.pad_token_id)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            pooled = network.bert(input_ids=inputs, attention_mask=attention).pooler_output
            pooled = network.dropout(pooled)
            of_labels, of_families = network.classifier(pooled).float(), families(pooled).float()
        loss = cell_loss(of_labels, targets[batch], weight, lever)
        if lever.family:
            any_of = (targets[batch][:, None] * MEMBERS).amax(dim=2)
            binary = torch.nn.functional.binary_cross_entropy_with_logits
            loss = loss + lever.family * binary(of_families, any_of)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if number in moments:
            for name, tensor in network.named_parameters():
                if tensor.requires_grad:
                    summed[name] = summed.get(name, 0) + tensor.detach() / len(moments)
    return summed


def cell_loss(logits: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor, lever: Lever) -> torch.Tensor:
    """Cross entropy (scalar) of logits and targets (n, 12)."""
    unsure = torch.eq(targets, float(np.float32(BORDERLINE)))
    if lever.borderline is not None:
        targets = torch.where(unsure, lever.borderline, targets)
    log = torch.nn.functional.logsigmoid
    doubt = torch.sigmoid(-logits), torch.sigmoid(logits)
    positive = -weight * targets * log(logits) * doubt[0] ** lever.gamma[0]
    negative = -(1 - targets) * log(-logits) * doubt[1] ** lever.gamma[1]
    cells = positive + negative
    return cells[~unsure].mean() if lever.borderline is None else cells.mean()


def positive_weight(targets: torch.Tensor) -> torch.Tensor:
    """Root of each label's odds, as `rhetoric.finetune` weighs them."""
    positive = (targets >= 0.5).sum(dim=0).clamp(min=1)
    return torch.sqrt((len(targets) - positive) / positive)


def parameters(network: Any, layer_decay: float) -> Iterator[dict[str, Any]]:
    """What is trained, a group a tensor, with its learning rate; weight decay on matrices only."""
    layers = network.config.num_hidden_layers
    for name, tensor in network.named_parameters():
        if not tensor.requires_grad:
            continue
        parts = name.split(".")
        depth = int(parts[parts.index("layer") + 1]) if "layer" in parts else 0 if "embeddings" in parts else layers
        rate = RATE * layer_decay ** (layers - depth)
        yield {"params": [tensor], "lr": rate, "weight_decay": DECAY if tensor.dim() > 1 else 0.0}


def batches(sampler: LikeLengths) -> Iterator[list[int]]:
    """Row numbers of each step."""
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        order = list(sampler)
        yield from (order[i : i + BATCH] for i in range(0, len(order), BATCH))


def predict(network: Any, tokenizer: Any, texts: Sequence[str]) -> Logits:
    """Logits (texts, 12)."""
    ids = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
    return logits(network, ids, tokenizer.pad_token_id)


def adapt(base: Path, texts: Sequence[str], out: Path) -> None:
    """Writes a base that has learned, for one pass, to fill in masked words of these texts (Devlin et al., 2019)."""
    set_seed(0)
    _, tokenizer = Base(base, None).network(LABELS, "multi_label")
    with quiet():
        network: Any = AutoModelForMaskedLM.from_pretrained(base, use_safetensors=True).float().train()
    network.get_input_embeddings().weight.requires_grad_(False)  # the output layer shares them
    ids = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
    order = list(LikeLengths([len(i) for i in ids], BATCH, 0))
    trained = [tensor for tensor in network.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=DECAY, fused=True)
    steps = -(-len(order) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (steps - step) / steps)
    for start in range(0, len(order), BATCH):
        inputs, attention = padded([ids[i] for i in order[start : start + BATCH]], tokenizer.pad_token_id)
        special = (inputs == tokenizer.cls_token_id) | (inputs == tokenizer.sep_token_id) | (attention == 0)
        chosen = (torch.rand(inputs.shape) < MASKED) & ~special
        if not chosen.any():
            continue
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision(TrainConfig())[0]):
            hidden = network.bert(inputs.masked_fill(chosen, tokenizer.mask_token_id), attention).last_hidden_state
            words = network.cls(hidden[chosen]).float()
        torch.nn.functional.cross_entropy(words, inputs[chosen]).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    network.bert.save_pretrained(out)
    tokenizer.save_pretrained(out)
