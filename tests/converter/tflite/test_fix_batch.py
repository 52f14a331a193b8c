"""A fixed batch is in all sizes that follow from it, and the numbers are those of that batch."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder, run

from mcpruner.compare import run as run_interpreter
from mcpruner.converter.convert import convert
from mcpruner.converter.source import load_source
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import operator_name, read_model

RNG = np.random.default_rng(8)


@pytest.fixture(scope="module")
def dense() -> bytes:
    """Transposed convolution, flattening, dense layer: TensorFlow computes two shapes."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((5, 6, 8)),
            layers.Conv2DTranspose(8, 3, 2, name="up"),
            layers.Conv2D(8, 3, name="conv"),
            layers.Flatten(),
            layers.Dense(7, name="fc"),
        ]
    )
    return load_source(model)


def names(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("packed", [True, False])
def test_all_sizes_are_known_then(dense: bytes, batch: int, packed: bool) -> None:
    if packed:
        with pack_every_layer():
            content, _ = convert(dense, batch=batch)
        assert {"SHAPE", "STRIDED_SLICE", "PACK"}.isdisjoint(names(content))
        assert "McprunerSparseTransposeConv" in names(content)
    else:
        content, report = convert(dense, batch=batch)
        assert report.num_accelerated == 0 and names(content) == names(dense)
    graph = read_model(content).subgraphs[0]
    used = {*graph.inputs, *(output for op in graph.operators for output in op.outputs)}
    assert all(graph.tensors[number].shapeSignature is None for number in used)
    assert [graph.tensors[i].shape for i in (*graph.inputs, *graph.outputs)] == [[batch, 5, 6, 8], [batch, 7]]
    x = RNG.standard_normal((batch, 5, 6, 8)).astype(np.float32)
    plain = Interpreter(model_content=dense, num_threads=1)
    plain.resize_tensor_input(plain.get_input_details()[0]["index"], x.shape)
    # XNNPACK takes the transposed convolution where its shape is constant, and adds in another order.
    np.testing.assert_allclose(run(densify(content), x)[0], run_interpreter(plain, [x])[0], rtol=0, atol=1e-5)


def fixed_shape(batch: int) -> bytes:
    net = TfliteBuilder()
    x = net.input((batch, 6, 6, 8), "image")
    return net.build([net.conv(x, prunable(RNG, (8, 3, 3, 8)))])


def test_a_model_that_has_the_batch_already() -> None:
    content = fixed_shape(3)
    assert convert(content, batch=3)[0] == convert(content)[0]


@pytest.mark.parametrize("batch", [0, -1, 2.0, True, "2", 2**31])
def test_what_is_no_batch(batch: object) -> None:
    with pytest.raises(ValueError, match=f"^Expected batch as a whole number of 1 to 2147483647, got {batch!r}.$"):
        convert(fixed_shape(1), batch=batch)


def test_another_batch_than_the_model_has() -> None:
    message = r"^Expected a model whose batch is open or is 2; its inputs are image \[1, 6, 6, 8\].$"
    with pytest.raises(ValueError, match=message):
        convert(fixed_shape(1), batch=2)


def test_other_open_sizes_stay_open() -> None:
    net = TfliteBuilder()
    x = net.input((1, 6, 6, 8))
    net.graph.tensors[x].shapeSignature = [-1, -1, -1, 8]
    y = net.conv(x, prunable(RNG, (8, 3, 3, 8)))
    graph = read_model(convert(net.build([y]), batch=4)[0]).subgraphs[0]
    signatures = [[int(size) for size in graph.tensors[i].shapeSignature] for i in (*graph.inputs, *graph.outputs)]
    assert signatures == [[4, -1, -1, 8], [4, -1, -1, -1]]


def test_inputs_without_an_open_batch_stay_as_they_are() -> None:
    net = TfliteBuilder()
    x, anchors = net.input((1, 6, 6, 8)), net.input((1, 1, 1, 8), "anchors")
    net.graph.tensors[x].shapeSignature = [-1, 6, 6, 8]
    y = net.operator("ADD", [net.conv(x, prunable(RNG, (8, 3, 3, 8))), anchors], (1, 6, 6, 8))
    graph = read_model(convert(net.build([y]), batch=4)[0]).subgraphs[0]
    assert [graph.tensors[i].shape for i in (*graph.inputs, *graph.outputs)] == [
        [4, 6, 6, 8],
        [1, 1, 1, 8],
        [4, 6, 6, 8],
    ]
