"""The float weights in torch, for CUDA devices; extra `[torch]`. Runs on Apple GPUs and processors too.

A batch is one ragged row of tokens: embeddings, matrix products and normalisations see no padding. Attention
runs on the ragged row where torch has a kernel for it (CUDA, half precision, torch >= 2.10), else on padded
sequences with a mask. The last layer is computed for the [CLS] position alone, the only one the classifier reads.
Written out instead of imported from transformers: it starts seconds sooner, and transformers pads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from rhetoric.batching import Batch, Logits
from rhetoric.engines.choice import Choice
from rhetoric.errors import ModelError, RhetoricError

__all__ = ["ENGINE", "TorchEngine"]

WEIGHTS_FILE = "model.safetensors"
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}


@dataclass(frozen=True, slots=True)
class Ragged:
    """Which tokens of a row belong together.

    Attributes:
        starts: int32 (sequences + 1,) on the device; where each sequence begins, and the end of the last.
        longest: Tokens of the longest sequence.
    """

    starts: Tensor
    longest: int


class TorchEngine:
    """Computes a `BertForSequenceClassification` from config.json and model.safetensors.

    Args:
        folder: A verified model folder.
        choice: Device, precision and token budget; on a processor also threads, which become the number of
            threads that torch uses in this process.

    Raises:
        ModelError: The folder holds another architecture, or its weights do not fit its config.
    """

    name = "torch"
    length_step = None
    # A device computes one batch at a time; on a processor torch itself uses several threads.
    workers = 1

    def __init__(self, folder: Path, choice: Choice) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config["model_type"] != "bert" or config["hidden_act"] not in ACTIVATIONS:
            raise ModelError(
                f"{folder} is a {config['model_type']!r} model with {config['hidden_act']!r} activation, the torch "
                f"engine computes BERT with {' or '.join(ACTIVATIONS)}; remedy: engine='onnx'"
            )
        self.token_budget: int = choice.token_budget
        self._device = torch.device(choice.device)
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._epsilon: float = config["layer_norm_eps"]
        self._activate = ACTIVATIONS[config["hidden_act"]]
        dtype: torch.dtype = getattr(torch, choice.precision)
        half_on_cuda = self._device.type == "cuda" and dtype != torch.float32
        self._varlen_attn = _varlen_attn() if half_on_cuda and _has_flash_attention(self._device) else None
        if self._device.type == "cpu":
            torch.set_num_threads(choice.threads)
        loaded = load_file(folder / WEIGHTS_FILE)
        try:
            weights = _prepare({name.removeprefix("bert."): value for name, value in loaded.items()}, self._layers)
        except KeyError as error:
            raise ModelError(
                f"{folder / WEIGHTS_FILE} has no tensor {error.args[0]!r} that config.json asks for; "
                "remedy: install or copy the model again"
            ) from error
        self._weights = {name: value.to(self._device, dtype) for name, value in weights.items()}
        self._largest = choice.token_budget  # halved when memory does not suffice
        self._lock = threading.Lock()

    def forward(self, batch: Batch) -> Tensor:
        """Logits (sequences, labels) of a batch, float32, still on the device.

        A batch for which memory does not suffice is computed in halves, and so are later ones of its size.

        Raises:
            RhetoricError: There is no room for a single sequence.
        """
        if len(batch.sequences) > 1 and len(batch.ids) > self._largest:
            return self._halves(batch)
        try:
            return self._compute(batch)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if len(batch.sequences) == 1:
                raise RhetoricError(
                    f"{self._device} has no memory left for one sequence of {len(batch.ids)} tokens; remedy: end what "
                    "else computes there, or device='cpu'"
                ) from error
        # Outside the handler: inside, the error would keep the tensors of the failed attempt alive.
        with self._lock:
            self._largest = min(self._largest, max(len(batch.ids) // 2, 1))
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return self._halves(batch)

    def to_host(self, results: Sequence[Tensor]) -> list[Logits]:
        """Copies the logits of several batches at once."""
        together: Logits = torch.cat(list(results)).cpu().numpy()
        return np.split(together, np.cumsum([len(result) for result in results])[:-1])

    def _halves(self, batch: Batch) -> Tensor:
        sequences = len(batch.sequences) // 2
        tokens = int(batch.lengths[:sequences].sum())
        first = Batch(batch.ids[:tokens], batch.lengths[:sequences], batch.sequences[:sequences])
        second = Batch(batch.ids[tokens:], batch.lengths[sequences:], batch.sequences[sequences:])
        return torch.cat([self.forward(first), self.forward(second)])

    @torch.inference_mode()
    def _compute(self, batch: Batch) -> Tensor:
        w = self._weights
        ids, tokens = self._to_device(batch)
        only = Ragged(torch.arange(len(batch.lengths) + 1, dtype=torch.int32, device=self._device), 1)
        firsts, lengths = tokens.starts[:-1], tokens.starts.diff()
        places = torch.arange(len(ids), device=self._device)
        places = places - firsts.repeat_interleave(lengths, output_size=len(ids))
        hidden = F.embedding(ids, w["words"]) + F.embedding(places, w["places"])
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        width = hidden.shape[1]
        for i in range(self._layers):
            layer = f"encoder.layer.{i}"
            weight, bias = w[f"{layer}.qkv.weight"], w[f"{layer}.qkv.bias"]
            if i < self._layers - 1:
                query, key, value = F.linear(hidden, weight, bias).chunk(3, dim=1)
                context = self._attend(query, key, value, tokens, tokens)
            else:
                key, value = F.linear(hidden, weight[width:], bias[width:]).chunk(2, dim=1)
                hidden = hidden[firsts]
                query = F.linear(hidden, weight[:width], bias[:width])
                context = self._attend(query, key, value, only, tokens)
            hidden = self._norm(
                hidden + self._linear(context, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm"
            )
            wide = self._activate(self._linear(hidden, f"{layer}.intermediate.dense"))
            hidden = self._norm(hidden + self._linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        pooled = torch.tanh(self._linear(hidden, "pooler.dense"))
        return self._linear(pooled, "classifier").float()

    def _to_device(self, batch: Batch) -> tuple[Tensor, Ragged]:
        """Ids (tokens,) and their bounds, in one copy that the device need not be waited for."""
        starts = np.concatenate(([0], np.cumsum(batch.lengths)))
        row = torch.from_numpy(np.concatenate((batch.ids, starts)).astype(np.int32))
        if self._device.type == "cuda":
            row = row.pin_memory()
        row = row.to(self._device, non_blocking=True)
        return row[: len(batch.ids)], Ragged(row[len(batch.ids) :], int(batch.lengths.max()))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, asking: Ragged, asked: Ragged) -> Tensor:
        """Attention of each sequence to itself; values are (tokens, hidden)."""
        query, key, value = (x.view(len(x), self._heads, -1) for x in (query, key, value))
        if self._varlen_attn is None:
            context = padded_attention(query, key, value, asking, asked)
        else:
            context = self._varlen_attn(query, key, value, asking.starts, asked.starts, asking.longest, asked.longest)
        return context.flatten(1)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, self._epsilon)


def padded_attention(query: Tensor, key: Tensor, value: Tensor, asking: Ragged, asked: Ragged) -> Tensor:
    """What `varlen_attn` computes, where there is no kernel for it: on padded sequences with a mask.

    Args:
        query: (tokens that ask, heads, width).
        key: (tokens, heads, width).
        value: (tokens, heads, width).
        asking: Bounds of the sequences in `query`.
        asked: Bounds of the sequences in `key` and `value`.

    Returns:
        Context (tokens that ask, heads, width).
    """
    present, mask = _present(asking), _present(asked)

    def pad(x: Tensor, where: Tensor) -> Tensor:
        full = x.new_zeros(*where.shape, *x.shape[1:])
        full[where] = x
        return full.transpose(1, 2)

    context = F.scaled_dot_product_attention(
        pad(query, present), pad(key, mask), pad(value, mask), attn_mask=mask[:, None, None, :]
    )
    return context.transpose(1, 2)[present]


def _present(tokens: Ragged) -> Tensor:
    """Which places of the padded (sequences, longest) hold a token."""
    return torch.arange(tokens.longest, device=tokens.starts.device) < tokens.starts.diff()[:, None]


def _is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has an error of its own for it, MPS only words."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)


def _has_flash_attention(device: torch.device) -> bool:
    """What `varlen_attn` calls refuses devices before Ampere (compute capability 8.0)."""
    return torch.cuda.get_device_capability(device) >= (8, 0)


def _varlen_attn() -> Callable[..., Tensor] | None:
    """Torch's attention for ragged rows; None before torch 2.10."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return cast(Callable[..., Tensor], varlen_attn)


def _prepare(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The tensors that are used, with query, key and value side by side and the one segment added to the places."""
    embeddings = "embeddings.{}_embeddings.weight"
    ready = {
        "words": weights[embeddings.format("word")],
        "places": weights[embeddings.format("position")].float() + weights[embeddings.format("token_type")][0].float(),
    }
    kept = ["embeddings.LayerNorm", "pooler.dense", "classifier"]
    for i in range(layers):
        layer = f"encoder.layer.{i}"
        kept += [
            f"{layer}.{part}"
            for part in (
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            )
        ]
        for kind in ("weight", "bias"):
            parts = [weights[f"{layer}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ready[f"{layer}.qkv.{kind}"] = torch.cat(parts)
    return ready | {f"{name}.{kind}": weights[f"{name}.{kind}"] for name in kept for kind in ("weight", "bias")}


ENGINE = TorchEngine
