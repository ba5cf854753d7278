"""The model a training run starts from: where it is, what labels it knows, and its network with a new head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.errors import InputError, ModelError
from rhetoric.model_folder import MANIFEST, LabelSpec, ModelFolder, Task, locate_model, read_model_folder, sha256

__all__ = ["Base", "check_architecture", "locate_base", "quiet"]


@dataclass(frozen=True, slots=True)
class Base:
    """A model to start from.

    Attributes:
        path: Its folder.
        folder: What it decides by, if it is a rhetoric model; None for a plain encoder, whose head is not used.
    """

    path: Path
    folder: ModelFolder | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels it knows; none for a plain encoder."""
        return self.folder.names if self.folder else ()

    @property
    def specs(self) -> dict[str, LabelSpec]:
        """What it decides each label by."""
        return {label.name: label for label in self.folder.labels} if self.folder else {}

    @property
    def digest(self) -> str:
        """Identifies it by what is in it, not by where it lies; empty if it has no safetensors, and cannot be used."""
        if self.folder:
            return self.folder.digest
        weights = self.path / "model.safetensors"
        return sha256(weights) if weights.is_file() else ""

    def network(
        self, labels: Sequence[str], task: Task, *, layers: int | None = None, activation: str | None = None
    ) -> tuple[Any, Any]:
        """The network with one output a label, in float32, and its tokenizer.

        Outputs of labels the base knows start from its own; the others start at random, so seed first.

        Args:
            labels: Names of the outputs.
            task: Several labels a text, or exactly one.
            layers: Keep so many of its layers, the first, the last and some between them; None for all.
            activation: Of its feed-forward networks from now on; None for what it was.

        Raises:
            ModelError: The folder holds no network that transformers can read from safetensors.
        """
        import torch
        from safetensors import safe_open
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

        names = dict(enumerate(labels))
        try:
            config = AutoConfig.from_pretrained(
                self.path,
                id2label=names,
                label2id={name: i for i, name in names.items()},
                problem_type=f"{task}_classification",
            )
            if activation is not None:
                config.hidden_act = activation
            # A head of another size is left out, by design: the report about it would only worry the reader.
            with quiet():
                model = AutoModelForSequenceClassification.from_pretrained(
                    self.path, config=config, ignore_mismatched_sizes=True, use_safetensors=True
                ).float()
                tokenizer = AutoTokenizer.from_pretrained(self.path)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{self.path} cannot be trained ({reason}); remedy: a folder with safetensors") from error
        for head in ("weight", "bias"):
            new = getattr(model.classifier, head)
            torch.nn.init.normal_(new, std=0.02) if new.dim() > 1 else torch.nn.init.zeros_(new)
        if self.folder is not None:
            with safe_open(self.path / "model.safetensors", framework="pt") as tensors, torch.no_grad():
                for head in ("weight", "bias"):
                    old, new = tensors.get_tensor(f"classifier.{head}").float(), getattr(model.classifier, head)
                    for i, name in names.items():
                        if name in self.labels:
                            new[i] = old[self.labels.index(name)]
        if layers is not None:
            every = model.bert.encoder.layer
            kept = np.linspace(0, len(every) - 1, layers).round().astype(int)
            model.bert.encoder.layer = torch.nn.ModuleList([every[i] for i in kept])
            model.config.num_hidden_layers = layers
        return model, tokenizer


def locate_base(model: str | Path | None) -> Base:
    """Finds the model to start from.

    Args:
        model: None for the bundled model, a folder, or a Hugging Face Hub id.

    Raises:
        ModelError: It is missing or damaged.
        InputError: It is of another architecture than the int8 graph is written for.
    """
    path = locate_model(model)
    if not (path / "config.json").is_file():
        raise ModelError(f"{path} holds no config.json; remedy: pass a transformers folder or a rhetoric model")
    return Base(path, read_model_folder(path) if (path / MANIFEST).is_file() else None)


def check_architecture(base: Base, max_tokens: int, layers: int | None) -> None:
    """Refuses, before hours of training, what could not be exported after them.

    Raises:
        InputError: It is no BERT with gelu or relu, reads fewer than `max_tokens` tokens, or has fewer than `layers`
            layers.
    """
    import json

    from rhetoric.finetune.export import bert_shape

    found = bert_shape(base.path).layers
    if layers is not None and layers > found:
        raise InputError(f"layers={layers}, but {base.path} has {found} layers; remedy: at most {found}")
    places = json.loads((base.path / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
    if places < max_tokens:
        raise InputError(f"max_tokens={max_tokens}, but {base.path} reads {places} tokens; remedy: at most {places}")


class quiet:
    """Silences transformers while in the block; what is worth knowing is said in our own words."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._before = logging.get_verbosity()
        self._bars = logging.is_progress_bar_enabled()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def __exit__(self, *error: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._before)
        if self._bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
