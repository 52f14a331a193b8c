"""Time of each convolution and dense layer of a converted network, beside the same layer dense.

The plugin's own profile says how long a layer takes inside the whole network. The runtime shows no such thing for its
dense kernels from Python, so each dense layer runs as a model of its own, without the plugin.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.benchmark import profile
from mcpruner.compare import random_inputs, run, time_interleaved
from mcpruner.converter.densify import densify
from mcpruner.converter.tflite_model import read_model
from mcpruner.pairing import layer_outputs
from mcpruner.runtime import find_runtime
from mcpruner.submodel import extract


@dataclass
class LayerTime:
    """One row of the table."""

    name: str
    output: list[int]
    density: float
    sparse_ms: float
    dense_ms: float
    predicted: float | None

    @property
    def speedup(self) -> float:
        """Dense time over sparse time."""
        return self.dense_ms / self.sparse_ms

    @staticmethod
    def headers() -> list[str]:
        """Of `row`."""
        return ["layer", "output", "density", "dense ms", "sparse ms", "speedup", "predicted"]

    def row(self) -> list[str]:
        """Cells of a text table."""
        predicted = "-" if self.predicted is None else f"{self.predicted:.2f}"
        shape = "x".join(map(str, self.output))
        times = [f"{value:.3f}" for value in (self.density, self.dense_ms, self.sparse_ms)]
        return [self.name, shape, *times, f"{self.speedup:.2f}", predicted]
