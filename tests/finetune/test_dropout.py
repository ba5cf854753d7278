"""Dropout by the byte: what it keeps, what it drops, and where it is put."""

from __future__ import annotations

import pytest
import torch

from rhetoric.finetune.dropout import ByteDropout, set_dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_drops_its_share_and_keeps_the_mean(share: float) -> None:
    torch.manual_seed(0)
    out = ByteDropout(share)(torch.ones(1000, 333))
    dropped = (out == 0).float()
    assert abs(dropped.mean() - share) < 0.005
    assert abs(out.mean() - 1) < 0.02
    assert len(out.unique()) == 2
    # each of the eight bytes of a draw, the one with the sign too
    by_byte = dropped.flatten()[: 333_000 // 8 * 8].view(-1, 8).mean(dim=0)
    assert (by_byte - share).abs().max() < 0.01


def test_drops_other_elements_each_time_and_the_same_from_a_seed() -> None:
    dropout, ones = ByteDropout(0.5), torch.ones(7, 13)
    torch.manual_seed(3)
    first, second = dropout(ones), dropout(ones)
    torch.manual_seed(3)
    assert torch.equal(dropout(ones), first)
    assert not torch.equal(first, second)


def test_gradient_flows_through_what_is_kept() -> None:
    torch.manual_seed(0)
    values = torch.ones(50, 50, requires_grad=True)
    out = ByteDropout(0.25)(values)
    out.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, out.detach())


def test_leaves_half_precision_half_and_evaluation_alone() -> None:
    dropout, values = ByteDropout(0.1), torch.randn(8, 8, dtype=torch.bfloat16)
    assert dropout(values).dtype == torch.bfloat16
    assert dropout.eval()(values) is values


def test_takes_the_place_of_every_dropout() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.ReLU()))
    set_dropout(network, 0.3)
    inner = network[1]
    assert isinstance(inner, torch.nn.Sequential)
    assert isinstance(inner[0], ByteDropout)
    assert inner[0].p == 77 / 256
    assert not any(isinstance(module, torch.nn.Dropout) for module in network.modules())
