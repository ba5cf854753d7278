"""A tiny random model, made without torch or a network, and the bundled one, loaded once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from rhetoric import RhetoricTagger
from rhetoric.finetune.export import export_onnx
from rhetoric.model_folder import LabelSpec, write_manifest
from rhetoric.taxonomy import LABELS, TAXONOMY_VERSION

HIDDEN, HEADS, LAYERS, WIDE, PLACES = 32, 2, 2, 64, 64
MAX_TOKENS = 24
WORDS = (
    "we you they must should will not never refuse talks peace sanctions threat force border troops minister said "
    "today tomorrow ready open dialogue withdraw thank friends support charter law comment before any begin . , ? !"
).split()


def write_tiny_model(path: Path, *, seed: int = 0, labels: tuple[str, ...] = LABELS, activation: str = "gelu") -> Path:
    """Writes a complete model folder with random weights."""
    path.mkdir(parents=True)
    letters = [
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *("##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"),
    ]
    vocab = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters])}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(path / "tokenizer.json"))
    config = {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "hidden_act": activation,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": WIDE,
        "max_position_embeddings": PLACES,
        "type_vocab_size": 2,
        "vocab_size": len(vocab),
        "layer_norm_eps": 1e-12,
        "id2label": dict(enumerate(labels)),
        "problem_type": "multi_label_classification",
    }
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(_random_weights(len(vocab), len(labels), seed), path / "model.safetensors")
    texts = ["we must begin talks .", "you will not refuse sanctions", "they said peace and 12 troops today"]
    export_onnx(path, calibration_texts=texts, parity_texts=texts, max_tokens=MAX_TOKENS)
    specs = [LabelSpec(name, 0.5, 1.0, 0.0, (0.4, 0.6)) for name in labels]
    version = TAXONOMY_VERSION if labels == LABELS else None
    write_manifest(path, task="multi_label", labels=specs, max_tokens=MAX_TOKENS, taxonomy_version=version, training={})
    return path


def _random_weights(vocab: int, labels: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def linear(name: str, rows: int, columns: int) -> dict[str, np.ndarray]:
        return {
            f"{name}.weight": rng.normal(0, 0.3, (rows, columns)),
            f"{name}.bias": rng.normal(0, 0.1, rows),
        }

    def norm(name: str) -> dict[str, np.ndarray]:
        return {f"{name}.weight": rng.normal(1, 0.1, HIDDEN), f"{name}.bias": rng.normal(0, 0.1, HIDDEN)}

    weights = norm("bert.embeddings.LayerNorm")
    for name, rows in (("word", vocab), ("position", PLACES), ("token_type", 2)):
        weights[f"bert.embeddings.{name}_embeddings.weight"] = rng.normal(0, 1, (rows, HIDDEN))
    for i in range(LAYERS):
        layer = f"bert.encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            weights |= linear(f"{layer}.attention.{part}", HIDDEN, HIDDEN)
        weights |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
        weights |= linear(f"{layer}.intermediate.dense", WIDE, HIDDEN) | linear(f"{layer}.output.dense", HIDDEN, WIDE)
    weights |= linear("bert.pooler.dense", HIDDEN, HIDDEN) | linear("classifier", labels, HIDDEN)
    return {name: value.astype(np.float32) for name, value in weights.items()}


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights; read only."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_relu_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights and relu in its feed-forward networks; read only."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny-relu", activation="relu")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> RhetoricTagger:
    """A tagger on the tiny model."""
    return RhetoricTagger.from_pretrained(tiny_folder)


@pytest.fixture(scope="session")
def bundled() -> RhetoricTagger:
    """A tagger on the model that ships with the package."""
    return RhetoricTagger.from_pretrained()
