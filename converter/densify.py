"""A converted ``.tflite`` back to builtin operators with dense weights: what an app without the plugin would run.

The inverse of the rewrite, up to what packing may not keep (value types are expanded, folded pads come back as PAD):

    x ─ McprunerSparseConv2D(blob) ─ y      ->   x ─ [PAD] ─ CONV_2D(weights, bias) ─ y
    x ─ McprunerSparseFullyConnected ─ y    ->   x ─ FULLY_CONNECTED(weights, bias) ─ y

Every other operator, tensor number and tensor name stays as it is, so that the two files can be compared op by op.
"""

from typing import Any

import numpy as np

from mcpruner.converter.layer import SparseLayer
from mcpruner.converter.pack import unpack
from mcpruner.converter.serialize import SparseOptions, deserialize, deserialize_options
from mcpruner.converter.tflite_model import read_model, schema, write_model

CONV = "McprunerSparseConv2D"
FULLY_CONNECTED = "McprunerSparseFullyConnected"


def densify(content: bytes) -> bytes:
    """Put CONV_2D and FULLY_CONNECTED back where `convert` put custom operators.

    Parameters
    ----------
    content
        A ``.tflite`` file; one without custom operators of mcpruner comes back with the same meaning.

    Raises
    ------
    ValueError
        Not a ``.tflite``, or one of its blobs is damaged; the sentence names the layer.
    """
    model = read_model(content)
    for graph in model.subgraphs:
        operators, blobs = [], set()
        for op in graph.operators:
            if custom_code(model, op) in (CONV, FULLY_CONNECTED):
                blob = op.inputs[1:2]
                operators += _dense_operators(model, graph, op)
                blobs.update(int(i) for i in blob)
            else:
                operators.append(op)
        graph.operators = operators
        for blob in blobs:  # the tensor keeps its number, and loses its bytes
            model.buffers[graph.tensors[blob].buffer].data = None
            graph.tensors[blob].buffer, graph.tensors[blob].shape = 0, [0]
    return write_model(model)


def custom_code(model: Any, op: Any) -> str:
    """Name of a custom operator, ``""`` for a builtin one."""
    code = model.operatorCodes[op.opcodeIndex].customCode
    return code.decode() if isinstance(code, bytes) else code or ""


def read_layer(model: Any, graph: Any, op: Any) -> tuple[SparseLayer, SparseOptions]:
    """The layer in the blob of a custom operator, and its options.

    Raises
    ------
    ValueError
        The blob or the options are damaged; the sentence names the layer.
    """
    name = tensor_name(graph, op.outputs[0])
    buffer = model.buffers[graph.tensors[op.inputs[1]].buffer].data if len(op.inputs) > 1 else None
    if buffer is None or len(buffer) == 0:
        raise ValueError(f"Layer {name} has no blob: its second input must be a constant UINT8 tensor.")
    try:
        layer = deserialize(np.asarray(buffer, np.uint8).tobytes())
        return layer, deserialize_options(bytes(bytearray(op.customOptions if op.customOptions is not None else b"")))
    except ValueError as error:
        raise ValueError(f"Layer {name}: {error}") from error


def tensor_name(graph: Any, index: int) -> str:
    """Name of a tensor, as text."""
    name = graph.tensors[index].name
    return name.decode() if isinstance(name, bytes) else name or ""


def _dense_operators(model: Any, graph: Any, op: Any) -> list[Any]:
    layer, options = read_layer(model, graph, op)
    name = tensor_name(graph, op.outputs[0])
    weights = unpack(layer)
    bias = np.zeros(layer.out_channels, np.float32) if layer.bias is None else layer.bias
    source, operators = int(op.inputs[0]), []
    if layer.kind == "FullyConnected":
        code, kind, builtin = _fully_connected(options)
        weights = weights.reshape(layer.out_channels, layer.in_channels)
    else:
        if options.padding == "Explicit":
            source, pad = _pad(model, graph, source, options, name)
            operators.append(pad)
        code, kind, builtin = _conv(options)
    op.opcodeIndex = _opcode(model, code)
    op.customOptions = None
    op.builtinOptionsType, op.builtinOptions = kind, builtin
    op.inputs = [source, add_constant(model, graph, name + "/weights", weights.astype(np.float32))]
    op.inputs.append(add_constant(model, graph, name + "/bias", bias.astype(np.float32)))
    return [*operators, op]


def _conv(options: SparseOptions) -> tuple[int, int, Any]:
    builtin = schema.Conv2DOptionsT()
    builtin.padding = schema.Padding.SAME if options.padding == "Same" else schema.Padding.VALID
    builtin.strideH, builtin.strideW = options.stride_h, options.stride_w
    builtin.dilationHFactor, builtin.dilationWFactor = options.dilation_h_factor, options.dilation_w_factor
    builtin.fusedActivationFunction = _activation(options)
    return schema.BuiltinOperator.CONV_2D, schema.BuiltinOptions.Conv2DOptions, builtin


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
    op.opcodeIndex = _opcode(model, schema.BuiltinOperator.PAD)
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.PadOptions, schema.PadOptionsT()
    op.inputs = [source, add_constant(model, graph, name + "/paddings", np.array(pads, np.int32))]
    op.outputs = [output]
    return output, op


def _opcode(model: Any, builtin: int) -> int:
    """Index of a builtin operator's code in the model, appended if it is not there."""
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def add_constant(model: Any, graph: Any, name: str, array: np.ndarray) -> int:
    """A new constant tensor, float32 or int32; returns its number."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), list(array.shape), len(model.buffers) - 1
    tensor.type = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}[array.dtype.name]
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
