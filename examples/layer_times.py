"""Time of each convolution and dense layer of a converted network, beside the same layer dense.

The plugin's own profile says how long a layer takes inside the whole network. The runtime shows no such thing for its
dense kernels from Python, so each dense layer runs as a model of its own, without the plugin.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.benchmark import profile
from mcpruner.compare import random_inputs, run, time_interleaved
from mcpruner.pairing import paired_outputs
from mcpruner.runtime import find_runtime
from mcpruner.submodel import extract


@dataclass
class LayerTime:
    """One row of the table. `predicted` is the converter's estimate of the speed-up."""

    name: str
    output: list[int]
    density: float
    dense_ms: float
    sparse_ms: float
    predicted: float

    HEADERS = ("layer", "output", "density", "dense ms", "sparse ms", "speedup", "predicted")

    def row(self) -> list[str]:
        """Cells of a text table under `HEADERS`."""
        times = [f"{value:.3f}" for value in (self.density, self.dense_ms, self.sparse_ms)]
        ratios = [f"{value:.2f}" for value in (self.dense_ms / self.sparse_ms, self.predicted)]
        return [self.name, "x".join(map(str, self.output)), *times, *ratios]


def layer_times(content: bytes, dense: bytes, report: Any, runs: int = 20) -> list[LayerTime]:
    """Medians over `runs` on one thread of the layers that `report` (of `convert`) calls accelerated.

    Parameters
    ----------
    content, dense
        The converted ``.tflite`` and the one it came from.
    """
    ops = {op["name"]: op for op in profile(content, num_threads=1, runs=runs)}
    dense_output = {name: b for name, _, b in paired_outputs(content, dense)}
    rows = []
    for layer in report.layers:
        op = ops.get(layer.name)
        if not layer.accelerated or op is None:
            continue
        alone = extract(dense, dense_output[layer.name])
        sparse_ms = op["nanoseconds"] / op["runs"] / 1e6
        rows.append(
            LayerTime(layer.name, op["output"], op["density"], _time(alone, runs), sparse_ms, layer.predicted_speedup)
        )
    return rows


def _time(content: bytes, runs: int) -> float:
    interpreter = find_runtime().interpreter(model_content=content, num_threads=1)
    (inputs,) = random_inputs(interpreter, samples=1)
    run(interpreter, inputs)
    return float(np.median(time_interleaved([interpreter.invoke], runs)))
