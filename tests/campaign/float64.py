"""What a network computes in float64, and how far a float32 run of it may reasonably be from that.

`evaluate` runs every operator of `random_network` in NumPy float64. With `noise` each result is moved at random within
the rounding of a float32 sum of its products (sum of ``|w * x|``, not the result, which cancellation may make small):
the outputs of such a run spread as those of any correct float32 implementation do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mcpruner.converter.tflite.model import operator_name, read_model, schema

ROUNDING = 16 * 2.0**-24  # of a sum, in units of the sum of its terms' magnitudes; Winograd loses more than one bit

_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}


def evaluate(content: bytes, inputs: list[np.ndarray], noise: np.random.Generator | None = None) -> list[np.ndarray]:
    """Outputs of a file in float64, inputs in the model's order."""
    model = read_model(content)
    graph = model.subgraphs[0]
    values: dict[int, np.ndarray] = {}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            array = np.frombuffer(np.asarray(data, np.uint8).tobytes(), _TYPES[tensor.type]).reshape(tensor.shape)
            values[index] = array.astype(np.float64) if array.dtype.kind == "f" else array
    values.update(zip(graph.inputs, (x.astype(np.float64) for x in inputs), strict=True))
    with np.errstate(all="ignore"):
        for op in graph.operators:
            arrays = [values[i] if i >= 0 else None for i in op.inputs]
            result = OPERATORS[operator_name(model, op)](op, *arrays)
            result, size = result if isinstance(result, tuple) else (result, None)
            results = result if isinstance(result, list) else [result]
            for output, array in zip(op.outputs, results, strict=True):
                if noise is not None:
                    sums = np.abs(array) if size is None else size
                    array = array + sums * noise.uniform(-ROUNDING, ROUNDING, array.shape)
                values[output] = _activated(op, array)
    return [values[i] for i in graph.outputs]


def spread(content: bytes, inputs: list[np.ndarray], runs: int = 3) -> list[float]:
    """For each output the largest distance of `runs` noisy evaluations from the exact one."""
    exact = evaluate(content, inputs)
    largest = [0.0] * len(exact)
    for run in range(runs):
        for i, noisy in enumerate(evaluate(content, inputs, np.random.default_rng(run))):
            with np.errstate(invalid="ignore"):
                largest[i] = max(largest[i], float(np.nanmax(np.abs(noisy - exact[i]), initial=0.0)))
    return largest


def _activated(op: Any, x: np.ndarray) -> np.ndarray:
    kind = getattr(op.builtinOptions, "fusedActivationFunction", 0)
    low, high = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}[kind]
    return np.clip(x, low, high)


def _image_windows(op: Any, x: np.ndarray, kernel: tuple[int, int], fill: float) -> np.ndarray:
    """[N, rows, columns, C, kernel rows, kernel columns] of an image, padded as the operator says."""
    options = op.builtinOptions
    dilation = (getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1))
    pads = [(0, 0), (0, 0), (0, 0), (0, 0)]
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if options.padding == schema.Padding.SAME:
        for axis, (extent, stride) in enumerate(zip(extents, (options.strideH, options.strideW), strict=True), 1):
            total = max(0, (-(-x.shape[axis] // stride) - 1) * stride + extent - x.shape[axis])
            pads[axis] = (total // 2, total - total // 2)
    padded = np.pad(x, pads, constant_values=fill)
    if padded.shape[1] < extents[0] or padded.shape[2] < extents[1]:  # no window fits
        return np.empty((*x.shape[:1], 0, 0, x.shape[3], *kernel))
    every = sliding_window_view(padded, extents, (1, 2))[:, :: options.strideH, :: options.strideW]
    return every[..., :: dilation[0], :: dilation[1]]


def _conv(op: Any, x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    groups = x.shape[3] // w.shape[3]
    b = np.zeros(w.shape[0]) if b is None else b

    def sums(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        view = _image_windows(op, x, w.shape[1:3], 0.0)
        parts = zip(np.split(view, groups, 3), np.split(w, groups, 0), strict=True)
        return np.concatenate([np.tensordot(v, k, ((3, 4, 5), (3, 1, 2))) for v, k in parts], -1)

    return sums(x, w) + b, sums(np.abs(x), np.abs(w)) + np.abs(b)


def _transpose_conv(
    op: Any, shape: np.ndarray, w: np.ndarray, x: np.ndarray, b: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    stride, b = (op.builtinOptions.strideH, op.builtinOptions.strideW), np.zeros(len(w)) if b is None else b
    spread = [(n - 1) * s + k for n, s, k in zip(x.shape[1:3], stride, w.shape[1:3], strict=True)]
    first = [max(0, have - int(want)) // 2 for have, want in zip(spread, shape[1:3], strict=True)]
    room = [max(have, cut + int(want)) for have, cut, want in zip(spread, first, shape[1:3], strict=True)]

    def sums(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        y = np.zeros((len(x), *room, len(w)))
        for row, column in np.ndindex(*w.shape[1:3]):
            ends = [begin + n * s for begin, n, s in zip((row, column), x.shape[1:3], stride, strict=True)]
            y[:, row : ends[0] : stride[0], column : ends[1] : stride[1]] += x @ w[:, row, column].T
        return y[:, first[0] : first[0] + shape[1], first[1] : first[1] + shape[2]]

    return sums(x, w) + b, sums(np.abs(x), np.abs(w)) + np.abs(b)


def _depthwise(op: Any, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def sums(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        many = np.repeat(x, w.shape[3] // x.shape[3], 3)
        return np.einsum("nyxcij,ijc->nyxc", _image_windows(op, many, w.shape[1:3], 0.0), w[0])

    return sums(x, w) + b, sums(np.abs(x), np.abs(w)) + np.abs(b)


def _fully_connected(op: Any, x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    rows = x if op.builtinOptions.keepNumDims else x.reshape(-1, w.shape[1])
    b = np.zeros(w.shape[0]) if b is None else b
    return rows @ w.T + b, np.abs(rows) @ np.abs(w.T) + np.abs(b)


def _max_pool(op: Any, x: np.ndarray) -> np.ndarray:
    kernel = (op.builtinOptions.filterHeight, op.builtinOptions.filterWidth)
    return _image_windows(op, x, kernel, -np.inf).max((4, 5))


def _average_pool(op: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kernel = (op.builtinOptions.filterHeight, op.builtinOptions.filterWidth)
    count = _image_windows(op, np.ones_like(x), kernel, 0.0).sum((4, 5))
    return tuple(_image_windows(op, v, kernel, 0.0).sum((4, 5)) / count for v in (x, np.abs(x)))


def _sum(op: Any, x: np.ndarray, axes: np.ndarray, reduce: Callable) -> tuple[np.ndarray, np.ndarray]:
    axes, keep = tuple(int(a) for a in np.atleast_1d(axes)), op.builtinOptions.keepDims
    return reduce(x, axis=axes, keepdims=keep), reduce(np.abs(x), axis=axes, keepdims=keep)


def _plus(op: Any, a: np.ndarray, b: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
    return a + sign * b, np.abs(a) + np.abs(b)


def _softmax(op: Any, x: np.ndarray) -> np.ndarray:
    scaled = np.exp(op.builtinOptions.beta * (x - x.max(-1, keepdims=True)))
    return scaled / scaled.sum(-1, keepdims=True)


def _pad(op: Any, x: np.ndarray, table: np.ndarray, value: np.ndarray | float = 0.0) -> np.ndarray:
    return np.pad(x, table, constant_values=float(np.reshape(value, ())))


def _mirror_pad(op: Any, x: np.ndarray, table: np.ndarray) -> np.ndarray:
    with_edge = op.builtinOptions.mode == schema.MirrorPadMode.SYMMETRIC
    return np.pad(x, table, "symmetric" if with_edge else "reflect")


def _reshape(op: Any, x: np.ndarray, shape: np.ndarray | None = None) -> np.ndarray:
    return x.reshape(op.builtinOptions.newShape if shape is None else shape)


def _slice(op: Any, x: np.ndarray, begin: np.ndarray, end: np.ndarray, stride: np.ndarray) -> np.ndarray:
    options, window = op.builtinOptions, []
    for i, (b, e, s) in enumerate(zip(begin, end, stride, strict=True)):
        low = None if options.beginMask >> i & 1 else int(b)
        high = None if options.endMask >> i & 1 else int(e)
        window.append(int(b) if options.shrinkAxisMask >> i & 1 else slice(low, high, int(s)))
    return x[tuple(window)]


def _places(op: Any, old: int, new: int, middle: float) -> np.ndarray:
    """Where the elements of a resized axis lie in the old one, in float32 as TFLite has it."""
    scale = np.float32(old) / np.float32(new)
    if op.builtinOptions.alignCorners and new > 1:
        scale = np.float32(old - 1) / np.float32(new - 1)
    half = op.builtinOptions.halfPixelCenters
    return (np.arange(new, dtype=np.float32) + np.float32(half * 0.5)) * scale - np.float32(half * middle)


def _resize_nearest(op: Any, x: np.ndarray, size: np.ndarray) -> np.ndarray:
    for axis, new in enumerate(size, 1):
        places = _places(op, x.shape[axis], int(new), 0.0)
        whole = np.floor(places + np.float32(0.5)) if op.builtinOptions.alignCorners else np.floor(places)
        x = x.take(np.minimum(whole.astype(int), x.shape[axis] - 1), axis)
    return x


def _resize_bilinear(op: Any, x: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of an element is rounded in float32 too, each implementation in its own way."""
    terms = np.abs(x)
    for axis, new in enumerate(size, 1):
        last = x.shape[axis] - 1
        places = np.clip(_places(op, last + 1, int(new), 0.5), 0, last)
        lower = places.astype(int)
        share = (places - lower).astype(float).reshape([-1 if i == axis else 1 for i in range(4)])
        pairs = [(v.take(lower, axis), v.take(np.minimum(lower + 1, last), axis)) for v in (x, terms)]
        x = pairs[0][0] * (1 - share) + pairs[0][1] * share
        terms = np.maximum(*pairs[1]) * max(1.0, last / 16)
    return x, terms


def _space_to_depth(op: Any, x: np.ndarray) -> np.ndarray:
    (n, h, w, c), k = x.shape, op.builtinOptions.blockSize
    return x.reshape(n, h // k, k, w // k, k, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // k, w // k, k * k * c)


def _depth_to_space(op: Any, x: np.ndarray) -> np.ndarray:
    (n, h, w, c), k = x.shape, op.builtinOptions.blockSize
    return x.reshape(n, h, w, k, k, c // k**2).transpose(0, 1, 3, 2, 4, 5).reshape(n, h * k, w * k, c // k**2)


def _clipped(low: float, high: float) -> Callable:
    return lambda op, x: np.clip(x, low, high)


def _gelu(op: Any, x: np.ndarray) -> np.ndarray:
    if op.builtinOptions.approximate:
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x / 2 * np.vectorize(math.erfc, [float])(-x / np.sqrt(2))


OPERATORS: dict[str, Callable] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": lambda op, a, b: _plus(op, a, b, 1),
    "SUB": lambda op, a, b: _plus(op, a, b, -1),
    "MUL": lambda op, a, b: a * b,
    "DIV": lambda op, a, b: a / b,
    "POW": lambda op, a, b: a**b,
    "MAXIMUM": lambda op, a, b: np.maximum(a, b),
    "MINIMUM": lambda op, a, b: np.minimum(a, b),
    "SQUARED_DIFFERENCE": lambda op, a, b: ((a - b) ** 2, (np.abs(a) + np.abs(b)) ** 2),
    "RELU": _clipped(0, np.inf),
    "RELU6": _clipped(0, 6),
    "RELU_N1_TO_1": _clipped(-1, 1),
    "HARD_SWISH": lambda op, x: x * np.clip(x + 3, 0, 6) / 6,
    "LOGISTIC": lambda op, x: 1 / (1 + np.exp(-x)),
    "TANH": lambda op, x: np.tanh(x),
    "GELU": _gelu,
    "EXP": lambda op, x: np.exp(x),
    "SQUARE": lambda op, x: x * x,
    "LOG": lambda op, x: np.log(x),
    "SQRT": lambda op, x: np.sqrt(x),
    "RSQRT": lambda op, x: 1 / np.sqrt(x),
    "SIN": lambda op, x: np.sin(x),
    "COS": lambda op, x: np.cos(x),
    "ABS": lambda op, x: np.abs(x),
    "NEG": lambda op, x: -x,
    "LEAKY_RELU": lambda op, x: np.where(x < 0, op.builtinOptions.alpha * x, x),
    "ELU": lambda op, x: np.where(x < 0, np.expm1(x), x),
    "PRELU": lambda op, x, slopes: np.where(x < 0, slopes * x, x),
    "SOFTMAX": _softmax,
    "MAX_POOL_2D": _max_pool,
    "AVERAGE_POOL_2D": _average_pool,
    "MEAN": lambda op, x, axes: _sum(op, x, axes, np.mean),
    "SUM": lambda op, x, axes: _sum(op, x, axes, np.sum),
    "REDUCE_MIN": lambda op, x, axes: _sum(op, x, axes, np.min)[0],
    "REDUCE_MAX": lambda op, x, axes: _sum(op, x, axes, np.max)[0],
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _mirror_pad,
    "CONCATENATION": lambda op, *parts: np.concatenate(parts, op.builtinOptions.axis),
    "RESHAPE": _reshape,
    "STRIDED_SLICE": _slice,
    "TRANSPOSE": lambda op, x, order: x.transpose(order),
    "SQUEEZE": lambda op, x: x.squeeze(tuple(op.builtinOptions.squeezeDims)),
    "EXPAND_DIMS": lambda op, x, axis: np.expand_dims(x, int(axis)),
    "PACK": lambda op, *parts: np.stack(parts, op.builtinOptions.axis),
    "UNPACK": lambda op, x: list(np.moveaxis(x, op.builtinOptions.axis, 0)),
    "SLICE": lambda op, x, begin, size: x[
        tuple(slice(b, None if n < 0 else b + n) for b, n in zip(begin, size, strict=True))
    ],
    "GATHER": lambda op, x, places: np.take(x, places, op.builtinOptions.axis),
    "L2_NORMALIZATION": lambda op, x: x / np.maximum(np.sqrt(np.sum(x * x, -1, keepdims=True)), 1e-6),
    "SPLIT": lambda op, axis, x: np.split(x, op.builtinOptions.numSplits, int(axis)),
    "RESIZE_BILINEAR": _resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "TILE": lambda op, x, times: np.tile(x, times),
    "DEQUANTIZE": lambda op, x: x,
}
