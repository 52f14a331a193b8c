"""Operators with weights for random networks: dense, pruned in groups, scattered, with empty filters and channels."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from growth import Growth, number, windows


def pruned(g: Growth, shape: tuple[int, ...]) -> np.ndarray:
    """Weights [out, ..., in] under one of the kinds of masks that people have."""
    groups = (-(-shape[0] // g.choice((1, 2, 4, 8, 16))), *shape[1:])
    density = float(g.choice((0.0, 0.05, 0.15, 0.25, 0.5, 0.9), (0.3, 1, 3, 3, 1, 0.5)))
    kind = g.choice(("dense", "groups", "scattered", "filters", "channels"), (3, 4, 2, 0.7, 0.7))
    if kind == "dense":
        mask = np.ones(shape, bool)
    elif kind == "groups":
        mask = np.repeat(g.rng.random(groups) < density, -(-shape[0] // groups[0]), axis=0)[: shape[0]]
    elif kind == "scattered":
        mask = g.rng.random(shape) < density
    else:
        line = (shape[0], *(1,) * (len(shape) - 1)) if kind == "filters" else (*(1,) * (len(shape) - 1), shape[-1])
        mask = np.broadcast_to(g.rng.random(line) < max(density, 0.15), shape)
    kept = max(1.0, np.count_nonzero(mask) / shape[0])
    return g.normal(*shape, scale=kept**-0.5) * mask


def _stored(g: Growth, shape: tuple[int, ...], fan_in_last: bool = True) -> int:
    """A constant of weights: float32, behind DEQUANTIZE as float16, or one that another layer has already."""
    shared = g.weights.setdefault(shape, [])
    if shared and g.chance(0.25):
        return g.choice(shared)
    values = pruned(g, shape) if fan_in_last else g.normal(*shape, scale=float(np.prod(shape[:-1])) ** -0.5)
    if g.chance(0.08):
        shared.append(g.net.dequantize(g.net.constant(values.astype(np.float16))))
    else:
        shared.append(g.net.constant(values))
    return shared[-1]


def _bias(g: Growth, count: int) -> int:
    shared = g.weights.setdefault((count,), [])
    if not shared or g.chance(0.9):
        kind = g.choice(("normal", "zero", "half"), (6, 1, 0.5))
        values = g.normal(count, scale=0.0 if kind == "zero" else 0.5)
        constant = g.net.constant(values.astype(np.float16 if kind == "half" else np.float32))
        shared.append(g.net.dequantize(constant) if kind == "half" else constant)
        return shared[-1]
    return g.choice(shared)


def _window(g: Growth, x: int) -> tuple[list[int], list[int], list[int], str]:
    """Kernel, stride, dilation and padding of a convolution."""
    if not g.wild:
        k, s = g.choice((1, 3, 5), (3, 8, 1)), g.choice((1, 2), (8, 1))
        return [k, k], [s, s], [1, 1], g.choice(("SAME", "VALID"), (8, 1))
    k = g.choice((1, 3, 2, 4, 5, 7, 8), (5, 8, 1, 0.5, 1.5, 0.7, 0.2))
    kernel = [k, k] if g.chance(0.85) else [g.choice((1, 2, 3, 5)), g.choice((1, 2, 3, 5, 9))]
    s = g.choice((1, 2, 3, 5), (8, 3, 0.5, 0.2))
    stride = [s, s] if g.chance(0.9) else [g.whole(1, 4), g.whole(1, 4)]
    d = g.choice((1, 2, 3, 6), (8, 1, 0.5, 0.2)) if max(kernel) > 1 else 1
    dilation = [d, d] if g.chance(0.9) else [g.whole(1, 3), g.whole(1, 3)]
    if max(dilation) > 1 and g.chance(0.7):
        stride = [1, 1]
    return kernel, stride, dilation, g.choice(("SAME", "VALID"), (3, 1))


def conv(g: Growth, x: int) -> int | None:
    """CONV_2D, sometimes behind a PAD of zeros that the converter may fold."""
    return _conv(g, x, 1)


def grouped_conv(g: Growth, x: int) -> int | None:
    """CONV_2D whose filters see a part of the channels; with one channel a group it is a depthwise convolution."""
    groups = g.choice((2, 3, 4, 8), (4, 2, 2, 1))
    return None if g.rank(x) != 4 or g.shape(x)[3] % groups else _conv(g, x, groups)


def _conv(g: Growth, x: int, groups: int) -> int | None:
    if g.rank(x) != 4:
        return None
    kernel, stride, dilation, padding = _window(g, x)
    if g.chance(0.12):
        x, padding = _padded(g, x), "VALID"
        if x is None:
            return None
    n, *size, channels = g.shape(x)
    rows, columns = (windows(*v, padding) for v in zip(size, kernel, stride, dilation, strict=True))
    work = n * rows * columns * kernel[0] * kernel[1] * channels // groups
    room = min(g.macs // 2 // max(1, work), g.elements // max(1, n * rows * columns))
    if min(rows, columns) < 1 or room < groups:
        return None
    filters = groups * g.filters(room // groups)
    g.macs -= work * filters
    weights = _stored(g, (filters, *kernel, channels // groups))
    return g.net.conv(
        x,
        weights,
        _bias(g, filters) if g.chance(0.9) else None,
        tuple(stride),
        padding,
        tuple(dilation),
        g.activation(),
    )


def _padded(g: Growth, x: int) -> int | None:
    pads = [g.choice((0, 1, 1, 2, 3)) for _ in range(4)]
    n, height, width, channels = g.shape(x)
    if not g.fits((n, height + sum(pads[:2]), width + sum(pads[2:]), channels)):
        return None
    return g.net.pad(x, tuple(pads))


def depthwise_conv(g: Growth, x: int) -> int | None:
    """DEPTHWISE_CONV_2D."""
    if g.rank(x) != 4:
        return None
    kernel, stride, dilation, padding = _window(g, x)
    multiplier = g.choice((1, 2, 3), (8, 1, 0.5))
    n, *size, channels = g.shape(x)
    filters = channels * multiplier
    rows, columns = (windows(*v, padding) for v in zip(size, kernel, stride, dilation, strict=True))
    work = n * rows * columns * filters * kernel[0] * kernel[1]
    if min(rows, columns) < 1 or work > g.macs or filters > 2048:
        return None
    g.macs -= work
    options = schema.DepthwiseConv2DOptionsT(
        padding=number("Padding", padding),
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        depthMultiplier=multiplier,
        fusedActivationFunction=number("ActivationFunctionType", g.activation()),
    )
    inputs = [x, _stored(g, (1, *kernel, filters), fan_in_last=False), _bias(g, filters)]
    return g.emit("DEPTHWISE_CONV_2D", inputs, (n, rows, columns, filters), options)


def transposed_conv(g: Growth, x: int) -> int | None:
    """TRANSPOSE_CONV, whose output shape is a constant."""
    if g.rank(x) != 4:
        return None
    kernel, stride = ([int(g.choice(sizes))] * 2 for sizes in ((2, 3, 4, 1, 5), (2, 2, 1, 3)))
    if g.chance(0.2):
        kernel, stride = [g.whole(1, 5), g.whole(1, 5)], [g.whole(1, 3), g.whole(1, 3)]
    padding = g.choice(("SAME", "VALID"), (3, 1))
    n, *size, channels = g.shape(x)
    made = [m * s if padding == "SAME" else (m - 1) * s + k for m, s, k in zip(size, stride, kernel, strict=True)]
    work = n * size[0] * size[1] * kernel[0] * kernel[1] * channels
    room = min(g.macs // 2 // max(1, work), g.elements // max(1, n * made[0] * made[1]))
    if room < 1:
        return None
    filters = g.filters(room)
    g.macs -= work * filters
    shape = (n, *made, filters)
    options = schema.TransposeConvOptionsT(padding=number("Padding", padding), strideH=stride[0], strideW=stride[1])
    inputs = [g.ints(shape), _stored(g, (filters, *kernel, channels)), x]
    inputs += [_bias(g, filters)] if g.chance(0.7) else []
    y = g.emit("TRANSPOSE_CONV", inputs, shape, options)
    if y is not None:
        g.net.model.operatorCodes[g.net.graph.operators[-1].opcodeIndex].version = 3  # the first with a bias
    return y


def fully_connected(g: Growth, x: int) -> int | None:
    """FULLY_CONNECTED on two dimensions or more, keeping them or not."""
    if g.rank(x) < 2:
        return None
    channels, rows = g.shape(x)[-1], int(np.prod(g.shape(x)[:-1]))
    room = min(g.macs // 2 // (rows * channels), g.elements // rows)
    if room < 1:
        return None
    units = g.size(room)
    g.macs -= rows * channels * units
    weights = _stored(g, (units, channels))
    bias = _bias(g, units) if g.chance(0.8) else None
    return g.net.fully_connected(x, weights, bias, g.activation(), keep_num_dims=g.rank(x) > 2 and g.chance(0.7))


def computed_weights(g: Growth, x: int) -> int | None:
    """FULLY_CONNECTED by a matrix that the network computes, which the plugin leaves."""
    if g.rank(x) != 2:
        return None
    matrix = g.other(x, lambda shape: len(shape) == 2 and shape[1] == g.shape(x)[1])
    if matrix is None:
        return None
    options = schema.FullyConnectedOptionsT()
    g.read.add(matrix)
    return g.emit("FULLY_CONNECTED", [x, matrix, -1], (g.shape(x)[0], g.shape(matrix)[0]), options)
