"""Fits the head alone on embeddings computed once: seconds, and hard to overfit, where rows are few.

Fine-tuning from a fitted head disturbs the encoder less than from a random one (Kumar et al., 2022). The
penalty pulls towards the head there was before, so labels the base knows start from what it knew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

__all__ = ["fit_head"]

STEPS = 100
# Pull towards the head there was before, in rows' worth of loss. With 60 to 300 rows of other registers, known
# labels did best from 30 to 100; at 1, which suits a label without a past, they lost more than they learned.
PULL_KNOWN, PULL_NEW = 30.0, 1.0


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
