"""What each choice of the recipe is worth: the same small training with one thing changed, over several seeds.

    python -m training.levers --corpus CORPUS --base MINILM --run RUN
    python -m training.levers --corpus CORPUS --base MINILM --run RUN --lever "family head" --seeds 0

Every run fits the head on a quarter of the corpus' short training sentences, trains everything on them for two epochs,
takes the last weights (dev chooses nothing) and scores the short sentences of dev, with calibration and thresholds
cross-fitted. Short sentences, because a study of 48 runs has to end within the hour on a processor. Gains are those
over the plain run of the same seed. Runs that are in RUN already are kept, so a killed study goes on, and two processes
may share the levers. Writes training/results/levers.json, with the levers that were run with three seeds or more.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForSequenceClassification

from rhetoric.finetune.base import Base
from rhetoric.finetune.dropout import set_dropout
from rhetoric.machine import usable_cores
from rhetoric.taxonomy import LABELS
from training.actor_swap import swapped
from training.data import POOL, Rows, join, read_annotations, read_corpus, read_pool, read_written, some
from training.hidden_actors import hide_actors
from training.quality import quality
from training.small_training import EPOCHS, Lever, Logits, adapt, fine_tune, predict
from training.variants import quoted

Figures = npt.NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "levers.json"
SHORT = 24  # words
FEWEST_SEEDS = 3  # of which a gain is told
POOL_ADAPTED, POOL_TAUGHT = 6_000, 2_000

PLAIN = Lever("plain")
# What can be had of the plain runs without another training.
AVERAGED, TOGETHER = "checkpoints of the last epoch averaged", "plain runs of all seeds together"
LEVERS = (
    PLAIN,
    Lever("positives not weighted", weighted=False),
    Lever("focal loss", gamma=(2.0, 2.0)),
    Lever("asymmetric loss", weighted=False, gamma=(0.0, 2.0)),
    Lever("borderline cells as absent", borderline=0.0),
    Lever("borderline cells left out", borderline=None),
    Lever("family head", family=0.3),
    Lever("layer-wise learning rates", layer_decay=0.85),
    Lever("names seen", names="seen"),
    Lever("names seen, twins with other names", names="twins"),
    Lever("a third of the rows quoted", quoted=1 / 3),
    Lever("dropout", dropout=0.1),
    Lever("as many annotations added", annotations=True),
    Lever("as many written sentences added", written=True),
    Lever("base adapted to the pool", adapted=True),
    Lever("pool sentences taught by the plain runs", taught=True),
)


@dataclass
class Study:
    """Where things are, and what the runs share."""

    corpus: Path
    base: Path
    run: Path
    seeds: Sequence[int]
    part: Rows = field(init=False)
    dev: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.part = short(read_corpus(self.corpus / "train.jsonl"), every=4)
        self.dev = short(read_corpus(self.corpus / "dev.jsonl"))

    def file(self, name: str, seed: int) -> Path:
        """Where the dev logits of a run are kept."""
        return self.run / f"{name.replace(' ', '-')}-{seed}.npy"

    def logits(self, lever: Lever, seed: int) -> Logits:
        """Logits (dev rows, 12) of a run, which is made if it is not there."""
        file = self.file(lever.name, seed)
        if not file.exists():
            start = time.perf_counter()
            network, tokenizer = Base(self._base(lever), None).network(LABELS, "multi_label")
            set_dropout(network, lever.dropout)
            network.set_attn_implementation("eager")  # as in the trainer
            rows = self._rows(lever, seed)
            averaged = fine_tune(network, tokenizer, rows, lever, seed)
            if lever == PLAIN:
                network.save_pretrained(self.run / f"plain-{seed}")
            np.save(file, predict(network, tokenizer, self.dev.texts), allow_pickle=False)
            if lever == PLAIN:
                network.load_state_dict(averaged, strict=False)
                np.save(self.file(AVERAGED, seed), predict(network, tokenizer, self.dev.texts), allow_pickle=False)
            print(f"{lever.name}, seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
        found: Logits = np.load(file, allow_pickle=False)
        return found

    def _base(self, lever: Lever) -> Path:
        if lever.names != "hidden":
            return self.base
        hidden = self.run / "base"
        if not (hidden / "config.json").exists():
            hide_actors(self.base, hidden)
        if not lever.adapted:
            return hidden
        adapted = self.run / "adapted"
        if not (adapted / "config.json").exists():
            texts = random.Random(0).sample(read_pool(self.corpus), POOL_ADAPTED)
            adapt(hidden, texts, adapted)
        return adapted

    def _rows(self, lever: Lever, seed: int) -> Rows:
        rng, rows = random.Random(seed), self.part
        if lever.quoted:
            texts = [quoted(text, rng) if rng.random() < lever.quoted else text for text in rows.texts]
            rows = Rows(texts, rows.targets, rows.source)
        if lever.names == "twins":
            found = [(i, swapped(text, rng)) for i, text in enumerate(rows.texts)]
            twins = [(i, text) for i, text in found if text is not None]
            of = [i for i, _ in twins]
            rows = join(rows, Rows([text for _, text in twins], rows.targets[of], [rows.source[i] for i in of]))
        if lever.annotations:
            rows = join(rows, some(read_annotations(self.corpus / POOL), len(rows.texts), rng))
        if lever.written:
            rows = join(rows, some(read_written(1, seed), len(rows.texts), rng))
        if lever.taught:
            rows = join(rows, self._taught())
        return rows

    def _taught(self) -> Rows:
        """Sentences of the pool with the mean of what the plain runs of all seeds say of them."""
        texts = random.Random(0).sample(read_pool(self.corpus), POOL_TAUGHT)
        file = self.run / "taught.npy"
        if not file.exists():
            said = []
            for seed in self.seeds:
                self.logits(PLAIN, seed)
                # not by Base, which gives a network a new head
                network = AutoModelForSequenceClassification.from_pretrained(self.run / f"plain-{seed}").eval()
                _, tokenizer = Base(self._base(PLAIN), None).network(LABELS, "multi_label")
                said.append(1 / (1 + np.exp(-predict(network, tokenizer, texts))))
            np.save(file, np.mean(said, axis=0, dtype=np.float32), allow_pickle=False)
        return Rows(texts, np.load(file, allow_pickle=False), ["pool"] * len(texts))


def short(rows: Rows, every: int = 1) -> Rows:
    """Every so many of the rows that are short."""
    of = [i for i, text in enumerate(rows.texts) if len(text.split()) <= SHORT][::every]
    return rows.take(of)


def summary(study: Study) -> dict[str, Any]:
    """Figures of the plain runs, and the gain of each other over the plain run of its seed, with its standard error."""
    runs: dict[str, dict[int, Figures]] = {}
    for name in (*(lever.name for lever in LEVERS), AVERAGED):
        files = {seed: study.file(name, seed) for seed in study.seeds}
        found = {seed: np.load(file, allow_pickle=False) for seed, file in files.items() if file.exists()}
        runs[name] = {seed: quality(logits, study.dev) for seed, logits in found.items()}
        if name == PLAIN.name:
            mean = np.mean(list(found.values()), axis=0)
            runs[TOGETHER] = dict.fromkeys(found, quality(mean, study.dev))
    plain = runs.pop(PLAIN.name)
    levers, missing = [], []
    for name, by_seed in runs.items():
        gains = np.array([by_seed[seed] - plain[seed] for seed in by_seed])  # (seeds, 2)
        if len(gains) < FEWEST_SEEDS:
            missing.append(name)
            continue
        error = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
        levers.append(
            {"name": name, "seeds": list(by_seed)} | {"gain": named(gains.mean(axis=0)), "error": named(error)}
        )
    mean = np.mean(list(plain.values()), axis=0)
    return {
        "rows": {"train": len(study.part.texts), "dev": len(study.dev.texts)},
        "epochs": EPOCHS,
        "plain": {"seeds": list(plain)} | named(mean),
        "levers": levers,
        "missing": missing,
    }


def named(figures: Figures) -> dict[str, float]:
    """The two figures by name."""
    return dict(zip(("macro_f1", "average_precision"), figures.round(4).tolist(), strict=True))


def main() -> None:
    """Runs what is missing, seed by seed, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/levers"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lever", choices=[lever.name for lever in LEVERS], action="append", help="repeatable")
    parser.add_argument("--report", action="store_true", help="run nothing, write what the runs in RUN say")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.set_num_threads(usable_cores())
    study = Study(options.corpus, options.base, options.run, options.seeds)
    for seed in options.seeds:
        for lever in LEVERS:
            if not options.report and (not options.lever or lever.name in options.lever):
                study.logits(lever, seed)
    if options.lever:
        print("not written: run without --lever, or with --report, when all runs are there")
        return
    RESULTS.write_text(json.dumps(summary(study), indent=2) + "\n", encoding="utf-8")
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
