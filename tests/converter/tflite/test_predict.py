"""A subgraph is predicted partition by partition, and the partitions are the plugin's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flat_costs import calibration
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert
from mcpruner.converter.cost.cost_model import Geometry, load_costs, tflite_amounts
from mcpruner.converter.target import get_target
from mcpruner.converter.tflite.decide import decide
from mcpruner.converter.tflite.fold import correct_sizes
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.converter.tflite.predict_folds import folded_operators
from mcpruner.runtime import Interpreter


def network(between: str) -> bytes:
    """Two pruned convolutions and an operator between them."""
    rng, net = np.random.default_rng(0), TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    for code in (between, ""):
        weights = rng.standard_normal((16, 3, 3, 16)) * np.repeat(rng.random((4, 3, 3, 16)) < 0.2, 4, axis=0)
        x = net.conv(x, weights.astype(np.float32))
        x = net.operator(code, [x], net.shape(x)) if code else x
    return net.build([x])


@pytest.mark.parametrize(("between", "partitions"), [("LOGISTIC", 1), ("SIN", 2)])
def test_partitions_are_those_of_the_plugin(between: str, partitions: int, tmp_path: Path) -> None:
    path = calibration(tmp_path, tflite_conv=4000, cpu_edge=10)
    decision = decide(read_model(network(between)), get_target("generic"), load_costs(path))
    assert len(decision.graphs[0].predicted.partitions) == partitions
    content, report = convert(network(between), calibration=path)
    assert [(part.subgraph, part.packed) for part in report.partitions] == [(0, 2 // partitions)] * partitions
    assert all(
        part.predicted_speedup == pytest.approx(part.tflite_microseconds / part.plugin_microseconds, rel=0.1)
        for part in report.partitions
    )
    assert report.table().count("Partition") == (partitions if partitions > 1 else 0)
    plugin = Interpreter(model_content=content, backend="cpu", num_threads=1)
    plugin.allocate_tensors()
    assert len(plugin.report()["partitions"]) == partitions


def test_edges_partitions_and_inferences_cost(tmp_path: Path) -> None:
    """What is left between two partitions makes two edges and a call more, and takes as long in both."""
    path = calibration(
        tmp_path, tflite_conv=4000, cpu_edge=10, cpu_partition=100, tflite_inference=500, tflite_copy=7, cpu_copy=9
    )
    decision = decide(read_model(network("SIN")), get_target("generic"), load_costs(path))
    predicted = decision.graphs[0].predicted
    assert predicted.tflite_ns == pytest.approx(2 * 4000 + 500 + 7)
    assert predicted.plugin_ns == pytest.approx(2 * (1000 + 100 + 2 * 10) + 500 + 7)
    for partition in predicted.partitions:
        assert partition.speedup == pytest.approx(4000 / 1120)


def test_a_slow_partition_stays_dense_alone(tmp_path: Path) -> None:
    """The first convolution has a bystander that is slow in the plugin; the second one, behind SIN, has not."""
    rng, net = np.random.default_rng(0), TfliteBuilder()
    weights = rng.standard_normal((16, 3, 3, 16)) * np.repeat(rng.random((4, 3, 3, 16)) < 0.2, 4, axis=0)
    x = net.conv(net.input((1, 8, 8, 16)), weights.astype(np.float32), name="first")
    x = net.operator("LOGISTIC", [x], net.shape(x))
    x = net.depthwise_conv(x, np.ones((1, 3, 3, 16), np.float32))
    x = net.operator("SIN", [x], net.shape(x))
    content = net.build([net.conv(x, weights.astype(np.float32), name="second")])
    path = calibration(tmp_path, tflite_conv=4000, cpu_edge=10, cpu_exponential=5000)
    _, report = convert(content, calibration=path)
    assert [layer.accelerated for layer in report.layers] == [False, False, True]
    assert "the 3 operators that the plugin would run with it 0.7" in report.layers[0].reason
    assert report.predicted_speedup == pytest.approx(9000 / 6020, abs=1e-3)


def test_open_sizes_count_as_their_examples() -> None:
    """A dense layer of the 64 pixels of each image: the file says 1 row where TensorFlow left the size open."""
    rng, net = np.random.default_rng(0), TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    rows = net.operator("RESHAPE", [x, net.constant(np.array([-1, 16], np.int32))], (1, 16))
    y = net.fully_connected(rows, rng.standard_normal((16, 16)).astype(np.float32))
    for tensor in (x, rows, y):
        net.graph.tensors[tensor].shapeSignature = [-1, *net.shape(tensor)[1:]]
    model = read_model(net.build([y]))
    correct_sizes(model, ())
    costs = load_costs("avx512")
    (layer,) = decide(model, get_target("x86-64"), costs).graphs[0].layers
    expected = tflite_amounts((16, 1, 1, 16), Geometry("FullyConnected", 64, 1), costs.simd)
    assert layer.tflite_ns == pytest.approx(costs.time(expected))


def test_what_the_plugin_folds_costs_nothing_there() -> None:
    """Convolution, SiLU, and a sum with the convolution's input, of which only the sigmoid and the layers cost."""
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    weights = np.ones((16, 3, 3, 16), np.float32)
    y = net.conv(x, weights, name="a")
    gate = net.operator("LOGISTIC", [y], net.shape(y))
    z = net.operator("MUL", [y, gate], net.shape(y), schema.MulOptionsT())
    total = net.operator("ADD", [net.conv(z, weights, name="b"), x], net.shape(y), schema.AddOptionsT())
    again = net.operator(
        "MUL", [net.operator("LOGISTIC", [total], net.shape(y)), z], net.shape(y), schema.MulOptionsT()
    )
    model = read_model(net.build([again]))
    names = [operator_name(model, op) for op in model.subgraphs[0].operators]
    folded = folded_operators(model, model.subgraphs[0])
    assert names == ["CONV_2D", "LOGISTIC", "MUL", "CONV_2D", "ADD", "LOGISTIC", "MUL"]
    assert folded == {2: 1, 4: 3}  # The last gate is of another tensor.


@pytest.mark.parametrize(
    ("function", "behind_conv", "behind_sum"),
    [("RELU6", True, True), ("HARD_SWISH", True, False), ("LOGISTIC", False, False)],
)
def test_functions_cost_nothing_behind_what_applies_them(function: str, behind_conv: bool, behind_sum: bool) -> None:
    """Behind a convolution, behind one that adds, and behind a sum of two tensors that others made."""
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    weights = np.ones((16, 3, 3, 16), np.float32)
    a = net.operator(function, [net.conv(x, weights, name="a")], net.shape(x))
    b = net.operator("ADD", [net.conv(a, weights, name="b"), a], net.shape(x), schema.AddOptionsT())
    b = net.operator(function, [b], net.shape(x))
    c = net.operator(function, [net.operator("ADD", [a, x], net.shape(x), schema.AddOptionsT())], net.shape(x))
    model = read_model(net.build([b, c]))
    names = [operator_name(model, op) for op in model.subgraphs[0].operators]
    folded = folded_operators(model, model.subgraphs[0])
    assert names == ["CONV_2D", function, "CONV_2D", "ADD", function, "ADD", function]
    assert folded == {3: 2} | ({1: 0, 4: 3} if behind_conv else {}) | ({6: 5} if behind_sum else {})
