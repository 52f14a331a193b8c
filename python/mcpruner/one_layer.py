"""``.tflite`` files of one layer, to measure it packed; `densify` makes the dense file of it."""

import numpy as np

from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import SparseOptions, serialize, serialize_options
from mcpruner.converter.tflite.densify import CONV, FULLY_CONNECTED
from mcpruner.converter.tflite.model import add_constant, operator_code, schema, write_model


def packed_conv(weights: np.ndarray, group_size: int, size: int, stride: int) -> bytes:
    """Make a file of one packed convolution with SAME padding.

    Parameters
    ----------
    weights
        float32 OHWI ``[O, H, W, I]``; its filters are grouped in their order.
    group_size
        1, 2, 4, 8 or 16.
    size
        Height and width of the output.
    stride
        Stride along height and width.
    """
    options = SparseOptions(padding="Same", stride_h=stride, stride_w=stride)
    shapes = [(1, size * stride, size * stride, weights.shape[3]), (1, size, size, len(weights))]
    return _packed(weights, group_size, "Conv2D", CONV, options, shapes)


def packed_fully_connected(weights: np.ndarray, group_size: int) -> bytes:
    """Make a file of one packed dense layer for one row of inputs; arguments as of `packed_conv`.

    `weights` are float32 ``[O, 1, 1, I]``.
    """
    shapes = [(1, weights.shape[3]), (1, len(weights))]
    return _packed(weights, group_size, "FullyConnected", FULLY_CONNECTED, SparseOptions(), shapes)


def depthwise_conv(weights: np.ndarray, size: int, stride: int) -> bytes:
    """Make a file of one depthwise convolution with SAME padding; arguments as of `packed_conv`.

    `weights` are float32 ``[1, H, W, C]``.
    """
    channels = weights.shape[3]
    model, graph = _model([(1, size * stride, size * stride, channels), (1, size, size, channels)])
    constants = [add_constant(model, graph, "weights", weights)]
    constants += [add_constant(model, graph, "bias", np.zeros(channels, np.float32))]
    op = schema.OperatorT(inputs=[0, *constants], outputs=[1])
    op.opcodeIndex = operator_code(model, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
    op.builtinOptionsType = schema.BuiltinOptions.DepthwiseConv2DOptions
    op.builtinOptions = schema.DepthwiseConv2DOptionsT(
        padding=schema.Padding.SAME, strideH=stride, strideW=stride, depthMultiplier=1
    )
    graph.operators.append(op)
    return write_model(model)


def _packed(
    weights: np.ndarray,
    group_size: int,
    kind: str,
    operator: str,
    options: SparseOptions,
    shapes: list[tuple[int, ...]],
) -> bytes:
    layer = pack(weights, np.arange(len(weights), dtype=np.uint16), group_size, None, kind)
    model, graph = _model(shapes)
    blob = add_constant(model, graph, "blob", np.frombuffer(serialize(layer), np.uint8))
    op = schema.OperatorT(inputs=[0, blob], outputs=[1])
    op.opcodeIndex = operator_code(model, schema.BuiltinOperator.CUSTOM, operator.encode())
    op.customOptions = np.frombuffer(serialize_options(options), np.uint8)
    graph.operators.append(op)
    return write_model(model)


def _model(shapes: list[tuple[int, ...]]) -> tuple[schema.ModelT, schema.SubGraphT]:
    """A model with an input, an output and no operator yet."""
    graph = schema.SubGraphT(tensors=[], inputs=[0], outputs=[1], operators=[], name=b"main")
    for name, shape in zip((b"x", b"y"), shapes, strict=True):
        graph.tensors.append(schema.TensorT(shape=list(shape), type=schema.TensorType.FLOAT32, name=name, hasRank=True))
    empty = schema.BufferT(data=np.zeros(0, np.uint8))
    model = schema.ModelT(version=3, operatorCodes=[], subgraphs=[graph], buffers=[empty], metadata=[])
    model.description, model.signatureDefs = b"one layer, to measure it", []
    return model, graph
