"""Sparse tensors hold what the dense ones held, in as few bytes as their levels allow."""

from __future__ import annotations

import numpy as np
import pytest

from mcpruner.converter.tflite.model import schema
from mcpruner.converter.tflite.sparse_tensor import sparse_tensor
from mcpruner.converter.tflite.weights import expand_sparse

RNG = np.random.default_rng(4)


def sparse(shape: tuple[int, ...], density: float = 0.2) -> np.ndarray:
    return (RNG.standard_normal(shape) * (RNG.random(shape) < density)).astype(np.float32)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (1, 1), (7, 3, 3, 5), (300, 1, 1, 3), (3, 2, 1, 300), (5, 301), (301, 5), (2, 70000)]
)
@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_there_and_back(shape: tuple[int, ...], density: float) -> None:
    dense = sparse(shape, density)
    values, parameters, size = sparse_tensor(dense)
    np.testing.assert_array_equal(expand_sparse(values, list(shape), parameters), dense)
    last = parameters.dimMetadata[-1]
    assert size == values.nbytes + last.arraySegments.values.nbytes + last.arrayIndices.values.nbytes
    assert [level.format for level in parameters.dimMetadata[:-1]] == [schema.DimensionType.DENSE] * (len(shape) - 1)
    assert parameters.blockMap is None


def test_minus_zero_is_kept() -> None:
    dense = np.array([[0.0, -0.0, 1.0]], np.float32)
    values, parameters, _ = sparse_tensor(dense)
    back = expand_sparse(values, [1, 3], parameters)
    np.testing.assert_array_equal(np.signbit(back), [[False, True, False]])


@pytest.mark.parametrize(
    ("shape", "order", "index"),
    [
        ((300, 3, 3, 256), [0, 1, 2, 3], np.uint8),
        ((256, 3, 3, 300), [1, 2, 3, 0], np.uint8),
        ((300, 1, 1, 301), [0, 1, 2, 3], np.uint16),
        ((1, 70000), [1, 0], np.uint8),
    ],
)
def test_the_last_level_is_the_one_with_the_shorter_indices(
    shape: tuple[int, ...], order: list[int], index: type
) -> None:
    _, parameters, _ = sparse_tensor(sparse(shape, 0.5))
    assert list(parameters.traversalOrder) == order
    assert parameters.dimMetadata[-1].arrayIndices.values.dtype == index
