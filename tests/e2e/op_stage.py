"""What tiny models of single operators have in common (op_models.py, axis_models.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_builder import TfliteBuilder

SHAPE = (1, 9, 7, 6)  # of the convolution's output


@dataclass
class Stage:
    """A model under construction: `x` is the output of its first convolution, [1, 9, 7, 6]."""

    net: TfliteBuilder
    rng: np.random.Generator
    x: int

    def random(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(np.float32)

    def ints(self, *values: int | list[int]) -> int:
        return self.net.constant(np.array(values, np.int32))

    def conv(self, x: int | None = None, channels: int = 6, kernel: int = 1, **kwargs) -> int:
        x = self.x if x is None else x
        weights = self.random(channels, kernel, kernel, self.net.shape(x)[3])
        return self.net.conv(x, weights, self.random(channels), **kwargs)


def activation_number(name: str) -> int:
    """Number of a fused activation in TFLite's schema."""
    return getattr(schema.ActivationFunctionType, name)
