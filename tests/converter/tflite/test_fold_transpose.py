"""Weights behind a TRANSPOSE are read and packed; transposed constants of other layers are computed."""

from __future__ import annotations

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import operator_name, read_model

RNG = np.random.default_rng(5)


def transposed(net: TfliteBuilder, array: np.ndarray, order: list[int], half: bool = False) -> int:
    """A constant and the TRANSPOSE that makes `array` of it."""
    stored = np.ascontiguousarray(array.transpose(np.argsort(order)))
    x = net.dequantize(net.constant(stored.astype(np.float16))) if half else net.constant(stored)
    return net.operator("TRANSPOSE", [x, net.constant(np.array(order, np.int32))], array.shape)


def names(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


@pytest.mark.parametrize("half", [False, True])
def test_weights_behind_a_transpose_are_packed(half: bool) -> None:
    net = TfliteBuilder()
    x = net.input((1, 9, 7, 8))
    weights = prunable(RNG, (12, 3, 3, 8)).astype(np.float16).astype(np.float32)
    x = net.conv(x, transposed(net, weights, [3, 0, 1, 2], half), padding="VALID")
    dense = net.build([net.fully_connected(net.mean(x), transposed(net, prunable(RNG, (5, 12)), [1, 0]))])
    with pack_every_layer():
        content, report = convert(dense)
    assert names(content) == ["McprunerSparseConv2D", "MEAN", "McprunerSparseFullyConnected"]
    assert report.layers[0].density == np.count_nonzero(weights) / weights.size
    image = RNG.standard_normal((1, 9, 7, 8)).astype(np.float32)
    (mine,), (other,) = run(densify(content), image), run(dense, image)
    np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_the_constants_of_other_layers_are_transposed() -> None:
    net = TfliteBuilder()
    x = net.conv(net.input((1, 6, 6, 8)), prunable(RNG, (8, 3, 3, 8)))
    dense = net.build([net.add(x, transposed(net, RNG.random((1, 6, 6, 8), np.float32), [0, 2, 3, 1]))])
    with pack_every_layer():
        content, _ = convert(dense)
    assert names(content) == ["McprunerSparseConv2D", "ADD"]
    image = RNG.standard_normal((1, 6, 6, 8)).astype(np.float32)
    np.testing.assert_array_equal(run(densify(content), image)[0], run(dense, image)[0])


@pytest.mark.parametrize("order", [[0, 0], [1, 0, 2], [2, 0]])
def test_an_order_that_is_none_is_a_reason(order: list[int]) -> None:
    net = TfliteBuilder()
    x = net.input((1, 16))
    axes = net.constant(np.array(order, np.int32))
    weights = net.operator("TRANSPOSE", [net.constant(prunable(RNG, (16, 8))), axes], (8, 16))
    _, report = convert(net.build([net.fully_connected(x, weights)]))
    assert report.layers[0].reason.endswith("is computed by TRANSPOSE")


def test_a_transpose_without_inputs_is_a_reason() -> None:
    net = TfliteBuilder()
    weights = net.operator("TRANSPOSE", [], (8, 16))
    _, report = convert(net.build([net.fully_connected(net.input((1, 16)), weights)]))
    assert report.layers[0].reason.endswith("is computed by TRANSPOSE")
