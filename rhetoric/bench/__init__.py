"""How fast a model is on this machine, what beats it or not, and which settings are the fastest here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rhetoric.bench.contenders import Rhetoric, TransformersPipeline
from rhetoric.bench.measure import Contender, Measurement, measure, token_counts
from rhetoric.bench.probe import Trial, fastest, probe
from rhetoric.bench.sentences import sentences
from rhetoric.engines.choice import Choice, choose
from rhetoric.engines.stored import Measured, remember
from rhetoric.machine import processor
from rhetoric.model_folder import locate_model

__all__ = ["Report", "bench"]

PROBED = 500
PROBE_SECONDS = 5.0
MEASURE_SECONDS = 5.0
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What `bench` found.

    Attributes:
        machine: Processor and instruction sets that matter.
        sentences: Sentences scored.
        mean_tokens: Their mean length in word pieces, special tokens included.
        trials: Settings tried on the processor; none on another device.
        remembered: Whether the fastest setting is kept for later loads on this machine.
        choice: Settings in use from now on, with the reasons.
        measurements: This library first, then the peers that are installed.
        missing: Peers that are not installed.
    """

    machine: str
    sentences: int
    mean_tokens: float
    trials: tuple[Trial, ...]
    remembered: bool
    choice: Choice
    measurements: tuple[Measurement, ...]
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict, ready for `json.dumps`."""
        plain = asdict(self)
        plain["measurements"] = [row.to_dict() for row in self.measurements]
        return plain


def bench(
    model: str | Path | None = None, *, count: int = 1000, threads: int | None = None, peers: bool = True
) -> Report:
    """Tries the settings of this machine, keeps the fastest, and measures it beside peers.

    Takes about half a minute; every contender is measured in a process of its own, in turn.

    Args:
        model: As in `RhetoricTagger.from_pretrained`.
        count: Generated sentences to score; a peer scores every fifth of them.
        threads: Processor threads; None for every core this process may use.
        peers: Also measure the transformers pipeline on the same weights, if it is installed.

    Returns:
        Speeds, settings and reasons.

    Raises:
        ModelError: The model is missing or damaged.
        InputError: `threads` is not possible.
        JobError: A contender fails.
    """
    folder = locate_model(model)
    texts = list(sentences(count))
    choice = choose(folder, threads=threads)
    trials: tuple[Trial, ...] = ()
    remembered = False
    if choice.device == "cpu":
        trials = probe(folder, texts[:PROBED], threads=choice.threads, seconds=PROBE_SECONDS)
        best = fastest(trials)
        found = Measured(best.engine, best.token_budget, best.tokens_per_second)
        remembered = remember(folder, choice.threads, found)
        choice = choose(folder, threads=threads)
    contenders: list[Contender] = [Rhetoric(folder, threads=choice.threads)]
    missing = []
    if peers and find_spec("transformers") and find_spec("torch"):
        contenders.append(TransformersPipeline(folder, threads=choice.threads, batch_size=8, step=5))
    elif peers:
        missing.append("transformers")
    lengths = token_counts(folder, texts)
    measured = measure(contenders, texts, lengths, rounds=ROUNDS, seconds=MEASURE_SECONDS)
    chip = processor()
    return Report(
        machine=f"{chip.model} ({', '.join(chip.flags)})" if chip.flags else chip.model,
        sentences=count,
        mean_tokens=float(lengths.mean()),
        trials=trials,
        remembered=remembered,
        choice=choice,
        measurements=tuple(measured),
        missing=tuple(missing),
    )
