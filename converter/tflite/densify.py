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
from mcpruner.converter.tflite.builtin_layer import make_builtin
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.model import (
    add_constant,
    constant_bytes,
    operator_name,
    read_model,
    write_model,
)

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


def packed_layers(model: Any, graph: Any) -> list[Any]:
    """The custom operators of mcpruner in a subgraph."""
    return [op for op in graph.operators if operator_name(model, op) in (CONV, FULLY_CONNECTED, TRANSPOSED)]


def _dense_operators(model: Any, graph: Any, op: Any, stored: dict[bytes, list[int]]) -> list[Any]:
    """A dense operator and perhaps a PAD; `stored` has the buffers of weights and bias by the digest of their blob."""
    layer, options = read_packed(model, graph, op)
    name, blob = short_name(graph, op), sha256(constant_bytes(model, graph, op.inputs[1])).digest()
    weights = weights_as_they_were(layer, options, name)
    if layer.kind == "FullyConnected":
        weights = weights.reshape(layer.out_channels, layer.in_channels)
    bias = np.zeros(layer.out_channels, np.float32) if layer.bias is None else layer.bias
    constants = ("weights", weights.astype(np.float32)), ("bias", bias.astype(np.float32))
    buffers = stored.get(blob, [None, None])
    numbers = [
        add_constant(model, graph, f"{name}/{what}", x, b) for (what, x), b in zip(constants, buffers, strict=True)
    ]
    stored[blob] = [graph.tensors[number].buffer for number in numbers]
    return make_builtin(model, graph, op, layer, options, *numbers)
