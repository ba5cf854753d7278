"""Every error this library raises on purpose.

RhetoricError
├── InputError      bad texts, rows or options from the caller   (also a ValueError; exit code 2)
├── ModelError      a model folder is missing, damaged or wrong  (also an OSError; exit code 1)
├── ExtraError      an optional dependency is not installed      (also an ImportError; exit code 1)
└── JobError        a scoring or training job cannot go on       (also a RuntimeError; exit code 1)

A message says what, where, the value found, and the remedy, on one line.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["ExtraError", "InputError", "JobError", "ModelError", "RhetoricError", "require"]


class RhetoricError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line exits with."""

    exit_code = 1


class InputError(RhetoricError, ValueError):
    """The caller's text, row, file or option is unusable as given."""

    exit_code = 2


class ModelError(RhetoricError, OSError):
    """A model folder is missing, incomplete, damaged, or of another kind than asked for."""


class ExtraError(RhetoricError, ImportError):
    """A feature needs an optional dependency that is not installed."""


class JobError(RhetoricError, RuntimeError):
    """A long job cannot start or go on; what was finished stays on disk."""


def require(module: str, *, extra: str) -> ModuleType:
    """Imports an optional module, or says which extra brings it.

    Args:
        module: Dotted name of the module to import.
        extra: The extra of this distribution that installs it.

    Returns:
        The imported module.

    Raises:
        ExtraError: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise ExtraError(
            f"this needs the package {module.split('.')[0]!r}, which is not installed; "
            f"remedy: pip install 'diplomatic-rhetoric[{extra}]'"
        ) from None
