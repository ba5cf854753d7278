"""What a model on disk is: a plain transformers folder, an ONNX graph, and `rhetoric.json`.

`rhetoric.json` holds what transformers has no place for: thresholds, calibration, abstain bands, how the model
was trained, and the SHA-256 of every other file, which is checked on every load, so a damaged or mixed-up folder
is named instead of giving wrong scores. The card alone may change: whoever trained the model is asked to complete it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rhetoric.errors import ModelError

__all__ = ["BUNDLED", "LabelSpec", "ModelFolder", "locate_model", "read_model_folder", "sha256", "write_manifest"]

FORMAT = 1
MANIFEST = "rhetoric.json"
ONNX_FILE = "onnx/model_int8.onnx"
BASE_FILES = ("config.json", "model.safetensors", "tokenizer.json")
CARD = "README.md"
BUNDLED = Path(__file__).parent / "models" / "default"

Task = Literal["multi_label", "single_label"]


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """How one output of the network becomes a decision.

    Attributes:
        name: The label.
        threshold: Calibrated probability from which the label is given.
        slope: Positive factor of the logit (Platt scaling; one shared temperature for single-label tasks).
        intercept: Added to the scaled logit.
        abstain: Calibrated probabilities (low, high) between which the label is reported as uncertain.
    """

    name: str
    threshold: float
    slope: float
    intercept: float
    abstain: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A verified model folder.

    Attributes:
        path: The folder.
        task: "multi_label" (sigmoid a label) or "single_label" (softmax over labels).
        labels: One entry an output of the network, in the network's order.
        max_tokens: Longest sequence scored at once, special tokens included; longer texts are windowed.
        training: How the model was made (data hashes, settings, versions, metrics).
        digest: SHA-256 over the hashes of all files; identifies the model.
    """

    path: Path
    task: Task
    labels: tuple[LabelSpec, ...]
    max_tokens: int
    training: Mapping[str, Any] = field(repr=False)
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in the network's order."""
        return tuple(label.name for label in self.labels)

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Calibrated probabilities, same shape (n, labels) as the logits, each row on its own.

        Platt, "Probabilistic outputs for support vector machines" (1999); Guo et al., "On calibration of
        modern neural networks" (2017) for the shared temperature of single-label tasks.
        """
        slope = np.array([label.slope for label in self.labels], np.float32)
        intercept = np.array([label.intercept for label in self.labels], np.float32)
        scaled = logits * slope + intercept
        if self.task == "single_label":
            exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
            return np.asarray(exponent / exponent.sum(axis=1, keepdims=True), np.float32)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scaled, -60, 60))), np.float32)


def locate_model(model: str | Path | None) -> Path:
    """Finds the folder of a model.

    Args:
        model: None or "bundled" for the bundled model, a folder, or a Hugging Face Hub id `owner/name` (optionally
            `owner/name@revision`), which is the only case in which anything is downloaded, and only once: what the
            cache of `huggingface_hub` holds is taken as it is.

    Returns:
        Path of the folder.

    Raises:
        ModelError: There is no such folder, or the Hub does not deliver it.
    """
    if model is None:
        return BUNDLED
    path = Path(model)
    if path.is_dir():
        return path
    if model == "bundled":
        return BUNDLED
    if path.exists():
        raise ModelError(f"{path} is a file, not a model folder; remedy: pass the folder that holds {MANIFEST}")
    name = str(model)
    if isinstance(model, Path) or name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModelError(f"no model folder at {name!r}; remedy: check the path, or leave it out for the bundled model")
    return _from_hub(name)


def _from_hub(name: str) -> Path:
    """The snapshot of a Hub model in the cache; what is whole there is taken without asking the network."""
    from huggingface_hub import snapshot_download

    hub_id, _, revision = name.partition("@")
    try:
        cached = Path(snapshot_download(hub_id, revision=revision or None, local_files_only=True))
        if _is_whole(cached):
            return cached
    except Exception:  # not in the cache, which the library says in one way or another, by its version
        pass
    try:
        return Path(snapshot_download(hub_id, revision=revision or None))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{name!r} is no folder here and could not be fetched from the Hugging Face Hub ({reason}); "
            "remedy: check the spelling and the network, or pass a local folder"
        ) from error


def _is_whole(folder: Path) -> bool:
    """Whether a download came to its end, as far as `rhetoric.json` tells; a base model has none."""
    manifest = folder / MANIFEST
    names = json.loads(manifest.read_text(encoding="utf-8"))["files"] if manifest.is_file() else BASE_FILES
    return all((folder / name).is_file() for name in names)


def read_model_folder(path: Path) -> ModelFolder:
    """Reads `rhetoric.json` and checks every file it lists.

    Args:
        path: The model folder.

    Returns:
        The verified folder.

    Raises:
        ModelError: The manifest is missing or malformed, or a file is missing or differs from its SHA-256;
            the message names the file.
    """
    manifest_path = path / MANIFEST
    if not manifest_path.is_file():
        raise ModelError(
            f"{path} holds no {MANIFEST}, so it is not a rhetoric model; remedy: pass a folder written by "
            "`rhetoric train`, or use this one as `rhetoric train --base`"
        )
    try:
        raw = json.loads(manifest_path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ModelError(
                f"{manifest_path} has format {raw['format']!r}, this version reads format {FORMAT}; "
                "remedy: update the package, or retrain the model"
            )
        labels = tuple(_label(entry) for entry in raw["labels"])
        files: dict[str, dict[str, Any]] = raw["files"]
        task, max_tokens, training = raw["task"], int(raw["max_tokens"]), raw["training"]
        _check_rules(task, labels, max_tokens, files)
    except ModelError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{manifest_path} is damaged ({error!r}); remedy: install or copy the model again") from error
    for name, expected in files.items():
        if name != CARD:
            _check_file(path / name, expected)
    outputs = json.loads((path / "config.json").read_text(encoding="utf-8")).get("id2label", labels)
    if len(outputs) != len(labels):
        raise ModelError(
            f"{manifest_path} names {len(labels)} labels, the network of {path / 'config.json'} has {len(outputs)} "
            "outputs; remedy: install or copy the model again"
        )
    digest = hashlib.sha256("".join(files[name]["sha256"] for name in sorted(files)).encode())
    digest.update(json.dumps(raw["labels"], sort_keys=True).encode())
    return ModelFolder(path, task, labels, max_tokens, training, digest.hexdigest())


def _label(entry: Mapping[str, Any]) -> LabelSpec:
    low, high = entry["abstain"]
    numbers = {name: float(entry[name]) for name in ("threshold", "slope", "intercept")}
    label = LabelSpec(name=str(entry["name"]), **numbers, abstain=(float(low), float(high)))
    if not (0 <= label.threshold <= 1 and label.slope > 0 and 0 <= low <= high <= 1):
        raise ValueError(f"label {label.name!r} has impossible numbers")
    return label


def _check_rules(task: str, labels: Sequence[LabelSpec], max_tokens: int, files: Mapping[str, Any]) -> None:
    """Raises ValueError where `rhetoric.json` says what cannot be."""
    if task not in ("multi_label", "single_label"):
        raise ValueError(f"task {task!r}")
    if not labels or len({label.name for label in labels}) < len(labels):
        raise ValueError(f"{len(labels)} labels, {len({label.name for label in labels})} names")
    if max_tokens < 3:  # two of them are special
        raise ValueError(f"max_tokens {max_tokens}")
    if unlisted := [name for name in BASE_FILES if name not in files]:
        raise ValueError(f"no SHA-256 of {', '.join(unlisted)}")


def write_manifest(
    path: Path,
    *,
    task: Task,
    labels: Sequence[LabelSpec],
    max_tokens: int,
    taxonomy_version: str | None,
    training: Mapping[str, Any],
) -> None:
    """Writes `rhetoric.json` over all files now in the folder; call it last.

    Args:
        path: The model folder, with every other file in place.
        task: "multi_label" or "single_label".
        labels: One entry an output of the network.
        max_tokens: Longest sequence scored at once, special tokens included.
        taxonomy_version: Version of the taxonomy the labels come from; None for labels of the user's own.
        training: How the model was made; plain JSON values.
    """
    names = sorted(str(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file())
    files = {
        name: {"sha256": sha256(path / name), "bytes": (path / name).stat().st_size}
        for name in names
        if name != MANIFEST
    }
    content = {
        "format": FORMAT,
        "task": task,
        "taxonomy_version": taxonomy_version,
        "max_tokens": max_tokens,
        "labels": [asdict(label) for label in labels],
        "training": dict(training),
        "files": files,
    }
    (path / MANIFEST).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _check_file(file: Path, expected: Mapping[str, Any]) -> None:
    remedy = "remedy: install or copy the model again"
    try:
        size = file.stat().st_size
        actual = sha256(file) if size == expected["bytes"] else ""
    except PermissionError as error:
        raise ModelError(f"model file {file} cannot be read; remedy: ask its owner to let you read it") from error
    except OSError as error:
        raise ModelError(f"model file {file} cannot be read ({error.strerror}); {remedy}") from error
    if size != expected["bytes"]:
        raise ModelError(f"model file {file} is damaged: {size} bytes, expected {expected['bytes']}; {remedy}")
    if actual != expected["sha256"]:
        raise ModelError(f"model file {file} is damaged: its SHA-256 is not the one in {MANIFEST}; {remedy}")


def sha256(file: Path) -> str:
    """Hex digest of a file of any size."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
