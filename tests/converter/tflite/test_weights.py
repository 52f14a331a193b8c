"""Constants are read bit for bit, however the file stores them; TFLite's own DENSIFY is the judge of sparse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sparse_encoding import CSR, DENSE, encode_sparse
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.model import producers, read_model
from mcpruner.converter.tflite.weights import NotConstantError, expand_sparse, read_constant, read_weights

LAYOUTS = [
    ((6, 8), [0, 1], [], [], [DENSE, CSR], np.int32),
    ((6, 8), [1, 0], [], [], [DENSE, CSR], np.uint8),
    ((6, 8), [0, 1], [], [], [CSR, CSR], np.uint16),
    ((6, 8), [0, 1, 2], [1], [4], [DENSE, CSR, DENSE], np.int32),
    ((8, 8), [0, 1, 2, 3], [0, 1], [2, 4], [DENSE, CSR, DENSE, DENSE], np.uint8),
    ((4, 3, 3, 8), [0, 1, 2, 3], [], [], [DENSE, DENSE, DENSE, CSR], np.int32),
    ((4, 3, 3, 8), [0, 1, 2, 3, 4], [3], [4], [DENSE, DENSE, DENSE, CSR, DENSE], np.uint16),
]


def sparse_array(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.standard_normal(shape) * (rng.random(shape) < 0.3)).astype(dtype)


@pytest.mark.parametrize("shape, order, block_map, blocks, formats, index", LAYOUTS)
def test_sparse_tensors_expand_as_in_tflite(
    shape: tuple, order: list, block_map: list, blocks: list, formats: list, index: type
) -> None:
    dense = sparse_array(shape)
    values, parameters = encode_sparse(dense, order, block_map, blocks, formats, index)
    np.testing.assert_array_equal(expand_sparse(values, list(shape), parameters), dense)

    net = TfliteBuilder()
    constant = net.sparse_constant(values, shape, parameters)
    x = net.input(shape)
    expanded = net.densify(constant)
    content = net.build([net.add(x, expanded)])
    np.testing.assert_array_equal(run(content, np.zeros(shape, np.float32))[0], dense)
    model = read_model(content)
    graph = model.subgraphs[0]
    read = read_constant(model, graph, expanded, producers(graph))
    np.testing.assert_array_equal(read.values, dense)
    vectors = [v for level in parameters.dimMetadata for v in (level.arraySegments, level.arrayIndices) if v]
    assert read.stored_bytes == values.nbytes + sum(v.values.nbytes for v in vectors)
    assert read.stored_type == "float32"


def test_sparse_float16_behind_densify_and_dequantize() -> None:
    dense = sparse_array((6, 8), "float16")
    values, parameters = encode_sparse(dense, [0, 1], [], [], [DENSE, CSR], np.int32)
    net = TfliteBuilder()
    constant = net.sparse_constant(values, [6, 8], parameters)
    half = net.densify(constant)
    net.graph.tensors[half].type = schema.TensorType.FLOAT16
    y = net.fully_connected(net.input((1, 8)), net.dequantize(half))
    model = read_model(net.build([y]))
    op = model.subgraphs[0].operators[-1]
    np.testing.assert_array_equal(read_weights(model, model.subgraphs[0], op), dense.astype(np.float32))


def test_float16_is_exact_over_its_whole_range() -> None:
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every)].reshape(-1, 16)
    net = TfliteBuilder()
    y = net.fully_connected(net.input((1, 16)), net.dequantize(net.constant(every)))
    model = read_model(net.build([y]))
    graph = model.subgraphs[0]
    read = read_constant(model, graph, graph.operators[-1].inputs[1], producers(graph))
    assert read.stored_type == "float16" and read.values.dtype == np.float32
    np.testing.assert_array_equal(read.values.astype(np.float16).view(np.uint16), every.view(np.uint16))


@pytest.mark.parametrize("kind", ["input", "computed", "int8"])
def test_what_is_no_float_constant_is_said(kind: str) -> None:
    net = TfliteBuilder()
    x = net.input((1, 4))
    if kind == "input":
        weights, reason = net.input((3, 4), name="w"), "w is not a constant"
    elif kind == "computed":
        weights, reason = net.relu(net.constant(np.ones((3, 4), np.float32)), name="w"), "w is computed by RELU"
    else:
        weights, reason = net.constant(np.ones((3, 4), np.int8), "w"), "w is int8, and only float weights are read"
    model = read_model(net.build([net.fully_connected(x, weights, name="fc")]))
    graph = model.subgraphs[0]
    with pytest.raises(NotConstantError, match=reason):
        read_constant(model, graph, weights, producers(graph))
    with pytest.raises(ValueError, match=f"^Layer fc cannot be read: {reason}"):
        read_weights(model, graph, graph.operators[-1])


def test_dequantize_that_changes_the_shape_is_damage() -> None:
    net = TfliteBuilder()
    weights = net.dequantize(net.constant(np.ones((3, 4), np.float16)))
    net.graph.tensors[weights].shape = [4, 3]
    model = read_model(net.build([weights]))
    with pytest.raises(ValueError, match="differ in shape"):
        read_constant(model, model.subgraphs[0], weights, producers(model.subgraphs[0]))


def test_dequantize_in_a_circle_ends() -> None:
    net = TfliteBuilder()
    first = net.dequantize(net.input((2, 2)))
    second = net.dequantize(first)
    net.graph.operators[0].inputs = [second]
    model = read_model(net.build([second]))
    with pytest.raises(NotConstantError, match="not a constant"):
        read_constant(model, model.subgraphs[0], second, producers(model.subgraphs[0]))


def _damage_order(parameters: Any) -> None:
    parameters.traversalOrder = np.array([0, 2], np.int32)


def _damage_block_map(parameters: Any) -> None:
    parameters.traversalOrder, parameters.blockMap = np.array([0, 1, 2], np.int32), np.array([5], np.int32)
    parameters.dimMetadata = parameters.dimMetadata * 2


def _damage_dense_size(parameters: Any) -> None:
    parameters.dimMetadata[0].denseSize = 2_000_000_000


def _damage_segments(parameters: Any) -> None:
    parameters.dimMetadata[1].arraySegments.values[3] = 100


def _damage_indices(parameters: Any) -> None:
    parameters.dimMetadata[1].arrayIndices.values[0] = 8


def _damage_length(parameters: Any) -> None:
    parameters.dimMetadata[1].arraySegments.values = parameters.dimMetadata[1].arraySegments.values[:-1]


def _remove_vectors(parameters: Any) -> None:
    parameters.dimMetadata[1].arraySegments = None


@pytest.mark.parametrize(
    "damage",
    [
        _damage_order, _damage_block_map, _damage_dense_size, _damage_segments, _damage_indices, _damage_length,
        _remove_vectors,
    ],
)  # fmt: skip
def test_damaged_sparsity_parameters_are_one_sentence(damage: Any) -> None:
    values, parameters = encode_sparse(sparse_array((6, 8)), [0, 1], [], [], [DENSE, CSR], np.int32)
    damage(parameters)
    net = TfliteBuilder()
    constant = net.sparse_constant(values, [6, 8], parameters, "w")
    model = read_model(net.build([constant]))
    with pytest.raises(ValueError, match="^Tensor w has damaged sparsity parameters: .*[.]$"):
        read_constant(model, model.subgraphs[0], constant, {})


def test_few_values_cannot_claim_a_huge_tensor() -> None:
    values, parameters = encode_sparse(sparse_array((6, 8)), [0, 1], [], [], [DENSE, CSR], np.int32)
    with pytest.raises(ValueError, match="cannot stand for the shape"):
        expand_sparse(values, [6, 1 << 40], parameters)


def test_a_sparse_block_dimension_is_refused() -> None:
    dense = np.zeros((4, 8), np.float32)
    dense[1, 2:4] = 1
    values, parameters = encode_sparse(dense, [0, 1, 2], [1], [2], [DENSE, CSR, CSR], np.int32)
    net = TfliteBuilder()
    constant = net.sparse_constant(values, [4, 8], parameters, "w")
    content = net.build([net.fully_connected(net.input((1, 8)), net.densify(constant))])
    with pytest.raises(ValueError, match=r"a sparse tensor, tensor 0 of subgraph 0, whose block dimension 0 is sparse"):
        read_model(content)
