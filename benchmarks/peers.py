"""Contenders of benchmarks/speed.py beside those of `rhetoric bench`: common ways to score the same weights."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rhetoric.bench.contenders import decide, fastest_size, padded_tokens
from rhetoric.model_folder import ModelFolder, read_model_folder

Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Logits = npt.NDArray[np.float32]


@dataclass
class Batched(ABC):
    """Fixed batches of padded sentences; subclasses say how they are computed."""

    folder: Path
    threads: int
    name: str = ""
    setting: str = ""
    step: int = 1
    batch_size: int = 32
    in_order: bool = False
    rules: ModelFolder = field(init=False, repr=False)

    def load(self) -> None:
        """Loads the decision rules; subclasses load their network."""
        self.rules = read_model_folder(self.folder)
        self.setting = f"batches of {self.batch_size}"

    def tune(self, texts: Sequence[str]) -> None:
        """Takes its fastest batch size."""

        def run(size: int) -> None:
            self.batch_size = size
            self.score(texts)

        self.batch_size = fastest_size(run)
        self.setting = f"batches of {self.batch_size}"

    @abstractmethod
    def score(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""

    def decisions(self, scores: Logits) -> Bools:
        """Labels by this library's calibration and thresholds."""
        return decide(self.rules, scores)

    def computed_tokens(self, lengths: Counts) -> int:
        """Each batch is as wide as its longest."""
        return padded_tokens(lengths if self.in_order else -np.sort(-lengths), self.batch_size)


@dataclass
class SortedTorch(Batched):
    """PyTorch in float32, sorted by length."""

    name: str = "torch fp32, sorted by length"
    model: Any = field(default=None, init=False, repr=False)
    tokenizer: Any = field(default=None, init=False, repr=False)

    def load(self) -> None:
        """Loads model and tokenizer."""
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        super().load()
        torch.set_num_threads(self.threads)
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(self.folder, dtype=torch.float32).eval()

    def score(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        import torch

        encoded = self.tokenizer(list(texts))["input_ids"]
        order = np.argsort([-len(ids) for ids in encoded], kind="stable")
        found = np.empty((len(encoded), len(self.rules.labels)), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                batch = self.tokenizer.pad([{"input_ids": encoded[i]} for i in rows], return_tensors="pt")
                found[rows] = self.model(**batch).logits.numpy()
        return found


@dataclass
class SortedSentenceTransformer(Batched):
    """sentence-transformers, which sorts by length itself; the classifier is put behind its encoder as dense layers.

    Its own CrossEncoder takes pairs of texts alone (since version 6).
    """

    name: str = "sentence-transformers"
    model: Any = field(default=None, init=False, repr=False)

    def load(self) -> None:
        """Loads the model."""
        import torch
        from safetensors.torch import load_file
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Dense, Pooling, Transformer

        super().load()
        torch.set_num_threads(self.threads)
        weights = {name: value.float() for name, value in load_file(self.folder / "model.safetensors").items()}

        def dense(name: str, activation: torch.nn.Module) -> Dense:
            weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            return Dense(
                weight.shape[1],
                weight.shape[0],
                activation_function=activation,
                init_weight=weight,
                init_bias=bias,
            )

        encoder = Transformer(str(self.folder), model_kwargs={"dtype": torch.float32})
        width = weights["classifier.weight"].shape[1]
        layers = [dense("bert.pooler.dense", torch.nn.Tanh()), dense("classifier", torch.nn.Identity())]
        self.model = SentenceTransformer(modules=[encoder, Pooling(width, "cls"), *layers], device="cpu")

    def score(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        logits = self.model.encode(list(texts), batch_size=self.batch_size, show_progress_bar=False)
        return np.asarray(logits, np.float32)


@dataclass
class PlainOnnx(Batched):
    """The float graph that torch exports, in ONNX Runtime as it comes, in the order of arrival."""

    graph: Path = Path()
    name: str = "ONNX Runtime fp32, order of arrival"
    in_order: bool = True
    session: Any = field(default=None, init=False, repr=False)
    tokenizer: Any = field(default=None, init=False, repr=False)

    def load(self) -> None:
        """Loads graph and tokenizer."""
        import onnxruntime
        from tokenizers import Tokenizer

        super().load()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        self.session = onnxruntime.InferenceSession(str(self.graph), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.enable_padding()

    def score(self, texts: Sequence[str]) -> Logits:
        """Logits (texts, labels)."""
        parts = []
        for start in range(0, len(texts), self.batch_size):
            encoded = self.tokenizer.encode_batch(list(texts[start : start + self.batch_size]))
            feed = {
                "input_ids": np.array([e.ids for e in encoded], np.int64),
                "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
            }
            parts.append(self.session.run(["logits"], feed)[0])
        return np.concatenate(parts)


def export_float(folder: Path, graph: Path) -> None:
    """Exports the float network with torch, for `PlainOnnx`."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    example = torch.ones((2, 7), dtype=torch.int64)
    sizes = {0: "batch", 1: "length"}
    # The older exporter: the newer one needs another package.
    torch.onnx.export(
        Plain().eval(), (example, example), str(graph), input_names=["input_ids", "attention_mask"],
        output_names=["logits"], dynamic_axes={"input_ids": sizes, "attention_mask": sizes, "logits": {0: "batch"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip


@dataclass
class SpacyTextcat:
    """spaCy's default `textcat_multilabel`, briefly trained: other weights, so only its speed compares."""

    examples: Path
    labels: tuple[str, ...]
    name: str = "spaCy textcat_multilabel (other, smaller model)"
    setting: str = "batches of 256, one process"
    step: int = 1
    nlp: Any = field(default=None, init=False, repr=False)

    def load(self) -> None:
        """Trains one epoch on the example data."""
        import spacy
        from spacy.training import Example
        from spacy.util import fix_random_seed, minibatch

        fix_random_seed(0)
        self.nlp = spacy.blank("en")
        self.nlp.add_pipe("textcat_multilabel")
        rows = [json.loads(line) for line in self.examples.read_text(encoding="utf-8").splitlines()]
        examples = [
            Example.from_dict(
                self.nlp.make_doc(row["text"]), {"cats": {name: float(name in row["labels"]) for name in self.labels}}
            )
            for row in rows
        ]
        optimiser = self.nlp.initialize(lambda: examples)
        for batch in minibatch(examples, size=64):
            self.nlp.update(batch, sgd=optimiser)

    def tune(self, texts: Sequence[str]) -> None:
        """Nothing to set."""

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Scores by label."""
        return [doc.cats for doc in self.nlp.pipe(texts, batch_size=256)]

    def decisions(self, scores: object) -> None:
        """None: other weights."""

    def computed_tokens(self, lengths: Counts) -> None:
        """None: it reads words, not word pieces."""
