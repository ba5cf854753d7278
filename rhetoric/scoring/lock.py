"""One job an output: a lock of the operating system, which dies with its process, whatever it died of."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rhetoric.errors import JobError

__all__ = ["locked"]

# What the systems say of a lock that another process holds.
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(file: Path, what: str) -> Iterator[None]:
    """Holds a lock file.

    Args:
        file: The lock file; made if it is not there.
        what: What is locked, for the message.

    Raises:
        JobError: Another process holds it, or the file system has no locks.
        OSError: The file cannot be made.
    """
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in HELD:
                raise JobError(
                    f"another job is writing {what}; remedy: wait for it, or choose another output"
                ) from None
            raise JobError(
                f"the file system of {file.parent} cannot lock files ({error.strerror}); remedy: an output on a local "
                "disk, and copy it afterwards"
            ) from error
        # The holder before us may have removed the file while we waited to open it: then ours locks nothing.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                break
        os.close(descriptor)
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        os.close(descriptor)
