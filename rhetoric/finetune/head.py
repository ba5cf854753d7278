"""Fits the head alone on embeddings computed once: seconds, and hard to overfit, where rows are few.

Fine-tuning from a fitted head disturbs the encoder less than from a random one (Kumar et al., 2022). The
penalty pulls towards the head there was before, so labels the base knows start from what it knew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["embed", "fit_head", "logits", "padded"]

BATCH = 64
STEPS = 100
# Pull towards the head there was before, in rows' worth of loss. With 60 to 300 rows of other registers, known
# labels did best from 30 to 100; at 1, which suits a label without a past, they lost more than they learned.
PULL_KNOWN, PULL_NEW = 30.0, 1.0


def embed(network: Any, sequences: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
    """What the classifier reads of each sequence, shape (n, hidden), without dropout.

    Args:
        network: A `BertForSequenceClassification`.
        sequences: Token ids, special tokens included.
        pad: Id of the padding token.
    """
    network.eval()
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    out = torch.empty(len(sequences), network.config.hidden_size)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            ids, attention = padded([sequences[i] for i in rows], pad)
            out[rows] = network.bert(input_ids=ids, attention_mask=attention).pooler_output
    return out.clone()


def logits(network: Any, sequences: Sequence[Sequence[int]], pad: int) -> npt.NDArray[np.float32]:
    """What the network says of each sequence, shape (n, L), without dropout; arguments as those of `embed`."""
    with torch.inference_mode():
        found: npt.NDArray[np.float32] = network.classifier(embed(network, sequences, pad)).numpy()
    return found


def padded(sequences: Sequence[Sequence[int]], pad: int, multiple: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (n, longest rounded up to a multiple)."""
    lengths = torch.tensor([[len(row)] for row in sequences])
    ids = torch.full((len(sequences), -(-int(lengths.max()) // multiple) * multiple), pad)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = torch.tensor(sequence)
    return ids, (torch.arange(ids.shape[1]) < lengths).long()


def fit_head(
    network: Any,
    embeddings: torch.Tensor,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    known: Sequence[bool],
) -> None:
    """Replaces the classifier's weights by those that fit best, in place.

    Args:
        network: A `BertForSequenceClassification`.
        embeddings: (n, hidden) of `embed`.
        targets: (n, L).
        loss: Mean loss of logits (n, L) and targets.
        known: For each label, whether its weights come from the base.
    """
    head = network.classifier
    before = torch.cat([head.weight, head.bias[:, None]], dim=1).detach().clone()
    pull = torch.where(torch.tensor(known), PULL_KNOWN, PULL_NEW)[:, None]
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def step() -> Any:
        optimizer.zero_grad()
        now = torch.cat([head.weight, head.bias[:, None]], dim=1)
        penalty = (pull * (now - before) ** 2).sum() / (2 * targets.numel())
        value = loss(torch.nn.functional.linear(embeddings, head.weight, head.bias), targets) + penalty
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
