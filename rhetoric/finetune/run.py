"""One training run, from labelled rows to a model folder: the order of things, nothing else."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rhetoric.errors import InputError, require
from rhetoric.finetune.base import Base, check_architecture, locate_base
from rhetoric.finetune.calibration import calibrate, cross_fitted
from rhetoric.finetune.checks import Checked, DataReport, check_rows
from rhetoric.finetune.config import TrainConfig
from rhetoric.finetune.data import LabelledData, LabelledRow, to_data
from rhetoric.finetune.metrics import Scores, f1, few_rows, score
from rhetoric.finetune.processes import check_batch_size, from_first, is_first, processes
from rhetoric.finetune.split import split_rows
from rhetoric.finetune.tables import Source
from rhetoric.finetune.workspace import check_target, workspace
from rhetoric.model_folder import write_manifest
from rhetoric.tagger import RhetoricTagger
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION

if TYPE_CHECKING:
    from rhetoric.finetune.gate import Gate
    from rhetoric.finetune.trainer import Progress

__all__ = ["OldLabel", "TrainResult", "train"]

PROBLEMS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OldLabel:
    """What became of a label the base knew, on dev rows.

    Attributes:
        label: Its name.
        f1_before: F1 of the base; None if it cannot be measured.
        f1_after: F1 of the new model, thresholds fitted on other folds; None likewise.
        unmeasured: Why there is no F1; empty if there is.
        agreement: Share of rows on which both decide alike.
    """

    label: str
    f1_before: float | None
    f1_after: float | None
    unmeasured: str
    agreement: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run.

    Attributes:
        path: The model folder.
        labels: Its labels, in order.
        scores: Quality on dev rows, with calibration and thresholds fitted on other folds of them.
        gate: What int8 costs.
        old_labels: What became of the base's labels.
        train_rows: Rows learned from.
        dev_rows: Rows held out.
        steps: Steps trained.
        best_step: Step the weights are from, of members the best one's; 0 if fitting the head alone was best.
        averaged: Trainings whose weights were averaged.
        precision: What the matrix products ran in, and why.
        seconds: Time taken.
    """

    path: Path
    labels: tuple[str, ...]
    scores: Scores
    gate: Gate
    old_labels: tuple[OldLabel, ...]
    train_rows: int
    dev_rows: int
    steps: int
    best_step: int
    averaged: int
    precision: str
    seconds: float


def train(
    data: Source,
    out: str | Path,
    *,
    dev: Source | None = None,
    config: TrainConfig | None = None,
    resume: bool = False,
    force: bool = False,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Trains a model on labelled data.

    Started by `accelerate launch` or `torchrun`, several processes share the rows of a step; the first one writes the
    model and speaks, and all return the result.

    Args:
        data: File, DataFrame, `datasets.Dataset` or list of dicts to learn from.
        out: Model folder to write.
        dev: Data to stop, calibrate and measure by; None to hold out a share of `data`.
        config: Settings; None for the defaults.
        resume: Go on where a killed run with the same data and settings stopped.
        force: Replace a model folder at `out`, and an unfinished run beside it.
        say: Called with a line of text at each stage.
        progress: Called with step, number of steps, and what was measured.

    Returns:
        Where the model is and how good it is.

    Raises:
        InputError: The data is unsound, a setting is impossible, or `out` is taken.
        ModelError: The base model is missing or damaged.
        ExtraError: The extra "train" is not installed.
        JobError: The disk is full, or int8 costs too much.
    """
    for module in ("torch", "transformers", "datasets", "evaluate", "accelerate", "onnx", "yaml"):
        require(module, extra="train")
    from rhetoric.finetune.card import model_card, training_record
    from rhetoric.finetune.gate import export_gated
    from rhetoric.finetune.members import fit_members

    if not isinstance(config, TrainConfig | None):
        raise InputError(f"config is a {type(config).__name__}; remedy: TrainConfig(epochs=3, …), or None")
    config, say, out, started = config or TrainConfig(), say or _silent, Path(out), time.monotonic()
    if not is_first():  # one of several processes speaks
        say, progress = _silent, None
    check_batch_size(config.batch_size)
    check_target(out, force=force)
    base = locate_base(config.base)
    check_architecture(base, config.max_tokens, config.layers)
    checked = _checked([data] if dev is None else [data, dev], config, base)
    say(f"settings other than the defaults: {_changed(config)}; all will stand in {out / 'config.yaml'}")
    train_data, dev_data = _split(checked, config)
    kept = _Kept(base, checked.labels.kept, train_data, dev_data)
    train_data, dev_data = kept.train, kept.dev
    _announce(checked, train_data, dev_data, base, config, say)
    identity = {
        "data": _digests(checked),
        "base": base.digest,
        # what does not touch the weights may change between a kill and --resume
        "settings": {name: v for name, v in config.to_dict().items() if name not in ("max_f1_loss", "report_to")},
    }
    with workspace(out, identity, resume=resume, force=force) as work:
        folder = work / "model"
        fitted = fit_members(
            base, train_data, dev_data, config, work=work, out=folder, resume=resume, progress=progress
        )
        if not is_first():
            return from_first(None)
        if fitted.averaged < config.members:
            say("the mean of the members does worse on dev rows than each of them, so the model is the best member")
        say("writing the int8 graph")
        gate, logits = export_gated(folder, train_data, dev_data, fitted.dev_logits, config)
        specs = calibrate(
            checked.labels.names,
            logits,
            dev_data.gold,
            dev_data.mask,
            task=config.task,
            kept=kept.specs,
            kept_probabilities=kept.dev_probabilities,
        )
        scores, old_labels = _measure(base, checked.report, dev_data, logits, kept, config)
        result = TrainResult(
            path=out,
            labels=checked.labels.names,
            scores=scores,
            gate=gate,
            old_labels=old_labels,
            train_rows=len(train_data),
            dev_rows=len(dev_data),
            steps=fitted.steps,
            best_step=fitted.best_step,
            averaged=fitted.averaged,
            precision=fitted.precision,
            seconds=time.monotonic() - started,
        )
        # The folder may travel: of a local base its name is kept, and its digest, not where it lay.
        local = config.base is not None and Path(config.base).is_dir()
        shown = replace(config, base=Path(str(config.base)).name) if local else config
        record = training_record(result, shown, checked.report, identity)
        (folder / "config.yaml").write_text(shown.to_yaml(), encoding="utf-8")
        history = "".join(json.dumps(entry) + "\n" for entry in fitted.history)
        (folder / "history.jsonl").write_text(history, encoding="utf-8")
        (folder / "README.md").write_text(model_card(record, specs), encoding="utf-8")
        write_manifest(
            folder,
            task=config.task,
            labels=specs,
            max_tokens=config.max_tokens,
            taxonomy_version=TAXONOMY_VERSION if checked.labels.names == LABELS else None,
            training=record,
        )
    return from_first(replace(result, seconds=time.monotonic() - started))


class _Kept:
    """Labels of the base that the data says nothing about.

    Their targets are what the base itself says of the rows, so that fine-tuning for other labels does not
    unlearn them (Li and Hoiem, "Learning without forgetting", 2016); they are left out of evaluation.
    """

    def __init__(self, base: Base, names: Sequence[str], train: LabelledData, dev: LabelledData) -> None:
        self.train, self.dev = train, dev
        self.specs = {name: base.specs[name] for name in names}
        self.dev_probabilities = np.zeros(dev.targets.shape, np.float32)
        if not names:
            return
        columns = [train.labels.index(name) for name in names]
        theirs = [base.labels.index(name) for name in names]
        tagger = RhetoricTagger.from_pretrained(base.path)
        self.train = self._taught(train, tagger.predict_proba(train.texts)[:, theirs], columns)
        probabilities = tagger.predict_proba(dev.texts)[:, theirs]
        self.dev = self._taught(dev, probabilities, columns)
        self.dev_probabilities[:, columns] = probabilities

    @staticmethod
    def _taught(data: LabelledData, probabilities: npt.NDArray[np.float32], columns: list[int]) -> LabelledData:
        targets, mask = data.targets.copy(), data.mask.copy()
        targets[:, columns], mask[:, columns] = probabilities, False
        return replace(data, targets=targets, mask=mask)


def _checked(sources: Sequence[Source], config: TrainConfig, base: Base) -> Checked:
    checked = check_rows(sources, config, base)
    errors = checked.report.errors
    if errors:
        shown = "; ".join(str(problem) for problem in errors[:PROBLEMS_SHOWN])
        more = f"; and {len(errors) - PROBLEMS_SHOWN} more" if len(errors) > PROBLEMS_SHOWN else ""
        raise InputError(f"the data cannot be trained on: {shown}{more}; `rhetoric check` lists everything")
    return checked


def _split(checked: Checked, config: TrainConfig) -> tuple[LabelledData, LabelledData]:
    first, *rest = (to_data(rows, checked.labels.names, config) for rows in checked.rows)
    if rest:
        return first, rest[0]
    train_rows, dev_rows = split_rows(first, dev_share=config.dev_share, seed=config.seed)
    return first.take(train_rows), first.take(dev_rows)


def _changed(config: TrainConfig) -> str:
    """The settings as `--set` takes them."""
    changed = config.not_default().items()
    shown = (f"{name}={','.join(value) if isinstance(value, list) else value}" for name, value in changed)
    return ", ".join(shown) or "none"


def _announce(
    checked: Checked,
    train: LabelledData,
    dev: LabelledData,
    base: Base,
    config: TrainConfig,
    say: Callable[[str], None],
) -> None:
    labels = checked.labels
    say(f"base {base.path}; {len(labels.names)} labels: {labels.why}")
    if labels.new and base.labels:
        say(f"new to the base: {', '.join(labels.new)}")
    if labels.kept:
        say(
            "on fewer than two clear rows, so taught only what the base itself says of these rows; the shared network "
            f"may still move them a little: {', '.join(labels.kept)}"
        )
    for kind, count in Counter(problem.kind for problem in checked.report.problems).items():
        say(f"warning: {kind} ({count}); `rhetoric check` says where")
    say(f"{len(train)} training rows, {len(dev)} dev rows" + (", split by group" if train.groups else ""))
    if processes() > 1:
        share = config.batch_size // processes()
        say(f"{processes()} processes with {share} rows each: {config.batch_size} rows in a step, as with one")
    counts = dict(zip(dev.labels, (dev.gold & dev.mask).sum(axis=0).tolist(), strict=True))
    for name, count in counts.items():
        if name not in labels.kept and not count:
            say(f"warning: no dev row carries {name!r}, so it is calibrated by all labels together")
    few = few_rows({name: count for name, count in counts.items() if count}, "dev rows")
    if few:
        say(f"warning: {few}")
    if len(train) < config.few_rows:
        say(f"fewer than {config.few_rows} rows: the head is fitted on frozen embeddings first")
    if len(train) < TrainConfig().few_rows:
        say("expect it to follow what the base already tells apart, and intervals too wide to show small gains")


def _measure(
    base: Base,
    report: DataReport,
    dev: LabelledData,
    logits: npt.NDArray[np.float32],
    kept: _Kept,
    config: TrainConfig,
) -> tuple[Scores, tuple[OldLabel, ...]]:
    probabilities, decided = cross_fitted(
        dev.labels, logits, dev.gold, dev.mask, task=config.task, seed=config.seed,
        kept=kept.specs, kept_probabilities=kept.dev_probabilities,
    )  # fmt: skip
    scores = score(dev.labels, dev.gold, decided, dev.mask, probabilities, groups=dev.groups, seed=config.seed)
    shared = [name for name in dev.labels if name in base.labels]
    if not shared:
        return scores, ()
    tagger = RhetoricTagger.from_pretrained(base.path)
    predictions = tagger.predict(dev.texts)
    before = np.array([[name in p.labels for name in dev.labels] for p in predictions], np.bool_)
    f1_before, f1_after = f1(dev.gold, before, dev.mask), f1(dev.gold, decided, dev.mask)
    measured: npt.NDArray[np.bool_] = np.asarray((dev.gold & dev.mask).any(axis=0))
    return scores, tuple(
        OldLabel(
            label=name,
            f1_before=float(f1_before[i]) if measured[i] else None,
            f1_after=float(f1_after[i]) if measured[i] else None,
            unmeasured="" if measured[i] else _unmeasured(name, report, name in kept.specs),
            agreement=float((before[:, i] == decided[:, i]).mean()),
        )
        for i, name in enumerate(dev.labels)
        if name in shared
    )


def _unmeasured(name: str, report: DataReport, kept: bool) -> str:
    rows = report.labels[name]
    if kept:
        return "on fewer than two clear rows" if rows + report.borderline[name] else "not in the data"
    return f"on no dev row{f', only on {rows} training rows' if rows else ''}, so its F1 is not known"


def _digests(checked: Checked) -> dict[str, Mapping[str, Any]]:
    """Name, rows and SHA-256 over what was read of each source, by what it is for: their names may be alike."""
    return {
        role: {"name": summary.name, "rows": len(rows), "sha256": _digest(rows)}
        for role, summary, rows in zip(("train", "dev"), checked.report.files, checked.rows, strict=False)
    }


def _digest(rows: Sequence[LabelledRow]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.text, row.labels, row.borderline, row.group, row.soft]).encode())
    return digest.hexdigest()


def _silent(line: str) -> None:
    """Says nothing."""
