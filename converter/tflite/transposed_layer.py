"""What a TRANSPOSE_CONV says of itself, and whether the delegate can run it packed.

    shape [n, rows, columns, filters] ─┐
    weights ───────────────────────────┼─ TRANSPOSE_CONV ─ y
    x ─────────────────────────────────┘

The file may compute the shape from that of x, as TensorFlow does where the batch is open. A packed layer has rows and
columns among its options and takes the batch from x, so they must be the same whenever the model runs.

The delegate runs it as an ordinary convolution that makes a block of pixels of each pixel: a filter in each phase of a
block, for the kernel positions that the phase has (delegate/tflite/parse/transposed_conv.h).
"""

from typing import Any

import numpy as np

from mcpruner.converter.format.limits_generated import MAX_CHANNELS, MAX_ELEMENTS, MAX_POSITIONS
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import add_constant, operator_code, schema


def output_size(model: Any, graph: Any, op: Any) -> tuple[int, int] | None:
    """Rows and columns that a TRANSPOSE_CONV makes; None where they depend on more than the file."""
    shape = infer_sizes(model, graph).values(op.inputs[0])
    if shape is None or len(shape) != 4 or any(size is None or size.unknown for size in shape[1:3]):
        return None
    rows, columns = (size.factor for size in shape[1:3])
    return (rows, columns) if min(rows, columns) > 0 else None


def has_given_shape(model: Any, graph: Any, op: Any) -> bool:
    """Whether the shape of the output is a constant, or will be one when shapes are folded."""
    shape = infer_sizes(model, graph).values(op.inputs[0])
    return shape is not None and all(size is not None and size.unknown is None for size in shape)


def output_shape(model: Any, graph: Any, x: int, sizes: list[int]) -> tuple[int, list[Any]]:
    """A tensor of the batch of `x` and these sizes, and the operators that compute it where the batch is open."""
    tensor = graph.tensors[x]
    signature = [] if tensor.shapeSignature is None else list(tensor.shapeSignature)
    if not signature or signature[0] >= 0:
        return _ints(model, graph, [int(tensor.shape[0]), *sizes]), []
    shape = _computed(model, graph, "SHAPE", [x], 4, schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    bounds = [_ints(model, graph, [n]) for n in (0, 1)]
    batch = _computed(model, graph, "SLICE", [shape.outputs[0], *bounds], 1, schema.SliceOptionsT())
    parts = [batch.outputs[0], _ints(model, graph, sizes)]
    joined = _computed(model, graph, "CONCATENATION", parts, 4, schema.ConcatenationOptionsT(axis=0))
    return joined.outputs[0], [shape, batch, joined]


def _ints(model: Any, graph: Any, numbers: list[int]) -> int:
    return add_constant(model, graph, "transposed/shape", np.array(numbers, np.int32))


def _computed(model: Any, graph: Any, code: str, inputs: list[int], size: int, options: Any) -> Any:
    """An operator that makes a vector of integers."""
    name = f"transposed/{code.lower()}".encode()
    graph.tensors.append(schema.TensorT(shape=[size], type=schema.TensorType.INT32, name=name, hasRank=True))
    kind = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    return schema.OperatorT(
        opcodeIndex=operator_code(model, getattr(schema.BuiltinOperator, code)),
        inputs=inputs,
        outputs=[len(graph.tensors) - 1],
        builtinOptionsType=kind,
        builtinOptions=options,
    )


def input_size(output: int, kernel: int, stride: int, same: bool) -> int:
    """Rows or columns of the only input that fits."""
    return -(-output // stride) if same else (output - kernel) // stride + 1


def why_too_large(weights: tuple[int, ...], output: tuple[int, int], strides: tuple[int, int], same: bool) -> str:
    """A clause that says why the convolution that it is run as is too large for the delegate; empty if it is not."""
    filters, *kernel, channels = weights
    taps = [_taps(*axis, same) for axis in zip(output, kernel, strides, strict=True)]
    phases, positions = int(np.prod(strides)), int(np.prod(taps))
    fits = phases * filters <= MAX_CHANNELS and positions <= MAX_POSITIONS
    if fits and phases * filters * positions * channels <= MAX_ELEMENTS:
        return ""
    return f"it is a convolution of {phases * filters} filters with {positions} kernel positions, which is too large"


def _taps(output: int, kernel: int, stride: int, same: bool) -> int:
    """Along an axis the input pixels that an output pixel is made of: `MakeTransposedAxis` of the delegate."""
    cut = max(0, (input_size(output, kernel, stride, same) - 1) * stride + kernel - output) // 2
    return (stride - 1 + cut) // stride + (kernel - 1 - cut) // stride + 1
