"""How long a subgraph runs in TFLite alone, and with the plugin: partition by partition.

    ── edge ── partition 1: packed layers, and what stands between them ── edge ── ARG_MAX ── edge ── partition 2 ──

A packed layer brings its neighbours along: what the plugin takes between two packed layers runs there too, and may be
slower than in TFLite. Every tensor that enters or leaves a partition is brought into another layout, and each partition
costs something by itself. A partition without a packed layer stays with TFLite, as the plugin's `auto` leaves it.

Operators that compute integers are left out: they are shapes, which `fold` makes constant where it can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mcpruner.converter.cost.cost_model import CostModel, edge_amounts, inference_amounts, partition_amounts
from mcpruner.converter.cost.partitions import Node, Partition, find_partitions
from mcpruner.converter.cost.plain_ops import is_taken, operator_amounts
from mcpruner.converter.tflite.model import operator_name, producers, type_name
from mcpruner.converter.tflite.predict_folds import folded_operators


class Layer(Protocol):
    """What is known of an operator with weights: whether the plugin takes it, and its nanoseconds in both runtimes."""

    index: int
    taken: bool
    packed: bool
    tflite_ns: float
    plugin_ns: float


@dataclass(frozen=True)
class PredictedPartition:
    """A partition that holds packed layers: its operators, and its nanoseconds in TFLite and in the plugin."""

    ops: tuple[int, ...]
    tflite_ns: float
    plugin_ns: float

    @property
    def speedup(self) -> float:
        """Time in TFLite over time in the plugin."""
        return self.tflite_ns / self.plugin_ns if self.plugin_ns > 0 else 1.0


@dataclass(frozen=True)
class Prediction:
    """Nanoseconds of a subgraph in TFLite alone and with the plugin, and the partitions that the plugin runs."""

    tflite_ns: float
    plugin_ns: float
    partitions: tuple[PredictedPartition, ...]

    @property
    def speedup(self) -> float:
        """Time in TFLite alone over time with the plugin; 1 where nothing takes any time."""
        return self.tflite_ns / self.plugin_ns if self.plugin_ns > 0 else 1.0


def predict(model: Any, graph: Any, layers: Sequence[Layer], costs: CostModel) -> Prediction:
    """Predict a subgraph.

    Parameters
    ----------
    model, graph
        Model and subgraph, which are only read.
    layers
        What is known of its operators with weights.
    costs
        What work costs.
    """
    known = {layer.index: layer for layer in layers}
    numbers, nodes, times = [], [], []
    folded = folded_operators(model, graph)
    computed = {tensor for tensor in (*producers(graph), *graph.inputs) if _is_float(graph, tensor)}
    for index, op in enumerate(graph.operators):
        outputs = computed.intersection(op.outputs)
        if not outputs:
            continue
        numbers.append(index)
        taken, tflite, plugin = _operator(operator_name(model, op), graph, op, known.get(index), costs)
        nodes.append(Node(frozenset(computed.intersection(op.inputs)), frozenset(outputs), taken))
        times.append((tflite, 0.0 if index in folded else plugin))
    tflite_ns = sum(tflite for tflite, _ in times) + costs.time(inference_amounts())
    partitions, plugin_ns = [], tflite_ns
    for partition in find_partitions(nodes, frozenset(graph.outputs)):
        if any(i in known and known[i].packed for i in (numbers[k] for k in partition.ops)):
            plain = sum(times[k][0] for k in partition.ops)
            ours = sum(times[k][1] for k in partition.ops) + _around(graph, partition, costs)
            partitions.append(PredictedPartition(tuple(numbers[k] for k in partition.ops), plain, ours))
            plugin_ns += ours - plain
    return Prediction(tflite_ns, plugin_ns, tuple(partitions))


def _operator(name: str, graph: Any, op: Any, layer: Layer | None, costs: CostModel) -> tuple[bool, float, float]:
    """Whether the plugin takes an operator, and its nanoseconds in TFLite and in the plugin."""
    if layer is not None:
        return layer.taken, layer.tflite_ns, layer.plugin_ns
    plugin, tflite = operator_amounts(name, graph, op, costs.simd)
    return is_taken(name), costs.time(tflite), costs.time(plugin)


def _around(graph: Any, partition: Partition, costs: CostModel) -> float:
    """Nanoseconds of a partition beside those of its operators."""
    sizes = (int(np.prod(graph.tensors[i].shape)) for i in (*partition.inputs, *partition.outputs))
    return costs.time(partition_amounts()) + sum(costs.time(edge_amounts(max(1, size))) for size in sizes)


def _is_float(graph: Any, tensor: int) -> bool:
    return tensor >= 0 and type_name(graph.tensors[tensor]) == "float32"
