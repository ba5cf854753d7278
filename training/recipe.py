"""Makes the bundled model: several teachers, and students that start from one and learn from all of them.

    python -m training.recipe --corpus CORPUS --base MINILM --out rhetoric/models/default

CORPUS holds train.jsonl, dev.jsonl and pool.jsonl.gz (see DATASHEET.md), MINILM the folder of
sentence-transformers/all-MiniLM-L6-v2. Everything is trained by `rhetoric.finetune.train`; a killed run goes on
where it stopped, and the same seeds give the same model on the same machine. Each core trains one teacher or student
at a time: side by side they take less time than one after the other on all cores. `--teacher FOLDER` (repeated) takes
teachers trained before instead of training them; students start from the first. `--large-teacher FOLDER` (repeated)
takes teachers of `training.large_teacher`, which students only learn from. `--student FOLDER` (repeated) takes students
trained before, as RUN/student-0 of another run, and merges them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from rhetoric import RhetoricTagger
from rhetoric.finetune import TrainConfig, train
from rhetoric.finetune.average import average
from rhetoric.machine import usable_cores
from rhetoric.model_folder import MANIFEST, read_model_folder, sha256
from rhetoric.taxonomy import LABELS
from training import large_teacher
from training.data import (
    POOL,
    Rows,
    join,
    read_annotations,
    read_corpus,
    read_held_out,
    read_pool,
    read_written,
    some,
    telling,
)
from training.hidden_actors import hide_actors
from training.quality import quality_told
from training.refresh import finish
from training.unfamiliar_names import with_unfamiliar_names
from training.variants import variants

ROOT = Path(__file__).parents[1]
Probabilities = npt.NDArray[np.float32]
LabelledDicts = list[dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """Settings of a release; release.yaml, update.yaml and distil.yaml in configs/ say what each does."""

    seed: int
    written_copies: int
    teachers: int
    teacher: Mapping[str, Any]
    pool_sentences: int
    students: int
    student: Mapping[str, Any]
    trust: float = 0.0
    plain_share: float = 1.0
    variants: int = 0
    unfamiliar: float = 0.0
    known_annotations: int = 0
    replayed: float = 0.0
    former_weight: int = 0


def main() -> None:
    """Runs the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/default"), help="what is made on the way")
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "release.yaml")
    parser.add_argument("--teacher", type=Path, action="append", default=[], help="a teacher trained before")
    parser.add_argument("--large-teacher", type=Path, action="append", default=[], help="of training.large_teacher")
    parser.add_argument("--student", type=Path, action="append", default=[], help="one trained before, to be merged")
    parser.add_argument("--trust", type=float, help="instead of what the config says")
    options = parser.parse_args()
    recipe = Recipe(**yaml.safe_load(options.config.read_text(encoding="utf-8")))
    recipe = recipe if options.trust is None else replace(recipe, trust=options.trust)
    options.run.mkdir(parents=True, exist_ok=True)
    dev = _as_dicts(read_corpus(options.corpus / "dev.jsonl"))
    gold = _gold(options.corpus, recipe)
    base = hide_actors(options.base, options.run / "base")
    teachers = options.teacher or _all_trained(
        _as_dicts(gold), [options.run / f"teacher-{n}" for n in range(recipe.teachers)], dev, base, recipe.teacher, 0
    )
    students = options.student
    if not students:
        rows = _rows(gold, [*teachers, *options.large_teacher], options.corpus, options.run, recipe)
        outs = [options.run / f"student-{number}" for number in range(recipe.students)]
        students = _all_trained(rows, outs, dev, teachers[0], recipe.student, recipe.seed)
    merged = [*students, *teachers[:1] * recipe.former_weight]
    made = students[0] if len(merged) == 1 else _together(students, merged, options.run / "student", options.corpus)
    shutil.rmtree(options.out, ignore_errors=True)
    shutil.copytree(made, options.out)
    _say(f"wrote {options.out}; `python -m training.card` measures it and writes its card")


def _rows(gold: Rows, teachers: Sequence[Path], corpus: Path, run: Path, recipe: Recipe) -> LabelledDicts:
    """What students learn from: labelled rows, and what the teachers say of others."""
    _tell_quality(teachers, corpus, run)
    rows = _advised(gold, teachers, run, recipe) if recipe.trust else _as_dicts(gold)
    rows += _taught(corpus, gold.texts, teachers, run, recipe)
    texts = with_unfamiliar_names([row["text"] for row in rows], recipe.unfamiliar, recipe.seed)
    return [row | {"text": text} for row, text in zip(rows, texts, strict=True)]


def _gold(corpus: Path, recipe: Recipe) -> Rows:
    """The labelled rows; of those annotated for the release before, a share drawn at random."""
    pool = corpus / POOL
    rows = [
        read_corpus(corpus / "train.jsonl"),
        read_annotations(pool, first=recipe.known_annotations + 1),
        read_written(recipe.written_copies, recipe.seed),
    ]
    if recipe.replayed:
        known = read_annotations(pool, last=recipe.known_annotations)
        rows.append(some(known, round(recipe.replayed * len(known.texts)), random.Random(recipe.seed)))
    return join(*rows)


def _all_trained(
    rows: LabelledDicts, outs: Sequence[Path], dev: LabelledDicts, base: Path, settings: Mapping[str, Any], seed: int
) -> list[Path]:
    """Trains model folders that differ in their seeds, one a core at a time."""
    spawn, workers = get_context("spawn"), min(usable_cores(), len(outs))
    cores = spawn.Queue()
    for core in range(workers):
        cores.put(core)
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_take_core, initargs=(cores,)) as pool:
        begun = [pool.submit(_trained, rows, out, dev, base, settings, seed + n) for n, out in enumerate(outs)]
        return [one.result() for one in begun]


def _take_core(cores: Queue[int]) -> None:
    """Keeps a process to one core, so that it trains with one thread; only Linux can."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[cores.get()]})


def _trained(
    rows: LabelledDicts, out: Path, dev: LabelledDicts, base: Path, settings: Mapping[str, Any], seed: int
) -> Path:
    """Trains a model folder unless it is there."""
    if not (out / MANIFEST).is_file():
        config = TrainConfig(base=str(base), labels=LABELS, seed=seed).changed(settings)
        train(rows, out, dev=dev, config=config, resume=True, say=_say, progress=_show)
    return out


def _together(students: Sequence[Path], merged: Sequence[Path], out: Path, corpus: Path) -> Path:
    """A model folder with the mean of the weights of students, and of what they started from where that is merged."""
    records = [read_model_folder(student).training for student in students]
    record = {
        **records[0],
        "averaged_seeds": [record["settings"]["seed"] for record in records],
        "former_weight": len(merged) - len(students),
        "seconds": sum(record["seconds"] for record in records),
    }
    finish(average(merged, out), corpus, record, int(record["settings"]["max_tokens"]))
    return out


def _as_dicts(rows: Rows) -> LabelledDicts:
    clear, unsure = rows.clear, ~rows.evaluated
    return [
        _soft(text, rows.targets[i])
        | {
            "labels": [name for name, chosen in zip(LABELS, clear[i], strict=True) if chosen],
            "borderline": [name for name, chosen in zip(LABELS, unsure[i], strict=True) if chosen],
        }
        for i, text in enumerate(rows.texts)
    ]


def _soft(text: str, targets: npt.NDArray[np.float32]) -> dict[str, Any]:
    values = targets.round(4).tolist()
    return {"text": text, "labels": [], "borderline": [], "soft": dict(zip(LABELS, values, strict=True))}


def _advised(gold: Rows, teachers: Sequence[Path], run: Path, recipe: Recipe) -> LabelledDicts:
    """Labelled rows whose targets lean towards what the teachers say: one reader errs, and some cells are doubtful.

    Not so the sentences written for this project: they were written for their labels, some because teachers miss them.
    """
    told = telling(gold, recipe.plain_share, recipe.seed)
    said = np.mean([_scored(teacher, told.texts, run) for teacher in teachers], axis=0)
    trust = np.where(np.array(told.source) == "written", 0, recipe.trust)[:, None]
    targets = (1 - trust) * told.targets + trust * said
    return [_soft(text, own) for text, own in zip(told.texts, targets, strict=True)]


def _taught(
    corpus: Path, labelled: Sequence[str], teachers: Sequence[Path], run: Path, recipe: Recipe
) -> LabelledDicts:
    """Sentences of the pool with the mean of what the teachers say of them.

    Half are the sentences on which the first teacher sees most, half are drawn at random; variants of these and of the
    labelled sentences come beside them.
    """
    if not recipe.pool_sentences:
        return []
    texts, rng = read_pool(corpus), random.Random(recipe.seed)
    first = _scored(teachers[0], texts, run)
    order = np.argsort(-first.max(axis=1), kind="stable")
    top = order[: recipe.pool_sentences // 2].tolist()
    rest = rng.sample(order[len(top) :].tolist(), recipe.pool_sentences - len(top))
    chosen = [texts[i] for i in sorted(top + rest)]
    chosen += variants([*labelled, *chosen], recipe.variants, recipe.seed)
    mean = np.mean([_scored(teacher, chosen, run) for teacher in teachers], axis=0)
    return [_soft(text, targets) for text, targets in zip(chosen, mean, strict=True)]


def _tell_quality(teachers: Sequence[Path], corpus: Path, run: Path) -> None:
    """Says how well the teachers do on sentences they have not seen, each and all together."""
    for name, unseen in (("dev", read_corpus(corpus / "dev.jsonl")), ("held-out", read_held_out(corpus / POOL))):
        said = {str(teacher): _scored(teacher, unseen.texts, run) for teacher in teachers}
        said["all teachers"] = np.mean(list(said.values()), axis=0)
        for who, scores in said.items():
            sure = scores.clip(1e-6, 1 - 1e-6)
            _say(quality_told(f"{who} on {name}", np.log(sure / (1 - sure)), unseen))


def _scored(teacher: Path, texts: Sequence[str], run: Path) -> Probabilities:
    """What a teacher says of texts; kept in the run's folder, so that no text is read twice."""
    large = not (teacher / MANIFEST).is_file()
    digest = sha256(teacher / "model.safetensors") if large else read_model_folder(teacher).digest
    file = run / f"scores-{digest[:16]}.npz"
    keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
    known = {}
    if file.exists():
        with np.load(file, allow_pickle=False) as kept:
            known = dict(zip(kept["keys"].tolist(), kept["scores"], strict=True))
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if new:
        _say(f"{teacher} reads {len(new):,} sentences")
        if large:
            said = (1 / (1 + np.exp(-large_teacher.read(teacher, list(new.values()))))).astype(np.float32)
        else:
            said = RhetoricTagger.from_pretrained(teacher).predict_proba(list(new.values()))
        known.update(zip(new, said, strict=True))
        unfinished = file.with_suffix(".unfinished.npz")
        np.savez(unfinished, keys=np.array(list(known)), scores=np.array(list(known.values())))
        unfinished.replace(file)
    return np.array([known[key] for key in keys])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(step: int, steps: int, measured: Mapping[str, float]) -> None:
    if "eval_macro_f1" in measured:
        _say(f"step {step} of {steps}: macro-F1 {measured['eval_macro_f1']:.3f}")


if __name__ == "__main__":
    main()
