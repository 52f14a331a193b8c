"""Operators for random networks that the plugin leaves to TFLite, so that a network falls into several partitions."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from growth import Growth


def unary(g: Growth, x: int) -> int | None:
    """One input, the same shape."""
    code = g.choice(("SIN", "COS"))
    return g.emit(code, [x], g.shape(x), schema.CosOptionsT() if code == "COS" else None)


def transpose(g: Growth, x: int) -> int | None:
    """TRANSPOSE that leaves the batch in front."""
    order = [0, *(1 + int(i) for i in g.rng.permutation(g.rank(x) - 1))]
    return g.emit("TRANSPOSE", [x, g.ints(order)], [g.shape(x)[i] for i in order], schema.TransposeOptionsT())


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


def nearest(g: Growth, x: int) -> int | None:
    """RESIZE_NEAREST_NEIGHBOR to twice the rows and columns."""
    if g.rank(x) != 4:
        return None
    n, height, width, channels = g.shape(x)
    options = schema.ResizeNearestNeighborOptionsT()
    new = [2 * height, 2 * width]
    return g.emit("RESIZE_NEAREST_NEIGHBOR", [x, g.ints(new)], (n, *new, channels), options)


def space_to_depth(g: Growth, x: int) -> int | None:
    """SPACE_TO_DEPTH of blocks of 2x2."""
    if g.rank(x) != 4 or g.shape(x)[1] % 2 or g.shape(x)[2] % 2:
        return None
    n, height, width, channels = g.shape(x)
    options = schema.SpaceToDepthOptionsT(blockSize=2)
    return g.emit("SPACE_TO_DEPTH", [x], (n, height // 2, width // 2, 4 * channels), options)


def tile(g: Growth, x: int) -> int | None:
    """TILE along one axis."""
    if g.rank(x) < 2:
        return None
    times = [1] * g.rank(x)
    times[g.whole(1, g.rank(x) - 1)] = 2
    shape = [n * t for n, t in zip(g.shape(x), times, strict=True)]
    return g.emit("TILE", [x, g.ints(times)], shape)
