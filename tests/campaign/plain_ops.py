"""Operators without weights for random networks that the plugin takes, in all the forms that TFLite allows.

Some of these forms the plugin leaves (POW with another exponent): they stand here as well, so that the line between
taken and left is crossed everywhere.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from growth import Growth, number, windows

_BINARY = {
    "ADD": schema.AddOptionsT,
    "MUL": schema.MulOptionsT,
    "SUB": schema.SubOptionsT,
    "DIV": schema.DivOptionsT,
    "MAXIMUM": schema.MaximumMinimumOptionsT,
    "MINIMUM": schema.MaximumMinimumOptionsT,
    "SQUARED_DIFFERENCE": schema.SquaredDifferenceOptionsT,
}


def _together(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return (0,)


def _constant_beside(g: Growth, shape: tuple[int, ...]) -> int:
    """A constant that broadcasts with `shape`: a number, a vector, some axes of size 1, or all of it."""
    kind = g.choice(("scalar", "one", "vector", "some", "all"), (1, 1, 3, 3, 1))
    part = {"scalar": (), "one": (1,) * g.whole(1, len(shape)), "vector": shape[-1:], "all": shape}.get(kind)
    if part is None:
        part = tuple(n if g.chance(0.5) else 1 for n in shape[g.whole(0, len(shape) - 1) :])
    return g.net.constant(g.normal(*part))


def _operand(g: Growth, x: int) -> int:
    """The other side of a binary operator; `x` itself now and then."""
    shape = g.shape(x)
    kind = g.choice(("same", "broadcast", "constant", "self"), (5, 2, 3, 0.3))
    other = None
    if kind == "same":
        other = g.other(x, lambda s: s == shape)
    elif kind == "broadcast":
        other = g.other(x, lambda s: len(s) <= 4 and g.fits(_together(s, shape)))
    elif kind == "self":
        other = x
    return _constant_beside(g, shape) if other is None else other


def _two(g: Growth, x: int, code: str, other: int) -> int | None:
    table = _BINARY[code]()
    if hasattr(table, "fusedActivationFunction"):
        table.fusedActivationFunction = number("ActivationFunctionType", g.activation((6, 2, 1, 0.5)))
    inputs = [x, other] if g.chance(0.6) else [other, x]
    output = g.emit(code, inputs, _together(g.shape(x), g.shape(other)), table)
    if output is not None:
        g.read.add(other)
    return output


def binary(g: Growth, x: int) -> int | None:
    """ADD, MUL, SUB, MAXIMUM, MINIMUM of two tensors, or of a tensor and a constant on either side."""
    return _two(g, x, g.choice(("ADD", "MUL", "SUB", "MAXIMUM", "MINIMUM"), (6, 4, 2, 1, 1)), _operand(g, x))


def growing_binary(g: Growth, x: int) -> int | None:
    """SQUARED_DIFFERENCE, which grows fast, POW of numbers between 0 and 1, and DIV, whose divisor is away from 0."""
    code = g.choice(("SQUARED_DIFFERENCE", "DIV", "POW"))
    if code == "POW":
        between = g.emit("LOGISTIC", [x], g.shape(x))
        exponent = g.net.constant(np.array(g.choice((2, 0.5, -0.5, 1.5)), np.float32))
        return None if between is None else g.emit("POW", [between, exponent], g.shape(x), schema.PowOptionsT())
    if code == "DIV":
        divisor = g.net.constant((2 + g.rng.random(g.shape(x)[-1:])).astype(np.float32))
        return g.emit(code, [x, divisor], g.shape(x), schema.DivOptionsT())
    return _two(g, x, code, _operand(g, x))


def unary(g: Growth, x: int) -> int | None:
    """Functions of one element that are defined everywhere and grow slowly."""
    activations = ("RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LOGISTIC", "TANH", "ELU", "GELU", "LEAKY_RELU")
    code = g.choice((*activations, "ABS", "NEG"))
    options = {
        "ABS": schema.AbsOptionsT(),
        "NEG": schema.NegOptionsT(),
        "LEAKY_RELU": schema.LeakyReluOptionsT(alpha=g.choice((0.25, -0.5, 1.5))),
        "GELU": schema.GeluOptionsT(approximate=g.chance(0.5)),
    }.get(code)
    y = g.emit(code, [x], g.shape(x), options)
    if code == "LOGISTIC" and y is not None and g.chance(0.5):  # SiLU
        return g.emit("MUL", [x, y], g.shape(x), schema.MulOptionsT())
    return y


def narrow_unary(g: Growth, x: int) -> int | None:
    """Functions of one element that grow fast or are not defined everywhere, of numbers between 0.5 and 1.5."""
    code = g.choice(("EXP", "SQUARE", "LOG", "SQRT", "RSQRT"))
    gate = g.emit("LOGISTIC", [x], g.shape(x))
    if gate is None:
        return None
    half = g.net.constant(np.array(0.5, np.float32))
    between = g.emit("ADD", [gate, half], g.shape(x), schema.AddOptionsT())
    if between is None:
        return None
    options = {"EXP": schema.ExpOptionsT(), "SQUARE": schema.SquareOptionsT()}.get(code)
    return g.emit(code, [between], g.shape(x), options)


def prelu(g: Growth, x: int) -> int | None:
    """PRELU with a slope for each channel of maps, as networks have it."""
    if g.rank(x) != 4:
        return None
    return g.emit("PRELU", [x, g.net.constant(g.normal(1, 1, g.shape(x)[3]))], g.shape(x))


def softmax(g: Growth, x: int) -> int | None:
    """SOFTMAX over the last axis."""
    if not 1 <= g.rank(x) <= 4:
        return None
    return g.emit("SOFTMAX", [x], g.shape(x), schema.SoftmaxOptionsT(beta=g.choice((1.0, 0.5, 3.0), (4, 1, 1))))


def pool(g: Growth, x: int) -> int | None:
    """MAX_POOL_2D and AVERAGE_POOL_2D."""
    if g.rank(x) != 4:
        return None
    n, *size, channels = g.shape(x)
    kernel = [g.choice((1, 2, 3, 5, 7), (1, 5, 5, 1, 0.5))] * 2 if g.chance(0.8) else [g.whole(1, 6), g.whole(1, 6)]
    if g.chance(0.05):
        kernel = [min(64, size[0]), min(64, size[1])]
    stride = [g.choice((1, 2, 3))] * 2 if g.chance(0.85) else [g.whole(1, 4), g.whole(1, 4)]
    padding = g.choice(("SAME", "VALID"))
    options = schema.Pool2DOptionsT(
        padding=number("Padding", padding),
        strideH=stride[0],
        strideW=stride[1],
        filterHeight=kernel[0],
        filterWidth=kernel[1],
        fusedActivationFunction=number("ActivationFunctionType", g.activation((6, 1, 1, 1))),
    )
    rows, columns = (windows(*v, 1, padding) for v in zip(size, kernel, stride, strict=True))
    return g.emit(g.choice(("MAX_POOL_2D", "AVERAGE_POOL_2D")), [x], (n, rows, columns, channels), options)


def resize(g: Growth, x: int) -> int | None:
    """RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR: twice the size mostly, any size now and then."""
    if g.rank(x) != 4:
        return None
    n, *size, channels = g.shape(x)
    factor = g.choice((2, 3, 4), (6, 1, 1))
    new = [factor * k for k in size] if g.chance(0.6) else [g.whole(1, 2 * k + 3) for k in size]
    code = g.choice(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"))
    table = schema.ResizeBilinearOptionsT if code == "RESIZE_BILINEAR" else schema.ResizeNearestNeighborOptionsT
    corners = g.chance(0.3)
    options = table(
        alignCorners=corners, halfPixelCenters=g.chance(0.6) and not (corners and code == "RESIZE_BILINEAR")
    )
    return g.emit(code, [x, g.ints(new)], (n, *new, channels), options)


def blocks(g: Growth, x: int) -> int | None:
    """SPACE_TO_DEPTH and DEPTH_TO_SPACE with blocks of any size that fits."""
    if g.rank(x) != 4:
        return None
    n, rows, columns, channels = g.shape(x)
    deep = [k for k in (2, 3, 4, 5) if rows % k == 0 and columns % k == 0]
    flat = [k for k in (2, 3, 4, 5) if channels % (k * k) == 0]
    if flat and g.chance(0.6):
        k = g.choice(flat)
        shape = (n, rows * k, columns * k, channels // k**2)
        return g.emit("DEPTH_TO_SPACE", [x], shape, schema.DepthToSpaceOptionsT(blockSize=k))
    if not deep:
        return None
    k = g.choice(deep)
    shape = (n, rows // k, columns // k, channels * k**2)
    return g.emit("SPACE_TO_DEPTH", [x], shape, schema.SpaceToDepthOptionsT(blockSize=k))


def reduce(g: Growth, x: int) -> int | None:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN: over rows and columns mostly, axes counted from either end, once or twice."""
    rank = g.rank(x)
    if rank < 2:
        return None
    axes = {4: [1, 2], 3: [1]}.get(rank, [1])
    if g.chance(0.4):
        axes = sorted({g.whole(0, rank - 1) for _ in range(2)})
    keep = g.chance(0.5)
    shape = [1 if i in axes else n for i, n in enumerate(g.shape(x)) if keep or i not in axes]
    if not shape:
        return None
    listed = [axis - rank if g.chance(0.3) else axis for axis in (axes if g.chance(0.8) else axes[::-1])]
    code = g.choice(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), (4, 1, 1, 1))
    return g.emit(code, [x, g.ints(listed)], shape, schema.ReducerOptionsT(keepDims=keep))


def pad(g: Growth, x: int) -> int | None:
    """PAD and PADV2 of any axes, rows and columns mostly."""
    rank = g.rank(x)
    everywhere = g.chance(0.25)
    table = [[0, 0] for _ in range(rank)]
    for axis in range(rank):
        if everywhere or (rank == 4 and axis in (1, 2)) or (rank < 4 and g.chance(0.5)):
            table[axis] = [g.choice((0, 1, 2, 5)), g.choice((0, 1, 1, 3))]
    if rank == 4 and g.chance(0.2):
        table[3] = [g.whole(0, 4), g.whole(0, 4)]
    shape = [n + sum(p) for n, p in zip(g.shape(x), table, strict=True)]
    if g.chance(0.7):
        return g.emit("PAD", [x, g.ints(table)], shape, schema.PadOptionsT())
    value = g.net.constant(np.array(g.choice((0.0, -1.5, 2.0)), np.float32).reshape(() if g.chance(0.5) else (1,)))
    return g.emit("PADV2", [x, g.ints(table), value], shape, schema.PadV2OptionsT())


def mirror_pad(g: Growth, x: int) -> int | None:
    """MIRROR_PAD of any axes, rows and columns mostly, up to the most that a size allows."""
    with_edge, rank = g.chance(0.5), g.rank(x)
    table = [[0, 0] for _ in range(rank)]
    for axis, size in enumerate(g.shape(x)):
        if g.chance(0.8 if rank == 4 and axis in (1, 2) else 0.15):
            most = size if with_edge else size - 1
            table[axis] = [min(most, g.choice((0, 1, 2, 5))) for _ in range(2)]
    shape = [n + sum(p) for n, p in zip(g.shape(x), table, strict=True)]
    mode = schema.MirrorPadMode.SYMMETRIC if with_edge else schema.MirrorPadMode.REFLECT
    return g.emit("MIRROR_PAD", [x, g.ints(table)], shape, schema.MirrorPadOptionsT(mode=mode))


def concatenation(g: Growth, x: int) -> int | None:
    """CONCATENATION along any axis of 2 to 5 tensors, constants and `x` itself among them."""
    rank, parts = g.rank(x), [x]
    axis = rank - 1 if g.chance(0.7) else g.whole(0, rank - 1)

    def alike(shape: tuple[int, ...]) -> bool:
        return len(shape) == rank and all(
            a == b for i, (a, b) in enumerate(zip(shape, g.shape(x), strict=True)) if i != axis
        )

    for _ in range(g.whole(1, 4)):
        kind = g.choice(("other", "constant", "self"), (6, 1, 1))
        part = g.other(x, alike) if kind == "other" else x
        if kind == "constant":
            part = g.net.constant(g.normal(*g.shape(x)[:axis], g.whole(1, 9), *g.shape(x)[axis + 1 :]))
        parts.insert(g.whole(0, len(parts)), x if part is None else part)
    shape = list(g.shape(x))
    shape[axis] = sum(g.shape(part)[axis] for part in parts)
    options = schema.ConcatenationOptionsT(axis=axis - rank if g.chance(0.3) else axis)
    output = g.emit("CONCATENATION", parts, shape, options)
    if output is not None:
        g.read.update(parts)
    return output


def _factors(g: Growth, n: int) -> tuple[int, int]:
    divisors = [d for d in range(1, min(n, 64) + 1) if n % d == 0]
    a = g.choice(divisors)
    return a, n // a


def reshape(g: Growth, x: int) -> int | None:
    """RESHAPE: flattened, rows merged, split again; the batch is kept as -1 mostly, so that it can be resized."""
    batch, *rest = g.shape(x)
    count = int(np.prod(rest))
    new = [[batch, count], [batch, 1, 1, count], [batch, *_factors(g, count)]]
    if len(rest) == 3:
        new += [[batch, rest[0] * rest[1], rest[2]], [batch, rest[0], 1, rest[1] * rest[2]]]
    if count:
        a, b = _factors(g, count)
        new.append([batch, a, *_factors(g, b)])
    if g.chance(0.1):
        new.append([batch * count])
    shape = g.choice(new)
    written = list(shape)
    if g.chance(0.75):
        written[0] = -1
    elif g.chance(0.3):
        written[g.whole(0, len(shape) - 1)] = -1
    if g.chance(0.8):
        return g.emit("RESHAPE", [x, g.ints(written)], shape, schema.ReshapeOptionsT(newShape=written))
    return g.emit("RESHAPE", [x], shape, schema.ReshapeOptionsT(newShape=written))


def strided_slice(g: Growth, x: int) -> int | None:
    """STRIDED_SLICE: bounds beyond the ends, from the end or masked; steps, backwards too; a removed axis at times."""
    begin, end, stride, window = [], [], [], []
    masks = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0}
    for axis, n in enumerate(g.shape(x)):
        whole = axis == 0 or g.chance(0.5)
        low = 0 if whole else g.whole(0, max(0, n // 2))
        high = n if whole else g.whole(low + 1, n)
        step = 1 if whole or g.chance(0.5) else g.choice((1, 2, 3))
        window.append(slice(low, high, step))
        masks["beginMask"] |= (low == 0 and g.chance(0.5)) << axis
        masks["endMask"] |= (high == n and g.chance(0.5)) << axis
        if not whole and g.chance(0.1):  # backwards, from the element before `high` to the one at `low`
            window[-1] = slice(high - 1, low - 1 if low else None, -step)
            masks["beginMask"] &= ~(1 << axis)
            masks["endMask"] = masks["endMask"] & ~(1 << axis) | (low == 0) << axis
            begin.append(high - 1)
            end.append(max(0, low - 1))
            stride.append(-step)
            continue
        begin.append(low - n if low > 0 and g.chance(0.2) else low)
        end.append(high - n if high < n and g.chance(0.3) else high + (3 if high == n and g.chance(0.2) else 0))
        stride.append(step)
    if g.chance(0.08) and g.rank(x) > 2:
        axis = g.whole(1, g.rank(x) - 1)
        begin[axis], end[axis], stride[axis] = 0, 1, 1
        window[axis] = 0
        masks["shrinkAxisMask"] = 1 << axis
    shape = np.lib.stride_tricks.as_strided(np.zeros(1), g.shape(x), (0,) * g.rank(x))[tuple(window)].shape
    inputs = [x, g.ints(begin), g.ints(end), g.ints(stride)]
    return g.emit("STRIDED_SLICE", inputs, shape, schema.StridedSliceOptionsT(**masks))


def squeeze(g: Growth, x: int) -> int | None:
    """SQUEEZE of one axis of size 1, or EXPAND_DIMS by one."""
    ones = [i for i, n in enumerate(g.shape(x)) if n == 1 and i > 0]
    if ones and g.rank(x) > 2:
        axis = g.choice(ones)
        shape = [n for i, n in enumerate(g.shape(x)) if i != axis]
        return g.emit("SQUEEZE", [x], shape, schema.SqueezeOptionsT(squeezeDims=[axis]))
    if g.rank(x) > 3:
        return None
    axis = g.whole(1, g.rank(x))
    shape = [*g.shape(x)[:axis], 1, *g.shape(x)[axis:]]
    return g.emit("EXPAND_DIMS", [x, g.ints(axis)], shape, schema.ExpandDimsOptionsT())


def split(g: Growth, x: int) -> int | None:
    """SPLIT along the last axis: an operator with several outputs, of which the others are read later or never."""
    channels = g.shape(x)[-1]
    parts = g.choice((2, 3, 4))
    if channels % parts:
        return None
    shape = (*g.shape(x)[:-1], channels // parts)
    first = g.net.operator("SPLIT", [g.ints(g.rank(x) - 1), x], shape, schema.SplitOptionsT(numSplits=parts))
    more = [g.net.tensor(shape, "") for _ in range(parts - 1)]
    g.net.graph.operators[-1].outputs += more
    g.tensors += more
    return first


def pack(g: Growth, x: int) -> int | None:
    """PACK of `x` and others along a new axis, then UNPACK of it, or not."""
    if g.rank(x) > 4:
        return None
    axis = g.whole(1, g.rank(x))
    parts = [x, g.other(x, lambda s: s == g.shape(x)) or x]
    shape = [*g.shape(x)[:axis], 2, *g.shape(x)[axis:]]
    packed = g.emit("PACK", parts, shape, schema.PackOptionsT(valuesCount=2, axis=axis))
    if packed is None:
        return None
    g.read.update(parts)
    if g.chance(0.3):
        return packed
    first = g.net.operator("UNPACK", [packed], g.shape(x), schema.UnpackOptionsT(num=2, axis=axis))
    second = g.net.tensor(g.shape(x), "")
    g.net.graph.operators[-1].outputs.append(second)
    g.tensors.append(second)
    return first


def gather(g: Growth, x: int) -> int | None:
    """GATHER from any axis but the batch: a few elements in any order, some of them twice, or one without its axis."""
    rank = g.rank(x)
    if rank < 2:
        return None
    axis = g.whole(1, rank - 1)
    size = g.shape(x)[axis]
    places = g.rng.integers(0, size, g.whole(1, 12)) if rank == 2 or g.chance(0.7) else np.array(size // 2)
    if g.chance(0.3):  # every other one, or backwards
        places = np.arange(size)[:: g.choice((1, 2, 3, -1, -2))]
    shape = [*g.shape(x)[:axis], *places.shape, *g.shape(x)[axis + 1 :]]
    options = schema.GatherOptionsT(axis=axis - rank if g.chance(0.3) else axis)
    return g.emit("GATHER", [x, g.ints(places)], shape, options)


def unit_length(g: Growth, x: int) -> int | None:
    """L2_NORMALIZATION of vectors that are away from 0: their rounding would become large."""
    if not 2 <= g.rank(x) <= 4:
        return None
    gate = g.emit("LOGISTIC", [x], g.shape(x))
    return None if gate is None else g.emit("L2_NORMALIZATION", [gate], g.shape(x), schema.L2NormOptionsT())


def window(g: Growth, x: int) -> int | None:
    """SLICE of a window; the batch is whole."""
    begin = [0, *(g.whole(0, n // 2) for n in g.shape(x)[1:])]
    size = [-1, *(g.whole(1, n - b) for n, b in zip(g.shape(x)[1:], begin[1:], strict=True))]
    shape = [n if k < 0 else k for n, k in zip(g.shape(x), size, strict=True)]
    return g.emit("SLICE", [x, g.ints(begin), g.ints(size)], shape, schema.SliceOptionsT())


def transpose(g: Growth, x: int) -> int | None:
    """TRANSPOSE that leaves the batch in front."""
    order = [0, *(1 + int(i) for i in g.rng.permutation(g.rank(x) - 1))]
    return g.emit("TRANSPOSE", [x, g.ints(order)], [g.shape(x)[i] for i in order], schema.TransposeOptionsT())
