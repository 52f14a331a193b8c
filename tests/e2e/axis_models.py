"""Cases of operators that reduce, lengthen, move, add and remove axes, and of normalizations (op_models.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from op_stage import SHAPE, Stage, activation_number


def reduce(code: str, axes: list[int], keep: bool, old: tuple[int, ...] = (1, 9, 7, 6)) -> Callable:
    """A reduction of the convolution's output, under the shape `old`."""

    def add(s: Stage) -> int:
        x = s.x
        if len(old) != 4:
            x = s.net.operator("RESHAPE", [x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT())
        over = [axis % len(old) for axis in axes]
        shape = [1 if i in over else n for i, n in enumerate(old) if keep or i not in over]
        return s.net.operator(code, [x, s.ints(*axes)], shape, schema.ReducerOptionsT(keepDims=keep))

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
        "SQUEEZE", [reduce("MEAN", [1, 2], True)(s)], shape, schema.SqueezeOptionsT(squeezeDims=axes)
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


def _gather(axis: int, places: list | int, old: tuple[int, ...] = SHAPE) -> Callable:
    """GATHER from the convolution's output under the shape `old`, then a convolution or a function."""

    def add(s: Stage) -> int:
        x = s.x
        if old != SHAPE:
            x = s.net.operator("RESHAPE", [x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT())
        indices = np.array(places, np.int32)
        shape = [*old[: axis % len(old)], *indices.shape, *old[axis % len(old) + 1 :]]
        y = s.net.operator("GATHER", [x, s.net.constant(indices)], shape, schema.GatherOptionsT(axis=axis))
        return s.conv(y) if len(shape) == 4 else s.net.operator("RELU", [y], shape)

    return add


def _unit_length(old: tuple[int, ...]) -> Callable:
    """L2_NORMALIZATION of the convolution's output under the shape `old`."""

    def add(s: Stage) -> int:
        x = s.net.operator("RESHAPE", [s.x, s.ints(-1, *old[1:])], old, schema.ReshapeOptionsT())
        return s.net.operator("L2_NORMALIZATION", [x], old, schema.L2NormOptionsT())

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
        x = reduce("SUM", [0], False)(s)
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
    relu = schema.AddOptionsT(fusedActivationFunction=activation_number("RELU"))
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


def _reshape_to_5(s: Stage) -> int:
    y = s.net.operator("RESHAPE", [s.x, s.ints(-1, 9, 7, 3, 2)], (1, 9, 7, 3, 2), schema.ReshapeOptionsT())
    return s.net.operator("RELU", [y], (1, 9, 7, 3, 2))


def pad(table: list[list[int]], value: float | None = None) -> Callable:
    def add(s: Stage) -> int:
        shape = [n + sum(p) for n, p in zip(s.net.shape(s.x), table, strict=True)]
        inputs = [s.x, s.ints(*table)]
        if value is None:
            return s.net.operator("PAD", inputs, shape, schema.PadOptionsT())
        inputs.append(s.net.constant(np.array(value, np.float32).reshape(())))
        return s.net.operator("PADV2", inputs, shape, schema.PadV2OptionsT())

    return add


def _mirror_pad(table: list[list[int]], mode: str) -> Callable:
    def add(s: Stage) -> int:
        shape = [n + sum(p) for n, p in zip(s.net.shape(s.x), table, strict=True)]
        options = schema.MirrorPadOptionsT(mode=getattr(schema.MirrorPadMode, mode))
        return s.net.operator("MIRROR_PAD", [s.x, s.ints(*table)], shape, options)

    return add


CASES: dict[str, Callable[[Stage], int]] = {
    "pad": pad([[0, 0], [1, 2], [0, 3], [0, 0]]),
    "pad_channels": pad([[0, 0], [0, 0], [0, 0], [2, 3]]),
    "pad_value": pad([[0, 0], [1, 1], [1, 1], [0, 1]], -1.5),
    "mirror_pad_reflect": _mirror_pad([[0, 0], [3, 8], [6, 1], [0, 0]], "REFLECT"),
    "mirror_pad_symmetric": _mirror_pad([[0, 0], [0, 9], [7, 2], [6, 1]], "SYMMETRIC"),
    "mean_channels": reduce("MEAN", [3], True),
    "mean_channels_dropped": reduce("MEAN", [-1], False),
    "mean_image": reduce("MEAN", [1, 2, 3], True),
    "mean_rows": reduce("MEAN", [1], False),
    "mean_columns_and_channels": reduce("MEAN", [2, 3], True),
    "mean_rows_and_channels": reduce("MEAN", [3, 1], False),
    "mean_groups": reduce("MEAN", [1, 2, 4], True, (1, 9, 7, 2, 3)),
    "sum_channels": reduce("SUM", [3], False),
    "sum_map": reduce("SUM", [1, 2], True),
    "sum_vector": reduce("SUM", [1], False, (1, 378)),
    "sum_columns": reduce("SUM", [1], False, (1, 63, 6)),
    "largest_of_channels": reduce("REDUCE_MAX", [3], True),
    "largest_of_map": reduce("REDUCE_MAX", [2, 1], False),
    "largest_of_image": reduce("REDUCE_MAX", [1, 2, 3], True),
    "smallest_of_rows": reduce("REDUCE_MIN", [1], True),
    "smallest_of_vectors": reduce("REDUCE_MIN", [2], False, (1, 63, 6)),
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
    "gather_one": _gather(2, 3),
    "gather_channels_backwards": _gather(-1, [5, 4, 3, 2, 1, 0]),
    "gather_channels": _gather(3, [4, 0, 2, 4, 5, 5, 1]),
    "gather_rows": _gather(1, [0, 2, 4, 8, 7, 7]),
    "gather_columns_to_blocks": _gather(2, [[6, 0], [1, 1], [5, 3]]),
    "gather_rank_3": _gather(1, [62, 0, 31], (1, 63, 6)),
    "gather_rank_5": _gather(-2, [2, 0], (1, 9, 7, 3, 2)),
    "unit_length": _unit_length(SHAPE),
    "unit_length_of_rows": _unit_length((1, 63, 6)),
    "unit_length_of_vector": _unit_length((1, 378)),
    "reshape_to_5": _reshape_to_5,
}
