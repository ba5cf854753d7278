"""Quantising a matrix product: what is promised of ranges, and that the rounding is worth its name."""

from __future__ import annotations

import numpy as np
import pytest

from rhetoric.finetune.quantise import LEVELS, Observed, Quantised, quantise

CHANNELS, OUTPUTS, POSITIONS, OUTLIER = 96, 40, 600, 7


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """Activations as BERT has them: channels that go together, one of them very large."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(POSITIONS, 12)) @ rng.normal(size=(12, CHANNELS)) + 0.2 * rng.normal(
        size=(POSITIONS, CHANNELS)
    )
    mixed[:, OUTLIER] *= 30
    return mixed.astype(np.float32)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=(CHANNELS, OUTPUTS)).astype(np.float32) for name in ("query", "key")}


@pytest.fixture(scope="module")
def quantised(inputs: np.ndarray, weights: dict[str, np.ndarray]) -> dict[str, Quantised]:
    low, high = np.minimum(inputs.min(axis=0), 0), np.maximum(inputs.max(axis=0), 0)
    return quantise(Observed(low, high, inputs.T @ inputs, inputs[:200]), weights)


def product(how: Quantised, inputs: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What the graph computes."""
    u8 = np.clip(np.rint(inputs / how.smooth / how.scale) + how.zero, 0, 255)
    outliers = inputs[:, how.outliers] @ weight[how.outliers]
    return (u8 - how.zero) * how.scale @ (how.weight * how.steps) + outliers


def test_a_channel_far_beyond_the_others_counts_nothing_in_int8(quantised: dict[str, Quantised]) -> None:
    for how in quantised.values():
        assert how.outliers.tolist() == [OUTLIER]
        assert not how.weight[OUTLIER].any() and np.isinf(how.smooth[OUTLIER])


def test_products_of_one_input_share_its_scale(quantised: dict[str, Quantised]) -> None:
    query, key = quantised["query"], quantised["key"]
    assert (query.scale, query.zero) == (key.scale, key.zero)
    assert np.array_equal(query.smooth, key.smooth)
    assert 0 <= query.zero <= 255


def test_weights_stay_in_seven_bits(quantised: dict[str, Quantised]) -> None:
    for how in quantised.values():
        assert how.weight.dtype == np.int8
        assert np.abs(how.weight.astype(int)).max() == LEVELS


def test_the_product_is_near_the_float_one(
    quantised: dict[str, Quantised], inputs: np.ndarray, weights: dict[str, np.ndarray]
) -> None:
    for name, how in quantised.items():
        exact = inputs @ weights[name]
        assert np.abs(product(how, inputs, weights[name]) - exact).mean() < 0.02 * np.abs(exact).mean()


def test_rounding_beats_the_nearest_step(
    quantised: dict[str, Quantised], inputs: np.ndarray, weights: dict[str, np.ndarray]
) -> None:
    """With inputs that go together, what one row loses another can make up for."""
    near = np.delete(np.arange(CHANNELS), OUTLIER)
    for name, how in quantised.items():
        weight, smooth = weights[name][near], how.smooth[near]
        even = weight * smooth[:, None]
        nearest = np.clip(np.rint(even / how.steps), -LEVELS, LEVELS) * how.steps
        smoothed, exact = inputs[:, near] / smooth, inputs[:, near] @ weight
        ours = np.square(smoothed @ (how.weight[near] * how.steps) - exact).mean()
        assert ours < 0.5 * np.square(smoothed @ nearest - exact).mean()
