"""DENSIFY and DEQUANTIZE nodes are taken with the nodes that read what they make: no runtime expands weights."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from op_runner import RUNTIMES, Job, run_jobs
from small_network import prunable
from test_pack_at_load import TOLERANCE, check
from test_sparse_tensors import sparse_rows
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.converter.tflite.model import read_model, schema, write_model

SHAPE = (1, 33, 35, 24)


def halves(net: TfliteBuilder, weights: np.ndarray) -> int:
    return net.dequantize(net.constant(weights.astype(np.float16)))


def taken(report: dict[str, Any]) -> dict[str, list[bool]]:
    """Which nodes of each operator were taken, in order."""
    found: dict[str, list[bool]] = {}
    for node in report["nodes"]:
        found.setdefault(node["op"], []).append(node["taken"])
    return found


def behind_an_operator_of_tflite(write: Any) -> bytes:
    """FLOOR, which the plugin does not run, in front of all layers: their expanders are a partition of their own."""
    rng, net = np.random.default_rng(4), TfliteBuilder()
    first, second = (write(net, prunable(rng, (64, 3, 3, channels))) for channels in (24, 64))
    x = net.operator("FLOOR", [net.input(SHAPE)], SHAPE)
    return net.build([net.conv(net.conv(x, first, name="first"), second, name="second")])


@pytest.mark.parametrize("write", [sparse_rows, halves])
def test_expanders_may_be_a_partition_of_their_own(write: Any) -> None:
    content = behind_an_operator_of_tflite(write)
    report = check(content, SHAPE)
    assert taken(report) == {"FLOOR": [False], "CONV_2D": [True] * 2, report["nodes"][0]["op"]: [True] * 2}
    assert [partition["nodes"] for partition in report["partitions"]] == [[0, 1], [3, 4]]
    assert [decision["nodes"] for decision in report["decisions"]] == [[3, 4]]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_and_every_size(runtime: str, tmp_path: Path) -> None:
    """Tensors between partitions have no elements: also where the runtime applies the plugin anew after each resize."""
    rng, jobs = np.random.default_rng(2), {}
    inputs = [4 * rng.standard_normal((n, *SHAPE[1:])).astype(np.float32) for n in (1, 3, 2)]
    inputs.append(inputs[0])
    options = {"num_threads": 2, "verbosity": 0, "costs": str(SHIPPED / "avx512.json"), "poison_memory": "nan"}
    for write in (sparse_rows, halves):
        content = behind_an_operator_of_tflite(write)
        jobs |= {f"plain_{write.__name__}": Job(content, inputs, None), write.__name__: Job(content, inputs, options)}
    results = run_jobs(runtime, jobs, tmp_path)
    assert {result.error for result in results.values()} == {""}
    for write in (sparse_rows, halves):
        plugin, plain = results[write.__name__], results[f"plain_{write.__name__}"]
        for got, want in zip(plugin.outputs, plain.outputs, strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
        assert np.array_equal(plugin.outputs[0], plugin.outputs[3])
        assert taken(plugin.report)["FLOOR"] == [False]
        assert sum(node["taken"] for node in plugin.report["nodes"]) == 4


def test_no_tensor_holds_expanded_weights() -> None:
    plugin = mcpruner.Interpreter(
        model_content=behind_an_operator_of_tflite(sparse_rows), num_threads=1, costs=SHIPPED / "avx512.json"
    )
    run(plugin, [np.ones(SHAPE, np.float32)])
    shapes = [tuple(detail["shape"]) for detail in plugin.get_tensor_details() if "densify" in detail["name"]]
    assert shapes == [(0,), (0,)]


def with_other_readers(write: Any) -> bytes:
    """Of four filters one is an output of the model, one goes to an operator of TFLite too, one to a node's input."""
    rng, net = np.random.default_rng(4), TfliteBuilder()
    filters = [write(net, prunable(rng, (24, 3, 3, 24))) for _ in range(4)]
    floor = net.operator("FLOOR", [filters[1]], net.shape(filters[1]))
    negative = net.operator("NEG", [filters[2]], net.shape(filters[2]))
    x = net.input(SHAPE)
    for i, weights in enumerate(filters):
        x = net.conv(x, weights, name=f"conv{i}")
    return net.build([x, filters[0], floor, negative])


def test_weights_that_others_read_are_expanded() -> None:
    """The judge has plain weights: LiteRT 2.3 gives away whatever stands in memory for those behind DENSIFY."""
    frame = np.random.default_rng(5).standard_normal(SHAPE).astype(np.float32)
    plugin = mcpruner.Interpreter(model_content=with_other_readers(sparse_rows), num_threads=1, backend="cpu")
    expected = run(Interpreter(model_content=with_other_readers(TfliteBuilder.constant), num_threads=1), [frame])
    for _ in range(2):
        for got, want in zip(run(plugin, [frame]), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    assert taken(plugin.report())["DENSIFY"] == [False, False, False, True]
    assert taken(plugin.report())["CONV_2D"] == [True] * 4


def test_weights_of_several_nodes() -> None:
    """One DENSIFY that two convolutions read: both are packed, and it is taken."""
    rng, net = np.random.default_rng(4), TfliteBuilder()
    weights = sparse_rows(net, prunable(rng, (24, 3, 3, 24)))
    x = net.conv(net.conv(net.input(SHAPE), weights, name="first"), weights, activation="RELU", name="second")
    report = check(net.build([x]), SHAPE, backend="cpu")
    assert taken(report) == {"DENSIFY": [True], "CONV_2D": [True] * 2}
    assert all(node["packed_at_load"] for node in report["nodes"] if node["op"] == "CONV_2D")


def test_weights_of_several_subgraphs() -> None:
    """Two subgraphs, each a signature, whose sparse tensors lie in the same buffer."""
    rng, net = np.random.default_rng(4), TfliteBuilder()
    weights = sparse_rows(net, prunable(rng, (64, 3, 3, 24)))
    model = read_model(net.build([net.conv(net.input(SHAPE), weights, name="conv")]))
    model.subgraphs.append(copy.deepcopy(model.subgraphs[0]))
    (x,), (y,) = model.subgraphs[0].inputs, model.subgraphs[0].outputs
    model.signatureDefs = [
        schema.SignatureDefT(
            inputs=[schema.TensorMapT(name=b"x", tensorIndex=int(x))],
            outputs=[schema.TensorMapT(name=b"y", tensorIndex=int(y))],
            signatureKey=name.encode(),
            subgraphIndex=number,
        )
        for number, name in enumerate(("one", "two"))
    ]
    content, frame = write_model(model), rng.standard_normal(SHAPE).astype(np.float32)
    plain = Interpreter(model_content=content, num_threads=1)
    plugin = mcpruner.Interpreter(model_content=content, num_threads=1, costs=SHIPPED / "avx512.json")
    for name in ("one", "two", "one"):
        want, got = (each.get_signature_runner(name)(x=frame)["y"] for each in (plain, plugin))
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    nodes = plugin.report()["nodes"]
    assert [(node["subgraph"], node["op"], node["taken"]) for node in nodes] == [
        (subgraph, op, True) for subgraph in (0, 1) for op in ("DENSIFY", "CONV_2D")
    ]


def test_no_partition_is_cut_for_an_expander() -> None:
    """A runtime would begin with the expander, then run a first partition with it, then FLOOR and the rest."""
    rng, net = np.random.default_rng(4), TfliteBuilder()
    weights = halves(net, prunable(rng, (32, 3, 3, 24)))
    left, right = net.input(SHAPE, "left"), net.input(SHAPE, "right")
    floor = net.operator("FLOOR", [left], SHAPE)
    y = net.conv(right, weights, name="right conv")
    z = net.conv(floor, weights, name="left conv")
    content = net.build([net.add(y, z)])
    frames = [rng.standard_normal(SHAPE).astype(np.float32) for _ in range(2)]
    plugin = mcpruner.Interpreter(model_content=content, num_threads=1, backend="cpu")
    (got,), (want,) = run(plugin, frames), run(Interpreter(model_content=content, num_threads=1), frames)
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    report = plugin.report()
    assert taken(report) == {"DEQUANTIZE": [False], "FLOOR": [False], "CONV_2D": [True] * 2, "ADD": [True]}
    assert len(report["partitions"]) == 1
