"""The study of the recipe's choices changes what it says it changes."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.data import BORDERLINE  # noqa: E402
from training.levers import LEVERS, PLAIN  # noqa: E402
from training.small_training import MEMBERS, Lever, cell_loss, parameters, positive_weight  # noqa: E402

LOGITS = torch.linspace(-3, 3, 24).reshape(2, 12)
TARGETS = torch.tensor([[1.0] * 6 + [0.0] * 6, [0.0] * 11 + [BORDERLINE]])


def test_the_plain_loss_is_weighted_cross_entropy_with_soft_targets() -> None:
    weight = positive_weight(TARGETS)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, TARGETS, pos_weight=weight)
    assert torch.allclose(cell_loss(LOGITS, TARGETS, weight, PLAIN), expected)


def test_weights_are_the_roots_of_the_odds() -> None:
    targets = torch.tensor([[1.0], [0.0], [0.0], [0.0], [0.0]])
    assert positive_weight(targets).tolist() == [2.0]


@pytest.mark.parametrize("lever", LEVERS[2:6], ids=lambda lever: lever.name)
def test_other_losses_differ_from_the_plain_one(lever: Lever) -> None:
    weight = torch.ones(12)
    assert not torch.allclose(cell_loss(LOGITS, TARGETS, weight, lever), cell_loss(LOGITS, TARGETS, weight, PLAIN))


def test_borderline_cells_left_out_do_not_matter() -> None:
    left_out = Lever("x", borderline=None)
    other = LOGITS.clone()
    other[1, 11] = 50.0
    weight = torch.ones(12)
    assert torch.equal(cell_loss(LOGITS, TARGETS, weight, left_out), cell_loss(other, TARGETS, weight, left_out))


def test_focal_loss_counts_a_sure_cell_less() -> None:
    sure, target, weight = torch.full((1, 12), 4.0), torch.ones(1, 12), torch.ones(12)
    plain = cell_loss(sure, target, weight, PLAIN)
    focal = cell_loss(sure, target, weight, Lever("x", gamma=(2.0, 2.0)))
    assert torch.allclose(focal, plain * torch.sigmoid(torch.tensor(-4.0)) ** 2)


def test_lower_layers_learn_slower_and_words_not_at_all() -> None:
    from transformers import BertConfig, BertForSequenceClassification

    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 10}
    network = BertForSequenceClassification(BertConfig(num_hidden_layers=3, num_labels=12, **shape))
    network.get_input_embeddings().weight.requires_grad_(False)
    groups = {id(group["params"][0]): group for group in parameters(network, 0.5)}
    rates = [
        groups[id(tensor)]["lr"] / 2e-4
        for tensor in (
            network.bert.embeddings.position_embeddings.weight,
            *(layer.output.dense.weight for layer in network.bert.encoder.layer),
            network.classifier.weight,
        )
    ]
    assert rates == pytest.approx([0.125, 0.125, 0.25, 0.5, 1.0])
    assert id(network.get_input_embeddings().weight) not in groups
    assert groups[id(network.classifier.bias)]["weight_decay"] == 0


def test_every_label_has_one_family() -> None:
    assert np.array_equal(MEMBERS.sum(dim=0).numpy(), np.ones(12))
