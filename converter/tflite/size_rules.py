"""Which sizes of its inputs an operator's output has; only what is needed to recognise a batch that comes through."""

from collections.abc import Callable, Sequence
from typing import Any

from mcpruner.converter.tflite.model import schema
from mcpruner.converter.tflite.sizes import KnownSizes, Size, Sizes, product

Rule = Callable[[KnownSizes, Any], Sequence[Size | None] | None]


def kept_sizes(known: KnownSizes, op: Any, name: str) -> Sequence[Size | None] | None:
    """Sizes of each of an operator's outputs, None for each that it does not tell; None where it tells nothing."""
    rule, inputs = SIZE_RULES.get(name, (None, 0))
    if rule is None or len(op.inputs) < inputs or min(op.inputs[:inputs], default=-1) < 0:
        return None
    if len(op.outputs) != 1 and name not in _SEVERAL:
        return None
    return rule(known, op)


def _all(known: KnownSizes, op: Any) -> Sizes | None:
    return known.sizes(op.inputs[0])


_WINDOW_OPTIONS = (schema.Conv2DOptionsT, schema.DepthwiseConv2DOptionsT, schema.Pool2DOptionsT)


def _axes(*kept: int) -> Rule:
    """The output has the same dimensions on these axes as the input."""

    def rule(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
        sizes = known.sizes(op.inputs[0])
        return None if sizes is None else [size if axis in kept else None for axis, size in enumerate(sizes)]

    return rule


def _window(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """The batch; with padding SAME a window is placed on every pixel, or with strides on every so many."""
    sizes, options = known.sizes(op.inputs[0]), op.builtinOptions
    if sizes is None or len(sizes) != 4:
        return None
    same = isinstance(options, _WINDOW_OPTIONS) and options.padding == schema.Padding.SAME
    strides = (options.strideH, options.strideW) if same else (0, 0)
    return [sizes[0], *map(_placed, sizes[1:3], strides), None]


def _placed(size: Size | None, stride: int) -> Size | None:
    if size is None or stride < 1 or (size.unknown and stride > 1):
        return None
    return Size(-(-size.factor // stride), size.unknown)


def _broadcast(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    one, other = (known.sizes(tensor) for tensor in op.inputs[:2])
    if one is None or other is None:
        return None
    rank = max(len(one), len(other))
    pairs = zip(*((Size(1),) * (rank - len(sizes)) + sizes for sizes in (one, other)), strict=True)
    return [_of_both(*pair) for pair in pairs]


def _of_both(one: Size | None, other: Size | None) -> Size | None:
    """The size that broadcasting makes of two: an unknown one may be 1 beside a number, and is none of two others."""
    if one == other or other == Size(1):
        return one
    if one == Size(1):
        return other
    return next((size for size in (one, other) if size and not size.unknown), None)


def _reduce(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, axes = known.sizes(op.inputs[0]), known.numbers(op.inputs[1])
    if sizes is None or axes is None or not isinstance(op.builtinOptions, schema.ReducerOptionsT):
        return None
    reduced = {axis % len(sizes) for axis in axes if sizes}
    if op.builtinOptions.keepDims:
        return [Size(1) if axis in reduced else size for axis, size in enumerate(sizes)]
    return [size for axis, size in enumerate(sizes) if axis not in reduced]


def _reshape(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes = known.sizes(op.inputs[0])
    return None if sizes is None else reshaped(sizes, known.values(op.inputs[1]))


def reshaped(sizes: Sizes, shape: Sizes | None) -> Sizes | None:
    """The sizes that RESHAPE makes of others, its -1 among them; None where they are not known or do not fit."""
    whole = product(sizes)
    if whole is None or shape is None or None in shape or shape.count(Size(-1)) > 1:
        return None
    if Size(-1) in shape:
        others = product(size for size in shape if size != Size(-1))
        if others is None or others.factor < 1 or whole.factor % others.factor:
            return None
        if others.unknown not in (None, whole.unknown):
            return None
        left = Size(whole.factor // others.factor, None if others.unknown else whole.unknown)
        shape = tuple(left if size == Size(-1) else size for size in shape)
    fits = product(shape) == whole and all(size.factor > 0 for size in shape)
    return shape if fits else None


def _fully_connected(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, weights = known.sizes(op.inputs[0]), known.sizes(op.inputs[1])
    if sizes is None or weights is None or len(weights) != 2 or not sizes or sizes[-1] != weights[1]:
        return None
    if known.rank(op.outputs[0]) == len(sizes):
        return [*sizes[:-1], weights[0]]
    return [product(sizes[:-1]), weights[0]]


def _transpose_conv(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """All sizes but the batch, which is the input's, are those that it is given."""
    sizes, shape = known.sizes(op.inputs[2]), known.values(op.inputs[0])
    if sizes is None or len(sizes) != 4:
        return None
    return [sizes[0], *(shape[1:] if shape is not None and len(shape) == 4 else [None] * 3)]


def _concatenation(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    if min(op.inputs) < 0:
        return None
    inputs, options = [known.sizes(tensor) for tensor in op.inputs], op.builtinOptions
    if None in inputs or not isinstance(options, schema.ConcatenationOptionsT) or len({*map(len, inputs)}) != 1:
        return None
    joined = options.axis % len(inputs[0]) if inputs[0] else 0
    return [None if axis == joined else sizes[0] for axis, sizes in enumerate(zip(*inputs, strict=True))]


def _transpose(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, order = known.sizes(op.inputs[0]), known.numbers(op.inputs[1])
    if sizes is None or order is None or sorted(order) != list(range(len(sizes))):
        return None
    return [sizes[axis] for axis in order]


def _pad(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, pads = known.sizes(op.inputs[0]), known.numbers(op.inputs[1])
    if sizes is None or pads is None or len(pads) != 2 * len(sizes):
        return None
    return [None if any(pads[2 * axis : 2 * axis + 2]) else size for axis, size in enumerate(sizes)]


def _expand_dims(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, axis = known.sizes(op.inputs[0]), known.numbers(op.inputs[1])
    if sizes is None or axis is None or len(axis) != 1 or not -len(sizes) - 1 <= axis[0] <= len(sizes):
        return None
    place = axis[0] % (len(sizes) + 1)
    return [*sizes[:place], Size(1), *sizes[place:]]


def _tile(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, times = known.sizes(op.inputs[0]), known.numbers(op.inputs[1])
    if sizes is None or times is None or len(times) != len(sizes):
        return None
    return [product((size, Size(count))) for size, count in zip(sizes, times, strict=True)]


def _squeeze(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """Without a list of axes, all that are 1 when the model runs go: a batch may be among them."""
    sizes, options = known.sizes(op.inputs[0]), op.builtinOptions
    if sizes is None or not isinstance(options, schema.SqueezeOptionsT):
        return None
    listed = [] if options.squeezeDims is None else list(options.squeezeDims)
    if not listed and any(size is None or size.unknown for size in sizes):
        return None
    gone = {axis % len(sizes) for axis in listed if sizes} or {i for i, size in enumerate(sizes) if size == Size(1)}
    return [size for axis, size in enumerate(sizes) if axis not in gone]


def _split(whole: int, axis: int) -> Rule:
    """Parts of input number `whole` along the axis that input number `axis` says; each part has the other sizes."""

    def rule(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
        sizes, axes = known.sizes(op.inputs[whole]), known.numbers(op.inputs[axis])
        if not sizes or axes is None or len(axes) != 1:
            return None
        return [None if i == axes[0] % len(sizes) else size for i, size in enumerate(sizes)]

    return rule


def _pack(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, options = known.sizes(op.inputs[0]), op.builtinOptions
    if sizes is None or not isinstance(options, schema.PackOptionsT):
        return None
    place = options.axis % (len(sizes) + 1)
    return [*sizes[:place], Size(len(op.inputs)), *sizes[place:]]


def _unpack(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    sizes, options = known.sizes(op.inputs[0]), op.builtinOptions
    if not sizes or not isinstance(options, schema.UnpackOptionsT):
        return None
    place = options.axis % len(sizes)
    return [*sizes[:place], *sizes[place + 1 :]]


def _slice(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """A length of -1 means all that lies behind the begin."""
    sizes, begins, lengths = known.sizes(op.inputs[0]), known.values(op.inputs[1]), known.values(op.inputs[2])
    if sizes is None or begins is None or lengths is None or not len(sizes) == len(begins) == len(lengths):
        return None
    whole = [size if begin == Size(0) else None for size, begin in zip(sizes, begins, strict=True)]
    return [size if length == Size(-1) else length for size, length in zip(whole, lengths, strict=True)]


def _gather(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """The axis that is picked from gives its place to the dimensions of the indices."""
    sizes, places, options = known.sizes(op.inputs[0]), known.sizes(op.inputs[1]), op.builtinOptions
    if not sizes or places is None or not isinstance(options, schema.GatherOptionsT) or options.batchDims:
        return None
    axis = options.axis % len(sizes)
    return [*sizes[:axis], *places, *sizes[axis + 1 :]]


def _strided_slice(known: KnownSizes, op: Any) -> Sequence[Size | None] | None:
    """An axis that is taken whole keeps its size; of slices of an axis nothing is told."""
    sizes, options = known.sizes(op.inputs[0]), op.builtinOptions
    begins, strides = (known.numbers(op.inputs[place]) for place in (1, 3))
    if sizes is None or begins is None or strides is None or len(begins) != len(strides):
        return None
    if not isinstance(options, schema.StridedSliceOptionsT):
        return None
    found, axis = [], 0
    masks = (options.ellipsisMask, options.newAxisMask, options.shrinkAxisMask, options.beginMask, options.endMask)
    for place, (begin, stride) in enumerate(zip(begins, strides, strict=True)):
        ellipsis, new, shrink, from_first, to_last = (mask >> place & 1 for mask in masks)
        if ellipsis:  # It stands for all axes that the entries behind it leave.
            behind = sum(1 for later in range(place + 1, len(begins)) if not options.newAxisMask >> later & 1)
            last = max(axis, len(sizes) - behind)
            found.extend(sizes[axis:last])
            axis = last
        elif new:
            found.append(Size(1))
        else:
            whole = to_last and ((from_first and abs(stride) == 1) or (begin == 0 and stride == 1))
            found.extend([] if shrink else [size if whole else None for size in sizes[axis : axis + 1]])
            axis += 1
    return [*found, *sizes[axis:]]


_SAME = (
    *("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH", "LOGISTIC", "TANH"),
    *("EXP", "LOG", "ABS", "NEG", "SQUARE", "SQRT", "RSQRT", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "SIGN", "CAST"),
    *("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION", "LOCAL_RESPONSE_NORMALIZATION", "QUANTIZE", "DEQUANTIZE"),
)
_BOTH = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE", "PRELU")
_WINDOWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")
_BLOCKS = ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")
_RESIZED = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
_REDUCED = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD")
_PADDED = ("PAD", "PADV2", "MIRROR_PAD")
_SEVERAL = ("SPLIT", "SPLIT_V", "UNPACK")  # These have several outputs, of which the same is told.

# To each name belong its rule and how many inputs it reads.
SIZE_RULES: dict[str, tuple[Rule, int]] = {
    **dict.fromkeys(_SAME, (_all, 1)),
    **dict.fromkeys(_BOTH, (_broadcast, 2)),
    **dict.fromkeys(_WINDOWS, (_window, 1)),
    **dict.fromkeys(_BLOCKS, (_axes(0), 1)),
    **dict.fromkeys(_RESIZED, (_axes(0, 3), 1)),
    **dict.fromkeys(_REDUCED, (_reduce, 2)),
    **dict.fromkeys(_PADDED, (_pad, 2)),
    "TRANSPOSE_CONV": (_transpose_conv, 3),
    "RESHAPE": (_reshape, 2),
    "FULLY_CONNECTED": (_fully_connected, 2),
    "CONCATENATION": (_concatenation, 1),
    "TRANSPOSE": (_transpose, 2),
    "EXPAND_DIMS": (_expand_dims, 2),
    "TILE": (_tile, 2),
    "SQUEEZE": (_squeeze, 1),
    "SPLIT": (_split(whole=1, axis=0), 2),
    "SPLIT_V": (_split(whole=0, axis=2), 3),
    "PACK": (_pack, 1),
    "UNPACK": (_unpack, 1),
    "SLICE": (_slice, 3),
    "GATHER": (_gather, 2),
    "STRIDED_SLICE": (_strided_slice, 4),
}
