"""Time of each convolution and dense layer of a converted network, beside the same layer dense.

The plugin's own profile says how long a layer takes inside the whole network. The runtime shows no such thing for its
dense kernels from Python, so each dense layer runs as a model of its own, without the plugin.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.benchmark import profile
from mcpruner.compare import run
from mcpruner.converter.tflite.model import read_model, tensor_name
from mcpruner.inputs import random_inputs
from mcpruner.runtime import find_runtime
from mcpruner.submodel import extract
from mcpruner.timing import take_turns, timed_block


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
    """Medians over `runs` on one thread, of every layer in the report.

    Parameters
    ----------
    content, dense, report
        The converted ``.tflite``, the one it came from, and the report of that conversion.
    runs
        Timed runs, made up to whole blocks.
    """
    # Conversions at the ends carry the names of the tensors that they convert.
    measured = profile(content, num_threads=1, runs=runs)
    ops = {op["name"]: op for op in measured if op["type"] not in ("Pack", "Unpack")}
    graph = read_model(dense).subgraphs[0]
    rows = []
    for layer in report.layers:
        output = graph.operators[layer.index].outputs[0]
        op = ops.get(tensor_name(graph, output))
        if op is None:
            continue  # left to TFLite: the plugin has no time for it
        dense_ms, sparse_ms = _time(extract(dense, output), runs), op["nanoseconds"] / op["runs"] / 1e6
        rows.append(LayerTime(layer.name, op["output"], layer.density, dense_ms, sparse_ms, layer.predicted_speedup))
    return rows


def _time(content: bytes, runs: int) -> float:
    interpreter = find_runtime().interpreter(model_content=content, num_threads=1)
    (inputs,) = random_inputs(interpreter, samples=1)
    run(interpreter, inputs)
    return float(np.median(take_turns([timed_block(interpreter.invoke)], runs)))
