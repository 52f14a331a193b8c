"""The constants of a layer as float32 arrays, however the file stores them.

    float32 constant                             ─┐
    float16 constant ─ DEQUANTIZE                 ├─> read_constant -> float32 array in TFLite's order
    sparse constant (SparsityParameters)          │
    sparse constant ─ DENSIFY [─ DEQUANTIZE]      │
    each of these ─ TRANSPOSE                    ─┘

`SparsityParameters` (schema.fbs) store a tensor as a tree: the dimensions, cut into blocks first, are visited in
``traversal_order``; a DENSE level has all its children, a SPARSE_CSR level those between two `array_segments`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import (
    INTEGERS,
    constant_array,
    constant_bytes,
    operator_name,
    producers,
    schema,
    tensor_name,
    type_name,
)

_FLOATS = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
# A sparse tensor may claim any shape: refuse to expand one beyond a million elements to more than this many times
# what it stores.
_MAX_EXPANSION = 4096


class NotConstantError(Exception):
    """The tensor's values cannot be read; the message completes "stays dense: "."""


@dataclass(frozen=True)
class Constant:
    """A constant tensor.

    Attributes
    ----------
    values
        float32, in the tensor's shape.
    stored_bytes
        What it takes in the file, indices of a sparse tensor included.
    stored_type
        ``"float32"`` or ``"float16"``.
    """

    values: np.ndarray
    stored_bytes: int
    stored_type: str


def read_weights(model: Any, graph: Any, op: Any) -> np.ndarray:
    """Weights of a CONV_2D (OHWI) or FULLY_CONNECTED ([out, in]) as float32.

    Raises
    ------
    ValueError
        They are no float constants, or damaged.
    """
    try:
        return read_constant(model, graph, op.inputs[1], producers(graph)).values
    except NotConstantError as error:
        raise ValueError(f"Layer {tensor_name(graph, op.outputs[0])} cannot be read: {error}") from error


def read_constant(model: Any, graph: Any, index: int, writers: dict[int, Any]) -> Constant:
    """The values of tensor `index`.

    Raises
    ------
    NotConstantError
        Computed when the model runs, an input, or not of a float type.
    ValueError
        Its sparsity parameters are damaged.
    """
    tensor = graph.tensors[index]
    if index in writers:
        op = writers[index]
        name = operator_name(model, op)
        if not _expands(model, graph, op, name) or op.inputs[0] in (-1, index):
            if _is_variable(model, op, writers):
                raise NotConstantError(
                    f"{tensor_name(graph, index)} is a variable, since a signature of the model assigns it; export "
                    "the signature that predicts alone"
                )
            raise NotConstantError(f"{tensor_name(graph, index)} is computed by {name}")
        constant = read_constant(model, graph, op.inputs[0], {k: v for k, v in writers.items() if k != index})
        if name == "TRANSPOSE":
            values = constant.values.transpose(_order(model, graph, op))
            constant = replace(constant, values=np.ascontiguousarray(values))
        if list(constant.values.shape) != tensor.shape:
            raise ValueError(f"Tensor {tensor_name(graph, index)} and the constant behind it differ in shape.")
        return constant
    data = constant_bytes(model, graph, index)
    if index in graph.inputs or tensor.isVariable or len(data) == 0:
        raise NotConstantError(f"{tensor_name(graph, index)} is not a constant")
    if tensor.type not in _FLOATS:
        raise NotConstantError(f"{tensor_name(graph, index)} is {type_name(tensor)}, and only float weights are read")
    dtype = np.dtype(_FLOATS[tensor.type])
    if tensor.sparsity is None:
        values = np.frombuffer(data, dtype).reshape(tensor.shape)
    elif len(data) % dtype.itemsize:
        raise ValueError(f"Tensor {tensor_name(graph, index)} has {len(data)} bytes of {dtype.name} values.")
    else:
        try:
            values = expand_sparse(np.frombuffer(data, dtype), tensor.shape, tensor.sparsity)
        except (ValueError, IndexError, TypeError, AttributeError) as error:
            detail = " ".join(str(error).split())
            name = tensor_name(graph, index)
            raise ValueError(f"Tensor {name} has damaged sparsity parameters: {detail}.") from error
    with np.errstate(invalid="ignore"):  # a signalling NaN; `convert` refuses NaN by the layer's name
        return Constant(values.astype(np.float32, copy=False), len(data) + _index_bytes(tensor.sparsity), dtype.name)


def _expands(model: Any, graph: Any, op: Any, name: str) -> bool:
    """Whether an operator's output has the values of its first input, perhaps in another order."""
    if name == "TRANSPOSE":
        return _order(model, graph, op) is not None
    return name in ("DEQUANTIZE", "DENSIFY") and len(op.inputs) == 1


def _order(model: Any, graph: Any, op: Any) -> list[int] | None:
    """The order of axes that a TRANSPOSE has in the file."""
    if len(op.inputs) != 2 or min(op.inputs) < 0:
        return None
    order = constant_array(model, graph, op.inputs[1], INTEGERS)
    rank = len(graph.tensors[op.inputs[0]].shape)
    return None if order is None or sorted(order.ravel()) != list(range(rank)) else order.ravel().tolist()


def _is_variable(model: Any, op: Any, writers: dict[int, Any]) -> bool:
    """Whether what `op` computes is a variable, perhaps in another layout."""
    seen = set()
    while operator_name(model, op) in ("TRANSPOSE", "RESHAPE") and op.inputs and op.inputs[0] in writers:
        op = writers[op.inputs[0]]
        if id(op) in seen:
            return False
        seen.add(id(op))
    return operator_name(model, op) == "READ_VARIABLE"


def _index_bytes(sparsity: Any) -> int:
    levels = [] if sparsity is None else sparsity.dimMetadata
    vectors = [v for level in levels for v in (level.arraySegments, level.arrayIndices) if v is not None]
    return sum(vector.values.nbytes for vector in vectors)


def expand_sparse(values: np.ndarray, shape: list[int], sparsity: Any) -> np.ndarray:
    """The dense tensor of `shape` that `values` and their ``SparsityParametersT`` stand for.

    Raises
    ------
    ValueError
        They do not fit each other.
    """
    order = [int(i) for i in sparsity.traversalOrder]
    block_map = [] if sparsity.blockMap is None else [int(i) for i in sparsity.blockMap]
    levels, rank = sparsity.dimMetadata, len(shape)
    if sorted(order) != list(range(rank + len(block_map))) or len(levels) != len(order):
        raise ValueError(f"the traversal order {order} does not fit {rank} dimensions and {len(levels)} levels")
    if len(set(block_map)) != len(block_map) or any(not 0 <= dim < rank for dim in block_map):
        raise ValueError(f"the block map {block_map} does not fit {rank} dimensions")
    size = int(np.prod([1, *shape], dtype=object))
    if size > max(1 << 20, _MAX_EXPANSION * values.size):
        raise ValueError(f"{values.size} values cannot stand for the shape {shape}")
    blocks = [int(levels[order.index(rank + i)].denseSize) for i in range(len(block_map))]
    sizes = _blocked_sizes(shape, block_map, blocks)
    coordinates = _walk(levels, [sizes[dim] for dim in order], values.size)
    position = [coordinates[order.index(dim)] for dim in range(rank)]
    for i, dim in enumerate(block_map):
        position[dim] = position[dim] * blocks[i] + coordinates[order.index(rank + i)]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(position)] = values
    return dense


def _blocked_sizes(shape: list[int], block_map: list[int], blocks: list[int]) -> list[int]:
    """Sizes of the cut dimensions and, behind them, of the blocks."""
    sizes = list(shape)
    for dim, block in zip(block_map, blocks, strict=True):
        if block < 1 or sizes[dim] % block:
            raise ValueError(f"blocks of {block} do not divide dimension {dim} of {shape}")
        sizes[dim] //= block
    return sizes + blocks


def _walk(levels: list[Any], sizes: list[int], count: int) -> list[np.ndarray]:
    """The index at each level of each of the tree's `count` leaves."""
    # The levels so far have so many nodes, and a dense tree would have so many places for them.
    nodes, places = 1, 1
    indices: list[np.ndarray] = []
    for level, size in zip(levels, sizes, strict=True):
        places *= size
        if level.format == schema.DimensionType.DENSE:
            if level.denseSize != size:
                raise ValueError(f"a dense level has {level.denseSize} children instead of {size}")
            parents, index = np.repeat(np.arange(nodes), size), np.tile(np.arange(size), nodes)
        else:
            segments = np.asarray(level.arraySegments.values, np.int64)
            index = np.asarray(level.arrayIndices.values, np.int64)
            _check_segments(segments, index, nodes, size)
            parents = np.repeat(np.arange(nodes), np.diff(segments))
        nodes = index.size
        if nodes > places:
            raise ValueError(f"{nodes} indices came for {places} places")
        indices = [i[parents] for i in indices] + [index]
    if nodes != count:
        raise ValueError(f"{count} values came for {nodes} places")
    return indices


def _check_segments(segments: np.ndarray, children: np.ndarray, parents: int, size: int) -> None:
    if segments.size != parents + 1 or segments[0] != 0 or segments[-1] != children.size:
        raise ValueError(f"{segments.size} segments came for {parents} rows of {children.size} indices")
    if (np.diff(segments) < 0).any() or (children < 0).any() or (children >= size).any():
        raise ValueError(f"segments must ascend and indices must be below {size}")
