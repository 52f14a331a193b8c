"""Operators for random networks that the plugin leaves to TFLite, so that a network falls into several partitions."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from growth import Growth


def unary(g: Growth, x: int) -> int | None:
    """One input, the same shape."""
    code = g.choice(("SIN", "COS"))
    return g.emit(code, [x], g.shape(x), schema.CosOptionsT() if code == "COS" else None)


def tile(g: Growth, x: int) -> int | None:
    """TILE along one axis."""
    if g.rank(x) < 2:
        return None
    times = [1] * g.rank(x)
    times[g.whole(1, g.rank(x) - 1)] = 2
    shape = [n * t for n, t in zip(g.shape(x), times, strict=True)]
    return g.emit("TILE", [x, g.ints(times)], shape)
