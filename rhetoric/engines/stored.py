"""Remembers what `rhetoric bench` measured on this machine for a model, in the user's cache folder.

An entry counts for one processor, number of threads, set of library versions and model; anything else is another
entry. A cache that cannot be read or written is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rhetoric.machine import processor
from rhetoric.model_folder import MANIFEST

__all__ = ["Measured", "cache_file", "recall", "remember"]

PACKAGES = ("onnxruntime", "openvino")
KEPT = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """The fastest setting found.

    Attributes:
        engine: "onnx" or "openvino".
        token_budget: Word pieces in a batch.
        tokens_per_second: How fast it was.
    """

    engine: str
    token_budget: int
    tokens_per_second: float


def cache_file() -> Path:
    """Where measurements are kept: `$RHETORIC_CACHE`, or the user's cache folder."""
    if own := os.environ.get("RHETORIC_CACHE"):
        return Path(own) / "engines.json"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path("~\\AppData\\Local").expanduser())
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches").expanduser()
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return base / "rhetoric" / "engines.json"


def recall(folder: Path, threads: int) -> Measured | None:
    """What was measured for a model on this machine; None if nothing was, or it cannot be read.

    Args:
        folder: The model folder.
        threads: Threads to compute with.
    """
    try:
        content = _read()
        if not content:  # the usual case: what the key is made of need not be looked up
            return None
        entry = content[_key(folder, threads)]
        measured = Measured(str(entry["engine"]), int(entry["token_budget"]), float(entry["tokens_per_second"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None
    return measured if measured.engine in ("onnx", "openvino") and measured.token_budget > 0 else None


def remember(folder: Path, threads: int, measured: Measured) -> bool:
    """Keeps a measurement for later loads.

    Args:
        folder: The model folder.
        threads: Threads it was measured with.
        measured: The fastest setting.

    Returns:
        Whether it could be written.
    """
    try:
        content = _read()
    except (OSError, ValueError, TypeError, RuntimeError):
        content = {}
    try:
        file, key = cache_file(), _key(folder, threads)
        content.pop(key, None)
        content = dict([*content.items(), (key, asdict(measured))][-KEPT:])
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")
        part.replace(file)
    except (OSError, RuntimeError):
        return False
    return True


def _read() -> dict[str, Any]:
    content = json.loads(cache_file().read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError(type(content).__name__)
    return content


def _key(folder: Path, threads: int) -> str:
    """Identifies machine and model: the manifest holds the hash of every file of the model."""
    from importlib import metadata

    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    chip = processor()
    model = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    described = "\n".join([chip.model, *chip.flags, str(threads), *versions, model])
    return hashlib.sha256(described.encode()).hexdigest()
