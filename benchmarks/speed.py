"""Sentences a second, side by side on this machine: this library, and what people use, on the same weights.

    python benchmarks/speed.py --json speed.json --plot speed.svg       # about ten minutes on two quiet cores

Each contender runs in a process of its own and takes its turn in every round; medians are printed. Peers pick
their own best batch size first. Slow ones score every fourth sentence. Needs the extra [train]; sentence-transformers
and spaCy where installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from gemm import Int8Peak, multiply_adds
from peers import PlainOnnx, SortedSentenceTransformer, SortedTorch, SpacyTextcat, export_float
from plots import bars

from rhetoric.bench.contenders import Rhetoric, TransformersPipeline
from rhetoric.bench.measure import Contender, Measurement, measure, token_counts
from rhetoric.bench.sentences import sentences
from rhetoric.engines.choice import choose
from rhetoric.machine import processor, usable_cores
from rhetoric.model_folder import locate_model, read_model_folder

EXAMPLES = Path(__file__).parent.parent / "examples" / "labelled.jsonl"
FULL_PRECISION = "torch fp32, sorted by length"


def contenders(folder: Path, graph: Path, threads: int) -> list[Contender]:
    """Every contender that can run here, ours first, the measure of the machine last."""
    ways: list[Contender] = [
        Rhetoric(folder, threads=threads),
        TransformersPipeline(folder, threads, 1, step=4, name="transformers pipeline, one by one"),
        TransformersPipeline(folder, threads, 8, name="transformers pipeline, best batch"),
        SortedTorch(folder, threads),
        PlainOnnx(folder, threads, graph=graph),
    ]
    if threads > 1:
        ways.insert(1, Rhetoric(folder, threads=1, name="rhetoric, one thread"))
    if choose(folder, threads=threads).engine == "openvino":  # `rhetoric bench` found it faster here
        ways.insert(1, Rhetoric(folder, threads, "onnx", name="rhetoric, ONNX Runtime"))
    if find_spec("sentence_transformers"):
        ways.append(SortedSentenceTransformer(folder, threads))
    if find_spec("spacy"):
        ways.append(SpacyTextcat(EXAMPLES, read_model_folder(folder).names))
    return [*ways, Int8Peak(threads)]


def agreement(row: Measurement, step: int, reference: npt.NDArray[np.bool_]) -> float | None:
    """Share of label decisions that are those of full precision."""
    return None if row.decisions is None else float((row.decisions == reference[::step]).mean())


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="sentences")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune-on", type=int, default=256, help="sentences on which peers try batch sizes; 0: none")
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--model", help="another model folder than the bundled one")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="an .svg file")
    options = parser.parse_args()
    folder = locate_model(options.model)
    texts = list(sentences(options.count))
    lengths = token_counts(folder, texts)
    with TemporaryDirectory(prefix="rhetoric-speed-") as name:
        graph = Path(name) / "float.onnx"
        export_float(folder, graph)
        ways = contenders(folder, graph, options.threads)
        rows = measure(ways, texts, lengths, rounds=options.rounds, tune_on=options.tune_on)
    peak = float(rows.pop().setting)
    reference = next(row.decisions for row in rows if row.name == FULL_PRECISION)
    assert reference is not None  # it is a contender with our weights
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    work = multiply_adds(
        lengths,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        wide=config["intermediate_size"],
        labels=reference.shape[1],
    )
    ours = rows[0]
    share = work / len(texts) * ours.sentences_per_second / peak
    chip = processor()
    about: dict[str, Any] = {
        "processor": chip.model,
        "flags": chip.flags,
        "threads": options.threads,
        "sentences": len(texts),
        "sha256_of_sentences": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "mean_tokens": round(float(lengths.mean()), 2),
        "sd_tokens": round(float(lengths.std()), 2),
        "rounds": options.rounds,
        "int8_peak_multiply_adds_per_second": peak,
        "multiply_adds_per_sentence": work / len(texts),
        "share_of_int8_peak": share,
    }
    found = [
        row.to_dict()
        | {
            "times_slower_than_rhetoric": ours.sentences_per_second / row.sentences_per_second,
            "agreement": agreement(row, way.step, reference),
        }
        for row, way in zip(rows, ways[:-1], strict=True)
    ]
    print(
        f"{chip.model}, {options.threads} threads; {len(texts)} sentences, mean {lengths.mean():.1f} word pieces "
        f"(sd {lengths.std():.1f}); medians of {options.rounds} rounds in turn\n"
    )
    print(
        "| | sentences/s | tokens/s | rhetoric is faster by | padding | first result | one sentence | peak memory "
        "| decisions as in full precision |\n|---|---|---|---|---|---|---|---|---|"
    )
    for row in found:
        cells = (
            f"{row['name']} ({row['setting']})",
            f"{row['sentences_per_second']:.0f}",
            f"{row['tokens_per_second']:.0f}",
            f"{row['times_slower_than_rhetoric']:.1f} ×",
            "–" if row["padding_waste"] is None else f"{row['padding_waste']:.0%}",
            f"{row['first_result_seconds']:.1f} s",
            f"{row['one_sentence_ms']:.1f} ms",
            "–" if row["peak_mb"] is None else f"{row['peak_mb']:.0f} MB",
            "–" if row["agreement"] is None else f"{row['agreement']:.2%}",
        )
        print(f"| {' | '.join(cells)} |")
    print(
        f"\nint8 peak of the machine, ONNX Runtime MatMulInteger, same run: {2 * peak / 1e12:.2f} TOP/s; "
        f"rhetoric does useful work at {share:.0%} of it, tokenising and all"
    )
    if options.json:
        options.json.write_text(json.dumps(about | {"contenders": found}, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        note = f"{chip.model}, {options.threads} threads, {len(texts)} sentences, median of {options.rounds} rounds"
        bars(
            options.plot,
            [row.name for row in rows],
            [row.sentences_per_second for row in rows],
            "Twelve labels a sentence, on a plain processor",
            note,
        )


if __name__ == "__main__":
    main()
