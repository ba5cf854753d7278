"""A transformers Trainer whose checkpoints are safetensors and JSON.

The Trainer writes optimizer, scheduler, random state and arguments with pickle, which runs code when it is read;
here the same state is written as tensors and numbers. A checkpoint's last file is `trainer_state.json`, so one
that lacks it, or holds half of it, was cut off by a kill and is passed over.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import Trainer

__all__ = ["PlainTrainer", "last_checkpoint"]

TENSORS, NUMBERS = "optimizer.safetensors", "optimizer.json"
RANDOM = "random.safetensors"


class PlainTrainer(Trainer):
    """The Trainer without pickle; of several processes the first writes, and all read."""

    model: Any
    optimizer: Any
    lr_scheduler: Any

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Writes the network alone."""
        if self.args.should_save:
            self.model.save_pretrained(output_dir or self.args.output_dir, state_dict=state_dict)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.args.should_save:
            return
        optimizer = self.optimizer.state_dict()
        tensors = {
            f"{parameter}.{name}": value.contiguous()
            for parameter, values in optimizer["state"].items()
            for name, value in values.items()
        }
        numbers = {"groups": optimizer["param_groups"], "scheduler": self.lr_scheduler.state_dict()}
        save_file(tensors, Path(output_dir) / TENSORS)
        (Path(output_dir) / NUMBERS).write_text(json.dumps(numbers), encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        numbers = json.loads((Path(checkpoint) / NUMBERS).read_text(encoding="utf-8"))
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in load_file(Path(checkpoint) / TENSORS).items():
            parameter, name = key.split(".", 1)
            state.setdefault(int(parameter), {})[name] = value
        self.optimizer.load_state_dict({"state": state, "param_groups": numbers["groups"]})
        self.lr_scheduler.load_state_dict(numbers["scheduler"])

    def _save_rng_state(self, output_dir: str) -> None:
        if not self.args.should_save:
            return
        # Dropout is the only thing drawn while training; the order of the rows follows from seed and epoch.
        state = {"cpu": torch.random.get_rng_state()}
        if torch.cuda.is_available():
            state["cuda"] = torch.cuda.random.get_rng_state()
        save_file(state, Path(output_dir) / RANDOM)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        state = load_file(Path(checkpoint) / RANDOM)
        torch.random.set_rng_state(state["cpu"])
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.random.set_rng_state(state["cuda"])


def last_checkpoint(work: Path) -> Path | None:
    """Newest checkpoint that was written to its end, or None."""
    found = sorted(work.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]), reverse=True)
    for folder in found:
        try:
            json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return folder
    return None
