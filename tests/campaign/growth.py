"""A random network while it grows: the builder, the dice, what may still be spent, and the tensors to go on from.

Sizes are drawn log-uniformly from 1 to 2048 with a bias to what kernels round to (vectors, tiles) and its neighbours.
Work is bounded by two purses: multiply-adds of the whole network, and elements of one tensor. An operator that does not
fit gives up (returns None), and the next one is drawn.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_builder import TfliteBuilder

LARGEST = 2048
_BESIDE_ROUND = sorted({n + d for n in (4, 8, 16, 24, 32, 64, 128, 256, 1024, 2048) for d in (-1, 0, 1)} - {2049})
_COMMON = (8, 12, 16, 24, 32, 40, 64, 96, 128, 256)


@dataclass
class Growth:
    """Everything an operator needs to append itself."""

    net: TfliteBuilder
    rng: np.random.Generator
    macs: int  # multiply-adds left for the network
    elements: int  # of one tensor at most
    wild: bool = True  # any sizes and windows; else those that published networks have
    tensors: list[int] = field(default_factory=list)  # computed float32 ones and inputs, oldest first
    read: set[int] = field(default_factory=set)
    weights: dict[tuple[int, ...], list[int]] = field(default_factory=dict)  # constants by shape, to be shared

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def choice(self, options: Sequence[Any], odds: Sequence[float] | None = None) -> Any:
        """One of the options; `odds` need not sum to 1."""
        if odds is None:
            return options[int(self.rng.integers(len(options)))]
        bounds = list(accumulate(odds))
        return options[min(bisect(bounds, self.rng.random() * bounds[-1]), len(options) - 1)]

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def size(self, limit: int = LARGEST) -> int:
        """A size from 1 to `limit`."""
        limit = max(1, min(limit, LARGEST))
        if self.chance(0.3):
            beside = [n for n in _BESIDE_ROUND if n <= limit]
            if beside:
                return int(self.choice(beside))
        return min(limit, int(np.exp(self.rng.uniform(0, np.log(limit + 1)))))

    def filters(self, limit: int) -> int:
        """How many filters a convolution has."""
        common = [] if self.wild else [n for n in _COMMON if n <= limit]
        return self.choice(common) if common else self.size(limit)

    def shape(self, x: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self.net.shape(x)

    def rank(self, x: int) -> int:
        """Dimensions of a tensor."""
        return len(self.shape(x))

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a tensor of this shape is neither empty nor too large."""
        return min(shape, default=1) > 0 and int(np.prod(shape, dtype=np.int64)) <= self.elements

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """Normal noise, float32."""
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def ints(self, values: Sequence[Any]) -> int:
        """An int32 constant."""
        return self.net.constant(np.array(values, np.int32))

    def activation(self, odds: Sequence[float] = (3, 3, 1, 0.5)) -> str:
        """A fused activation."""
        return self.choice(("NONE", "RELU", "RELU6", "RELU_N1_TO_1"), odds)

    def emit(self, code: str, inputs: Sequence[int], shape: Sequence[int], options: Any = None) -> int | None:
        """Append a builtin operator, unless its output is empty or too large."""
        return self.net.operator(code, inputs, shape, options) if self.fits(shape) else None

    def other(self, x: int, like: Any) -> int | None:
        """A tensor other than `x` whose shape satisfies `like`, the newest more often; None where there is none."""
        found = [t for t in self.tensors if t != x and like(self.shape(t))]
        return self.choice(found, range(1, len(found) + 1)) if found else None


def number(table: str, name: str) -> int:
    """Value of an enumeration of TFLite's schema."""
    return getattr(getattr(schema, table), name)


def windows(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output size along one axis; below 1 where a VALID window does not fit."""
    extent = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else -(-(size - extent + 1) // stride)
