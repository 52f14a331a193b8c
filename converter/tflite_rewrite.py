"""Replace the convolutions and dense layers of a model by packed custom operators, where that pays.

    x ─ CONV_2D(weights, bias) ─ y           ->   x ─ McprunerSparseConv2D(blob) ─ y
    x ─ FULLY_CONNECTED(weights, bias) ─ y   ->   x ─ McprunerSparseFullyConnected(blob) ─ y

The blob (format/sparse_pattern.fbs) is a constant UINT8 tensor, the options are the operator's custom options.
Operators keep their places, tensors their names. Every convolution and dense layer gets a line in the report.
"""

import contextlib
from typing import Any

import numpy as np

from mcpruner.converter.dense_layer import DenseLayer, StaysDense, output_work, read_layer, short_name
from mcpruner.converter.densify import CONV, FULLY_CONNECTED, read_packed
from mcpruner.converter.drop_unused import drop_unused
from mcpruner.converter.estimate import Choice, Counts, choose, predict_speedup
from mcpruner.converter.fold_pad import fold_pad
from mcpruner.converter.pack import pack, unpack
from mcpruner.converter.report import LayerReport
from mcpruner.converter.serialize import deserialize, round_values, serialize, serialize_options
from mcpruner.converter.target import Target
from mcpruner.converter.tflite_model import (
    add_constant,
    operator_code,
    operator_name,
    producers,
    schema,
    tensor_name,
    type_name,
)
from mcpruner.converter.weights import NotConstantError, read_constant

VERSION = 1  # of both custom operators

_KINDS = {"CONV_2D": "Conv2D", "FULLY_CONNECTED": "FullyConnected"}
_NEVER = {
    "DEPTHWISE_CONV_2D": "depthwise convolutions are not packed",
    "TRANSPOSE_CONV": "transposed convolutions are not packed",
    "CONV_3D": "three-dimensional convolutions are not packed",
}
_PACKED = {CONV: "Conv2D", FULLY_CONNECTED: "FullyConnected"}
_CODES = {kind: name.encode() for name, kind in _PACKED.items()}


def rewrite(model: Any, target: Target, values: str) -> list[LayerReport]:
    """Pack the layers of `model` (``ModelT``, as `read_model` returns it) in place.

    Parameters
    ----------
    target
        Hardware to choose group sizes for.
    values
        ``"float32"``, ``"float16"`` or ``"int8"``: how weights are stored.

    Returns
    -------
    list of LayerReport
        In execution order, subgraph by subgraph.

    Raises
    ------
    ValueError
        A layer is damaged or has NaN weights, or the model is fully quantized.
    """
    refuse_quantized(model)
    reports = [
        report
        for graph in model.subgraphs
        for index, op in enumerate(list(graph.operators))
        if (report := _rewrite_operator(model, graph, index, op, target, values)) is not None
    ]
    drop_unused(model)
    return reports


def refuse_quantized(model: Any) -> None:
    """Raise ValueError if every convolution and dense layer works on integers."""
    layers = [
        (graph, op)
        for graph in model.subgraphs
        for op in graph.operators
        if operator_name(model, op) in _KINDS and op.inputs and op.inputs[0] >= 0
    ]
    types = [type_name(graph.tensors[op.inputs[0]]) for graph, op in layers]
    if types and all(name in ("int8", "uint8", "int16") for name in types):
        raise ValueError(
            f"The model is quantized: all of its {len(types)} layers compute in {types[0]} (the first is "
            f"{short_name(*layers[0])}). Only float models are converted; convert the float32 or float16 one."
        )


def _rewrite_operator(model: Any, graph: Any, index: int, op: Any, target: Target, values: str) -> LayerReport | None:
    name = operator_name(model, op)
    if name in _PACKED:
        return _report_packed(model, graph, index, op, name, target)
    if name not in _KINDS and name not in _NEVER:
        return None
    report = _describe(model, graph, index, op, name)
    if name in _NEVER:
        report.reason = f"dense: {_NEVER[name]}"
        return report
    try:
        _pack_layer(model, graph, op, _KINDS[name], target, values, report)
    except StaysDense as reason:
        report.reason = f"dense: {reason}"
    return report


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


def _pack_layer(model: Any, graph: Any, op: Any, kind: str, target: Target, values: str, report: LayerReport) -> None:
    """Pack one layer and fill its line; StaysDense where it does not pay."""
    writers = producers(graph)
    layer = read_layer(model, graph, op, kind, writers)
    choice = choose(layer.weights, target, layer.work)
    if choice.predicted_speedup <= 1:
        raise StaysDense(_not_worth_it(report.density, choice))
    fits = values != "float16" or np.abs(layer.weights).max() <= np.finfo(np.float16).max
    blob, num_patterns = _make_blob(layer, choice, values if fits else "float32")
    options = layer.options
    if kind == "Conv2D":
        options = fold_pad(model, graph, op, options, writers)
    _replace(model, graph, op, kind, blob, serialize_options(options))
    report.num_patterns, report.group_size = num_patterns, choice.group_size
    report.bytes_after, report.accelerated = len(blob), True
    report.predicted_speedup = round(choice.predicted_speedup, 3)
    report.reason = f"sparse: density {report.density:.3f}, groups of {choice.group_size}"
    if not fits:
        report.reason += ", as float32, since a weight exceeds float16's range"


def _not_worth_it(density: float, choice: Choice) -> str:
    if density == 1:
        return "it has no zeros"
    if choice.predicted_speedup == 0:
        return "its zeros form more than 65535 different patterns"
    return f"at density {density:.3f} the packed layer would run at {choice.predicted_speedup:.2f} of the dense speed"


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


def _report_packed(model: Any, graph: Any, index: int, op: Any, name: str, target: Target) -> LayerReport:
    """The line of an operator that an earlier conversion packed."""
    layer, _ = read_packed(model, graph, op)
    report = LayerReport(short_name(graph, op), index, name, [], accelerated=True)
    kind = _PACKED[name]
    shape = (layer.out_channels, *map(int, layer.kernel_size), layer.in_channels)
    report.shape = list(shape) if kind == "Conv2D" else [layer.out_channels, layer.in_channels]
    report.density = np.count_nonzero(layer.values) / int(np.prod(shape))
    report.group_size = int(layer.group_size)
    report.num_patterns = len(layer.patterns)
    report.bytes_before = report.bytes_after = len(model.buffers[graph.tensors[op.inputs[1]].buffer].data)
    # Counted from the blob, not from its dense weights: a damaged one may claim a shape that no memory holds.
    counts = Counts(len(layer.values), len(layer.channels), len(layer.run_patterns), report.num_patterns)
    work = output_work(graph, op, kind)
    report.predicted_speedup = round(predict_speedup(counts, shape, report.group_size, target, work), 3)
    report.reason = f"sparse: packed by an earlier conversion, groups of {report.group_size}"
    return report
