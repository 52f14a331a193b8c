"""`values` of layers that the source has packed already, or has a plan for: as if they were packed anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable, small_network
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.format.plan import deserialize_plan, serialize_plan
from mcpruner.converter.tflite.densify import densify, packed_layers, read_packed
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.converter.tflite.portable import PLAN

VALUES = ("float32", "float16", "int8")
FORMATS = ("packed", "portable", "dense")
RNG = np.random.default_rng(8)


def value_types(content: bytes) -> list[str]:
    """How the layers of a packed file are stored."""
    model = read_model(content)
    (graph,) = model.subgraphs
    return [read_packed(model, graph, op)[0].value_type for op in packed_layers(model, graph)]


def packed_file(values: str, file_format: str = "packed") -> bytes:
    with pack_every_layer():
        return convert(small_network(), values=values, format=file_format)[0]


@pytest.mark.parametrize("source_format", FORMATS)
@pytest.mark.parametrize("values", ["float16", "int8"])
def test_float32_is_rounded_as_if_it_were_packed_anew(values: str, source_format: str) -> None:
    source, expected = packed_file("float32", source_format), packed_file(values)
    content, report = convert(source, values=values)
    assert value_types(content) == [values] * 4
    assert content == expected
    for line in report.layers:
        assert line.accelerated and line.reason.endswith(f", stored as {values} instead of float32")
    assert report.bytes_after == len(content)
    if source_format == "packed":
        assert all(line.bytes_after < line.bytes_before for line in report.layers)


@pytest.mark.parametrize("source_format", FORMATS)
@pytest.mark.parametrize("values", ["float16", "int8"])
def test_float32_keeps_the_numbers(values: str, source_format: str) -> None:
    source = packed_file(values, source_format)
    content, report = convert(source, values="float32")
    assert value_types(content) == ["float32"] * 4
    x = RNG.standard_normal(read_model(content).subgraphs[0].tensors[0].shape).astype(np.float32)
    np.testing.assert_array_equal(run(densify(content), x)[0], run(densify(packed_file(values)), x)[0])
    assert all(line.reason.endswith(f", stored as float32 instead of {values}") for line in report.layers)
    again, unchanged = convert(content, values="float32")
    assert again == content and not any("stored as" in line.reason for line in unchanged.layers)


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("file_format", ["portable", "dense"])
def test_the_plan_of_a_builtin_file_has_them_too(values: str, file_format: str) -> None:
    content, _ = convert(packed_file("float32"), values=values, format=file_format)
    assert content == convert(packed_file(values), format=file_format)[0]
    assert convert(content)[0] == packed_file(values)


def test_source_leaves_them_alone() -> None:
    for values in VALUES:
        assert convert(packed_file(values))[0] == packed_file(values)


def test_a_layer_that_rounding_would_change_too_much_keeps_its_values() -> None:
    net, weights = TfliteBuilder(), prunable(RNG, (16, 3, 3, 8))
    weights[0] *= 1e-9  # in float16 all of this filter is zero
    x = net.conv(net.input((1, 9, 9, 8)), weights, name="small")
    with pack_every_layer():
        source, _ = convert(net.build([net.conv(x, prunable(RNG, (16, 3, 3, 16)), name="usual")]))
    content, report = convert(source, values="float16")
    assert value_types(content) == ["float32", "float16"]
    assert report.layers[0].reason == (
        "sparse: packed by an earlier conversion, groups of 4, "
        "still as float32, since float16 would change a filter by 100 %"
    )
    assert report.layers[0].bytes_after == report.layers[0].bytes_before


def test_layers_of_one_blob_still_share_it() -> None:
    net = TfliteBuilder()
    weights = net.constant(prunable(RNG, (16, 3, 3, 16)), "weights")
    x = net.conv(net.conv(net.input((1, 12, 12, 16)), weights, name="a"), weights, name="b")
    with pack_every_layer():
        source = convert(net.build([x]))[0]
    model = read_model(convert(source, values="int8")[0])
    (graph,) = model.subgraphs
    assert len({graph.tensors[op.inputs[1]].buffer for op in packed_layers(model, graph)}) == 1


def test_layers_packed_before_and_now_are_stored_alike() -> None:
    """Of one layer the plan is gone, so it is packed anew, beside one that has a plan."""
    net = TfliteBuilder()
    x = net.conv(net.input((1, 24, 24, 64)), prunable(RNG, (64, 3, 3, 64)), name="first")
    source = net.build([net.conv(x, prunable(RNG, (64, 3, 3, 64)), name="second")])
    with pack_every_layer():
        model = read_model(convert(source, format="dense")[0])
        (entry,) = (entry for entry in model.metadata if entry.name == PLAN)
        plan = deserialize_plan(bytes(model.buffers[entry.buffer].data))
        only_first = serialize_plan(replace(plan, layers=plan.layers[:1]))
        model.buffers[entry.buffer].data = np.frombuffer(only_first, np.uint8)
        content, report = convert(write_model(model), values="int8")
    assert value_types(content) == ["int8", "int8"]
    first, second = report.layers
    assert first.reason == "sparse: by the source's plan, groups of 4, stored as int8 instead of float32"
    assert second.reason.startswith("sparse: density 0.2") and second.reason.endswith(", groups of 4")
