"""What a network says of token ids, and a folder's float weights of texts: no training, no dropout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rhetoric.finetune.base import quiet

__all__ = ["embed", "float_logits", "logits", "padded"]

BATCH = 64


def float_logits(folder: Path, texts: Sequence[str], max_tokens: int) -> npt.NDArray[np.float32]:
    """Logits (texts, labels) of the float weights of a transformers folder, long texts cut as in training."""
    with quiet():
        network = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True).float()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    return logits(network, ids, tokenizer.pad_token_id)


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
