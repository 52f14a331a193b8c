"""A converted ``.tflite`` back to builtin operators with dense weights: what an app without the plugin would run.

The inverse of the rewrite, up to what packing may not keep (value types are expanded, folded pads come back as PAD):

    x ─ McprunerSparseConv2D(blob) ─ y      ->   x ─ [PAD] ─ CONV_2D(weights, bias) ─ y
    x ─ McprunerSparseFullyConnected ─ y    ->   x ─ FULLY_CONNECTED(weights, bias) ─ y
    x ─ McprunerSparseTransposeConv ─ y     ->   x ─ TRANSPOSE_CONV(shape, weights, bias) ─ y

Every other operator, tensor number and tensor name stays as it is, so that the two files can be compared op by op. What
several layers share, such as the same layer in several signatures, is stored once.
"""

from hashlib import sha256
from typing import Any

import numpy as np

from mcpruner.converter.format.check_layer import expect
from mcpruner.converter.format.grouped import collapse_groups
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import unpack
from mcpruner.converter.format.serialize import SparseOptions, deserialize, deserialize_options
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.model import (
    add_constant,
    constant_bytes,
    operator_code,
    operator_name,
    read_model,
    schema,
    write_model,
)
from mcpruner.converter.tflite.transposed_layer import output_shape

CONV = "McprunerSparseConv2D"
FULLY_CONNECTED = "McprunerSparseFullyConnected"
TRANSPOSED = "McprunerSparseTransposeConv"


def densify(content: bytes) -> bytes:
    """Put CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV back where `convert` put custom operators.

    Parameters
    ----------
    content
        A ``.tflite`` file; one without custom operators of mcpruner comes back with the same meaning.

    Raises
    ------
    ValueError
        Not a ``.tflite``, or one of its blobs is damaged; the sentence names the layer.
    """
    model, blobs, stored = read_model(content), [], {}
    for graph in model.subgraphs:
        operators = []
        for op in graph.operators:
            if operator_name(model, op) in (CONV, FULLY_CONNECTED, TRANSPOSED):
                inputs = op.inputs
                operators += _dense_operators(model, graph, op, stored)
                blobs.append(graph.tensors[inputs[1]])
            else:
                operators.append(op)
        graph.operators = operators
    for blob in blobs:
        model.buffers[blob.buffer].data = None
    for blob in blobs:  # the tensor keeps its number; several operators may have read it
        blob.buffer, blob.shape = 0, [0]
    return write_model(model)


def read_packed(model: Any, graph: Any, op: Any) -> tuple[SparseLayer, SparseOptions]:
    """The layer in the blob of a custom operator, and its options.

    Raises
    ------
    ValueError
        The blob or the options are damaged; the sentence names the layer.
    """
    kind = operator_name(model, op)
    if len(op.inputs) != 2 or len(op.outputs) != 1 or min(op.inputs) < 0:
        raise ValueError(f"A {kind} must have 2 inputs and 1 output; one has {len(op.inputs)} and {len(op.outputs)}.")
    name = short_name(graph, op)
    blob = constant_bytes(model, graph, op.inputs[1])
    if len(blob) == 0:
        raise ValueError(f"Layer {name} has no blob: the second input of a {kind} must be a constant UINT8 tensor.")
    version = model.operatorCodes[op.opcodeIndex].version
    if version != 1:
        raise ValueError(f"Layer {name} is version {version} of {kind}; this mcpruner reads version 1: update it.")
    options = op.customOptions if op.customOptions is not None else []
    try:
        layer, read = deserialize(blob.tobytes()), deserialize_options(bytes(bytearray(options)))
        uneven = layer.out_channels % read.groups or layer.in_channels % read.groups
        expect(not uneven, "groups divide its filters and its channels", read.groups)
    except ValueError as error:
        raise ValueError(f"Layer {name}: {error}") from error
    return layer, read


def weights_as_they_were(layer: SparseLayer, options: SparseOptions, name: str) -> np.ndarray:
    """Dense weights of a packed layer, float32 OHWI, those of a grouped convolution for the channels of a group.

    Raises
    ------
    ValueError
        The layer claims to be larger than any is, or has weights between its groups; the sentence names it.
    """
    try:
        return collapse_groups(unpack(layer), options.groups)
    except ValueError as error:
        raise ValueError(f"Layer {name}: {error}") from error


def _dense_operators(model: Any, graph: Any, op: Any, stored: dict[bytes, list[int]]) -> list[Any]:
    """A dense operator and perhaps a PAD; `stored` has the buffers of weights and bias by the digest of their blob."""
    layer, options = read_packed(model, graph, op)
    name, blob = short_name(graph, op), sha256(constant_bytes(model, graph, op.inputs[1])).digest()
    weights = weights_as_they_were(layer, options, name)
    bias = np.zeros(layer.out_channels, np.float32) if layer.bias is None else layer.bias
    source, operators, version = op.inputs[0], [], 1
    if layer.kind == "FullyConnected":
        code, kind, builtin = _fully_connected(options)
        weights = weights.reshape(layer.out_channels, layer.in_channels)
    elif layer.kind == "TransposeConv2D":
        code, kind, builtin = _transposed(options)
        version = 3 if options.fused_activation == "None" else 4  # with a bias, and an activation
        shape, operators = output_shape(model, graph, source, [options.output_height, options.output_width, len(bias)])
    else:
        if options.padding == "Explicit":
            source, pad = _pad(model, graph, source, options, name)
            operators.append(pad)
        code, kind, builtin = _conv(options)
    op.opcodeIndex = operator_code(model, code, version=version)
    op.customOptions = None
    op.builtinOptionsType, op.builtinOptions = kind, builtin
    constants = ("weights", weights.astype(np.float32)), ("bias", bias.astype(np.float32))
    buffers = stored.get(blob, [None, None])
    numbers = [
        add_constant(model, graph, f"{name}/{what}", x, b) for (what, x), b in zip(constants, buffers, strict=True)
    ]
    stored[blob] = [graph.tensors[number].buffer for number in numbers]
    op.inputs = [shape, numbers[0], source, numbers[1]] if layer.kind == "TransposeConv2D" else [source, *numbers]
    return [*operators, op]


def _conv(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.Conv2DOptionsT()
    builtin.padding = schema.Padding.SAME if options.padding == "Same" else schema.Padding.VALID
    builtin.strideH, builtin.strideW = options.stride_h, options.stride_w
    builtin.dilationHFactor, builtin.dilationWFactor = options.dilation_h_factor, options.dilation_w_factor
    builtin.fusedActivationFunction = _activation(options)
    return schema.BuiltinOperator.CONV_2D, schema.BuiltinOptions.Conv2DOptions, builtin


def _transposed(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.TransposeConvOptionsT()
    builtin.padding = schema.Padding.SAME if options.padding == "Same" else schema.Padding.VALID
    builtin.strideH, builtin.strideW = options.stride_h, options.stride_w
    builtin.fusedActivationFunction = _activation(options)
    return schema.BuiltinOperator.TRANSPOSE_CONV, schema.BuiltinOptions.TransposeConvOptions, builtin


def _fully_connected(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.FullyConnectedOptionsT()
    builtin.fusedActivationFunction = _activation(options)
    builtin.keepNumDims = bool(options.keep_num_dims)
    return schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions, builtin


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
