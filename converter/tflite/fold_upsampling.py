"""Write as one operator what repeats pixels: TensorFlow writes the nearest upsampling of Keras as five.

    x [n, h, w, c] ─ RESHAPE [n, h, 1, w, c] ─ TILE ─ RESHAPE [n, h * a, w, 1, c] ─ TILE ─ RESHAPE [n, h * a, w * b, c]
    the same with EXPAND_DIMS for the first RESHAPE, and RESHAPE ─ EXPAND_DIMS for the second one

    ->   x ─ RESIZE_NEAREST_NEIGHBOR to (h * a, w * b)

The numbers are the same: it is done only where TFLite's index arithmetic, in float32, finds the pixels that are
repeated. What nobody reads then is left to `drop_unused`.
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import add_constant, operator_code, operator_name, producers, schema, tensor_name
from mcpruner.converter.tflite.sizes import KnownSizes, Size, Sizes

_NEW_AXIS = ("RESHAPE", "EXPAND_DIMS")  # The latter where the batch is open.
_CHAIN = (_NEW_AXIS, ("TILE",), _NEW_AXIS, ("TILE",), ("RESHAPE",))
_VERSION = 3  # The first one that has half_pixel_centers.


def fold_upsampling(model: Any, graph: Any, known: KnownSizes) -> None:
    """Let the last operator of each such chain resize what the first one reads, in place, as `fold` does."""
    writers = producers(graph)
    for op in graph.operators:
        chain = _chain(model, op, writers)
        if chain is None or graph.tensors[chain[0].inputs[0]].type != schema.TensorType.FLOAT32:
            continue
        size = _new_size(chain, known)
        if size is None:
            continue
        name = tensor_name(graph, op.outputs[0]) + "/size"
        op.opcodeIndex = operator_code(model, schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, version=_VERSION)
        op.inputs = [chain[0].inputs[0], add_constant(model, graph, name, np.array(size, np.int32))]
        op.builtinOptionsType = schema.BuiltinOptions.ResizeNearestNeighborOptions
        op.builtinOptions = schema.ResizeNearestNeighborOptionsT()
        op.builtinOptions.halfPixelCenters = True  # So that no pixel lies where rounding could choose another one.


def _chain(model: Any, last: Any, writers: dict[int, Any]) -> list[Any] | None:
    """The operators of a chain that ends with `last`, in order."""
    chain, op = [], last
    for names in reversed(_CHAIN):
        if op is None or operator_name(model, op) not in names or not op.inputs or op.inputs[0] < 0:
            return None
        chain.insert(0, op)
        expands, op = operator_name(model, op) == "EXPAND_DIMS", writers.get(op.inputs[0])
        if (
            expands
            and len(chain) > 1
            and op is not None
            and operator_name(model, op) == "RESHAPE"
            and min(op.inputs) >= 0
        ):
            op = writers.get(op.inputs[0])  # Elements keep their order, whatever shape is between.
    return chain


def _new_size(chain: list[Any], known: KnownSizes) -> list[int] | None:
    """Rows and columns of the output, if the chain repeats rows and columns of an image."""
    x = known.sizes(chain[0].inputs[0])
    times = [known.numbers(tile.inputs[1]) if len(tile.inputs) > 1 else None for tile in (chain[1], chain[3])]
    if x is None or len(x) != 4 or None in x or any(size.unknown for size in x[1:3]) or None in times:
        return None
    (_, height, width, channels), (a, b) = x, (numbers[axis] for numbers, axis in zip(times, (2, 3), strict=True))
    rows, columns = Size(height.factor * a), Size(width.factor * b)
    # Of the batch there are as many as elements are left.
    shapes: list[Sizes] = [
        (height, Size(1), width, channels),
        (rows, width, Size(1), channels),
        (rows, columns, channels),
    ]
    reshaped = [(known.sizes(op.outputs[0]) or ())[1:] for op in chain[::2]]
    if times != [[1, 1, a, 1, 1], [1, 1, 1, b, 1]] or reshaped != shapes:
        return None
    repeats = _repeats(height.factor, a) and _repeats(width.factor, b)
    return [rows.factor, columns.factor] if repeats else None


def _repeats(size: int, times: int) -> bool:
    """Whether RESIZE_NEAREST_NEIGHBOR finds each element `times` times, as TFLite computes it."""
    if size < 1 or times < 1:
        return False
    new = size * times
    places = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * (np.float32(size) / np.float32(new))
    return bool(np.array_equal(np.floor(places).astype(np.int64), np.arange(new) // times))
