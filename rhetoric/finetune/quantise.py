"""From float weights and observed activations to int8: how to scale each input, and how to round each weight.

Four choices keep the int8 graph near the float one. The one or two channels of an input that reach far beyond all
others are multiplied in float (Dettmers et al., "LLM.int8()", 2022). Channels with a large range hand part of it to
the weights (Xiao et al., "SmoothQuant", 2023), by as much as makes the products of this input most exact. Scales are
static, so that nothing depends on a batch. And a weight is not rounded to the nearest step: the error of each row is
made up for by the rows after it, as far as their inputs go together (Frantar et al., "GPTQ", 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Observed", "Quantised", "quantise"]

Array = npt.NDArray[Any]

# Weights use 7 of their 8 bits: on x86 processors without VNNI the kernel adds two u8*s8 products in 16 bits,
# which overflows with full-range weights (255 * 127 * 2 > 32767) and gives wrong scores without an error.
LEVELS = 63
# Shares of a channel's range that may move into the weights; one is chosen for each input.
SHARES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
# Added to the diagonal of the second moments, relative to its mean, so that they can be inverted.
DAMPING = 0.005
BLOCK = 64
# A channel stays in float if its range is this many times that of the channel of this rank, so seven at most do; and
# only where there are fewer outputs than inputs: elsewhere adding the float product costs more than it is worth.
FAR, RANK = 2.5, 8


@dataclass
class Observed:
    """What was seen of one value of the graph, channel by channel.

    Attributes:
        low: Smallest value of each channel; zero if none is below.
        high: Largest value of each channel; zero if none is above.
        moments: Sum of the outer products of all positions (channels, channels).
        sample: Some positions (n, channels), the first of each text among them.
    """

    low: Array
    high: Array
    moments: Array
    sample: Array


@dataclass(frozen=True, slots=True)
class Quantised:
    """A matrix product in int8.

    Attributes:
        scale: One step of the input, the same for all positions and channels.
        zero: The u8 value that stands for an input of 0.
        smooth: Positive divisor of each input channel; the weight already carries its inverse.
        weight: int8 (inputs, outputs), in [-63, 63].
        steps: float32 (outputs,): one step of each output's weights.
        outliers: Input channels multiplied in float; in int8 they count nothing, their divisor is infinite.
    """

    scale: float
    zero: int
    smooth: Array
    weight: Array
    steps: Array
    outliers: Array


def quantise(seen: Observed, weights: Mapping[str, Array]) -> dict[str, Quantised]:
    """Quantises all matrix products that read one value.

    Args:
        seen: What was observed of the value.
        weights: (inputs, outputs) of each product.

    Returns:
        Each product in int8; they share scale, zero and smooth.
    """
    ranges = np.maximum(-seen.low, seen.high)
    narrowing = sum(weight.shape[1] for weight in weights.values()) < len(ranges)
    far = (ranges > FAR * np.sort(ranges)[-min(RANK, len(ranges))]) & narrowing
    outliers, near = np.flatnonzero(far), np.flatnonzero(~far)
    seen = Observed(seen.low[near], seen.high[near], seen.moments[np.ix_(near, near)], seen.sample[:, near])
    side_by_side = np.concatenate([weight[near] for weight in weights.values()], axis=1)
    exact = seen.sample @ side_by_side
    errors = [_error(seen, side_by_side, exact, share) for share in SHARES]
    scale, zero, smooth = _scaling(seen, side_by_side, SHARES[int(np.argmin(errors))])
    moments = seen.moments / np.outer(smooth, smooth)
    moments[np.diag_indices_from(moments)] += DAMPING * np.diag(moments).mean()
    spread = np.linalg.cholesky(np.linalg.inv(moments)).T
    divisor = np.full(len(ranges), np.inf)
    divisor[near] = smooth
    quantised = {}
    for name, weight in weights.items():
        rounded, steps = _round(weight[near] * smooth[:, None], spread)
        whole = np.zeros(weight.shape, np.int8)
        whole[near] = rounded
        quantised[name] = Quantised(scale, zero, divisor, whole, steps, outliers)
    return quantised


def _scaling(seen: Observed, weight: Array, share: float) -> tuple[float, int, Array]:
    largest = np.maximum(np.maximum(-seen.low, seen.high), 1e-5)
    smooth = largest**share / np.maximum(np.abs(weight).max(axis=1), 1e-5) ** (1 - share)
    lowest, highest = min(float((seen.low / smooth).min()), 0.0), max(float((seen.high / smooth).max()), 0.0)
    scale = (highest - lowest) / 255
    return scale, round(-lowest / scale), smooth.astype(np.float64)


def _error(seen: Observed, weight: Array, exact: Array, share: float) -> float:
    """Mean squared error of the products of the sample, weights rounded to the nearest."""
    scale, zero, smooth = _scaling(seen, weight, share)
    smooth = smooth.astype(np.float32)  # a choice among eight ways needs no more, and takes half the time
    inputs = (np.clip(np.rint(seen.sample / (smooth * scale)) + zero, 0, 255) - zero) * np.float32(scale)
    even = weight * smooth[:, None]
    steps = _steps(even)
    return float(np.square(inputs @ (np.rint(even / steps) * steps) - exact).mean())


def _steps(weight: Array) -> Array:
    return np.asarray(np.maximum(np.abs(weight).max(axis=0), 1e-8) / LEVELS)


def _round(weight: Array, spread: Array) -> tuple[Array, Array]:
    """Rounds row after row; what a row loses is taken up by the rows after it."""
    left, steps = weight.astype(np.float64), _steps(weight)
    rounded = np.empty(weight.shape, np.int8)
    for start in range(0, len(left), BLOCK):
        stop = min(start + BLOCK, len(left))
        losses = np.empty((stop - start, left.shape[1]))
        for row in range(start, stop):
            rounded[row] = np.clip(np.rint(left[row] / steps), -LEVELS, LEVELS)
            losses[row - start] = (left[row] - rounded[row] * steps) / spread[row, row]
            left[row + 1 : stop] -= np.outer(spread[row, row + 1 : stop], losses[row - start])
        left[stop:] -= spread[start:stop, stop:].T @ losses
    return rounded, steps.astype(np.float32)
