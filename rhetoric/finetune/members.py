"""Several trainings from one base that differ in the order of their rows, and the mean of their weights.

One training is a draw among many; the mean of a few is mostly better on new text than each of them, and as fast to use
as one (Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from rhetoric.finetune.average import average
from rhetoric.finetune.base import Base
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData
from rhetoric.finetune.forward import float_logits
from rhetoric.finetune.processes import is_first
from rhetoric.finetune.trainer import Fitted, Progress, dev_metric, fit
from rhetoric.finetune.workspace import FITTED

__all__ = ["fit_members"]

LOGITS, NETWORK = "dev_logits.npy", "network"


def fit_members(
    base: Base,
    train: LabelledData,
    dev: LabelledData,
    config: TrainConfig,
    *,
    work: Path,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
) -> Fitted:
    """Trains `config.members` networks and writes the mean of their weights.

    Where the mean does worse on dev rows than each member, which happens if they went different ways, the best member
    is written instead.

    Args:
        base: Model to start from.
        train: Rows to learn from.
        dev: Rows to stop and choose by.
        config: The settings; the seeds of the members follow on its seed.
        work: Folder for checkpoints.
        out: Folder the network and its tokenizer are written to.
        resume: Go on where a killed run stopped.
        progress: Called with step, number of steps of all members, and what was measured.

    Returns:
        The logits of the dev rows, and how it went.
    """
    if config.members == 1:
        return fit(base, train, dev, config, work=work, out=out, resume=resume, progress=progress)
    found, folders = [], [work / f"member-{number}" for number in range(config.members)]
    for number, folder in enumerate(folders):
        own = replace(config, seed=config.seed + number)
        found.append(_member(base, train, dev, own, folder, resume, _shared(progress, number, config.members)))
    best = max(range(len(found)), key=lambda number: found[number].macro_f1)
    if not is_first():
        return found[best]
    average([folder / NETWORK for folder in folders], out)
    dev_logits, averaged = float_logits(out, dev.texts, config.max_tokens), len(found)
    macro_f1 = dev_metric(dev, config)(dev_logits)["macro_f1"]
    if macro_f1 < min(member.macro_f1 for member in found):
        shutil.copytree(folders[best] / NETWORK, out, dirs_exist_ok=True)
        dev_logits, macro_f1, averaged = found[best].dev_logits, found[best].macro_f1, 1
    return Fitted(
        dev_logits,
        macro_f1,
        steps=sum(member.steps for member in found),
        best_step=found[best].best_step,
        averaged=averaged,
        precision=found[best].precision,
        history=tuple({"member": n, **entry} for n, member in enumerate(found) for entry in member.history),
    )


def _member(
    base: Base,
    train: LabelledData,
    dev: LabelledData,
    config: TrainConfig,
    folder: Path,
    resume: bool,
    progress: Progress | None,
) -> Fitted:
    """Trains a member, or reads what became of it if it was done before the run was killed."""
    if resume and (folder / FITTED).exists():
        record = json.loads((folder / FITTED).read_text(encoding="utf-8"))
        return Fitted(np.load(folder / LOGITS, allow_pickle=False), **record)
    fitted = fit(base, train, dev, config, work=folder, out=folder / NETWORK, resume=resume, progress=progress)
    if is_first():
        np.save(folder / LOGITS, fitted.dev_logits, allow_pickle=False)
        record = {name: value for name, value in asdict(fitted).items() if name != "dev_logits"}
        unfinished = folder / f"{FITTED}.unfinished"
        unfinished.write_text(json.dumps(record), encoding="utf-8")
        unfinished.rename(folder / FITTED)
        for checkpoint in folder.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
    return fitted


def _shared(progress: Progress | None, number: int, members: int) -> Progress | None:
    """The progress of one member as that of all."""
    if progress is None:
        return None

    def report(step: int, steps: int, measured: Mapping[str, float]) -> None:
        progress(number * steps + step, members * steps, measured)

    return report
