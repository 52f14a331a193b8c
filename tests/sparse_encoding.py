"""Dense arrays as TFLite's sparse tensors in any layout, by plain loops: what readers of them are tested with."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcpruner.converter.tflite.checked_schema import schema

DENSE, CSR = schema.DimensionType.DENSE, schema.DimensionType.SPARSE_CSR
VECTORS = {np.int32: schema.Int32VectorT, np.uint16: schema.Uint16VectorT, np.uint8: schema.Uint8VectorT}


def encode_sparse(
    dense: np.ndarray, order: list[int], block_map: list[int], blocks: list[int], formats: list[int], index: type
) -> tuple[np.ndarray, Any]:
    """`dense` as SparsityParameters with these levels, in plain loops over the tree."""
    shape = list(dense.shape)
    for dim, block in zip(block_map, blocks, strict=True):
        shape[dim] //= block
    sizes = shape + blocks
    nodes: list[dict[int, int]] = [{}]
    levels = []
    for level, kind in enumerate(formats):
        size = sizes[order[level]]
        children, segments, indices = [], [0], []
        for node in nodes:
            for i in range(size):
                child = {**node, order[level]: i}
                if kind == DENSE or _part(dense, child, sizes, block_map, blocks).any():
                    children.append(child)
                    indices.append(i)
            segments.append(len(indices))
        metadata = schema.DimensionMetadataT(format=kind, denseSize=size if kind == DENSE else 0)
        if kind == CSR:
            vector = VECTORS[index]
            name = vector.__name__[:-1]
            metadata.arraySegments, metadata.arrayIndices = (
                vector(values=np.array(segments, index)),
                vector(values=np.array(indices, index)),
            )
            metadata.arraySegmentsType = metadata.arrayIndicesType = getattr(schema.SparseIndexVector, name)
        levels.append(metadata)
        nodes = children
    values = np.array([_part(dense, node, sizes, block_map, blocks).item() for node in nodes], dense.dtype)
    parameters = schema.SparsityParametersT(
        traversalOrder=np.array(order, np.int32), blockMap=np.array(block_map, np.int32), dimMetadata=levels
    )
    return values, parameters


def _part(
    dense: np.ndarray, fixed: dict[int, int], sizes: list[int], block_map: list[int], blocks: list[int]
) -> np.ndarray:
    """The part of `dense` below a node."""
    split, axes = [], []
    for dim in range(dense.ndim):
        axes.append(dim)
        split.append(sizes[dim])
        if dim in block_map:
            i = block_map.index(dim)
            split.append(blocks[i])
            axes.append(dense.ndim + i)
    view = dense.reshape(split)
    return view[tuple(fixed.get(axis, slice(None)) for axis in axes)]
