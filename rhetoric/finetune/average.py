"""One network from several that started from the same weights: the mean of their weights.

Fine-tunings of one base that differ in the order of their rows lie in one basin; the mean of their weights is mostly
better on new text than each of them, and costs nothing when it is used (Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

WEIGHTS = "model.safetensors"


def average(folders: Sequence[Path], out: Path) -> Path:
    """Copies the first transformers folder and puts the mean of all weights in it.

    Args:
        folders: Transformers folders of one architecture, fine-tuned from one base.
        out: Folder to write; replaced if it is there.

    Returns:
        `out`.

    Raises:
        ValueError: The folders hold different tensors.
    """
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folders[0], out)
    networks = [load_file(folder / WEIGHTS) for folder in folders]
    for folder, network in zip(folders, networks, strict=True):
        if {name: t.shape for name, t in network.items()} != {name: t.shape for name, t in networks[0].items()}:
            raise ValueError(f"{folder} holds other tensors than {folders[0]}")
    mean = {
        name: np.mean([network[name] for network in networks], axis=0, dtype=np.float64).astype(tensor.dtype)
        for name, tensor in networks[0].items()
    }
    save_file(mean, out / WEIGHTS, metadata={"format": "pt"})
    shutil.copymode(out / "config.json", out / WEIGHTS)  # safetensors lets the owner alone read it
    return out
