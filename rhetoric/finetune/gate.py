"""Exports the int8 graph and lets it pass only if no label loses by it.

The logits that decide what a model ships with are those of the graph it ships with, so calibration and
thresholds are fitted on int8 logits, and compared with what the float weights would have reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.batching import encode_window
from rhetoric.engines import load_engine
from rhetoric.errors import JobError
from rhetoric.finetune.calibration import calibrate, decide, probabilities
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.export import Parity, bert_shape, export_onnx
from rhetoric.finetune.graph import matmul_names
from rhetoric.finetune.metrics import f1
from rhetoric.model_folder import LabelSpec
from rhetoric.runner import run_windows

__all__ = ["Gate", "export_gated", "int8_logits"]

Logits = npt.NDArray[np.float32]

SCALE_TEXTS = 600
PARITY_TEXTS = 500


@dataclass(frozen=True, slots=True)
class Gate:
    """What int8 costs.

    Attributes:
        parity: Difference of the logits.
        f1_float: F1 of each label with the float weights, thresholds fitted to them.
        f1_int8: F1 of each label with the int8 graph, thresholds fitted to it.
    """

    parity: Parity
    f1_float: Mapping[str, float]
    f1_int8: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


def export_gated(
    folder: Path, train: LabelledData, dev: LabelledData, float_logits: Logits, config: TrainConfig
) -> tuple[Gate, Logits]:
    """Writes the int8 graph, keeping as many layers in float as it takes.

    Args:
        folder: Transformers folder just trained.
        train: Its rows set the activation scales.
        dev: Its rows are what the gate is measured on.
        float_logits: (dev rows, L) of the float weights.
        config: Gives the F1 a label may lose.

    Returns:
        What int8 costs, and the int8 logits of the dev rows.

    Raises:
        JobError: A label loses too much even with every layer in float.
    """
    names = matmul_names(bert_shape(folder))
    # the second product of a feed-forward block has by far the widest inputs, so it is the first to go
    ladder: tuple[Sequence[str], ...] = ((), [name for name in names if name.endswith(".narrow")], names)
    rng = np.random.default_rng(config.seed)
    scale_texts = _sample(train.texts, SCALE_TEXTS, rng)
    parity_texts = _sample(dev.texts, PARITY_TEXTS, rng)
    float_specs = _specs(dev, float_logits, config)
    before = _f1(dev, float_logits, float_specs, config)
    # F1 moves by about this much if one row falls the other way
    allowed = config.max_f1_loss + 1 / np.maximum((dev.gold & dev.mask).sum(axis=0), 1)
    for float_layers in ladder:
        parity = export_onnx(
            folder,
            calibration_texts=scale_texts,
            parity_texts=parity_texts,
            max_tokens=config.max_tokens,
            float_layers=float_layers,
        )
        logits = int8_logits(folder, dev.texts, len(dev.labels), config.max_tokens)
        after = _f1(dev, logits, _specs(dev, logits, config), config)
        # Thresholds fitted anew move by chance, so what is lost is lost at those of the float weights too.
        lost = before - np.maximum(after, _f1(dev, logits, float_specs, config))
        if (lost <= allowed).all():
            figures = (dict(zip(dev.labels, values.round(4).tolist(), strict=True)) for values in (before, after))
            return Gate(parity, *figures), logits
    worst = int(np.argmax(lost - allowed))
    raise JobError(
        f"in int8 label {dev.labels[worst]!r} loses {lost[worst]:.3f} F1, {allowed[worst]:.3f} are "
        "allowed; remedy: more dev rows of it, or a larger max_f1_loss"
    )


def int8_logits(folder: Path, texts: Sequence[str], n_labels: int, max_tokens: int) -> Logits:
    """Logits (texts, labels) of the folder's int8 graph, long texts cut as in training."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    first, last = tokenizer.encode("").ids
    window = encode_window(tokenizer, texts, max_tokens=max_tokens, on_long="truncate", special=(first, last))
    engine = load_engine(folder, engine="onnx", threads=None)
    ((_, logits),) = run_windows(engine, [window], n_labels=n_labels, token_budget=engine.token_budget)
    return logits[window.text_of_row]


def _specs(dev: LabelledData, logits: Logits, config: TrainConfig) -> tuple[LabelSpec, ...]:
    return calibrate(dev.labels, logits, dev.gold, dev.mask, task=config.task)


def _f1(dev: LabelledData, logits: Logits, specs: Sequence[LabelSpec], config: TrainConfig) -> npt.NDArray[np.float64]:
    return f1(dev.gold, decide(probabilities(logits, specs, config.task), specs, config.task), dev.mask)


def _sample(texts: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    return [texts[i] for i in rng.permutation(len(texts))[:count]]
