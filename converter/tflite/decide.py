"""Which layers of a model to pack: each that is faster packed, if then the model is faster too.

Packed layers bring their neighbours along, in partitions that TFLite makes (`predict`). The layers of a partition that
is not clearly faster in the plugin stay dense, and so do all layers of a subgraph that is not. Layers that no table
knows (three-dimensional, with computed weights) stay with TFLite, and count as nothing.

The model is only read here. What is decided is data, which `rewrite` carries out and `describe` puts into words:

    model ── decide ──> Decision ──┬── rewrite ──> PackedLayer for each ──┐
                                   └──────────────────────────────────────┴── describe ──> LayerReport for each
"""

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import (
    CostModel,
    Counts,
    Geometry,
    packed_amounts,
    tflite_amounts,
    unpacked_amounts,
)
from mcpruner.converter.cost.estimate import Choice, choose, phase_bits, predict_speedup
from mcpruner.converter.format.costs_generated import WORTH_IT
from mcpruner.converter.target import Target
from mcpruner.converter.tflite.dense_layer import (
    DenseLayer,
    StaysDense,
    operands,
    output_geometry,
    read_layer,
    short_name,
)
from mcpruner.converter.tflite.densify import CONV, FULLY_CONNECTED, TRANSPOSED, read_packed
from mcpruner.converter.tflite.model import constant_bytes, operator_name, producers, schema, type_name
from mcpruner.converter.tflite.predict import PredictedPartition, Prediction, Predictor
from mcpruner.converter.tflite.transposed_layer import has_given_shape
from mcpruner.converter.tflite.weights import NotConstantError, read_constant

KINDS = {"CONV_2D": "Conv2D", "FULLY_CONNECTED": "FullyConnected", "TRANSPOSE_CONV": "TransposeConv2D"}
PACKED = {CONV: "Conv2D", FULLY_CONNECTED: "FullyConnected", TRANSPOSED: "TransposeConv2D"}
_NEVER = {
    "DEPTHWISE_CONV_2D": "depthwise convolutions are not packed",
    "CONV_3D": "three-dimensional convolutions are not packed",
}
# A partition, and a subgraph, is packed from this predicted speed-up on. It asks for more than 1, since predictions of
# whole models are optimistic (docs/cost_model.md).
_WORTH_IT = WORTH_IT


@dataclass(frozen=True)
class Times:
    """Predicted nanoseconds of a layer in TFLite and, as the file has it, in our plugin; both 0 where nobody knows."""

    tflite: float = 0.0
    kept: float = 0.0


@dataclass(frozen=True)
class Packing:
    """How an earlier conversion packed a layer."""

    group_size: int
    num_patterns: int
    predicted_speedup: float


@dataclass(frozen=True)
class LayerDecision:
    """An operator with weights: what it is, and what will become of it.

    Attributes
    ----------
    name, index, op
        A short name, the operator's number in its subgraph, and TFLite's name of it.
    shape, density, stored_bytes
        Shape of the weights in the file (OHWI, or [out, in]; empty if it is not known), the share of them that is not
        zero (1 where they cannot be read), and the bytes of weights and bias (0 likewise).
    times
        Predicted times of the operator as the file has it.
    earlier
        How an earlier conversion packed it; None where it is not packed.
    obstacle
        A clause that says why it cannot be packed; empty if it can.
    choice
        The fastest way to pack it; None where it cannot be packed.
    layer
        What is to be packed by `choice`; None where the operator stays as it is.
    left
        Whether the plugin leaves it to TFLite unless it is packed, although nothing keeps it from being packed.
    """

    name: str
    index: int
    op: str
    shape: tuple[int, ...] = ()
    density: float = 1.0
    stored_bytes: int = 0
    times: Times = Times()
    earlier: Packing | None = None
    obstacle: str = ""
    choice: Choice | None = None
    layer: DenseLayer | None = None
    left: bool = False

    @property
    def packed(self) -> bool:
        """Whether the file will have it packed."""
        return self.layer is not None or self.earlier is not None

    @property
    def taken(self) -> bool:
        """Whether the plugin will take it: obstacles of depthwise and transposed convolutions are to packing alone."""
        depthwise = self.op == "DEPTHWISE_CONV_2D" or (self.op == "CONV_2D" and self.shape[3:] == (1,))
        unpacked = depthwise or self.op == "TRANSPOSE_CONV" or not self.obstacle
        return self.packed or (unpacked and not self.left)

    @property
    def tflite_ns(self) -> float:
        """Predicted nanoseconds in TFLite."""
        return self.times.tflite

    @property
    def plugin_ns(self) -> float:
        """Predicted nanoseconds in our plugin, as decided."""
        return self.times.kept if self.layer is None else self.times.tflite / self.choice.predicted_speedup


@dataclass(frozen=True)
class GraphDecision:
    """What will become of a subgraph.

    Attributes
    ----------
    layers
        The operators with weights, in execution order.
    considered
        What was predicted if every layer were packed that is faster so.
    predicted
        What is predicted as decided.
    """

    layers: tuple[LayerDecision, ...]
    considered: Prediction
    predicted: Prediction

    def slow_partition(self, layer: LayerDecision) -> PredictedPartition | None:
        """The partition that a layer would have been packed in, if that one was predicted too slow."""
        slow = (each for each in self.considered.partitions if each.speedup < _WORTH_IT)
        return next((each for each in slow if layer.index in each.ops), None)

    @property
    def packs(self) -> bool:
        """Whether a layer is to be packed."""
        return any(layer.layer is not None for layer in self.layers)

    @property
    def accelerated(self) -> bool:
        """Whether a layer will be packed then, by this conversion or by an earlier one."""
        return self.packs or any(layer.earlier is not None for layer in self.layers)


@dataclass(frozen=True)
class Decision:
    """What will become of a model, subgraph by subgraph."""

    graphs: tuple[GraphDecision, ...]

    @property
    def packs(self) -> bool:
        """Whether the model is to be rewritten."""
        return any(graph.packs for graph in self.graphs)

    @property
    def accelerated(self) -> bool:
        """Whether a layer will be packed then, by this conversion or by an earlier one."""
        return any(graph.accelerated for graph in self.graphs)

    @property
    def speedup(self) -> float:
        """Predicted speed-up of the first subgraph that has a packed layer; 1 where no layer is packed."""
        return next((graph.predicted.speedup for graph in self.graphs if graph.accelerated), 1.0)


def decide(model: Any, target: Target, costs: CostModel) -> Decision:
    """Decide which layers of a model (``ModelT``, as `read_model` returns it) to pack, and how.

    Parameters
    ----------
    model
        The model, which is only read.
    target
        Hardware to choose group sizes for.
    costs
        Table by which speed is predicted.

    Returns
    -------
    Decision
        What will become of each subgraph and layer.

    Raises
    ------
    ValueError
        A layer is damaged or has NaN weights, or the model is fully quantized.
    """
    _refuse_quantized(model)
    costs = costs.for_model(weight_bytes(model))
    return Decision(tuple(_decide_graph(model, graph, target, costs) for graph in model.subgraphs))


def _refuse_quantized(model: Any) -> None:
    """Raise ValueError if every convolution and dense layer works on integers."""
    layers = [
        (graph, op)
        for graph in model.subgraphs
        for op in graph.operators
        if operator_name(model, op) in KINDS and op.inputs and op.inputs[0] >= 0
    ]
    inputs = [(graph, operands(op, KINDS[operator_name(model, op)])[0]) for graph, op in layers]
    types = [type_name(graph.tensors[x]) for graph, x in inputs if x >= 0]
    if types and all(name in ("int8", "uint8", "int16") for name in types):
        raise ValueError(
            f"The model is quantized: all of its {len(types)} layers compute in {types[0]} (the first is "
            f"{short_name(*layers[0])}). Only float models are converted; convert the float32 or float16 one."
        )


def weight_bytes(model: Any) -> int:
    """Bytes that the weights of all convolutions and dense layers take as float32, as runtimes hold them."""
    weights = {
        (index, op.inputs[1])
        for index, graph in enumerate(model.subgraphs)
        for op in graph.operators
        if operator_name(model, op) in KINDS and len(op.inputs) > 1 and op.inputs[1] >= 0
    }
    return sum(4 * int(np.prod(model.subgraphs[index].tensors[tensor].shape)) for index, tensor in weights)


def _decide_graph(model: Any, graph: Any, target: Target, costs: CostModel) -> GraphDecision:
    writers = producers(graph)
    found = (_decide_operator(model, graph, i, writers, target, costs) for i in range(len(graph.operators)))
    layers = tuple(layer for layer in found if layer is not None)
    predictor = Predictor(model, graph, layers, costs)
    considered = predictor.predict(layers)
    slow = {i for partition in considered.partitions if partition.speedup < _WORTH_IT for i in partition.ops}
    decided = tuple(replace(layer, layer=None) if layer.index in slow else layer for layer in layers)
    predicted = predictor.predict(decided)
    if predicted.speedup < _WORTH_IT:
        decided = tuple(replace(layer, layer=None) for layer in layers)
        predicted = predictor.predict(decided)
    return GraphDecision(decided, considered, predicted)


def _decide_operator(
    model: Any, graph: Any, index: int, writers: dict[int, Any], target: Target, costs: CostModel
) -> LayerDecision | None:
    """Decide about one operator, as if it were alone; None for an operator without weights."""
    op = graph.operators[index]
    name = operator_name(model, op)
    if name in PACKED:
        return _packed_before(model, graph, index, op, name, costs)
    if name not in KINDS and name not in _NEVER:
        return None
    seen = _look_at(model, graph, index, op, name, writers)
    if name in _NEVER:
        return replace(seen, obstacle=_NEVER[name], times=_times_unpacked(graph, op, seen.shape, costs))
    if name == "TRANSPOSE_CONV":
        times = _times_unpacked(graph, op, seen.shape, costs)
        seen = replace(seen, left=not has_given_shape(model, graph, op), times=times)
    try:
        layer = read_layer(model, graph, op, KINDS[name], writers)
    except StaysDense as reason:
        seen = replace(seen, obstacle=str(reason))
        if name != "CONV_2D" or seen.shape[3:] != (1,):
            return seen
        shape = (1, *seen.shape[1:3], seen.shape[0])  # Groups of one channel each are depthwise.
        geometry = output_geometry(graph, op, "DepthwiseConv2D", op.builtinOptions.strideW)
        return replace(seen, times=_dense_times(shape, geometry, costs))
    choice = choose(layer.weights, target, layer.geometry, costs)
    times = _dense_times(layer.weights.shape, layer.geometry, costs)
    return replace(seen, times=times, choice=choice, layer=layer if choice.predicted_speedup > 1 else None)


def _look_at(model: Any, graph: Any, index: int, op: Any, name: str, writers: dict[int, Any]) -> LayerDecision:
    """Say what an operator is; nothing is decided yet."""
    seen = LayerDecision(short_name(graph, op), index, name)
    _, weights, bias = operands(op, KINDS.get(name, "Conv2D"))
    constants = [i for i in (weights, bias) if i >= 0]
    if constants:
        seen = replace(seen, shape=tuple(graph.tensors[constants[0]].shape))
        with contextlib.suppress(NotConstantError):
            read = [read_constant(model, graph, i, writers) for i in constants]
            density = float(np.count_nonzero(read[0].values) / max(1, read[0].values.size))
            seen = replace(seen, density=density, stored_bytes=sum(constant.stored_bytes for constant in read))
    return seen


def _dense_times(shape: tuple[int, ...], geometry: Geometry, costs: CostModel) -> Times:
    """Predicted times of a layer that is not packed."""
    return Times(
        costs.time(tflite_amounts(shape, geometry, costs.simd)),
        costs.time(unpacked_amounts(shape, geometry, costs.simd)),
    )


def _times_unpacked(graph: Any, op: Any, shape: tuple[int, ...], costs: CostModel) -> Times:
    """Predicted times of a depthwise or transposed convolution; no table knows others that are never packed."""
    if len(shape) == 4 and isinstance(op.builtinOptions, schema.TransposeConvOptionsT):
        return _dense_times(shape, output_geometry(graph, op, "TransposeConv2D", op.builtinOptions.strideW), costs)
    if len(shape) != 4 or not isinstance(op.builtinOptions, schema.DepthwiseConv2DOptionsT):
        return Times()
    return _dense_times(shape, output_geometry(graph, op, "DepthwiseConv2D", op.builtinOptions.strideW), costs)


def _packed_before(model: Any, graph: Any, index: int, op: Any, name: str, costs: CostModel) -> LayerDecision:
    """An operator that an earlier conversion packed."""
    layer, options = read_packed(model, graph, op)
    kind, groups = PACKED[name], options.groups
    shape = (layer.out_channels, *map(int, layer.kernel_size), layer.in_channels // groups)
    # These are counted in the blob, not in its dense weights: a damaged one may claim a shape that no memory holds.
    geometry, group_size = output_geometry(graph, op, kind, options.stride_w, groups), int(layer.group_size)
    phases = phase_bits(layer.kernel_size, geometry.phases)
    kernels = sum(int(np.count_nonzero(layer.kernel_patterns() & np.uint64(bits))) for bits in phases)
    counts = Counts(len(layer.values), kernels, len(layer.run_patterns), len(layer.patterns))
    packed = costs.time(packed_amounts(counts, shape, group_size, geometry, costs.simd))
    speedup = predict_speedup(counts, shape, group_size, costs, geometry)
    return LayerDecision(
        short_name(graph, op),
        index,
        name,
        shape[::3] if kind == "FullyConnected" else shape,
        np.count_nonzero(layer.values) / int(np.prod(shape)),
        len(constant_bytes(model, graph, op.inputs[1])),
        Times(costs.time(tflite_amounts(shape, geometry, costs.simd)), packed),
        Packing(group_size, counts.patterns, speedup),
    )
