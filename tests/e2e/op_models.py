"""Tiny models, one for each way in which the delegate may meet an operator.

Every model begins with a convolution, since the delegate leaves partitions without one to TFLite. `CASES` maps a name
to a function that adds the operator to a builder behind that convolution and returns the output's tensor number.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import axis_models
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from op_stage import Stage, activation_number
from tflite_builder import TfliteBuilder


def _binary(code: str, other: Callable[[Stage], int], activation: str = "NONE", swap: bool = False) -> Callable:
    def add(s: Stage) -> int:
        table = {
            "ADD": schema.AddOptionsT,
            "MUL": schema.MulOptionsT,
            "SUB": schema.SubOptionsT,
            "DIV": schema.DivOptionsT,
            "MAXIMUM": schema.MaximumMinimumOptionsT,
            "MINIMUM": schema.MaximumMinimumOptionsT,
            "SQUARED_DIFFERENCE": schema.SquaredDifferenceOptionsT,
        }
        options = table[code]()
        if hasattr(options, "fusedActivationFunction"):
            options.fusedActivationFunction = activation_number(activation)
        inputs = [s.x, other(s)]
        return s.net.operator(code, inputs[::-1] if swap else inputs, s.net.shape(s.x), options)

    return add


def _pool(code: str, padding: str, stride: int, size: tuple[int, int], activation: str = "NONE") -> Callable:
    def add(s: Stage) -> int:
        options = schema.Pool2DOptionsT(
            padding=getattr(schema.Padding, padding),
            strideH=stride,
            strideW=stride,
            filterHeight=size[0],
            filterWidth=size[1],
            fusedActivationFunction=activation_number(activation),
        )
        sizes = [
            -(-n // stride) if padding == "SAME" else -(-(n - k + 1) // stride)
            for n, k in zip((9, 7), size, strict=True)
        ]
        return s.net.operator(code, [s.x], (1, *sizes, 6), options)

    return add


def _depthwise(multiplier: int, padding: str, stride: int, dilation: int, activation: str) -> Callable:
    def add(s: Stage) -> int:
        options = schema.DepthwiseConv2DOptionsT(
            padding=getattr(schema.Padding, padding),
            strideH=stride,
            strideW=stride,
            dilationHFactor=dilation,
            dilationWFactor=dilation,
            depthMultiplier=multiplier,
            fusedActivationFunction=activation_number(activation),
        )
        reach = 2 * dilation
        sizes = [-(-n // stride) if padding == "SAME" else -(-(n - reach) // stride) for n in (9, 7)]
        weights = s.net.constant(s.random(1, 3, 3, 6 * multiplier))
        bias = s.net.constant(s.random(6 * multiplier))
        return s.net.operator("DEPTHWISE_CONV_2D", [s.x, weights, bias], (1, *sizes, 6 * multiplier), options)

    return add


def _resize(code: str, size: tuple[int, int], corners: bool = False, half: bool = False) -> Callable:
    def add(s: Stage) -> int:
        table = schema.ResizeBilinearOptionsT if code == "RESIZE_BILINEAR" else schema.ResizeNearestNeighborOptionsT
        options = table(alignCorners=corners, halfPixelCenters=half)
        return s.net.operator(code, [s.x, s.ints(*size)], (1, *size, 6), options)

    return add


def _transposed(
    kernel: int, stride: int, padding: str, channels: int = 5, bias: bool = True, zeros: bool = False
) -> Callable:
    def add(s: Stage) -> int:
        shape = (1, *(n * stride if padding == "SAME" else (n - 1) * stride + kernel for n in (9, 7)), channels)
        weights = s.random(channels, kernel, kernel, 6)
        if zeros:
            weights[s.rng.random(weights.shape) < 0.7] = 0
        inputs = [s.ints(*shape), s.net.constant(weights), s.x]
        if bias:
            inputs.append(s.net.constant(s.random(channels)))
        options = schema.TransposeConvOptionsT(padding=getattr(schema.Padding, padding), strideH=stride, strideW=stride)
        return s.net.operator("TRANSPOSE_CONV", inputs, shape, options)

    return add


def _depth_to_space(size: int, channels: int) -> Callable:
    def add(s: Stage) -> int:
        deep = s.conv(channels=channels * size**2)
        options = schema.DepthToSpaceOptionsT(blockSize=size)
        return s.net.operator("DEPTH_TO_SPACE", [deep], (1, 9 * size, 7 * size, channels), options)

    return add


def _space_to_depth(size: int) -> Callable:
    def add(s: Stage) -> int:
        rows, columns = (-(-n // size) * size for n in (9, 7))
        padded = axis_models.pad([[0, 0], [0, rows - 9], [0, columns - 7], [0, 0]])(s)
        options = schema.SpaceToDepthOptionsT(blockSize=size)
        return s.net.operator("SPACE_TO_DEPTH", [padded], (1, rows // size, columns // size, 6 * size**2), options)

    return add


def _mean(axes: list[int], keep: bool) -> Callable:
    return axis_models.reduce("MEAN", axes, keep)


def _concat(axis: int, with_constant: bool = False) -> Callable:
    def add(s: Stage) -> int:
        other = s.net.constant(s.random(1, 9, 7, 6)) if with_constant else s.conv()
        shape = list(s.net.shape(s.x))
        shape[axis] *= 2
        options = schema.ConcatenationOptionsT(axis=axis, fusedActivationFunction=activation_number("NONE"))
        return s.net.operator("CONCATENATION", [s.x, other], shape, options)

    return add


def _prelu(*slopes: int) -> Callable:
    """PRELU with a constant of that shape; without, with the output of another convolution.

    One slope for all channels is not among them: tflite-runtime 2.14 itself reads beyond it.
    """
    return lambda s: s.net.operator(
        "PRELU", [s.x, s.net.constant(s.random(*slopes)) if slopes else s.conv()], s.net.shape(s.x)
    )


def _unary(code: str, options: Any = None) -> Callable:
    return lambda s: s.net.operator(code, [s.x], s.net.shape(s.x), options)


def _unary_of_positive(code: str, options: Any = None) -> Callable:
    return lambda s: s.net.operator(
        code, [s.net.operator("LOGISTIC", [s.x], s.net.shape(s.x))], s.net.shape(s.x), options
    )


def _reciprocal(s: Stage) -> int:
    """1 / x of numbers away from 0."""
    positive = _unary_of_positive("EXP", schema.ExpOptionsT())(s)
    one = s.net.constant(np.array(1, np.float32))
    return s.net.operator("DIV", [one, positive], s.net.shape(s.x), schema.DivOptionsT())


def _far_from_zero(s: Stage) -> int:
    return s.net.constant(2 + s.rng.random(6).astype(np.float32))


def _pow(exponent: float) -> Callable:
    """POW of numbers between 0 and 1."""

    def add(s: Stage) -> int:
        shape = s.net.shape(s.x)
        positive = s.net.operator("LOGISTIC", [s.x], shape)
        return s.net.operator(
            "POW", [positive, s.net.constant(np.array(exponent, np.float32))], shape, schema.PowOptionsT()
        )

    return add


def _silu(s: Stage) -> int:
    """SiLU as TFLite has it: LOGISTIC and MUL."""
    return _binary("MUL", lambda s: _unary("LOGISTIC")(s))(s)


def _mish(s: Stage) -> int:
    """Mish as TensorFlow's converter writes it."""
    shape = s.net.shape(s.x)
    exp = s.net.operator("EXP", [s.x], shape, schema.ExpOptionsT())
    sum_ = s.net.operator("ADD", [exp, s.net.constant(np.array(1, np.float32))], shape, schema.AddOptionsT())
    tanh = s.net.operator("TANH", [s.net.operator("LOG", [sum_], shape)], shape)
    return s.net.operator("MUL", [s.x, tanh], shape, schema.MulOptionsT())


def _softmax(beta: float, flat: bool) -> Callable:
    def add(s: Stage) -> int:
        x = s.net.mean(s.x) if flat else s.x
        return s.net.operator("SOFTMAX", [x], s.net.shape(x), schema.SoftmaxOptionsT(beta=beta))

    return add


def _reshape(shape: list[int], new: tuple[int, ...], then: Callable[[Stage, int], int] | None = None) -> Callable:
    def add(s: Stage) -> int:
        y = s.net.operator("RESHAPE", [s.x, s.ints(*shape)], new, schema.ReshapeOptionsT())
        return then(s, y) if then else y

    return add


def _slice(begin: list[int], end: list[int], stride: list[int], masks: tuple[int, int]) -> Callable:
    def add(s: Stage) -> int:
        options = schema.StridedSliceOptionsT(beginMask=masks[0], endMask=masks[1])
        window = tuple(
            slice(None if masks[0] >> i & 1 else b, None if masks[1] >> i & 1 else e, k)
            for i, (b, e, k) in enumerate(zip(begin, end, stride, strict=True))
        )
        shape = np.empty(s.net.shape(s.x))[window].shape
        return s.net.operator("STRIDED_SLICE", [s.x, *(s.ints(*v) for v in (begin, end, stride))], shape, options)

    return add


def _fc(keep: bool, bias: bool, activation: str, flat: bool = False) -> Callable:
    def add(s: Stage) -> int:
        x = s.net.mean(s.x) if flat else s.x
        return s.net.fully_connected(
            x, s.random(10, 6), s.random(10) if bias else None, activation=activation, keep_num_dims=keep
        )

    return add


def _half_weights(s: Stage) -> int:
    weights = s.net.dequantize(s.net.constant(s.random(8, 3, 3, 6).astype(np.float16)))
    return s.net.conv(s.x, weights, s.net.dequantize(s.net.constant(s.random(8).astype(np.float16))))


def _shortcut(s: Stage) -> int:
    """ResNet-20's parameter-free shortcut beside a strided convolution."""
    half = _slice([0, 0, 0, 0], [0, 0, 0, 0], [1, 2, 2, 1], (15, 15))(s)
    shape = (*s.net.shape(half)[:3], 12)
    padded = s.net.operator("PAD", [half, s.ints([0, 0], [0, 0], [0, 0], [3, 3])], shape, schema.PadOptionsT())
    return s.net.relu(s.net.add(padded, s.conv(channels=12, kernel=3, stride=(2, 2))))


CASES: dict[str, Callable[[Stage], int]] = {
    "conv_same": lambda s: s.conv(channels=5, kernel=3),
    "conv_valid_relu6": lambda s: s.conv(channels=7, kernel=3, padding="VALID", activation="RELU6"),
    "conv_stride_2_relu": lambda s: s.conv(channels=4, kernel=5, stride=(2, 2), activation="RELU"),
    "conv_stride_1_3": lambda s: s.conv(channels=4, kernel=3, stride=(1, 3), activation="RELU_N1_TO_1"),
    "conv_dilated": lambda s: s.conv(channels=4, kernel=3, dilation=(2, 2)),
    "conv_without_bias": lambda s: s.net.conv(s.x, s.random(3, 3, 3, 6)),
    "conv_half_weights": _half_weights,
    "depthwise_same": _depthwise(1, "SAME", 1, 1, "RELU6"),
    "depthwise_stride": _depthwise(1, "SAME", 2, 1, "NONE"),
    "depthwise_valid_multiplier": _depthwise(2, "VALID", 1, 1, "RELU"),
    "depthwise_dilated": _depthwise(1, "SAME", 1, 2, "RELU_N1_TO_1"),
    "depthwise_as_groups": lambda s: s.net.conv(s.x, s.random(6, 5, 3, 1), s.random(6), stride=(2, 1)),
    "depthwise_as_groups_multiplier": lambda s: s.net.conv(s.x, s.random(18, 3, 3, 1), activation="RELU6"),
    "grouped": lambda s: s.net.conv(s.x, s.random(8, 3, 3, 3), s.random(8), activation="RELU6"),
    "grouped_stride": lambda s: s.net.conv(s.x, s.random(9, 5, 3, 2), stride=(2, 1)),
    "grouped_dilated": lambda s: s.net.conv(s.x, s.random(12, 3, 3, 3), dilation=(2, 2), padding="VALID"),
    "grouped_pointwise": lambda s: s.net.conv(s.x, s.random(6, 1, 1, 2), s.random(6), activation="RELU"),
    "fc_flat": _fc(False, True, "RELU", flat=True),
    "fc_rows": _fc(False, True, "NONE"),
    "fc_keep_dims": _fc(True, False, "RELU6"),
    "add": _binary("ADD", lambda s: s.conv()),
    "add_relu": _binary("ADD", lambda s: s.conv(), "RELU"),
    "add_vector": _binary("ADD", lambda s: s.net.constant(s.random(6)), "RELU6"),
    "mul": _binary("MUL", lambda s: s.conv()),
    "mul_scalar": _binary("MUL", lambda s: s.net.constant(s.random(1).reshape(()))),
    "mul_row": _binary("MUL", lambda s: s.net.constant(s.random(7, 6)), "RELU_N1_TO_1"),
    "mul_gate": _binary("MUL", lambda s: _mean([1, 2], True)(s)),
    "mul_gate_first": _binary("MUL", lambda s: _mean([1, 2], True)(s), swap=True),
    "sub": _binary("SUB", lambda s: s.conv(), "RELU"),
    "sub_from_vector": _binary("SUB", lambda s: s.net.constant(s.random(1, 1, 1, 6)), swap=True),
    "div": _binary("DIV", _unary_of_positive("EXP", schema.ExpOptionsT()), "RELU"),
    "div_by_vector": _binary("DIV", _far_from_zero, "RELU6"),
    "div_of_scalar": _reciprocal,
    "maximum": _binary("MAXIMUM", lambda s: s.conv()),
    "maximum_scalar": _binary("MAXIMUM", lambda s: s.net.constant(np.array(0.3, np.float32))),
    "minimum": _binary("MINIMUM", lambda s: s.net.constant(s.random(7, 6)), swap=True),
    "squared_difference": _binary("SQUARED_DIFFERENCE", lambda s: s.conv()),
    "squared_difference_mean": _binary("SQUARED_DIFFERENCE", lambda s: _mean([1, 2], True)(s), swap=True),
    "pow_2": _pow(2.0),
    "pow_half": _pow(0.5),
    "pow_minus_half": _pow(-0.5),
    "prelu": _prelu(1, 1, 6),
    "prelu_map": _prelu(9, 7, 6),
    "prelu_computed": _prelu(),
    "max_pool": _pool("MAX_POOL_2D", "VALID", 2, (2, 2)),
    "max_pool_same": _pool("MAX_POOL_2D", "SAME", 2, (3, 3), "RELU"),
    "average_pool": _pool("AVERAGE_POOL_2D", "VALID", 2, (3, 2)),
    "average_pool_same": _pool("AVERAGE_POOL_2D", "SAME", 1, (3, 3), "RELU6"),
    "bilinear": _resize("RESIZE_BILINEAR", (18, 14)),
    "bilinear_half": _resize("RESIZE_BILINEAR", (18, 14), half=True),
    "bilinear_corners": _resize("RESIZE_BILINEAR", (18, 21), corners=True),
    "bilinear_any": _resize("RESIZE_BILINEAR", (7, 50), half=True),
    "bilinear_down": _resize("RESIZE_BILINEAR", (4, 1)),
    "bilinear_one": _resize("RESIZE_BILINEAR", (1, 1), corners=True),
    "nearest": _resize("RESIZE_NEAREST_NEIGHBOR", (18, 14)),
    "nearest_half": _resize("RESIZE_NEAREST_NEIGHBOR", (18, 21), half=True),
    "nearest_corners": _resize("RESIZE_NEAREST_NEIGHBOR", (20, 13), corners=True),
    "nearest_corners_half": _resize("RESIZE_NEAREST_NEIGHBOR", (11, 40), corners=True, half=True),
    "nearest_down": _resize("RESIZE_NEAREST_NEIGHBOR", (2, 3), half=True),
    "transpose_conv_2": _transposed(2, 2, "SAME"),
    "transpose_conv_3_same": _transposed(3, 2, "SAME", bias=False),
    "transpose_conv_3_valid": _transposed(3, 2, "VALID", 8),
    "transpose_conv_4": _transposed(4, 2, "SAME", 4, zeros=True),
    "transpose_conv_5_3": _transposed(5, 3, "VALID", 1),
    "transpose_conv_1": _transposed(3, 1, "SAME", 6, zeros=True),
    "transpose_conv_1_3": _transposed(1, 3, "SAME", 2),
    "depth_to_space": _depth_to_space(2, 5),
    "depth_to_space_one_channel": _depth_to_space(3, 1),
    "depth_to_space_large": _depth_to_space(5, 2),
    "space_to_depth": _space_to_depth(2),
    "space_to_depth_large": _space_to_depth(5),
    "mean": _mean([1, 2], False),
    "mean_keep_dims": _mean([2, 1], True),
    "mean_negative_axes": _mean([-2, -3], False),
    "concat_channels": _concat(3),
    "concat_rows": _concat(1),
    "concat_negative_axis": _concat(-2),
    "relu": _unary("RELU"),
    "relu6": _unary("RELU6"),
    "relu_n1_to_1": _unary("RELU_N1_TO_1"),
    "hard_swish": _unary("HARD_SWISH"),
    "logistic": _unary("LOGISTIC"),
    "tanh": _unary("TANH"),
    "leaky_relu": _unary("LEAKY_RELU", schema.LeakyReluOptionsT(alpha=0.3)),
    "elu": _unary("ELU"),
    "gelu": _unary("GELU", schema.GeluOptionsT(approximate=False)),
    "gelu_approximate": _unary("GELU", schema.GeluOptionsT(approximate=True)),
    "exp": _unary("EXP", schema.ExpOptionsT()),
    "square": _unary("SQUARE", schema.SquareOptionsT()),
    "abs": _unary("ABS", schema.AbsOptionsT()),
    "neg": _unary("NEG", schema.NegOptionsT()),
    "log": _unary_of_positive("LOG"),
    "sqrt": _unary_of_positive("SQRT"),
    "rsqrt": _unary_of_positive("RSQRT"),
    "silu": _silu,
    "mish": _mish,
    "softmax_flat": _softmax(1.0, True),
    "softmax_map": _softmax(0.5, False),
    "reshape_flat": _reshape([-1, 378], (1, 378)),
    "reshape_rows": _reshape([-1, 63, 6], (1, 63, 6)),
    "reshape_softmax": _reshape(
        [-1, 63, 6],
        (1, 63, 6),
        lambda s, y: s.net.operator("SOFTMAX", [y], (1, 63, 6), schema.SoftmaxOptionsT(beta=1.0)),
    ),
    "slice_stride": _slice([0, 0, 0, 0], [0, 0, 0, 0], [1, 2, 2, 1], (15, 15)),
    "slice_window": _slice([0, 1, -5, 2], [0, -1, 100, 5], [1, 1, 2, 1], (1, 1)),
    "resnet20_shortcut": _shortcut,
    **axis_models.CASES,
}


def batches(name: str) -> tuple[int, ...]:
    """Batches that a case runs in, one after the other; the shape that TRANSPOSE_CONV makes is a constant."""
    return (1, 1) if name.startswith("transpose_conv") else (1, 3, 1)


def build(name: str) -> bytes:
    """The model of one case; input [1, 9, 7, 5], the batch may be resized."""
    net = TfliteBuilder()
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    stage = Stage(net, rng, net.input((1, 9, 7, 5)))
    stage.x = stage.conv(stage.x)
    return net.build([CASES[name](stage)])


def inputs(name: str, batch: int) -> np.ndarray:
    """Input of one case."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) + batch)
    return rng.standard_normal((batch, 9, 7, 5)).astype(np.float32)
