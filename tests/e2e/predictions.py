"""What the converter and the plugin predict for one file, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcpruner.converter.cost.cost_model import load_costs
from mcpruner.converter.target import get_target
from mcpruner.converter.tflite.decide import KINDS, decide, weight_bytes
from mcpruner.converter.tflite.model import operator_name, read_model, schema, type_name, write_model
from mcpruner.converter.tflite.predict import PredictedPartition, Predictor
from mcpruner.converter.tflite.predict_folds import folded_operators
from mcpruner.runtime import Interpreter

DENSITY = 0.25


class Predicted(NamedTuple):
    """By the number of an operator that computes floats its nanoseconds in TFLite and in the plugin, alone; what is
    folded, into which other; and the partitions with packed layers.
    """

    times: dict[int, tuple[float, float]]
    hosts: dict[int, int]
    partitions: tuple[PredictedPartition, ...]


def by_converter(content: bytes, costs: str | Path, num_threads: int = 1) -> Predicted:
    """Predict the first subgraph of a file as it is: nothing more is packed."""
    model, table = read_model(content), load_costs(costs).for_threads(num_threads)
    graph, decision = model.subgraphs[0], decide(model, get_target("generic"), table)
    layers = [replace(layer, layer=None) for layer in decision.graphs[0].layers]
    predictor = Predictor(model, graph, layers, table.for_model(weight_bytes(model)))
    return Predicted(predictor.times(layers), folded_operators(model, graph), predictor.predict(layers).partitions)


def by_plugin(content: bytes, num_threads: int = 1, **options: Any) -> dict[str, Any]:
    """The plugin's report of a file when it is loaded."""
    return Interpreter(model_content=content, num_threads=num_threads, **options).report()


def prune_weights(content: bytes) -> bytes:
    """A file in which three of four kernels of each convolution and dense layer are zero, for four filters alike."""
    model, rng = read_model(content), np.random.default_rng(0)
    for graph in model.subgraphs:
        for op in graph.operators:
            if operator_name(model, op) not in KINDS:
                continue
            tensor = graph.tensors[op.inputs[1]]
            data = model.buffers[tensor.buffer].data
            if data is not None and type_name(tensor) == "float32" and tensor.buffer:
                weights = np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)
                groups = rng.random((-(-len(weights) // 4), *weights.shape[1:])) < DENSITY
                kept = weights * np.repeat(groups, 4, axis=0)[: len(weights)]
                model.buffers[tensor.buffer] = schema.BufferT(data=np.frombuffer(kept.tobytes(), np.uint8))
    return write_model(model)
