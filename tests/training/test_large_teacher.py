"""The large teacher's own training loop: it learns, a killed run loses nothing, and reading keeps the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rhetoric.taxonomy import LABELS  # noqa: E402
from training import large_teacher  # noqa: E402
from training.data import Rows, telling  # noqa: E402


def network() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 40}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig(num_hidden_layers=4, num_labels=len(LABELS), **shape, **none)
    return BertForSequenceClassification(config).bfloat16().train()


def steps(state: Any, net: Any, numbers: range) -> None:
    for number in numbers:
        ids = torch.arange(8).reshape(2, 4) + number
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(ids).logits.float(), torch.ones(2, len(LABELS)))
        loss.backward()
        state.step(1e-3)


def test_the_network_computes_with_the_weights_that_are_trained() -> None:
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = large_teacher._State(net)
    steps(state, net, range(5))
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert "classifier.weight" in moved and "bert.encoder.layer.3.output.dense.weight" in moved
    assert not any("embeddings" in name or "layer.0." in name for name in moved)
    assert torch.equal(state.full.detach().bfloat16(), state.half)


def test_parts_of_a_batch_add_up() -> None:
    net = network()
    state = large_teacher._State(net)
    for weight in (1.0, 2.0):
        (net(torch.arange(4)[None]).logits.float().sum() * weight).backward()
    whole = state.gradient.clone()
    state.gradient.zero_()
    (net(torch.arange(4)[None]).logits.float().sum() * 3).backward()
    assert whole.abs().max() > 0
    assert torch.allclose(whole.float(), state.gradient.float(), rtol=0.05, atol=0.05)


def test_a_killed_training_goes_on_where_it_was(tmp_path: Path) -> None:
    straight = network()
    whole = large_teacher._State(straight)
    steps(whole, straight, range(6))
    first = network()
    broken = large_teacher._State(first)
    steps(broken, first, range(3))
    broken.keep(tmp_path / "state.safetensors", 3)
    second = network()
    resumed = large_teacher._State(second)
    assert resumed.resume(tmp_path / "state.safetensors") == 3
    steps(resumed, second, range(3, 6))
    assert torch.equal(resumed.full, whole.full)
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]


def test_all_rows_with_a_label_are_kept_and_a_share_of_the_others() -> None:
    targets = np.zeros((400, len(LABELS)), np.float32)
    targets[::4, 0] = 1
    targets[1::4, 3] = 0.4
    rows = Rows([str(i) for i in range(400)], targets, ["x"] * 400)
    kept = telling(rows, 0.25, seed=0)
    numbers = [int(text) for text in kept.texts]
    assert {i for i in range(400) if i % 4 < 2} <= set(numbers)
    assert 20 < len(numbers) - 200 < 80
    assert np.array_equal(kept.targets, targets[numbers])
    assert kept.texts == telling(rows, 0.25, seed=0).texts
