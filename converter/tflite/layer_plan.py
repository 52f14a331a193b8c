"""Which layers of a model to pack: each that is faster packed, if then the model is faster too.

A packed layer brings its neighbours along: what stands between two packed layers runs in our plugin as well, where
dense and depthwise layers may be slower than in TFLite. So all layers of a subgraph are predicted in both runtimes,
with the conversions at the partition's edges; where the sum is not clearly smaller, nothing is packed. Layers that no
table knows (transposed, grouped, with computed weights) and operators without weights count as equally fast in both.
"""

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import (
    CostModel,
    Counts,
    Work,
    edge_amounts,
    packed_amounts,
    tflite_amounts,
    unpacked_amounts,
)
from mcpruner.converter.cost.estimate import Choice, choose, predict_speedup
from mcpruner.converter.format.limits_generated import MAX_PATTERNS
from mcpruner.converter.target import Target
from mcpruner.converter.tflite.dense_layer import DenseLayer, StaysDense, output_work, read_layer, short_name
from mcpruner.converter.tflite.densify import CONV, FULLY_CONNECTED, read_packed
from mcpruner.converter.tflite.model import operator_name, producers, schema, type_name
from mcpruner.converter.tflite.report import LayerReport
from mcpruner.converter.tflite.weights import NotConstantError, read_constant

KINDS = {"CONV_2D": "Conv2D", "FULLY_CONNECTED": "FullyConnected"}
_NEVER = {
    "DEPTHWISE_CONV_2D": "depthwise convolutions are not packed",
    "TRANSPOSE_CONV": "transposed convolutions are not packed",
    "CONV_3D": "three-dimensional convolutions are not packed",
}
_WORTH_IT = 1.05  # of a model; predictions of whole models are optimistic (docs/cost_model.md)
PACKED = {CONV: "Conv2D", FULLY_CONNECTED: "FullyConnected"}


@dataclass
class LayerPlan:
    """What will become of one operator with weights.

    Attributes
    ----------
    op
        The operator.
    report
        Its line in the report, complete unless it will be packed.
    layer, choice
        How to pack it; None where it stays as it is.
    tflite_ns, kept_ns
        Predicted nanoseconds in TFLite and, as the file has the operator, in our plugin; both 0 where they are not
        known.
    """

    op: Any
    report: LayerReport
    layer: DenseLayer | None = None
    choice: Choice | None = None
    tflite_ns: float = 0.0
    kept_ns: float = 0.0

    @property
    def plugin_ns(self) -> float:
        """Predicted nanoseconds in our plugin, as planned."""
        return self.kept_ns if self.choice is None else self.tflite_ns / self.choice.predicted_speedup


def plan_layers(model: Any, graph: Any, target: Target, costs: CostModel) -> list[LayerPlan]:
    """A plan for each convolution and dense layer of a subgraph, in execution order.

    Raises
    ------
    ValueError
        A layer is damaged or has NaN weights.
    """
    plans = [
        plan
        for index, op in enumerate(graph.operators)
        if (plan := _plan_operator(model, graph, index, op, target, costs)) is not None
    ]
    speedup = predict_subgraph(graph, plans, costs)
    if speedup < _WORTH_IT:
        for plan in plans:
            _leave(plan, speedup)
    return plans


def predict_subgraph(graph: Any, plans: list[LayerPlan], costs: CostModel) -> float:
    """Time of all layers in TFLite over their time in our plugin, conversions at the edges included; 1 without any."""
    edges = (graph.tensors[i] for i in {*graph.inputs, *graph.outputs} if i >= 0)
    images = (int(np.prod(t.shape)) for t in edges if len(t.shape) == 4 and type_name(t) == "float32")
    plugin = sum(costs.time(edge_amounts(elements)) for elements in images) + sum(p.plugin_ns for p in plans)
    tflite = sum(p.tflite_ns for p in plans)
    return tflite / plugin if tflite > 0 else 1.0


def _leave(plan: LayerPlan, speedup: float) -> None:
    """Keep a layer dense that is faster packed, since its model is not."""
    if plan.choice is None:
        return
    plan.report.reason = (
        f"dense: packed it is predicted {plan.choice.predicted_speedup:.2f} times as fast, but with the dense layers "
        f"beside it the model {speedup:.2f} times, which is not worth it"
    )
    plan.layer = plan.choice = None


def _plan_operator(model: Any, graph: Any, index: int, op: Any, target: Target, costs: CostModel) -> LayerPlan | None:
    name = operator_name(model, op)
    if name in PACKED:
        return _plan_packed(model, graph, index, op, name, costs)
    if name not in KINDS and name not in _NEVER:
        return None
    plan = LayerPlan(op, _describe(model, graph, index, op, name))
    if name in KINDS:
        try:
            _plan_layer(model, graph, plan, KINDS[name], target, costs)
        except StaysDense as reason:
            plan.report.reason = f"dense: {reason}"
        return plan
    plan.report.reason = f"dense: {_NEVER[name]}"
    if len(plan.report.shape) == 4 and isinstance(op.builtinOptions, schema.DepthwiseConv2DOptionsT):
        work = output_work(graph, op, "DepthwiseConv2D", op.builtinOptions.strideW)
        _set_times(plan, tuple(plan.report.shape), work, costs)
    return plan


def _describe(model: Any, graph: Any, index: int, op: Any, name: str) -> LayerReport:
    """The line of a layer that stays as it is, with no reason yet."""
    report = LayerReport(short_name(graph, op), index, name, [])
    operands = op.inputs[1::2] if name == "TRANSPOSE_CONV" else op.inputs[1:3]  # [size, weights, x, bias]
    constants = [i for i in operands if i >= 0]
    if constants:
        report.shape = list(graph.tensors[constants[0]].shape)
        with contextlib.suppress(NotConstantError):
            read = [read_constant(model, graph, i, producers(graph)) for i in constants]
            report.density = float(np.count_nonzero(read[0].values) / max(1, read[0].values.size))
            report.bytes_before = report.bytes_after = sum(constant.stored_bytes for constant in read)
    return report


def _plan_layer(model: Any, graph: Any, plan: LayerPlan, kind: str, target: Target, costs: CostModel) -> None:
    """Choose how to pack a layer; StaysDense where it does not pay."""
    layer = read_layer(model, graph, plan.op, kind, producers(graph))
    _set_times(plan, layer.weights.shape, layer.work, costs)
    choice = choose(layer.weights, target, layer.work, costs)
    if choice.predicted_speedup <= 1:
        raise StaysDense(_not_worth_it(plan.report.density, choice))
    plan.layer, plan.choice = layer, choice


def _set_times(plan: LayerPlan, shape: tuple[int, ...], work: Work, costs: CostModel) -> None:
    """Of a layer that stays dense."""
    plan.tflite_ns = costs.time(tflite_amounts(shape, work, costs.simd))
    plan.kept_ns = costs.time(unpacked_amounts(shape, work, costs.simd))


def _not_worth_it(density: float, choice: Choice) -> str:
    if density == 1:
        return "it has no zeros"
    if choice.predicted_speedup == 0:
        return f"its zeros form more than {MAX_PATTERNS} different patterns"
    return f"at density {density:.3f} the packed layer would run at {choice.predicted_speedup:.2f} of the dense speed"


def _plan_packed(model: Any, graph: Any, index: int, op: Any, name: str, costs: CostModel) -> LayerPlan:
    """The line of an operator that an earlier conversion packed."""
    layer, options = read_packed(model, graph, op)
    report = LayerReport(short_name(graph, op), index, name, [], accelerated=True)
    kind = PACKED[name]
    shape = (layer.out_channels, *map(int, layer.kernel_size), layer.in_channels)
    report.shape = list(shape) if kind == "Conv2D" else [layer.out_channels, layer.in_channels]
    report.density = np.count_nonzero(layer.values) / int(np.prod(shape))
    report.group_size = int(layer.group_size)
    report.num_patterns = len(layer.patterns)
    report.bytes_before = report.bytes_after = len(model.buffers[graph.tensors[op.inputs[1]].buffer].data)
    # Counted from the blob, not from its dense weights: a damaged one may claim a shape that no memory holds.
    counts = Counts(len(layer.values), len(layer.channels), len(layer.run_patterns), report.num_patterns)
    work = output_work(graph, op, kind, options.stride_w)
    report.predicted_speedup = round(predict_speedup(counts, shape, report.group_size, costs, work), 3)
    report.reason = f"sparse: packed by an earlier conversion, groups of {report.group_size}"
    plan = LayerPlan(op, report)
    plan.tflite_ns = costs.time(tflite_amounts(shape, work, costs.simd))
    plan.kept_ns = costs.time(packed_amounts(counts, shape, report.group_size, work, costs.simd))
    return plan
