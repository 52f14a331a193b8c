"""TFLite's own sparse tensors in the plugin: read as the converter reads them, and packed when a file is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from op_runner import RUNTIMES, Job, run_jobs
from packer import expand
from predictions import by_plugin
from small_network import prunable
from sparse_encoding import CSR, DENSE, encode_sparse
from test_pack_at_load import SHAPE, TOLERANCE, check, packed_layers, unstructured
from tflite_builder import TfliteBuilder

from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.converter.tflite.model import operator_name, read_model, schema
from mcpruner.converter.tflite.sparse_tensor import sparse_tensor
from mcpruner.converter.tflite.weights import expand_sparse


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype == np.float32 and np.array_equal(a.view(np.uint32), b.view(np.uint32))


def random_layout(rng: np.random.Generator) -> tuple[np.ndarray, list[int], list[int], list[int], list[int], type]:
    """An array of one to four dimensions, and how to encode it: any order of dimensions, none to two blocks."""
    rank = int(rng.integers(1, 5))
    blocked = sorted(rng.choice(rank, int(rng.integers(0, min(rank, 2) + 1)), replace=False).tolist())
    blocks = rng.integers(1, 5, len(blocked)).tolist()
    shape = rng.integers(1, 6, rank)
    for dim, block in zip(blocked, blocks, strict=True):
        shape[dim] *= block
    order = [*rng.permutation(rank).tolist(), *(rank + rng.permutation(len(blocked))).tolist()]
    formats = [*rng.choice([DENSE, CSR], rank).tolist(), *[DENSE] * len(blocked)]
    dense = np.where(rng.random(shape) < rng.choice([0.0, 0.2, 1.0]), rng.standard_normal(shape), 0)
    index = (np.int32, np.uint16, np.uint8)[rng.integers(3 if dense.size < 256 else 2)]
    dtype = rng.choice(["float32", "float16"])
    return dense.astype(dtype), order, blocked, blocks, formats, index


def test_random_layouts_are_read_as_the_converter_reads_them() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        dense, *layout = random_layout(rng)
        values, parameters = encode_sparse(dense, *layout)
        assert same_bits(expand(values, dense.shape, parameters), dense.astype(np.float32)), layout
        assert np.array_equal(expand_sparse(values, list(dense.shape), parameters), dense), layout


def damage(rng: np.random.Generator, parameters: Any) -> None:
    """Change one number of the parameters."""
    level = parameters.dimMetadata[rng.integers(len(parameters.dimMetadata))]
    vectors = [v.values for v in (level.arraySegments, level.arrayIndices) if v is not None and v.values.size]
    lists = [parameters.traversalOrder, parameters.blockMap, *vectors, *vectors]
    lists = [numbers for numbers in lists if numbers.size]
    numbers = lists[rng.integers(len(lists))]
    numbers[rng.integers(numbers.size)] = rng.choice([0, 1, 2, 5, 100])
    if rng.random() < 0.2:
        level.denseSize = int(rng.choice([-1, 0, 2, 3, 1 << 30]))
    if rng.random() < 0.1:
        level.format = 1 - level.format


def test_damaged_ones_are_refused_or_read_alike() -> None:
    rng, refused = np.random.default_rng(2), 0
    for _ in range(1500):
        dense, *layout = random_layout(rng)
        values, parameters = encode_sparse(dense, *layout)
        damage(rng, parameters)
        try:
            ours = expand(values, dense.shape, parameters)
        except ValueError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)
            continue
        theirs = expand_sparse(values, list(dense.shape), parameters)
        assert same_bits(ours, theirs.astype(np.float32)), (layout, parameters)
    assert 500 < refused < 1400


Write = Callable[[TfliteBuilder, np.ndarray], int]


def sparse_rows(net: TfliteBuilder, weights: np.ndarray) -> int:
    """As `convert --format portable` writes weights."""
    values, parameters, _ = sparse_tensor(weights)
    return net.densify(net.sparse_constant(values, weights.shape, parameters))


def sparse_halves(net: TfliteBuilder, weights: np.ndarray) -> int:
    """The same in float16, which a DEQUANTIZE widens."""
    values, parameters, _ = sparse_tensor(weights.astype(np.float16).astype(np.float32))
    dense = net.densify(net.sparse_constant(values.astype(np.float16), weights.shape, parameters))
    net.graph.tensors[dense].type = schema.TensorType.FLOAT16
    return net.dequantize(dense)


def blocks_backwards(net: TfliteBuilder, weights: np.ndarray) -> int:
    """Channels in blocks of two, all dimensions traversed from the last to the first."""
    rank = weights.ndim
    order, formats = [*reversed(range(rank)), rank], [DENSE] * (rank - 1) + [CSR, DENSE]
    values, parameters = encode_sparse(weights, order, [rank - 1], [2], formats, np.int32)
    return net.densify(net.sparse_constant(values, weights.shape, parameters))


def network(write: Write) -> bytes:
    """3x3 at stride 2, 1x1, a depthwise one with zeros, mean and a dense layer, whose weights `write` writes."""
    rng, net = np.random.default_rng(3), TfliteBuilder()
    bias = rng.standard_normal(68).astype(np.float32)
    x = net.conv(net.input(SHAPE), write(net, prunable(rng, (68, 3, 3, 20))), bias, (2, 2), name="stride")
    x = net.conv(x, write(net, unstructured(rng, (68, 1, 1, 68))), bias, activation="RELU6", name="pointwise")
    x = net.depthwise_conv(x, write(net, unstructured(rng, (1, 3, 3, 68))), name="depthwise")
    return net.build([net.fully_connected(net.mean(x), write(net, prunable(rng, (134, 68))), name="classifier")])


@pytest.mark.parametrize("backend", ["auto", "cpu", "reference"])
@pytest.mark.parametrize("write", [sparse_rows, sparse_halves, blocks_backwards])
def test_layers_behind_densify_are_packed(write: Write, backend: str) -> None:
    report = check(network(write), backend=backend)
    assert {"stride", "pointwise"} <= packed_layers(report).keys()
    assert all(node["taken"] for node in report["nodes"])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_and_every_size(runtime: str, tmp_path: Path) -> None:
    """float16 behind DENSIFY is compared with float32 at one size: without the plugin TensorFlow 2.21 cannot run it,
    and tflite-runtime 2.14 cannot resize it.
    """
    rng, jobs = np.random.default_rng(2), {}
    inputs = [rng.standard_normal((n, *SHAPE[1:])).astype(np.float32) for n in (1, 3, 2)]
    inputs.append(inputs[0])
    options = {"num_threads": 2, "verbosity": 0, "costs": str(SHIPPED / "avx512.json"), "poison_memory": "nan"}
    for write in (sparse_rows, blocks_backwards, sparse_halves):
        jobs[write.__name__] = Job(network(write), inputs[: 1 if write is sparse_halves else 4], options)
    jobs["plain"] = Job(network(sparse_rows), inputs, None)
    results = run_jobs(runtime, jobs, tmp_path)
    assert {result.error for result in results.values()} == {""}
    for name, result in results.items():
        tolerance = 2e-3 if name == "sparse_halves" else TOLERANCE
        for got, want in zip(result.outputs, results["plain"].outputs, strict=False):
            np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * np.abs(want).max())
        assert np.array_equal(result.outputs[0], result.outputs[-1])
        assert name == "plain" or {"stride", "pointwise"} <= packed_layers(result.report).keys()


ROWS, ROWS_OF_FOUR, COLUMNS = (
    ([0, 1], [], [], [DENSE, CSR]),
    ([0, 1, 2], [1], [4], [DENSE, CSR, DENSE]),
    ([1, 0], [], [], [DENSE, CSR]),
)


def matrix(layout: tuple | None) -> bytes:
    """FULLY_CONNECTED of a sparse matrix without DENSIFY, or of a plain one; in front of it a layer that pays."""
    rng, net = np.random.default_rng(5), TfliteBuilder()
    x = net.conv(net.input((1, 33, 35, 24)), prunable(rng, (64, 3, 3, 24)), name="conv")
    weights: np.ndarray | int = prunable(rng, (132, 16, 1)).repeat(4, 2).reshape(132, 64)
    if layout is not None:
        values, parameters = encode_sparse(weights, *layout, np.uint16)
        weights = net.sparse_constant(values, weights.shape, parameters)
    bias = rng.standard_normal(132).astype(np.float32)
    return net.build([net.fully_connected(net.mean(x), weights, net.constant(bias), name="classifier")])


@pytest.mark.parametrize("backend", ["auto", "cpu"])
@pytest.mark.parametrize("layout", [ROWS, ROWS_OF_FOUR])
def test_fully_connected_without_densify(layout: tuple, backend: str) -> None:
    """LiteRT 2.3 computes garbage of such a file where nothing in it is behind DENSIFY, so a dense one is the judge."""
    report = check(matrix(layout), (1, 33, 35, 24), matrix(None), backend=backend)
    assert all(node["taken"] for node in report["nodes"])
    assert packed_layers(report).keys() == {"conv", "classifier"}


def test_a_matrix_that_tflite_misreads_is_left_to_it() -> None:
    report = by_plugin(matrix(COLUMNS), backend="cpu")
    (node,) = (node for node in report["nodes"] if node["name"] == "classifier")
    assert not node["taken"] and not node["packed_at_load"]
    assert "is a sparse tensor that TFLite does not read here" in node["reason"]
    assert node["packing_reason"] == node["reason"]


def test_a_damaged_tensor_is_left_to_tflite() -> None:
    """It has values that no index names, which TFLite never reads."""
    rng, net = np.random.default_rng(6), TfliteBuilder()
    dense = prunable(rng, (64, 3, 3, 24))
    values, parameters, _ = sparse_tensor(dense)
    weights = net.densify(net.sparse_constant(np.append(values, values[:3]), dense.shape, parameters, "weights"))
    x = net.conv(net.input((1, 33, 35, 24)), weights, name="damaged")
    content = net.build([net.conv(x, prunable(rng, (64, 3, 3, 64)), name="conv")])
    report = check(content, (1, 33, 35, 24))
    reasons = {node["name"]: node["packing_reason"] for node in report["nodes"]}
    count = values.size
    assert reasons["damaged"] == (
        f"its filter 'weights' is no sparse tensor: there are {count + 3} values for {count} places"
    )
    assert packed_layers(report).keys() == {"conv"}


def experimental(weights: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray], half: bool) -> bytes:
    """A file by TFLite's own converter, told to write sparse tensors."""
    rng = np.random.default_rng(7)
    inputs = tf.keras.Input((33, 35, 24), batch_size=1)
    x = tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu", name="wide")(inputs)
    x = tf.keras.layers.Conv2D(64, 3, padding="same", name="wider")(x)
    x = tf.keras.layers.Dense(128, name="classifier")(tf.keras.layers.GlobalAveragePooling2D()(x))
    model = tf.keras.Model(inputs, x)
    for layer in model.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            ohwi = weights(rng, (kernel.shape[-1], *kernel.shape[:-1]))
            layer.set_weights([np.moveaxis(ohwi, 0, -1), rng.standard_normal(bias.shape)])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    if half:
        converter.optimizations.append(tf.lite.Optimize.DEFAULT)
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def of_blocks(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Blocks of four input channels, of which a fifth is kept: what the converter encodes as 1x4."""
    kept = rng.random((*shape[:-1], shape[-1] // 4)) < 0.2
    return (rng.standard_normal(shape) * kept.repeat(4, -1)).astype(np.float32)


@pytest.mark.parametrize(
    ("weights", "half", "direct"), [(unstructured, False, False), (of_blocks, False, True), (unstructured, True, False)]
)
def test_files_of_tflites_own_converter(weights: Callable, half: bool, direct: bool) -> None:
    content = experimental(weights, half)
    model = read_model(content)
    (graph,) = model.subgraphs
    names = [operator_name(model, op) for op in graph.operators]
    sparse = [len(tensor.sparsity.dimMetadata) for tensor in graph.tensors if tensor.sparsity is not None]
    assert "DENSIFY" in names and (3 in sparse) == direct, names
    report = check(content, (1, 33, 35, 24))
    assert all(node["taken"] for node in report["nodes"])
    assert sum(node["packed_at_load"] for node in report["nodes"]) >= 2
