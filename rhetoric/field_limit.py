"""How long a field of a CSV may be: a setting of the whole process, so changed by one thread at a time and put back."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["field_limit"]

_LOCK = threading.Lock()


@contextmanager
def field_limit(characters: int) -> Iterator[None]:
    """Lets the csv module read fields of so many characters within the block; others wait, so it is to be short.

    Args:
        characters: The longest field.
    """
    with _LOCK:
        before = csv.field_size_limit(characters)
        try:
            yield
        finally:
            csv.field_size_limit(before)
