"""Settings of a training run: a frozen dataclass, read from YAML, changed one key at a time on the command line.

The defaults are the recipe of the bundled model. `configs/default.yaml` documents each field.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from rhetoric.errors import InputError, require
from rhetoric.model_folder import Task

__all__ = ["Activation", "TrainConfig", "read_config"]

Activation = Literal["gelu", "relu"]  # what the int8 graph is written for
Freeze = Literal["words", "encoder", "nothing"]
PositiveWeight = Literal["sqrt", "none"]
Precision = Literal["auto", "bf16", "fp32"]
Device = Literal["auto", "cpu"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides what a training run makes of its data.

    Attributes:
        base: Model to start from: a folder or a Hub id; None for the bundled model.
        layers: Keep so many of the base's layers, for a smaller and faster model; None for all.
        activation: Of the feed-forward networks; with "relu" the int8 graph is a quarter faster than with "gelu", but a
            base that had another has to learn anew, from many rows. None for that of the base.
        task: "multi_label" (each label on its own) or "single_label" (exactly one class a row, softmax).
        labels: The labels and their order; None to take those of the base, or of the data if they share none.
        extend: Add the labels the base does not know behind its own, keeping its heads.
        text_column: Column of the text; None for "text" or "sentence".
        label_column: Column of the labels, or several 0/1 columns separated by commas; None for "labels" or
            "label", or else every column that holds only 0 and 1.
        borderline_column: Column of labels that careful readers split on; None for "borderline", if there.
        group_column: Column of what must not be split between training and dev rows; None for "group",
            "document", "document_id" or "doc_id", if there.
        soft_column: Column of mappings from label to a target in [0, 1], for distillation; None for none.
        dev_share: Share of the rows held out to stop, calibrate and measure, if no dev file is given.
        members: Trainings from the same start, seeds one after the other, whose mean the model is.
        seed: Of the split, the order of the rows, dropout and new heads.
        epochs: Passes over the rows at most.
        batch_size: Rows in a step.
        learning_rate: Peak of a linear schedule.
        warmup_share: Share of the steps in which the learning rate rises.
        weight_decay: AdamW's, on matrices only.
        dropout: Share of activations dropped in training, to the nearest 1/256.
        max_gradient_norm: Longer gradients are shortened to this.
        positive_weight: "sqrt" weighs a label's positives by the root of its odds; "none" by 1.
        borderline_target: Target of borderline cells, which are left out of evaluation.
        freeze: "words" keeps the word embeddings as they are, "encoder" trains only the head, "nothing" all.
        max_tokens: Longest sequence, its two special tokens included.
        precision: Of the matrix products while training; "auto" takes bf16 where the hardware has it.
        device: "auto" takes a GPU if there is one.
        evaluations_per_epoch: Evaluations, and checkpoints, in an epoch.
        patience: Evaluations without a better macro F1 after which training stops; 0 for never.
        few_rows: Below this many training rows the head is fitted on frozen embeddings first.
        max_f1_loss: F1 a label may lose in int8, beyond what one dev row is worth, before layers stay in float.
        report_to: Integrations of the transformers Trainer, for example "tensorboard" or "wandb".
    """

    base: str | None = None
    layers: int | None = None
    activation: Activation | None = None
    task: Task = "multi_label"
    labels: tuple[str, ...] | None = None
    extend: bool = False
    text_column: str | None = None
    label_column: str | None = None
    borderline_column: str | None = None
    group_column: str | None = None
    soft_column: str | None = None
    dev_share: float = 0.15
    members: int = 1
    seed: int = 0
    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 2e-4
    warmup_share: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    max_gradient_norm: float = 1.0
    positive_weight: PositiveWeight = "sqrt"
    borderline_target: float = 0.4
    freeze: Freeze = "words"
    max_tokens: int = 128
    precision: Precision = "auto"
    device: Device = "auto"
    evaluations_per_epoch: int = 1
    patience: int = 3
    few_rows: int = 200
    max_f1_loss: float = 0.005
    report_to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        hints = get_type_hints(TrainConfig)
        for item in fields(self):
            value = _checked(item.name, getattr(self, item.name), hints[item.name])
            object.__setattr__(self, item.name, value)
            low, high = _RANGES.get(item.name, (None, None))
            if low is not None and value is not None and not low <= value <= high:
                raise InputError(f"{item.name}={value} is not possible; remedy: a number from {low} to {high}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for JSON and YAML."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def not_default(self) -> dict[str, Any]:
        """The settings that differ from the defaults, as `to_dict` has them."""
        default = TrainConfig().to_dict()
        return {name: value for name, value in self.to_dict().items() if value != default[name]}

    def to_yaml(self) -> str:
        """YAML that `read_config` turns back into this config."""
        yaml = require("yaml", extra="train")
        text: str = yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)
        return text

    def changed(self, settings: Mapping[str, Any]) -> TrainConfig:
        """A copy with other values.

        Raises:
            InputError: A key is unknown (the nearest known one is suggested) or a value is impossible.
        """
        known = [item.name for item in fields(self)]
        for key in settings:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"remedy: one of {', '.join(known)}"
                raise InputError(f"unknown setting {key!r}; {hint}")
        return replace(self, **settings)


_BIG = 1_000_000_000
_RANGES: dict[str, tuple[float, float]] = {
    "layers": (1, _BIG),
    "dev_share": (0.01, 0.9),
    "members": (1, 100),
    "seed": (0, 2**32 - 1),
    "epochs": (1, _BIG),
    "batch_size": (1, _BIG),
    "learning_rate": (1e-9, 1.0),
    "warmup_share": (0.0, 1.0),
    "weight_decay": (0.0, 10.0),
    "dropout": (0.0, 0.9),
    "max_gradient_norm": (1e-6, 1e6),
    "borderline_target": (0.0, 1.0),
    "max_tokens": (8, _BIG),
    "evaluations_per_epoch": (1, _BIG),
    "patience": (0, _BIG),
    "few_rows": (0, _BIG),
    "max_f1_loss": (0.0, 1.0),
}


def read_config(path: str | Path | None = None, settings: Iterable[str] = ()) -> TrainConfig:
    """Reads a config file and applies settings from the command line.

    Args:
        path: YAML file with some of the fields; None for the defaults.
        settings: Strings `key=value`; the value is read as YAML.

    Returns:
        The config.

    Raises:
        InputError: The file is missing or no YAML mapping, a key is unknown, or a value is impossible.
    """
    config = TrainConfig()
    if path is not None:
        yaml = require("yaml", extra="train")
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"config {path} cannot be read ({reason}); remedy: a YAML file of settings") from None
        if not isinstance(content, dict):
            raise InputError(f"config {path} is no mapping of settings; remedy: lines like `epochs: 8`")
        try:
            config = config.changed(content)
        except InputError as error:
            raise InputError(f"config {path}: {error}") from None
    return config.changed(dict(_parse_setting(setting) for setting in settings))


def _parse_setting(setting: str) -> tuple[str, Any]:
    key, equals, value = setting.partition("=")
    if not equals:
        raise InputError(f"--set {setting!r} has no value; remedy: key=value, for example --set epochs=4")
    yaml = require("yaml", extra="train")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {setting!r} cannot be read as YAML; remedy: quote the value") from None


def _checked(name: str, value: Any, hint: Any) -> Any:
    """The value as the field's type has it; numbers and sequences as YAML writes them are converted."""
    if type(None) in get_args(hint):
        if value is None:
            return None
        (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise InputError(f"{name}={value!r} is not possible; remedy: one of {', '.join(get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if isinstance(items, (list, tuple)) and all(isinstance(item, str) for item in items):
            cleaned = tuple(item.strip() for item in items if item.strip())
            if len(set(cleaned)) == len(cleaned):
                return cleaned
        raise InputError(f"{name}={value!r} is not possible; remedy: a list of distinct names")
    if hint is float and not isinstance(value, bool):
        try:  # YAML 1.1 reads 2e-4 as text
            return float(value)
        except (TypeError, ValueError):
            pass
    if type(value) is not hint:
        raise InputError(f"{name}={value!r} is {type(value).__name__}; remedy: a value of type {hint.__name__}")
    return value
