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


class _Compared:
    """What has nanoseconds in TFLite and in the plugin."""

    tflite_ns: float
    plugin_ns: float

    @property
    def speedup(self) -> float:
        """Time in TFLite over time in the plugin; 1 where nothing takes any time."""
        return self.tflite_ns / self.plugin_ns if self.plugin_ns > 0 else 1.0


@dataclass(frozen=True)
class PredictedPartition(_Compared):
    """A partition that holds packed layers: its operators, and its nanoseconds in TFLite and in the plugin."""

    ops: tuple[int, ...]
    tflite_ns: float
    plugin_ns: float


@dataclass(frozen=True)
class Prediction(_Compared):
    """Nanoseconds of a subgraph in TFLite alone and with the plugin, and the partitions that the plugin runs."""

    tflite_ns: float
    plugin_ns: float
    partitions: tuple[PredictedPartition, ...]


class Predictor:
    """Predicts a subgraph, for one choice of packed layers after another; its partitions are the same for each.

    Parameters
    ----------
    model, graph
        Model and subgraph, which are only read.
    layers
        What is known of its operators with weights; what the plugin takes does not depend on what is packed.
    costs
        What work costs.
    """

    def __init__(self, model: Any, graph: Any, layers: Sequence[Layer], costs: CostModel) -> None:
        known = {layer.index: layer for layer in layers}
        computed = {tensor for tensor in (*producers(graph), *graph.inputs) if _is_float(graph, tensor)}
        numbers, nodes = [], []
        # Nanoseconds in TFLite and in the plugin of each operator without weights.
        self._times: dict[int, tuple[float, float]] = {}
        for index, op in enumerate(graph.operators):
            outputs = computed.intersection(op.outputs)
            if not outputs:
                continue
            name = operator_name(model, op)
            if index not in known:
                plugin, tflite = operator_amounts(name, graph, op, costs.simd)
                self._times[index] = costs.time(tflite), costs.time(plugin)
            taken = known[index].taken if index in known else is_taken(name)
            numbers.append(index)
            nodes.append(Node(frozenset(computed.intersection(op.inputs)), frozenset(outputs), taken))
        self._numbers, self._folded = numbers, folded_operators(model, graph)
        self._inference = costs.time(inference_amounts())
        # The operators of each partition, and its nanoseconds beside theirs.
        self._partitions = [
            (tuple(numbers[k] for k in partition.ops), _around(graph, partition, costs))
            for partition in find_partitions(nodes, frozenset(graph.outputs))
        ]

    def predict(self, layers: Sequence[Layer]) -> Prediction:
        """Predict the subgraph with these layers, of which others than before may be packed."""
        times = self._times | {layer.index: (layer.tflite_ns, layer.plugin_ns) for layer in layers}
        packed = {layer.index for layer in layers if layer.packed}
        tflite_ns = sum(times[i][0] for i in self._numbers) + self._inference
        partitions, plugin_ns = [], tflite_ns
        for ops, around in self._partitions:
            if not packed.isdisjoint(ops):
                plain = sum(times[i][0] for i in ops)
                ours = sum(times[i][1] for i in ops if i not in self._folded) + around
                partitions.append(PredictedPartition(ops, plain, ours))
                plugin_ns += ours - plain
        return Prediction(tflite_ns, plugin_ns, tuple(partitions))


def _around(graph: Any, partition: Partition, costs: CostModel) -> float:
    """Nanoseconds of a partition beside those of its operators."""
    sizes = (int(np.prod(graph.tensors[i].shape)) for i in (*partition.inputs, *partition.outputs))
    return costs.time(partition_amounts()) + sum(costs.time(edge_amounts(max(1, size))) for size in sizes)


def _is_float(graph: Any, tensor: int) -> bool:
    return tensor >= 0 and type_name(graph.tensors[tensor]) == "float32"
