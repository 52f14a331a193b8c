"""Tiny models, one for each way in which the delegate may meet an operator.

Every model begins with a convolution, since the delegate leaves partitions without one to TFLite. `CASES` maps a name
to a function that adds the operator to a builder behind that convolution and returns the output's tensor number.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_builder import TfliteBuilder

SHAPE = (1, 9, 7, 6)  # of the convolution's output


@dataclass
class Stage:
    """A model under construction: `x` is the output of its first convolution, [1, 9, 7, 6]."""

    net: TfliteBuilder
    rng: np.random.Generator
    x: int

    def random(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(np.float32)

    def ints(self, *values: int | list[int]) -> int:
        return self.net.constant(np.array(values, np.int32))

    def conv(self, x: int | None = None, channels: int = 6, kernel: int = 1, **kwargs) -> int:
        x = self.x if x is None else x
        weights = self.random(channels, kernel, kernel, self.net.shape(x)[3])
        return self.net.conv(x, weights, self.random(channels), **kwargs)


def _activation(name: str) -> int:
    return getattr(schema.ActivationFunctionType, name)


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
            options.fusedActivationFunction = _activation(activation)
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
            fusedActivationFunction=_activation(activation),
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
            fusedActivationFunction=_activation(activation),
        )
        reach = 2 * dilation
        sizes = [-(-n // stride) if padding == "SAME" else -(-(n - reach) // stride) for n in (9, 7)]
        weights = s.net.constant(s.random(1, 3, 3, 6 * multiplier))
        bias = s.net.constant(s.random(6 * multiplier))
        return s.net.operator("DEPTHWISE_CONV_2D", [s.x, weights, bias], (1, *sizes, 6 * multiplier), options)

    return add


def _reduce(code: str, axes: list[int], keep: bool, old: tuple[int, ...] = (1, 9, 7, 6)) -> Callable:
    """A reduction of the convolution's output, under the shape `old`."""

    def add(s: Stage) -> int:
        x = s.x
        if len(old) != 4:
            x = s.net.operator("RESHAPE", [x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT())
        over = [axis % len(old) for axis in axes]
        shape = [1 if i in over else n for i, n in enumerate(old) if keep or i not in over]
        return s.net.operator(code, [x, s.ints(*axes)], shape, schema.ReducerOptionsT(keepDims=keep))

    return add


def _mean(axes: list[int], keep: bool) -> Callable:
    return _reduce("MEAN", axes, keep)


def _pad(table: list[list[int]], value: float | None = None) -> Callable:
    def add(s: Stage) -> int:
        shape = [n + sum(p) for n, p in zip(s.net.shape(s.x), table, strict=True)]
        inputs = [s.x, s.ints(*table)]
        if value is None:
            return s.net.operator("PAD", inputs, shape, schema.PadOptionsT())
        inputs.append(s.net.constant(np.array(value, np.float32).reshape(())))
        return s.net.operator("PADV2", inputs, shape, schema.PadV2OptionsT())

    return add


def _concat(axis: int, with_constant: bool = False) -> Callable:
    def add(s: Stage) -> int:
        other = s.net.constant(s.random(1, 9, 7, 6)) if with_constant else s.conv()
        shape = list(s.net.shape(s.x))
        shape[axis] *= 2
        options = schema.ConcatenationOptionsT(axis=axis, fusedActivationFunction=_activation("NONE"))
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


def _sliced(
    masks: dict[str, int], begin: list[int], end: list[int], stride: list[int], shape: tuple[int, ...]
) -> Callable:
    """STRIDED_SLICE with any masks; `shape` is what comes of it."""

    def add(s: Stage) -> int:
        inputs = [s.x, *(s.ints(*v) for v in (begin, end, stride))]
        return s.net.operator("STRIDED_SLICE", inputs, shape, schema.StridedSliceOptionsT(**masks))

    return add


def _squeeze(axes: list[int], shape: tuple[int, ...]) -> Callable:
    """SQUEEZE of [1, 1, 1, 6], the mean of the map."""
    return lambda s: s.net.operator(
        "SQUEEZE", [_mean([1, 2], True)(s)], shape, schema.SqueezeOptionsT(squeezeDims=axes)
    )


def _expand(axis: int, shape: tuple[int, ...], other: tuple[int, ...]) -> Callable:
    """EXPAND_DIMS, and an addition behind it of a constant of the shape `other`, which broadcasts."""

    def add(s: Stage) -> int:
        y = s.net.operator("EXPAND_DIMS", [s.x, s.ints(axis)], shape, schema.ExpandDimsOptionsT())
        return s.net.operator(
            "ADD", [y, s.net.constant(s.random(*other))], _together(shape, other), schema.AddOptionsT()
        )

    return add


def _together(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(a, b)


def _pack(axis: int) -> Callable:
    def add(s: Stage) -> int:
        shape = list(s.net.shape(s.x))
        shape.insert(axis if axis >= 0 else axis + 5, 3)
        parts = [s.x, s.conv(), s.x]
        return s.net.operator("PACK", parts, shape, schema.PackOptionsT(valuesCount=3, axis=axis))

    return add


def _parts(code: str, inputs: Callable[[Stage], list[int]], shapes: list[tuple[int, ...]], options: Any) -> Callable:
    """An operator of several outputs, of which the last two are added up, or the only one is used."""

    def add(s: Stage) -> int:
        first = s.net.operator(code, inputs(s), shapes[0], options)
        outputs = [first, *(s.net.tensor(shape, "") for shape in shapes[1:])]
        s.net.graph.operators[-1].outputs = outputs
        if shapes[-1] != shapes[-2]:
            return outputs[-1]
        return s.net.operator("ADD", outputs[-2:], shapes[-1], schema.AddOptionsT())

    return add


def _sizes(begin: list[int], size: list[int], shape: tuple[int, ...]) -> Callable:
    """SLICE of [9, 7, 6], the sum of the batch: TFLite's own kernel cannot be resized."""

    def add(s: Stage) -> int:
        x = _reduce("SUM", [0], False)(s)
        return s.net.operator("SLICE", [x, s.ints(*begin), s.ints(*size)], shape, schema.SliceOptionsT())

    return add


def _norm(s: Stage, axes: list[int], constants: tuple[int, ...], old: tuple[int, ...]) -> int:
    """A normalization as TensorFlow writes it, of the convolution's output under the shape `old`."""
    x = s.net.operator("RESHAPE", [s.x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT()) if old != SHAPE else s.x
    small = tuple(1 if i in axes else n for i, n in enumerate(old))
    both = _together(small, constants)

    def op(code: str, a: int, b: int | np.ndarray | None, shape: tuple[int, ...], options: Any = None) -> int:
        other = [] if b is None else [b if isinstance(b, int) else s.net.constant(b)]
        return s.net.operator(code, [a, *other], shape, options)

    over = np.array(axes, np.int32)
    mean = op("MEAN", x, over, small, schema.ReducerOptionsT(keepDims=True))
    squares = op("SQUARED_DIFFERENCE", x, mean, old, schema.SquaredDifferenceOptionsT())
    variance = op("MEAN", squares, over, small, schema.ReducerOptionsT(keepDims=True))
    spread = op("ADD", variance, np.array(1e-3, np.float32), small, schema.AddOptionsT())
    factor = op("MUL", op("RSQRT", spread, None, small), s.random(*constants), both, schema.MulOptionsT())
    less = op("MUL", op("NEG", mean, None, small, schema.NegOptionsT()), factor, both, schema.MulOptionsT())
    shift = op("ADD", less, s.random(*constants), both, schema.AddOptionsT())
    relu = schema.AddOptionsT(fusedActivationFunction=_activation("RELU"))
    y = op("ADD", op("MUL", x, factor, old, schema.MulOptionsT()), shift, old, relu)
    return (
        s.net.operator("RESHAPE", [y, s.ints(-1, *SHAPE[1:])], SHAPE, schema.ReshapeOptionsT()) if old != SHAPE else y
    )


def _transpose(order: list[int], old: tuple[int, ...] = SHAPE) -> Callable:
    """TRANSPOSE of the convolution's output under the shape `old`."""

    def add(s: Stage) -> int:
        x = (
            s.net.operator("RESHAPE", [s.x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT())
            if old != SHAPE
            else s.x
        )
        return s.net.operator("TRANSPOSE", [x, s.ints(*order)], [old[i] for i in order], schema.TransposeOptionsT())

    return add


def _shuffle(groups: int) -> Callable:
    """ShuffleNet's shuffle of channels, and a convolution behind it."""

    def add(s: Stage) -> int:
        mixed = _transpose([0, 1, 2, 4, 3], (*SHAPE[:3], groups, 6 // groups))(s)
        return s.conv(s.net.operator("RESHAPE", [mixed, s.ints(-1, *SHAPE[1:])], SHAPE, schema.ReshapeOptionsT()))

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
    "mean": _mean([1, 2], False),
    "mean_keep_dims": _mean([2, 1], True),
    "mean_negative_axes": _mean([-2, -3], False),
    "mean_channels": _mean([3], True),
    "mean_channels_dropped": _mean([-1], False),
    "mean_image": _mean([1, 2, 3], True),
    "mean_rows": _mean([1], False),
    "mean_columns_and_channels": _mean([2, 3], True),
    "mean_rows_and_channels": _mean([3, 1], False),
    "mean_groups": _reduce("MEAN", [1, 2, 4], True, (1, 9, 7, 2, 3)),
    "sum_channels": _reduce("SUM", [3], False),
    "sum_map": _reduce("SUM", [1, 2], True),
    "sum_vector": _reduce("SUM", [1], False, (1, 378)),
    "sum_columns": _reduce("SUM", [1], False, (1, 63, 6)),
    "largest_of_channels": _reduce("REDUCE_MAX", [3], True),
    "largest_of_map": _reduce("REDUCE_MAX", [2, 1], False),
    "largest_of_image": _reduce("REDUCE_MAX", [1, 2, 3], True),
    "smallest_of_rows": _reduce("REDUCE_MIN", [1], True),
    "smallest_of_vectors": _reduce("REDUCE_MIN", [2], False, (1, 63, 6)),
    "pad": _pad([[0, 0], [1, 2], [0, 3], [0, 0]]),
    "pad_channels": _pad([[0, 0], [0, 0], [0, 0], [2, 3]]),
    "pad_value": _pad([[0, 0], [1, 1], [1, 1], [0, 1]], -1.5),
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
    "layer_norm": lambda s: s.conv(_norm(s, [3], (1, 1, 1, 6), SHAPE)),
    "layer_norm_of_image": lambda s: _norm(s, [1, 2, 3], (1, 9, 7, 6), SHAPE),
    "layer_norm_of_rows": lambda s: _norm(s, [2], (6,), (1, 63, 6)),
    "instance_norm": lambda s: s.conv(_norm(s, [1, 2], (6,), SHAPE)),
    "group_norm": lambda s: s.conv(_norm(s, [1, 2, 4], (1, 1, 1, 3, 2), (1, 9, 7, 3, 2))),
    "transpose_maps": _transpose([0, 3, 1, 2]),
    "transpose_rows": _transpose([0, 2, 1, 3]),
    "transpose_channels": _transpose([0, 1, 3, 2]),
    "transpose_rank_3": _transpose([0, 2, 1], (1, 63, 6)),
    "transpose_rank_5": _transpose([0, 4, 2, 1, 3], (1, 9, 7, 3, 2)),
    "shuffle_2": _shuffle(2),
    "shuffle_3": _shuffle(3),
    "slice_backwards": _sliced({"beginMask": 15, "endMask": 15}, [0] * 4, [0] * 4, [1, -1, -2, -1], (1, 9, 4, 6)),
    "slice_removed_axis": _sliced(
        {"beginMask": 3, "endMask": 3, "shrinkAxisMask": 4}, [0, 0, 2], [0, 0, 3], [1, 1, 1], (1, 9, 6)
    ),
    "slice_last_channel": _sliced({"ellipsisMask": 1, "shrinkAxisMask": 2}, [0, -1], [0, 0], [1, 1], (1, 9, 7)),
    "slice_new_axis": _sliced({"ellipsisMask": 1, "newAxisMask": 2}, [0, 0], [0, 0], [1, 1], (1, 9, 7, 6, 1)),
    "slice_sizes": _sizes([2, 1, 3], [5, -1, 2], (5, 6, 2)),
    "squeeze": _squeeze([1, 2], (1, 6)),
    "squeeze_negative": _squeeze([-2], (1, 1, 6)),
    "expand_dims": _expand(-1, (1, 9, 7, 6, 1), (6, 4)),
    "expand_dims_second": _expand(1, (1, 1, 9, 7, 6), (2, 1, 1, 6)),
    "pack_last": _pack(-1),
    "pack_rows": _pack(1),
    "split": _parts("SPLIT", lambda s: [s.ints(3), s.x], [(1, 9, 7, 2)] * 3, schema.SplitOptionsT(numSplits=3)),
    "split_rows": _parts("SPLIT", lambda s: [s.ints(-3), s.x], [(1, 3, 7, 6)] * 3, schema.SplitOptionsT(numSplits=3)),
    "split_sizes": _parts(
        "SPLIT_V",
        lambda s: [s.x, s.ints(2, -1, 1), s.ints(3)],
        [(1, 9, 7, 2), (1, 9, 7, 3), (1, 9, 7, 1)],
        schema.SplitVOptionsT(numSplits=3),
    ),
    "unpack_columns": _parts("UNPACK", lambda s: [s.x], [(1, 9, 6)] * 7, schema.UnpackOptionsT(num=7, axis=2)),
    "unpack_channels": _parts("UNPACK", lambda s: [s.x], [(1, 9, 7)] * 6, schema.UnpackOptionsT(num=6, axis=-1)),
    "reshape_to_5": _reshape(
        [-1, 9, 7, 3, 2], (1, 9, 7, 3, 2), lambda s, y: s.net.operator("RELU", [y], (1, 9, 7, 3, 2))
    ),
    "resnet20_shortcut": _shortcut,
}


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
