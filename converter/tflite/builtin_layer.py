"""The builtin operator that a packed layer was: the inverse of what `rewrite` does to an operator.

    x ─ McprunerSparseConv2D ─ y          ->   x ─ [PAD] ─ CONV_2D(weights, bias) ─ y
    x ─ McprunerSparseFullyConnected ─ y  ->   x ─ FULLY_CONNECTED(weights, bias) ─ y
    x ─ McprunerSparseTransposeConv ─ y   ->   x ─ TRANSPOSE_CONV(shape, weights, bias) ─ y

An operator gets the version that TFLite's own converter gives it: a runtime that is too old refuses the file by it.
"""

from typing import Any

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.serialize import SparseOptions
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.model import add_constant, operator_code, schema
from mcpruner.converter.tflite.transposed_layer import output_shape


def make_builtin(
    model: Any, graph: Any, op: Any, layer: SparseLayer, options: SparseOptions, weights: int, bias: int
) -> list[Any]:
    """Turn a custom operator into a builtin one that reads float32 weights and bias, in place.

    Parameters
    ----------
    model, graph, op
        The model, its subgraph and the operator in it.
    layer, options
        What `densify.read_packed` found in it.
    weights, bias
        Numbers of the tensors; -1 for no bias, of a fully-connected layer.

    Returns
    -------
    list
        The operators to put into its place: the last is `op`.
    """
    name, source, before = short_name(graph, op), op.inputs[0], []
    if layer.kind == "FullyConnected":
        code, version, builtin = _fully_connected(options)
    elif layer.kind == "TransposeConv2D":
        code, version, builtin = _transposed(options)
        sizes = [options.output_height, options.output_width, layer.out_channels]
        shape, before = output_shape(model, graph, source, sizes)
    else:
        if options.padding == "Explicit":
            source, pad = _pad(model, graph, source, options, name)
            before = [pad]
        code, version, builtin = _conv(options)
    op.opcodeIndex = operator_code(model, code, version=version)
    op.customOptions = None
    op.builtinOptionsType = getattr(schema.BuiltinOptions, type(builtin).__name__[:-1])
    op.builtinOptions = builtin
    op.inputs = [shape, weights, source, bias] if layer.kind == "TransposeConv2D" else [source, weights, bias]
    return [*before, op]


def _conv(options: SparseOptions) -> tuple[int, int, Any]:
    """Number of the operator, its version and its options, as the next ones."""
    builtin = schema.Conv2DOptionsT()
    builtin.padding = schema.Padding.SAME if options.padding == "Same" else schema.Padding.VALID
    builtin.strideH, builtin.strideW = options.stride_h, options.stride_w
    builtin.dilationHFactor, builtin.dilationWFactor = options.dilation_h_factor, options.dilation_w_factor
    builtin.fusedActivationFunction = _activation(options)
    return schema.BuiltinOperator.CONV_2D, 6 if options.groups > 1 else 1, builtin


def _transposed(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.TransposeConvOptionsT()
    builtin.padding = schema.Padding.SAME if options.padding == "Same" else schema.Padding.VALID
    builtin.strideH, builtin.strideW = options.stride_h, options.stride_w
    builtin.fusedActivationFunction = _activation(options)
    version = 3 if options.fused_activation == "None" else 4  # with a bias, and an activation
    return schema.BuiltinOperator.TRANSPOSE_CONV, version, builtin


def _fully_connected(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.FullyConnectedOptionsT()
    builtin.fusedActivationFunction = _activation(options)
    builtin.keepNumDims = bool(options.keep_num_dims)
    return schema.BuiltinOperator.FULLY_CONNECTED, 5 if options.keep_num_dims else 1, builtin


def _activation(options: SparseOptions) -> int:
    names = {"None": "NONE", "Relu": "RELU", "ReluN1To1": "RELU_N1_TO_1", "Relu6": "RELU6"}
    return getattr(schema.ActivationFunctionType, names[options.fused_activation])


def _pad(model: Any, graph: Any, source: int, options: SparseOptions, name: str) -> tuple[int, Any]:
    """A PAD of `source`: the number of its output tensor, and the operator."""
    if len(graph.tensors[source].shape) != 4:
        raise ValueError(f"Layer {name} pads its input, which must have 4 dimensions: {graph.tensors[source].shape}.")
    pads = [[0, 0], [options.pad_top, options.pad_bottom], [options.pad_left, options.pad_right], [0, 0]]
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = (name + "/padded").encode(), schema.TensorType.FLOAT32, 0
    tensor.shape = [int(size) + sum(pad) for size, pad in zip(graph.tensors[source].shape, pads, strict=True)]
    signature = graph.tensors[source].shapeSignature
    if signature is not None and len(signature):
        sizes = zip(signature, pads, strict=True)
        tensor.shapeSignature = [int(size) + sum(pad) if size >= 0 else -1 for size, pad in sizes]
    graph.tensors.append(tensor)
    output = len(graph.tensors) - 1
    op = schema.OperatorT()
    op.opcodeIndex = operator_code(model, schema.BuiltinOperator.PAD)
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.PadOptions, schema.PadOptionsT()
    op.inputs = [source, add_constant(model, graph, name + "/paddings", np.array(pads, np.int32))]
    op.outputs = [output]
    return output, op
