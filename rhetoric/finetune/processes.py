"""Several processes that train one model, started by `accelerate launch` or `torchrun`.

These say by environment variables who is who. The rows of a step are shared among the processes; the first one writes.
"""

from __future__ import annotations

import os
from typing import TypeVar, cast

from rhetoric.errors import InputError

__all__ = ["check_batch_size", "from_first", "is_first", "processes", "processes_here"]

T = TypeVar("T")


def processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_here() -> int:
    """How many of them share the cores of this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return os.environ.get("RANK", "0") == "0"


def check_batch_size(rows: int) -> None:
    """Refuses a step that cannot be shared evenly.

    Raises:
        InputError: The number of processes does not divide the rows of a step.
    """
    if rows % processes():
        raise InputError(
            f"batch_size={rows} cannot be shared evenly by {processes()} processes; remedy: --set batch_size="
            f"{(rows // processes() + 1) * processes()}"
        )


def from_first(value: T | None) -> T:
    """Hands the first process's value to all; called by all.

    Args:
        value: Of the first process; None in the others, which wait for it.
    """
    held: list[T | None] = [value]
    if processes() > 1:
        import torch

        torch.distributed.broadcast_object_list(held, src=0)
    return cast(T, held[0])
