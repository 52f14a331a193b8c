"""How long a subgraph runs in TFLite alone, and with the plugin: partition by partition.

    ── edge ── partition 1: packed layers, and what stands between them ── edge ── ARG_MAX ── edge ── partition 2 ──

A packed layer brings its neighbours along: what the plugin takes between two packed layers runs there too, and may be
slower than in TFLite. Every tensor that enters or leaves a partition is brought into another layout, and each partition
costs something by itself. A partition without a packed layer stays with TFLite, as the plugin's `auto` leaves it, and
so do operators at the rim of one that are faster there (`rim`). When the plugin loads the file it predicts and decides
the same (delegate/cost/).

Operators that compute integers are left out: they are shapes, which `fold` makes constant where it can.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mcpruner.converter.cost.cost_model import CostModel, edge_amounts, inference_amounts, partition_amounts
from mcpruner.converter.cost.partitions import Node, Partition, find_partitions, partition_of
from mcpruner.converter.cost.plain_ops import is_taken, operator_amounts
from mcpruner.converter.cost.rim import slow_rim
from mcpruner.converter.tflite.model import INTEGERS, constant_bytes, operator_name, producers, type_name
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
    """Predicts a subgraph, for one choice of packed layers after another.

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
        written = {*producers(graph), *graph.inputs} - _expanded_constants(model, graph)
        computed = {tensor for tensor in written if _is_float(graph, tensor)}
        self._graph, self._costs, self._outputs = graph, costs, frozenset(graph.outputs)
        self._numbers, self._nodes = [], []
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
            # Axes, sizes and shapes must be constants, of which the plugin makes its graph.
            taken = taken and not any(_is_integer(graph, i) for i in written.intersection(op.inputs))
            self._numbers.append(index)
            self._nodes.append(Node(frozenset(computed.intersection(op.inputs)), frozenset(outputs), taken))
        self._found = find_partitions(self._nodes, self._outputs)
        self._hosts = folded_operators(model, graph)

    def times(self, layers: Sequence[Layer]) -> dict[int, tuple[float, float]]:
        """Nanoseconds in TFLite and in the plugin of each operator that computes floats, alone, by its number."""
        times = self._times | {layer.index: (layer.tflite_ns, layer.plugin_ns) for layer in layers}
        return {number: times[number] for number in self._numbers}

    def predict(self, layers: Sequence[Layer]) -> Prediction:
        """Predict the subgraph with these layers, of which others than before may be packed."""
        times = list(self.times(layers).values())
        numbers = {layer.index for layer in layers if layer.packed}
        packed = {k for k, number in enumerate(self._numbers) if number in numbers}

        def plugin_ns(members: Collection[int]) -> float:
            inside = {self._numbers[k] for k in members}
            own = sum(times[k][1] for k in members if self._hosts.get(self._numbers[k]) not in inside)
            return own + _around(self._graph, partition_of(self._nodes, members, self._outputs), self._costs)

        partitions = []
        for partition in self._without_slow_rims(packed, plugin_ns, [tflite for tflite, _ in times]):
            plain, ops = sum(times[k][0] for k in partition.ops), tuple(self._numbers[k] for k in partition.ops)
            partitions.append(PredictedPartition(ops, plain, plugin_ns(partition.ops)))
        tflite_ns = sum(tflite for tflite, _ in times) + self._costs.time(inference_amounts())
        saved = sum(partition.tflite_ns - partition.plugin_ns for partition in partitions)
        return Prediction(tflite_ns, tflite_ns - saved, tuple(partitions))

    def _without_slow_rims(
        self, packed: set[int], plugin_ns: Callable[[Collection[int]], float], tflite_ns: Sequence[float]
    ) -> list[Partition]:
        """The partitions with packed layers, without what is slow at their rims, where that makes no more of them."""

        def partitions_of(taken: set[int]) -> list[Partition]:
            nodes = [node._replace(taken=k in taken) for k, node in enumerate(self._nodes)]
            return find_partitions(nodes, self._outputs)

        with_packed = [part for part in self._found if not packed.isdisjoint(part.ops)]
        taken = {k for part in with_packed for k in part.ops}
        for part in with_packed:
            fewer = taken - slow_rim(self._nodes, part.ops, packed, plugin_ns, tflite_ns)
            if fewer != taken and len(partitions_of(fewer)) <= len(partitions_of(taken)):
                taken = fewer
        return partitions_of(taken)


def _around(graph: Any, partition: Partition, costs: CostModel) -> float:
    """Nanoseconds of a partition beside those of its operators."""
    sizes = (int(np.prod(graph.tensors[i].shape)) for i in (*partition.inputs, *partition.outputs))
    return costs.time(partition_amounts()) + sum(costs.time(edge_amounts(max(1, size))) for size in sizes)


def _expanded_constants(model: Any, graph: Any) -> set[int]:
    """Constants that operators of the file expand: runtimes do that once, when they load it."""
    found: set[int] = set()
    for op in graph.operators:
        if operator_name(model, op) in ("DEQUANTIZE", "DENSIFY") and op.inputs and op.inputs[0] >= 0:
            source = op.inputs[0]
            if source in found or (source not in graph.inputs and len(constant_bytes(model, graph, source))):
                found.update(op.outputs)
    return found


def _is_integer(graph: Any, tensor: int) -> bool:
    return tensor >= 0 and graph.tensors[tensor].type in INTEGERS


def _is_float(graph: Any, tensor: int) -> bool:
    return tensor >= 0 and type_name(graph.tensors[tensor]) == "float32"
