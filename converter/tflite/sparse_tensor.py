"""Dense weights as a TFLite sparse tensor: the inverse of `weights.expand_sparse`.

    weights [O, H, W, I]   ->   the values that are not zero, one after another, and the places of each row of them

All levels of the tree are dense but the last, which lists the channels of each row (O, H, W), or the filters of each
row (H, W, I), whichever takes fewer bytes: an index below 256 is one byte, one below 65536 two.

There are no blocks: a filter group's members stand anywhere among the filters, so none would be full. A *sparse* block
dimension ends all three runtimes with a division by zero (`check_model` refuses such a file).
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import schema

_VECTORS = {
    np.uint8: (schema.SparseIndexVector.Uint8Vector, schema.Uint8VectorT),
    np.uint16: (schema.SparseIndexVector.Uint16Vector, schema.Uint16VectorT),
    np.int32: (schema.SparseIndexVector.Int32Vector, schema.Int32VectorT),
}


def sparse_tensor(weights: np.ndarray) -> tuple[np.ndarray, Any, int]:
    """The values and the ``SparsityParametersT`` of weights of 2 or 4 dimensions.

    Parameters
    ----------
    weights
        float32, OHWI or ``[O, I]``. A -0 is kept as a value, so that nothing changes.

    Returns
    -------
    numpy.ndarray
        The values, ``[n]``.
    SparsityParametersT
        Which places they have.
    int
        Bytes of the values and the indices.
    """
    rank = weights.ndim
    orders = [list(range(rank)), [*range(1, rank), 0]]
    return min((_in_order(weights, order) for order in orders), key=lambda found: found[2])


def _in_order(weights: np.ndarray, order: list[int]) -> tuple[np.ndarray, Any, int]:
    ordered = np.ascontiguousarray(weights.transpose(order))
    rows = ordered.reshape(-1, ordered.shape[-1])
    stored = rows.view(f"u{rows.itemsize}") != 0
    segments = np.concatenate([[0], np.cumsum(np.count_nonzero(stored, axis=1))])
    indices = np.nonzero(stored)[1]
    levels = [schema.DimensionMetadataT(format=schema.DimensionType.DENSE, denseSize=n) for n in ordered.shape[:-1]]
    last = schema.DimensionMetadataT(format=schema.DimensionType.SPARSE_CSR)
    last.arraySegmentsType, last.arraySegments = _index_vector(segments)
    last.arrayIndicesType, last.arrayIndices = _index_vector(indices)
    sparsity = schema.SparsityParametersT(
        traversalOrder=np.array(order, np.int32), blockMap=None, dimMetadata=[*levels, last]
    )
    values = rows[stored]
    return values, sparsity, values.nbytes + last.arraySegments.values.nbytes + last.arrayIndices.values.nbytes


def _index_vector(numbers: np.ndarray) -> tuple[int, Any]:
    """The numbers in the smallest type that the schema has for them: which vector, and the vector."""
    dtype = next(t for t in _VECTORS if numbers.max(initial=0) <= np.iinfo(t).max)
    kind, vector = _VECTORS[dtype]
    return kind, vector(values=numbers.astype(dtype))
