"""Pruned files that nobody converted: the plugin packs their layers when it loads them, against LiteRT without it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from op_runner import RUNTIMES, Job, run_jobs
from predictions import by_converter, by_plugin
from small_network import prunable
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.cost.cost_model import SHIPPED

TOLERANCE = 1e-5  # of the output's largest magnitude
SHAPE = (1, 41, 37, 20)
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def in_fours(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Three of four kernels are zero, of four filters alike, which lie anywhere in the layer."""
    return prunable(rng, shape)[rng.permutation(shape[0])]


def unstructured(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """80 % zeros anywhere, as tfmot prunes."""
    return np.where(rng.random(shape) < 0.2, rng.standard_normal(shape), 0).astype(np.float32)


def two_of_four(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Two of each four consecutive input channels are zero."""
    order = rng.random((*shape[:-1], shape[-1] // 4, 4)).argsort(-1).argsort(-1)
    return (rng.standard_normal(shape) * (order < 2).reshape(shape)).astype(np.float32)


def three_of_four(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Every fourth input channel is zero in all filters, so that packing in any groups stores no zero."""
    return (unpruned(rng, shape) * (np.arange(shape[-1]) % 4 > 0)).astype(np.float32)


def unpruned(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No zeros."""
    return (np.abs(rng.standard_normal(shape)) + 0.1).astype(np.float32)


def network(draw: Draw, spoil: float | None = None, half: bool = False) -> bytes:
    """Odd sizes: 3x3 at stride 2, 1x1 (perhaps with a bad weight), 3x3 with a residual add, mean and a dense layer."""
    rng, net = np.random.default_rng(3), TfliteBuilder()

    def weights(*shape: int, bad: float | None = None) -> Any:
        drawn = draw(rng, shape)
        if bad is not None:
            drawn.flat[drawn.size // 2] = bad
        return net.dequantize(net.constant(drawn.astype(np.float16))) if half else drawn

    bias = rng.standard_normal(68).astype(np.float32)
    x = net.conv(net.input(SHAPE), weights(68, 3, 3, 20), bias, (2, 2), activation="RELU", name="stride")
    y = net.conv(x, weights(68, 1, 1, 68, bad=spoil), bias, activation="RELU6", name="pointwise")
    x = net.add(net.conv(y, weights(68, 3, 3, 68), name="wide"), x, name="add")
    return net.build([net.fully_connected(net.mean(x), weights(133, 68), name="classifier")])


def check(content: bytes, shape: tuple[int, ...] = SHAPE, judge: bytes | None = None, **options: Any) -> dict[str, Any]:
    """Compare outputs at one and at two threads, two frames each with one of NaN between; returns the report of two.

    They are those of LiteRT without the plugin, of the file `judge` where there is one.
    """
    rng = np.random.default_rng(11)
    frames = [rng.standard_normal(shape).astype(np.float32) for _ in range(2)]
    frames.insert(1, np.full_like(frames[0], np.nan))
    plain = Interpreter(model_content=content if judge is None else judge, num_threads=1)
    plain.resize_tensor_input(plain.get_input_details()[0]["index"], shape)
    expected = [run(plain, [x])[0] for x in frames]
    for threads in (1, 2):
        plugin = mcpruner.Interpreter(
            model_content=content, num_threads=threads, poison_memory=np.nan, costs=SHIPPED / "avx512.json", **options
        )
        plugin.resize_tensor_input(plugin.get_input_details()[0]["index"], shape)
        for x, want in zip(frames[::2], expected[::2], strict=True):
            (got,) = run(plugin, [x])
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
            run(plugin, [frames[1]])
    return plugin.report()


def packed_layers(report: dict[str, Any]) -> dict[str, int]:
    """The group size of each layer that was packed at load."""
    return {node["name"]: node["group_size"] for node in report["nodes"] if node["packed_at_load"]}


@pytest.mark.parametrize("shape", [SHAPE, (3, *SHAPE[1:])])
@pytest.mark.parametrize("backend", ["auto", "cpu", "reference"])
@pytest.mark.parametrize("draw", [in_fours, unstructured, two_of_four])
def test_outputs_are_those_of_litert(draw: Draw, backend: str, shape: tuple[int, ...]) -> None:
    report = check(network(draw), shape, backend=backend)
    assert "stride" in packed_layers(report)
    for node in report["nodes"]:
        assert node["taken"]
        layer = node["op"] in ("CONV_2D", "FULLY_CONNECTED")
        assert node["packed_at_load"] + bool(node["packing_reason"]) == layer, node
        assert (0 < node["density"] < 0.6) == (node["group_size"] > 0) == node["packed_at_load"]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_and_every_size(runtime: str, tmp_path: Path) -> None:
    """Some runtimes apply the plugin anew after each resize: what was packed is then found again, to the bit."""
    rng, jobs = np.random.default_rng(2), {}
    inputs = [rng.standard_normal((n, *SHAPE[1:])).astype(np.float32) for n in (1, 3, 2)]
    inputs.append(inputs[0])
    options = {"num_threads": 2, "verbosity": 0, "costs": str(SHIPPED / "avx512.json"), "poison_memory": "nan"}
    for half in (False, True):
        content = network(in_fours, half=half)
        jobs |= {f"plain{half}": Job(content, inputs, None), f"packed{half}": Job(content, inputs, options)}
    results = run_jobs(runtime, jobs, tmp_path)
    assert {result.error for result in results.values()} == {""}
    for half in (False, True):
        packed, plain = results[f"packed{half}"], results[f"plain{half}"]
        for got, want in zip(packed.outputs, plain.outputs, strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
        assert np.array_equal(packed.outputs[0], packed.outputs[3])
        assert {"stride", "wide"} <= packed_layers(packed.report).keys()


@pytest.mark.parametrize("draw", [in_fours, unstructured, two_of_four])
def test_the_layers_are_packed_that_convert_packs(draw: Draw) -> None:
    content = network(draw)
    _, converted = mcpruner.convert(content, target="x86-64")
    loaded = by_plugin(content, costs=SHIPPED / "avx512.json")
    expected = {layer.name: layer.group_size for layer in converted.layers if layer.accelerated}
    assert expected and packed_layers(loaded).keys() == expected.keys()
    if draw is in_fours:  # of other masks both sides find groups that differ, and may differ in their sizes
        assert packed_layers(loaded) == expected
    for layer in converted.layers:
        node = next(n for n in loaded["nodes"] if n["name"] == layer.name)
        if layer.accelerated:
            assert node["density"] == pytest.approx(layer.density, abs=1e-3)


def test_a_layer_that_keeps_too_much_is_left_by_both_sides() -> None:
    content = network(three_of_four)
    same, report = mcpruner.convert(content, target="x86-64")
    loaded = by_plugin(content, costs=SHIPPED / "avx512.json")
    assert same == content and not packed_layers(loaded)
    for layer in report.layers:
        node = next(n for n in loaded["nodes"] if n["name"] == layer.name)
        assert layer.reason == "dense: " + node["packing_reason"]
        assert node["packing_reason"] == "it keeps 0.750 of its weights: a dense layer runs as fast"


def test_times_are_predicted_as_those_of_the_converted_file() -> None:
    content = network(in_fours)
    expected = by_converter(mcpruner.convert(content, target="x86-64")[0], "avx512")
    report = by_plugin(content, costs=SHIPPED / "avx512.json")
    (ours,), (theirs,) = report["decisions"], expected.partitions
    assert tuple(ours["nodes"]) == theirs.ops
    assert ours["plugin_nanoseconds"] == pytest.approx(theirs.plugin_ns, rel=1e-6)
    assert ours["tflite_nanoseconds"] == pytest.approx(theirs.tflite_ns, rel=1e-6)


@pytest.mark.parametrize("backend", ["auto", "cpu"])
def test_without_zeros_nothing_changes(backend: str) -> None:
    content, x = network(unpruned), np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    reports, outputs = [], []
    for pack in ("auto", "never"):
        plugin = mcpruner.Interpreter(model_content=content, num_threads=1, backend=backend, pack=pack)
        outputs.append(run(plugin, [x])[0])
        reports.append(plugin.report())
    assert np.array_equal(*outputs)
    reasons = [{node.pop("packing_reason") for node in report["nodes"]} for report in reports]
    assert reasons == [{"its weights have no zeros", ""}, {"option pack is never", ""}]
    assert reports[0] == reports[1]
    assert any(node["taken"] for node in reports[0]["nodes"]) == (backend == "cpu")


def test_pack_never_leaves_a_pruned_file_alone() -> None:
    report = check(network(in_fours), pack="never")
    assert not packed_layers(report) and not any(node["taken"] for node in report["nodes"])
    report = check(network(in_fours), pack="never", backend="cpu")
    assert not packed_layers(report) and all(node["taken"] for node in report["nodes"])
    with pytest.raises(ValueError, match=re.escape("option pack: expected one of auto, never, got 'always'")):
        by_plugin(network(in_fours), pack="always")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_with_litert(bad: float) -> None:
    report = by_plugin(network(in_fours, spoil=bad))
    (node,) = (node for node in report["nodes"] if node["name"] == "pointwise")
    assert not node["taken"] and not node["packed_at_load"]
    assert node["packing_reason"].startswith("expected finite weights, got NaN or infinity")
    assert node["reason"] == node["packing_reason"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_layer_alone_has_its_own_reason(bad: float) -> None:
    """With nothing packed beside it, `auto` leaves the whole model; the layer still says what is wrong with it."""
    report = by_plugin(network(unpruned, spoil=bad))
    assert not any(node["taken"] for node in report["nodes"])
    reasons = {node["name"]: node["reason"] for node in report["nodes"]}
    assert reasons["pointwise"].startswith("expected finite weights, got NaN or infinity")
    assert reasons["wide"].startswith("no layer of its partition is packed")


@pytest.mark.parametrize("draw", [in_fours, unstructured])
def test_float16_weights(draw: Draw) -> None:
    report = check(network(draw, half=True))
    assert {"stride", "wide"} <= packed_layers(report).keys()


def test_a_grouped_convolution() -> None:
    rng, net = np.random.default_rng(5), TfliteBuilder()
    x = net.input((1, 33, 35, 36))
    y = net.conv(x, in_fours(rng, (24, 3, 3, 12)), rng.standard_normal(24).astype(np.float32), name="grouped")
    content = net.build([y])
    report = check(content, (1, 33, 35, 36))
    assert packed_layers(report).keys() == {"grouped"}


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("draw", [in_fours, unstructured])
def test_a_transposed_convolution(draw: Draw, stride: tuple[int, int]) -> None:
    """`check` compares it; it is packed where `convert` packs it, for one thread and for two.

    Backend cpu takes all that it can run, also where two threads would be faster without the conversions at its edges.
    """
    rng, net = np.random.default_rng(5), TfliteBuilder()
    shape, size = (1, 17, 19, 64), (17 * stride[0] - stride[0] // 2, 19 * stride[1])
    bias = rng.standard_normal(48).astype(np.float32)
    y = net.transpose_conv(net.input(shape), draw(rng, (48, 3, 3, 64)), size, stride, bias, name="transposed")
    content = net.build([y])
    for backend in ("auto", "cpu"):
        check(content, shape, backend=backend)
    for backend, num_threads in (("auto", 1), ("cpu", 1), ("auto", 2)):
        _, converted = mcpruner.convert(content, target="x86-64", num_threads=num_threads)
        report = by_plugin(content, num_threads, backend=backend, costs=SHIPPED / "avx512.json")
        assert (packed_layers(report).keys() == {"transposed"}) == any(layer.accelerated for layer in converted.layers)


def test_a_converted_file_is_left_as_it_was_converted() -> None:
    content, _ = mcpruner.convert(network(in_fours), target="x86-64")
    report = by_plugin(content)
    assert not packed_layers(report)
    assert {node["packing_reason"] for node in report["nodes"]} <= {
        "",
        "convert packed other layers of the file, and left this one dense",
    }


def test_what_does_not_pay_stays_with_litert() -> None:
    """One layer of tens of nanoseconds: its partition's call and edges take longer."""
    rng, net = np.random.default_rng(5), TfliteBuilder()
    content = net.build([net.conv(net.input((1, 3, 5, 7)), in_fours(rng, (5, 3, 3, 7)), name="tiny")])
    (node,) = check(content, (1, 3, 5, 7))["nodes"]
    assert not node["taken"] and not node["packed_at_load"] and node["packing_reason"]
    assert node["reason"]
