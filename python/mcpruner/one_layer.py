"""``.tflite`` files of one layer, to measure it packed; `densify` makes the dense file of it."""

import itertools
from collections.abc import Sequence
from typing import Any

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


def packed_chain(weights: np.ndarray, group_size: int, size: int, length: int) -> bytes:
    """Make a file of `length` equal packed convolutions, each of which reads what the one before it made.

    Other arguments as of `packed_conv`, for stride 1; `weights` have as many filters as channels.
    """
    image = (1, size, size, len(weights))
    return _packed(weights, group_size, "Conv2D", CONV, SparseOptions(padding="Same"), [image] * 2, length)


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
    _add_depthwise(model, graph, weights, stride, 0, 1)
    return write_model(model)


def _add_depthwise(
    model: schema.ModelT, graph: schema.SubGraphT, weights: np.ndarray, stride: int, x: int, y: int
) -> None:
    """Append a depthwise convolution with SAME padding that reads tensor `x` and writes tensor `y`."""
    constants = [add_constant(model, graph, "weights", weights)]
    constants += [add_constant(model, graph, "bias", np.zeros(weights.shape[3], np.float32))]
    options = schema.DepthwiseConv2DOptionsT(
        padding=schema.Padding.SAME, strideH=stride, strideW=stride, depthMultiplier=1
    )
    _add_operator(model, graph, "DEPTHWISE_CONV_2D", [x, *constants], [y], options)


def plain_operator(kind: str, channels: int, size: int, behind_depthwise: bool) -> bytes:
    """Make a file of one operator without weights.

    Parameters
    ----------
    kind
        One of `mcpruner.converter.cost.plain_ops.KINDS`; the operator is one that costs like it.
    channels, size
        Channels, height and width of its input.
    behind_depthwise
        Whether a depthwise convolution stands before it: the plugin takes no partition without weights.
    """
    image = (1, size, size, channels)
    model, graph = _model([image, plain_output(kind, channels, size)])
    y = 0
    if behind_depthwise:
        y = _add_tensor(graph, "smoothed", image)
        _add_depthwise(model, graph, np.ones((1, 3, 3, channels), np.float32) / 9, 1, 0, y)
        if kind == "exponential":
            y = _add_pool_of_one_pixel(model, graph, y)
    code, inputs, options = {
        "elementwise": ("MUL", [y, 0], schema.MulOptionsT()),
        "exponential": ("LOGISTIC", [y], None),
        "window": ("MAX_POOL_2D", [y], schema.Pool2DOptionsT(1, 2, 2, 2, 2)),
        "reduction": ("MEAN", [y], schema.ReducerOptionsT()),
        "copy": ("CONCATENATION", [y, 0], schema.ConcatenationOptionsT(axis=3)),
    }[kind]
    if kind == "reduction":
        inputs.append(add_constant(model, graph, "axes", np.array([1, 2], np.int32)))
    _add_operator(model, graph, code, inputs, [1], options)
    return write_model(model)


def _add_pool_of_one_pixel(model: schema.ModelT, graph: schema.SubGraphT, x: int) -> int:
    """Add a copy of tensor `x`, and return its number.

    An op with weights would do what follows to its own results, so that it had no time of its own.
    """
    y = _add_tensor(graph, "copied", graph.tensors[x].shape)
    _add_operator(model, graph, "MAX_POOL_2D", [x], [y], schema.Pool2DOptionsT(1, 1, 1, 1, 1))
    return y


def plain_output(kind: str, channels: int, size: int) -> tuple[int, ...]:
    """Shape of what `plain_operator` makes."""
    shapes = {
        "window": (1, size // 2, size // 2, channels),
        "reduction": (1, channels),
        "copy": (1, size, size, 2 * channels),
    }
    return shapes.get(kind, (1, size, size, channels))


def _add_operator(
    model: schema.ModelT, graph: schema.SubGraphT, code: str, inputs: list[int], outputs: list[int], options: Any
) -> None:
    op = schema.OperatorT(inputs=inputs, outputs=outputs)
    op.opcodeIndex = operator_code(model, getattr(schema.BuiltinOperator, code))
    if options is not None:
        op.builtinOptions = options
        op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
    graph.operators.append(op)


def _packed(
    weights: np.ndarray,
    group_size: int,
    kind: str,
    operator: str,
    options: SparseOptions,
    shapes: list[tuple[int, ...]],
    length: int = 1,
) -> bytes:
    layer = pack(weights, np.arange(len(weights), dtype=np.uint16), group_size, None, kind)
    model, graph = _model(shapes)
    blob = add_constant(model, graph, "blob", np.frombuffer(serialize(layer), np.uint8))
    between = [_add_tensor(graph, f"x{i}", shapes[1]) for i in range(1, length)]
    for x, y in itertools.pairwise([0, *between, 1]):
        op = schema.OperatorT(inputs=[x, blob], outputs=[y])
        op.opcodeIndex = operator_code(model, schema.BuiltinOperator.CUSTOM, operator.encode())
        op.customOptions = np.frombuffer(serialize_options(options), np.uint8)
        graph.operators.append(op)
    return write_model(model)


def _add_tensor(graph: schema.SubGraphT, name: str, shape: Sequence[int]) -> int:
    """Add a tensor that is no constant; returns its number."""
    float32 = schema.TensorType.FLOAT32
    graph.tensors.append(schema.TensorT(shape=list(shape), type=float32, name=name.encode(), hasRank=True))
    return len(graph.tensors) - 1


def _model(shapes: list[tuple[int, ...]]) -> tuple[schema.ModelT, schema.SubGraphT]:
    """A model with an input, an output and no operator yet."""
    graph = schema.SubGraphT(tensors=[], inputs=[0], outputs=[1], operators=[], name=b"main")
    for name, shape in zip("xy", shapes, strict=True):
        _add_tensor(graph, name, shape)
    empty = schema.BufferT(data=np.zeros(0, np.uint8))
    model = schema.ModelT(version=3, operatorCodes=[], subgraphs=[graph], buffers=[empty], metadata=[])
    model.description, model.signatureDefs = b"one layer, to measure it", []
    return model, graph
