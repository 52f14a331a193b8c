"""A layer is packed where that pays, and only if the model is faster with it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flat_costs import calibration
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import MAX_THREADS, convert
from mcpruner.converter.cost.cost_model import Geometry, load_costs, unpacked_amounts
from mcpruner.converter.target import get_target
from mcpruner.converter.tflite.decide import LayerDecision, decide
from mcpruner.converter.tflite.drop_unused import Use
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.converter.tflite.rewrite import rewrite


@pytest.fixture
def network() -> bytes:
    """A pruned 3x3 convolution, a depthwise one and a dense layer without zeros."""
    rng, net = np.random.default_rng(0), TfliteBuilder()
    weights = rng.standard_normal((16, 3, 3, 8)) * np.repeat(rng.random((4, 3, 3, 8)) < 0.2, 4, axis=0)
    x = net.conv(net.input((1, 8, 8, 8)), weights.astype(np.float32), name="pruned")
    x = net.depthwise_conv(x, np.ones((1, 3, 3, 16), np.float32), name="depthwise")
    matrix = rng.standard_normal((10, 16)).astype(np.float32)
    return net.build([net.fully_connected(net.mean(x), matrix, name="dense")])


def test_what_is_slower_on_several_threads_stays_dense(network: bytes, tmp_path: Path) -> None:
    """XNNPACK's threads share the layer, ours do not, since all of its time is its start."""
    path = calibration(tmp_path, cpu_edge=1)
    table = json.loads(path.read_text())
    table["nanoseconds"]["tflite conv"] |= {"output_bytes": 1.0, "layer": 500.0}  # 4096 + 500
    path.write_text(json.dumps(table))
    assert [convert(network, calibration=path, num_threads=n)[1].num_accelerated for n in (1, 2, 16)] == [1, 1, 0]
    content, report = convert(network, calibration=path, num_threads=2)
    assert report.num_threads == 2 and " on 2 threads; " in report.summary
    assert report.layers[0].predicted_speedup == pytest.approx((500 + 4096 / 2) / 1000)
    assert content == convert(network, calibration=path)[0]


@pytest.mark.parametrize("num_threads", [0, 65, -1, 2.0, True, "2"])
def test_a_number_of_threads_that_is_none_is_one_sentence(network: bytes, num_threads: Any) -> None:
    message = f"Expected num_threads as a whole number of 1 to 64, got {num_threads!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        convert(network, num_threads=num_threads)


def test_the_plugin_has_as_many_threads_at_most() -> None:
    header = (Path(__file__).resolve().parents[3] / "delegate/cpu/cpu_backend.h").read_text()
    assert f"constexpr int kMaxThreads = {MAX_THREADS};" in header


def test_a_layer_that_gains_is_packed(network: bytes, tmp_path: Path) -> None:
    """2000 + 1000 + 1000 ns in TFLite; 1000 + 1000 + 1000 and two edges of 100 in the plugin."""
    content, report = convert(network, calibration=calibration(tmp_path, tflite_conv=2000, cpu_edge=100))
    assert [layer.accelerated for layer in report.layers] == [True, False, False]
    assert report.layers[0].predicted_speedup == 2
    assert report.predicted_speedup == pytest.approx(4000 / 3200, abs=1e-3)
    assert "1 of 3 layers are packed for generic, predicted 1.25 times as fast together" in report.summary


def test_layers_that_stay_dense_take_the_time_of_dense_ones(network: bytes, tmp_path: Path) -> None:
    """The edges cost more than the convolution gains: then TFLite runs all of it, as if the plugin were not there."""
    path = calibration(tmp_path, tflite_conv=9000, packed_conv=0, cpu_edge=9000)
    table = json.loads(path.read_text())
    table["nanoseconds"]["packed conv"]["multiply_adds"] = 1e-2
    path.write_text(json.dumps(table))
    costs, model = load_costs(path), read_model(network)
    decision = decide(model, get_target("generic"), costs)
    (graph,) = decision.graphs
    assert not decision.packs and graph.layers[0].choice.predicted_speedup > 1
    dense = costs.time(unpacked_amounts((16, 3, 3, 8), Geometry("Conv2D", 8, 8), costs.simd))
    assert [layer.plugin_ns for layer in graph.layers] == pytest.approx([dense, 1000, 1000]) and dense > 500
    assert graph.considered.speedup == pytest.approx(11000 / (2000 + 2 * 9000), rel=1e-2)
    assert graph.predicted.partitions == () and graph.predicted.speedup == decision.speedup == 1


def test_a_decision_changes_nothing(network: bytes, tmp_path: Path) -> None:
    """It can be carried out or thrown away, and a second one is the same."""
    costs, model = load_costs(calibration(tmp_path, tflite_conv=2000, cpu_edge=100)), read_model(network)
    first, second = (decide(model, get_target("generic"), costs) for _ in range(2))
    assert write_model(model) == write_model(read_model(network))
    assert first.packs and first.speedup == second.speedup == pytest.approx(4000 / 3200)
    assert [layer.layer is not None for layer in first.graphs[0].layers] == [True, False, False]
    assert rewrite(model, second, "float32", Use.of(model)).keys() == {(0, 0)}


@pytest.mark.parametrize(("edge", "packs"), [(404.5, True), (405, False)])
def test_a_model_is_packed_from_a_speedup_of_105_percent_on(
    network: bytes, tmp_path: Path, edge: float, packs: bool
) -> None:
    """4000 ns in TFLite; in the plugin 3000 and two edges: 1.05 times as fast with 404.76 ns an edge."""
    costs = load_costs(calibration(tmp_path, tflite_conv=2000, cpu_edge=edge))
    decision = decide(read_model(network), get_target("generic"), costs)
    assert decision.packs == packs
    assert decision.graphs[0].considered.speedup == pytest.approx(1.05, abs=3e-4)
    assert (decision.graphs[0].slow_partition(decision.graphs[0].layers[0]) is None) == packs


@pytest.mark.parametrize(("spare", "in_memory"), [(0, False), (-1, True)])
def test_weights_count_four_bytes_each_against_the_last_cache(
    network: bytes, tmp_path: Path, spare: int, in_memory: bool
) -> None:
    """Of the convolution and the dense layer; those of depthwise convolutions are few and do not count."""
    costs = load_costs(calibration(tmp_path))
    room = 4 * (16 * 3 * 3 * 8 + 10 * 16) + spare
    costs = replace(costs, last_cache_bytes=room, memory_nanoseconds=1.0)
    (graph,) = decide(read_model(network), get_target("generic"), costs).graphs
    assert (graph.layers[2].tflite_ns > 1000) == in_memory


@pytest.mark.parametrize(
    ("op", "shape", "taken"),
    [
        ("CONV_2D", (8, 3, 3, 1), True),
        ("CONV_2D", (8, 3, 3, 2), False),
        ("CONV_2D", (), False),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 8), True),
        ("TRANSPOSE_CONV", (8, 3, 3, 2), True),
        ("FULLY_CONNECTED", (8, 1), False),
        ("CONV_3D", (3, 3, 3, 1, 1), False),
    ],
)
def test_what_the_plugin_takes_of_what_is_not_packed(op: str, shape: tuple[int, ...], taken: bool) -> None:
    """Groups of one channel each are depthwise."""
    layer = LayerDecision("layer", 0, op, shape, obstacle="it is not packed")
    assert layer.taken == taken and not layer.packed
    assert replace(layer, obstacle="").taken


@pytest.mark.parametrize("loss", [{"cpu_depthwise": 1900}, {"cpu_reduction": 1900}, {"cpu_edge": 1000}])
def test_a_model_that_loses_stays_dense(network: bytes, tmp_path: Path, loss: dict[str, float]) -> None:
    """What the convolution gains, 1000 ns, its neighbours or the edge lose."""
    costs = {"tflite_conv": 2000, "cpu_edge": 100} | loss
    content, report = convert(network, calibration=calibration(tmp_path, **costs))
    assert content == network
    assert report.num_accelerated == 0 and report.predicted_speedup == 1
    reason = report.layers[0].reason
    start = "dense: packed it is predicted 2.00 times as fast, but the 4 operators that the plugin would run with it "
    assert reason.startswith(start) and reason.endswith(" times, which is not worth it")


def test_a_loss_at_the_rim_stays_with_tflite(network: bytes, tmp_path: Path) -> None:
    """The dense layer would lose what the convolution gains, but TFLite may run it behind the partition."""
    path = calibration(tmp_path, tflite_conv=2000, cpu_edge=100, packed_fully_connected=1900)
    (graph,) = decide(read_model(network), get_target("generic"), load_costs(path)).graphs
    assert [partition.ops for partition in graph.predicted.partitions] == [(0, 1, 2)]
    assert graph.predicted.speedup == pytest.approx(4000 / (2000 + 2 * 100 + 1000))


def test_a_layer_that_loses_stays_dense(network: bytes, tmp_path: Path) -> None:
    content, report = convert(network, calibration=calibration(tmp_path, tflite_conv=900))
    assert content == network
    assert report.layers[0].reason.endswith(" the packed layer would run at 0.90 of the dense speed")


def test_shared_loads_decide_the_group_size(tmp_path: Path) -> None:
    """Of zeros anywhere, large groups fill many in: they win where loads count, and lose where multiply-adds do."""
    rng, net = np.random.default_rng(1), TfliteBuilder()
    weights = (rng.standard_normal((32, 3, 3, 32)) * (rng.random((32, 3, 3, 32)) < 0.1)).astype(np.float32)
    content = net.build([net.conv(net.input((1, 8, 8, 32)), weights)])
    chosen = {}
    for term in ("loads", "multiply_adds"):
        path = calibration(tmp_path, tflite_conv=1e9)
        table = json.loads(path.read_text())
        table["nanoseconds"]["packed conv"][term] = 1.0
        path.write_text(json.dumps(table))
        _, report = convert(content, calibration=path)
        chosen[term] = report.layers[0].group_size
    assert chosen == {"loads": 4, "multiply_adds": 1}
