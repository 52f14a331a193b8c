"""Layers of different subgraphs that share their weights in the file share their blob as well."""

from __future__ import annotations

import numpy as np
import pytest
from small_network import prunable
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert
from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.format.pack import unpack
from mcpruner.converter.format.serialize import deserialize
from mcpruner.converter.tflite import decide
from mcpruner.converter.tflite.model import read_model

pytestmark = pytest.mark.usefixtures("free_calls")

RNG = np.random.default_rng(12)


def with_twin(net: TfliteBuilder, size: int, weights: np.ndarray) -> bytes:
    """A convolution in two subgraphs, which share the buffer of `weights` and differ in the size of the image."""
    y = net.conv(net.input((1, 8, 8, 8)), weights, np.ones(len(weights), np.float32), name="first")
    twin = TfliteBuilder()
    twin.model, x = net.model, twin.input((1, size, size, 8), "x2")
    z = twin.conv(x, weights, np.ones(len(weights), np.float32), name="second")
    for mine, other in zip(net.graph.operators[0].inputs[1:], twin.graph.operators[0].inputs[1:], strict=True):
        net.model.buffers[twin.graph.tensors[other].buffer].data = None
        twin.graph.tensors[other].buffer = net.graph.tensors[mine].buffer
    twin.graph.outputs = [z]
    net.model.subgraphs.append(twin.graph)
    return net.build([y])


@pytest.mark.parametrize(("values", "filters"), [("float32", 16), ("float16", 250), ("int8", 9)])
def test_a_blob_that_subgraphs_share_is_stored_once(values: str, filters: int) -> None:
    content, report = convert(with_twin(TfliteBuilder(), 8, prunable(RNG, (filters, 3, 3, 8))), values=values)
    model = read_model(content)
    first, second = (graph.tensors[graph.operators[0].inputs[1]].buffer for graph in model.subgraphs)
    assert first == second and [layer.accelerated for layer in report.layers] == [True, True]
    blob = bytes(model.buffers[first].data)
    assert content.count(blob) == 1 and len(blob) == report.layers[0].bytes_after == report.layers[1].bytes_after
    assert sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None) == len(blob)


def test_other_groups_of_the_same_weights_are_another_blob(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of other sizes may want other groups: each layer keeps what was chosen for it."""
    filters = np.arange(64, dtype=np.uint16)
    monkeypatch.setattr(
        decide,
        "choose",
        lambda weights, target, geometry, costs: Choice(2 if geometry.height == 8 else 4, filters, 2.0),
    )
    scattered = RNG.standard_normal((64, 3, 3, 8)) * (RNG.random((64, 3, 3, 8)) < 0.15)
    content, report = convert(with_twin(TfliteBuilder(), 56, scattered.astype(np.float32)), target="x86-64")
    model = read_model(content)
    buffers = [graph.tensors[graph.operators[0].inputs[1]].buffer for graph in model.subgraphs]
    first, second = (deserialize(bytes(model.buffers[number].data)) for number in buffers)
    assert [first.group_size, second.group_size] == [layer.group_size for layer in report.layers]
    assert first.group_size != second.group_size and np.array_equal(unpack(first), unpack(second))
