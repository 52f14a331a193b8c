"""Replace the convolutions and dense layers of a model by packed custom operators, where that pays.

    x ─ CONV_2D(weights, bias) ─ y           ->   x ─ McprunerSparseConv2D(blob) ─ y
    x ─ FULLY_CONNECTED(weights, bias) ─ y   ->   x ─ McprunerSparseFullyConnected(blob) ─ y

The blob (format/sparse_pattern.fbs) is a constant UINT8 tensor, the options are the operator's custom options.
Operators keep their places, tensors their names. Every convolution and dense layer gets a line in the report.
"""

from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import CostModel
from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.format.pack import pack, unpack
from mcpruner.converter.format.serialize import deserialize, round_values, serialize, serialize_options
from mcpruner.converter.format.value_type import choose_value_type
from mcpruner.converter.target import Target
from mcpruner.converter.tflite.dense_layer import DenseLayer, short_name
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold_flatten import fold_flatten
from mcpruner.converter.tflite.fold_pad import fold_pad
from mcpruner.converter.tflite.layer_plan import KINDS, PACKED, LayerPlan, plan_layers, predict_subgraph
from mcpruner.converter.tflite.model import (
    add_constant,
    operator_code,
    operator_name,
    producers,
    schema,
    tensor_name,
    type_name,
)
from mcpruner.converter.tflite.report import LayerReport

VERSION = 1  # of both custom operators

_CODES = {kind: name.encode() for name, kind in PACKED.items()}


def rewrite(model: Any, target: Target, values: str, costs: CostModel) -> tuple[list[LayerReport], float]:
    """Pack the layers of `model` (``ModelT``, as `read_model` returns it) in place.

    Parameters
    ----------
    target
        Hardware to choose group sizes for.
    values
        ``"float32"``, ``"float16"`` or ``"int8"``: how weights are stored.
    costs
        By which speed is predicted.

    Returns
    -------
    list of LayerReport
        In execution order, subgraph by subgraph.
    float
        Predicted speed-up of all layers together of the first subgraph that has a packed one; 1 where none is.

    Raises
    ------
    ValueError
        A layer is damaged or has NaN weights, or the model is fully quantized.
    """
    refuse_quantized(model)
    before = Use.of(model)
    costs = costs.for_model(_weight_bytes(model))
    plans = [plan_layers(model, graph, target, costs) for graph in model.subgraphs]
    for graph, graph_plans in zip(model.subgraphs, plans, strict=True):
        for plan in graph_plans:
            if plan.layer is not None and plan.choice is not None:
                _pack_layer(model, graph, plan, plan.layer, plan.choice, values)
        if any(plan.report.accelerated for plan in graph_plans):
            fold_flatten(model, graph)
    reports = [plan.report for graph_plans in plans for plan in graph_plans]
    pairs = zip(model.subgraphs, plans, strict=True)
    packed = ((graph, of_one) for graph, of_one in pairs if any(plan.report.accelerated for plan in of_one))
    speedup = next((predict_subgraph(graph, of_one, costs) for graph, of_one in packed), 1.0)
    drop_unused(model, before)
    return reports, speedup


def refuse_quantized(model: Any) -> None:
    """Raise ValueError if every convolution and dense layer works on integers."""
    layers = [
        (graph, op)
        for graph in model.subgraphs
        for op in graph.operators
        if operator_name(model, op) in KINDS and op.inputs and op.inputs[0] >= 0
    ]
    types = [type_name(graph.tensors[op.inputs[0]]) for graph, op in layers]
    if types and all(name in ("int8", "uint8", "int16") for name in types):
        raise ValueError(
            f"The model is quantized: all of its {len(types)} layers compute in {types[0]} (the first is "
            f"{short_name(*layers[0])}). Only float models are converted; convert the float32 or float16 one."
        )


def _weight_bytes(model: Any) -> int:
    """Of all convolutions and dense layers, as float32, as runtimes hold them."""
    weights = {
        (index, op.inputs[1])
        for index, graph in enumerate(model.subgraphs)
        for op in graph.operators
        if operator_name(model, op) in KINDS and len(op.inputs) > 1 and op.inputs[1] >= 0
    }
    return sum(4 * int(np.prod(model.subgraphs[index].tensors[tensor].shape)) for index, tensor in weights)


def _pack_layer(model: Any, graph: Any, plan: LayerPlan, layer: DenseLayer, choice: Choice, values: str) -> None:
    """Pack one layer as planned and fill its line."""
    report = plan.report
    stored, why_not = choose_value_type(layer.weights, values)
    blob, num_patterns = _make_blob(layer, choice, stored)
    options = layer.options
    if layer.kind == "Conv2D":
        options = fold_pad(model, graph, plan.op, options, producers(graph))
    _replace(model, graph, plan.op, layer.kind, blob, serialize_options(options))
    report.num_patterns, report.group_size = num_patterns, choice.group_size
    report.bytes_after, report.accelerated = len(blob), True
    report.predicted_speedup = round(choice.predicted_speedup, 3)
    report.reason = f"sparse: density {report.density:.3f}, groups of {choice.group_size}"
    if why_not:
        report.reason += f", as float32, since {why_not}"


def _make_blob(layer: DenseLayer, choice: Choice, values: str) -> tuple[bytes, int]:
    """The MCP1 blob, read back and compared, and its number of patterns."""
    packed = pack(layer.weights, choice.permutation, choice.group_size, layer.bias, layer.kind)
    blob = serialize(packed, values)
    read = deserialize(blob)
    same_bias = np.array_equal(_or_zeros(read.bias, read), _or_zeros(layer.bias, read))
    if not same_bias or not np.array_equal(unpack(read), round_values(layer.weights, values)):
        raise RuntimeError(f"Layer {layer.name} does not survive packing; please report this with the model.")
    return blob, len(packed.patterns)


def _or_zeros(bias: np.ndarray | None, layer: Any) -> np.ndarray:
    return np.zeros(layer.out_channels, np.float32) if bias is None else bias


def _replace(model: Any, graph: Any, op: Any, kind: str, blob: bytes, options: bytes) -> None:
    op.opcodeIndex = operator_code(model, schema.BuiltinOperator.CUSTOM, _CODES[kind], VERSION)
    name = f"{tensor_name(graph, op.outputs[0])}/mcpruner"
    op.inputs = [op.inputs[0], add_constant(model, graph, name, np.frombuffer(blob, np.uint8))]
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.NONE, None
    op.customOptions = np.frombuffer(options, np.uint8)
    # The schema knows no other format; the bytes are a SparseOptions flatbuffer, which only our delegate reads.
    op.customOptionsFormat = schema.CustomOptionsFormat.FLEXBUFFERS
