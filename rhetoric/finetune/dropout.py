"""Dropout whose random numbers cost little on a processor.

PyTorch draws one number an element there, on one thread, which takes a quarter of a training step of a small
encoder. One random byte an element is enough, and eight of them come with each draw.
"""

from __future__ import annotations

import torch

__all__ = ["ByteDropout", "set_dropout"]

BYTES = 8  # of an int64
VALUES = 256  # of a byte


class ByteDropout(torch.nn.Module):
    """Drops elements with a probability that is a multiple of 1/256, and scales the others up for it.

    Args:
        share: Of the elements to drop, in [0, 1).
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.p: float = round(share * VALUES) / VALUES

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The values, any shape; in evaluation as they are."""
        if not self.training or not self.p:
            return values
        words = torch.empty(-(-values.numel() // BYTES), dtype=torch.int64, device=values.device)
        words.random_(torch.iinfo(torch.int64).min, None)
        kept = words.view(torch.uint8)[: values.numel()].view(values.shape) >= round(self.p * VALUES)
        return values * kept.to(values.dtype).mul_(1 / (1 - self.p))


def set_dropout(network: torch.nn.Module, share: float) -> None:
    """Puts `ByteDropout` of one share in the place of each dropout of a network."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, ByteDropout(share))
