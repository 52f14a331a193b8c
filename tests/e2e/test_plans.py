"""A file without custom operators is packed in the plugin as `convert` packed it, by the plans in its metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from op_runner import RUNTIMES, Job, run_jobs
from small_network import prunable
from test_pack_at_load import packed_layers, unstructured
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.converter.format.plan import LayerPlan, ModelPlan, deserialize_plan, serialize_plan
from mcpruner.converter.tflite.model import read_model, schema, write_model
from mcpruner.converter.tflite.portable import PLAN

SHAPE = (1, 41, 37, 20)
OPTIONS = {"verbosity": 0, "costs": str(SHIPPED / "avx512.json"), "poison_memory": "nan"}
CHANGED = "no plan in the file has the key of its weights, which were changed since it was converted"


def network() -> bytes:
    """3x3 at stride 2 behind a pad, unstructured 1x1, a grouped 3x3, a dense 3x3, mean and two dense layers."""
    rng, net = np.random.default_rng(3), TfliteBuilder()
    bias = rng.standard_normal(72).astype(np.float32)
    x = net.pad(net.input(SHAPE), (1, 1, 1, 1))
    x = net.conv(x, prunable(rng, (72, 3, 3, 20)), bias, (2, 2), "VALID", activation="RELU", name="stride")
    x = net.conv(x, unstructured(rng, (72, 1, 1, 72)), bias, activation="RELU6", name="pointwise")
    x = net.conv(x, prunable(rng, (72, 3, 3, 36)), name="grouped")
    x = net.conv(x, rng.standard_normal((72, 3, 3, 72)).astype(np.float32), activation="RELU", name="dense")
    x = net.conv(x, prunable(rng, (72, 3, 3, 72))[rng.permutation(72)], name="shuffled")
    x = net.fully_connected(net.mean(x), prunable(rng, (256, 72), 0.1), activation="RELU", name="hidden")
    return net.build([net.fully_connected(x, prunable(rng, (128, 256), 0.1), name="classifier")])


def convert(values: str, file_format: str) -> bytes:
    return mcpruner.convert(network(), "x86-64", values, format=file_format)[0]


def plan_buffer(model: Any) -> int:
    (entry,) = (entry for entry in model.metadata if entry.name == PLAN)
    return entry.buffer


def plans_of(content: bytes) -> ModelPlan:
    model = read_model(content)
    return deserialize_plan(bytes(bytearray(model.buffers[plan_buffer(model)].data)))


def change_plan(content: bytes, change: Callable[[ModelPlan], bytes]) -> bytes:
    """The file with other bytes in the place of its plans."""
    model = read_model(content)
    data = np.frombuffer(change(plans_of(content)), np.uint8)
    model.buffers[plan_buffer(model)] = schema.BufferT(data=data)
    return write_model(model)


def load(content: bytes, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """The output of one image, and the report."""
    plugin = mcpruner.Interpreter(model_content=content, num_threads=1, **{**OPTIONS, **options})
    image = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    return run(plugin, [image])[0], plugin.report()


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_outputs_of_all_formats_are_the_same_to_the_bit(runtime: str, values: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    inputs = [rng.standard_normal((n, *SHAPE[1:])).astype(np.float32) for n in (1, 3, 1)]
    jobs = {
        f"{name}{threads}": Job(convert(values, name), inputs, {**OPTIONS, "num_threads": threads})
        for name in ("packed", "portable", "dense")
        for threads in (1, 2)
    }
    results = run_jobs(runtime, jobs, tmp_path)
    assert {result.error for result in results.values()} == {""}
    for name, result in results.items():
        assert all(node["taken"] for node in result.report["nodes"]), name
        for got, want in zip(result.outputs, results["packed1"].outputs, strict=True):
            assert np.array_equal(got.view(np.uint32), want.view(np.uint32)), name
        planned = {node["name"] for node in result.report["nodes"] if node["planned"]}
        assert planned == packed_layers(result.report).keys()
        assert len(planned) == (0 if name.startswith("packed") else 6)
        assert {node["plan_reason"] for node in result.report["nodes"]} == {""}
        (dense,) = (node for node in result.report["nodes"] if node["name"] == "dense")
        assert dense["packing_reason"] == "convert packed other layers of the file, and left this one dense"


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_layers_weigh_what_they_do_in_the_packed_file(values: str) -> None:
    """Fully-connected layers keep float16 and int8."""
    reports = [load(convert(values, name))[1] for name in ("packed", "portable", "dense")]
    assert len({report["weight_bytes"] for report in reports}) == 1


def test_group_sizes_are_those_of_the_plan() -> None:
    """Ones that nobody would choose."""

    def change(plan: ModelPlan) -> bytes:
        layers = [LayerPlan(layer.key, 2, None, layer.value_type) for layer in plan.layers]
        return serialize_plan(ModelPlan(plan.file_format, tuple(layers)))

    _, report = load(change_plan(convert("float32", "portable"), change))
    assert {size for name, size in packed_layers(report).items() if name in ("stride", "grouped")} == {2}


def broken(plan: ModelPlan) -> bytes:
    return serialize_plan(plan)[:-9]


@pytest.mark.parametrize("change", [broken, lambda plan: b"MCPP", lambda plan: b"\0" * 64])
def test_damaged_plans_are_ignored_with_a_reason(change: Callable[[ModelPlan], bytes]) -> None:
    content = convert("float32", "portable")
    (want, _), (got, report) = load(content), load(change_plan(content, change))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
    layers = [node for node in report["nodes"] if node["op"] in ("CONV_2D", "FULLY_CONNECTED")]
    reasons = {node["plan_reason"] for node in layers}
    assert len(reasons) == 1
    assert reasons.pop().startswith("the plans in the file were ignored: expected an MCPP flatbuffer, got ")
    assert packed_layers(report).keys() >= {"stride", "grouped", "shuffled"}
    assert not any(node["planned"] for node in report["nodes"])


def test_a_plan_that_does_not_fit_is_ignored_with_a_reason() -> None:
    """Of the shuffled layer it has too few filters, of the grouped one it groups filters of two groups."""

    def change(plan: ModelPlan) -> bytes:
        layers = []
        for layer in plan.layers:
            short = layer.permutation is not None and len(layer.permutation) == 72 and len(layers) == 3
            permutation = layer.permutation[:-1] if short else layer.permutation
            if len(layers) == 2:
                permutation = np.arange(72).reshape(2, 36).T.ravel()
            layers.append(LayerPlan(layer.key, layer.group_size, permutation, layer.value_type))
        return serialize_plan(ModelPlan(plan.file_format, tuple(layers)))

    content = convert("float32", "dense")
    (want, _), (got, report) = load(content), load(change_plan(content, change))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
    nodes = {node["name"]: node for node in report["nodes"]}
    assert nodes["grouped"]["plan_reason"] == (
        "its plan was ignored: expected filter groups within each of 2 groups of the convolution, got some that reach "
        "over two"
    )
    assert nodes["shuffled"]["plan_reason"] == (
        "its plan was ignored: expected a permutation that has each of 72 filters once, got something else"
    )
    for name in ("grouped", "shuffled"):
        assert nodes[name]["packed_at_load"] and not nodes[name]["planned"]
    assert nodes["stride"]["planned"]


def test_weights_that_were_changed_have_no_plan() -> None:
    """One layer was trained on: it is packed as in a file without plans, and so is what `convert` left."""
    model = read_model(convert("float32", "dense"))
    graph = model.subgraphs[0]
    (op,) = (op for op in graph.operators if graph.tensors[op.outputs[0]].name == b"shuffled")
    data = np.array(model.buffers[graph.tensors[op.inputs[1]].buffer].data)
    changed = np.frombuffer(data.tobytes(), np.float32) * 1.25
    model.buffers[graph.tensors[op.inputs[1]].buffer] = schema.BufferT(data=np.frombuffer(changed.tobytes(), np.uint8))
    _, report = load(write_model(model))
    nodes = {node["name"]: node for node in report["nodes"]}
    assert nodes["shuffled"]["packed_at_load"] and nodes["shuffled"]["plan_reason"] == CHANGED
    assert nodes["dense"]["packing_reason"] == "its weights have no zeros"
    assert nodes["stride"]["planned"] and not nodes["shuffled"]["planned"]


def test_values_that_the_plan_does_not_stand_for() -> None:
    """A plan says float16 of float32 weights: nothing is rounded."""

    def change(plan: ModelPlan) -> bytes:
        layers = [LayerPlan(layer.key, layer.group_size, layer.permutation, "float16") for layer in plan.layers]
        return serialize_plan(ModelPlan(plan.file_format, tuple(layers)))

    _, report = load(change_plan(convert("float32", "dense"), change))
    reasons = {node["name"]: node["plan_reason"] for node in report["nodes"]}
    for name in ("hidden", "classifier"):
        assert reasons[name] == "its plan was ignored: expected weights that float16 values stand for, got others"
    assert reasons["stride"] == ""


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_transposed_convolutions(values: str) -> None:
    rng, net = np.random.default_rng(3), TfliteBuilder()
    x = net.conv(net.input(SHAPE), prunable(rng, (64, 3, 3, 20)), name="wide")
    weights = prunable(rng, (36, 3, 3, 64))[rng.permutation(36)]
    x = net.transpose_conv(x, weights, (82, 73), (2, 2), rng.standard_normal(36).astype(np.float32), "up")
    source = net.build([x])
    results = [load(mcpruner.convert(source, "x86-64", values, format=f)[0]) for f in ("packed", "portable", "dense")]
    for output, report in results[1:]:
        assert np.array_equal(output.view(np.uint32), results[0][0].view(np.uint32))
        assert {node["name"] for node in report["nodes"] if node["planned"]} == {"wide", "up"}
        assert all(node["taken"] for node in report["nodes"])
