"""Files without custom operators: they mean the same in the runtime, and become the packed file again to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite
from packing import pack_every_layer
from small_network import prunable, small_network
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import constant_bytes, operator_name, read_model, schema, write_model
from mcpruner.converter.tflite.pack_by_plan import pack_by_plan

RNG = np.random.default_rng(8)
FORMATS = ("portable", "dense")


def convolutions() -> bytes:
    """Kernels of several sizes, one without bias, a grouped one, weights of minus zero, a pad of its own."""
    net = TfliteBuilder()
    x = net.conv(net.input((1, 13, 11, 12)), prunable(RNG, (24, 3, 3, 12)), activation="RELU6", name="first")
    weights = prunable(RNG, (20, 5, 3, 24))
    weights[0, 0, 0] = -0.0
    x = net.conv(
        net.pad(x, (2, 0, 1, 3)), weights, RNG.standard_normal(20).astype(np.float32), (2, 1), "VALID", name="padded"
    )
    x = net.conv(x, prunable(RNG, (32, 3, 3, 5)), dilation=(2, 1), name="grouped")
    return net.build([net.conv(x, prunable(RNG, (33, 1, 1, 32)), name="last")])


def dense_layers() -> bytes:
    """With and without a bias, over rows and over a map."""
    net = TfliteBuilder()
    x = net.fully_connected(net.input((1, 7, 5, 40)), prunable(RNG, (48, 40)), keep_num_dims=True, name="map")
    x = net.fully_connected(net.mean(x), prunable(RNG, (301, 48)), RNG.standard_normal(301).astype(np.float32))
    return net.build([net.fully_connected(x, prunable(RNG, (16, 301)), activation="RELU", name="last")])


def transposed() -> bytes:
    net = TfliteBuilder()
    x = net.input((1, 5, 7, 12))
    shape = net.constant(np.array([1, 10, 14, 16], np.int32), "shape")
    options = tflite.TransposeConvOptionsT(padding=schema.Padding.SAME, strideH=2, strideW=2)
    weights = net.constant(prunable(RNG, (16, 3, 3, 12)), "weights")
    y = net.operator("TRANSPOSE_CONV", [shape, weights, x], (1, 10, 14, 16), options, "up")
    return net.build([y])


def shared() -> bytes:
    """A layer twice, and its weights once more on a smaller map, whose plan is another."""
    net = TfliteBuilder()
    weights, bias = (
        net.constant(prunable(RNG, (16, 3, 3, 16)), "weights"),
        net.constant(np.ones(16, np.float32), "bias"),
    )
    x = net.conv(net.conv(net.input((1, 12, 12, 16)), weights, bias, name="a"), weights, bias, name="b")
    return net.build([net.conv(x, weights, None, (3, 3), name="c")])


def with_zeros_alone() -> bytes:
    """A layer without a weight, whose sparse tensor would have no bytes."""
    net = TfliteBuilder()
    x = net.conv(net.input((1, 6, 5, 8)), np.zeros((16, 3, 3, 8), np.float32), name="zeros")
    return net.build([net.conv(x, prunable(RNG, (16, 3, 3, 16)), name="last")])


NETWORKS = [small_network, convolutions, dense_layers, transposed, shared, with_zeros_alone]


def names(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
@pytest.mark.parametrize("network", NETWORKS)
def test_there_and_back(network: Callable[[], bytes], values: str) -> None:
    with pack_every_layer():
        packed, report = convert(network(), values=values)
    assert report.num_accelerated == len(report.layers) > 0
    x = RNG.standard_normal(read_model(packed).subgraphs[0].tensors[0].shape).astype(np.float32)
    files = {each: convert(packed, format=each)[0] for each in FORMATS}
    for file_format, content in files.items():
        assert not any(name.startswith("Mcpruner") for name in names(content))
        assert ("DENSIFY" in names(content)) == (file_format == "portable")
        assert convert(content)[0] == packed
        assert all(convert(content, format=each)[0] == other for each, other in files.items())
        np.testing.assert_array_equal(run(content, x)[0], run(densify(packed), x)[0])


@pytest.mark.parametrize("file_format", FORMATS)
def test_straight_from_the_source_is_the_same(file_format: str) -> None:
    source = small_network()
    packed, first = convert(source, target="x86-64", values="float16")
    content, report = convert(source, target="x86-64", values="float16", format=file_format)
    assert convert(packed, format=file_format)[0] == content
    assert (report.format, report.bytes_before, report.bytes_after) == (file_format, len(source), len(content))
    for one, other in zip(first.layers, report.layers, strict=True):
        assert (one.name, one.index, one.op, one.group_size) == (other.name, other.index, other.op, other.group_size)
    assert f"can be packed by the plan in the {file_format} file" in report.summary


def test_what_the_source_is_stays_in_the_report() -> None:
    with pack_every_layer():
        packed, _ = convert(small_network())
    portable, there = convert(packed, format="portable")
    back, report = convert(portable)
    assert [layer.op for layer in report.layers] == ["CONV_2D"] * 3 + ["FULLY_CONNECTED"]
    numbered = read_model(portable)
    for line, before in zip(report.layers, there.layers, strict=True):
        assert operator_name(numbered, numbered.subgraphs[0].operators[line.index]) == line.op
        assert line.reason == "sparse: by the source's plan, groups of 4"
        assert (line.bytes_before, line.bytes_after) == (before.bytes_after, before.bytes_before)
    assert back == packed and report.notes == []


def test_nothing_changes_where_nothing_is_packed() -> None:
    net = TfliteBuilder()
    source = net.build([net.conv(net.input((1, 8, 8, 4)), RNG.standard_normal((4, 3, 3, 4)).astype(np.float32))])
    for file_format in FORMATS:
        content, report = convert(source, format=file_format)
        assert content == source and report.num_accelerated == 0


def test_weights_that_are_hardly_sparse_stay_plain() -> None:
    net = TfliteBuilder()
    source = net.build([net.conv(net.input((1, 8, 8, 512)), prunable(RNG, (8, 1, 1, 512), 0.9), name="conv")])
    with pack_every_layer():
        content, report = convert(source, format="portable")
    assert names(content) == ["CONV_2D"]
    assert "; plain weights, since a sparse tensor would take " in report.layers[0].reason


def test_layers_of_one_blob_share_their_constants() -> None:
    with pack_every_layer():
        packed, _ = convert(shared(), values="float16")
    for file_format, operator in (("portable", "DENSIFY"), ("dense", "DEQUANTIZE")):
        content, _ = convert(packed, format=file_format)
        assert names(content) == [operator, "CONV_2D", "CONV_2D", operator, "CONV_2D"]
        model = read_model(content)
        constants = [graph.tensors[op.inputs[0]].buffer for graph in model.subgraphs for op in graph.operators[0:4:3]]
        assert len(constants) == 2


def with_version(content: bytes, version: bytes) -> bytes:
    model = read_model(content)
    model.buffers.append(schema.BufferT(data=np.frombuffer(version.ljust(16, b"\0"), np.uint8)))
    model.metadata.append(schema.MetadataT(name=b"min_runtime_version", buffer=len(model.buffers) - 1))
    return write_model(model)


def version_of(content: bytes) -> bytes:
    model = read_model(content)
    (entry,) = (entry for entry in model.metadata if entry.name == b"min_runtime_version")
    return bytes(model.buffers[entry.buffer].data).rstrip(b"\0")


@pytest.mark.parametrize(
    ("network", "before", "portable", "dense"),
    [
        (small_network, b"1.14.0", b"2.2.0", b"1.15.0"),
        (convolutions, b"1.5.0", b"2.9.0", b"2.9.0"),
        (transposed, b"2.3.0", b"2.3.0", b"2.3.0"),
        (dense_layers, b"2.17.0", b"2.17.0", b"2.17.0"),
    ],
)
def test_min_runtime_version(network: Callable[[], bytes], before: bytes, portable: bytes, dense: bytes) -> None:
    with pack_every_layer():
        packed, _ = convert(with_version(network(), before), values="float16")
    assert version_of(packed) == before
    for file_format, version in (("portable", portable), ("dense", dense)):
        content, _ = convert(packed, format=file_format)
        assert version_of(content) == version
        assert convert(content)[0] == packed


def changed(content: bytes, change: str) -> bytes:
    """A portable file that another tool was at."""
    model = read_model(content)
    entry = next(entry for entry in model.metadata if entry.name == b"mcpruner")
    if change == "plan":
        model.buffers[entry.buffer].data = np.zeros(40, np.uint8)
    elif change == "weights":
        graph = model.subgraphs[0]
        weights = next(op.inputs[0] for op in graph.operators if operator_name(model, op) == "DENSIFY")
        values = constant_bytes(model, graph, weights).copy()
        values[:4] = np.frombuffer(np.float32(7).tobytes(), np.uint8)
        model.buffers[graph.tensors[weights].buffer].data = values
    return write_model(model)


@pytest.mark.parametrize(
    ("change", "note", "by_plan"),
    [
        ("plan", "The plans in the file were ignored: expected that plans begin with MCPP", 0),
        ("weights", "1 of 4 plans in the file fit no layer: its weights were changed since.", 3),
    ],
)
def test_a_plan_that_does_not_fit_is_ignored_with_a_reason(change: str, note: str, by_plan: int) -> None:
    with pack_every_layer():
        portable, _ = convert(small_network(), format="portable")
        content, report = convert(changed(portable, change))
    assert len(report.notes) == 1 and report.notes[0].startswith(note)
    assert sum("by the source's plan" in layer.reason for layer in report.layers) == by_plan
    assert report.num_accelerated == 4 and "DENSIFY" not in names(content)
    assert note in report.table()


def test_a_model_whose_operators_may_be_counted_is_refused() -> None:
    with pack_every_layer():
        model = read_model(convert(small_network())[0])
    model.metadata.append(schema.MetadataT(name=b"counts", buffer=0))
    with pytest.raises(ValueError, match="the metadata 'counts', which may count operators, and the format portable"):
        convert(write_model(model), format="portable")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown format 'sparse': use one of packed, portable, dense"):
        convert(small_network(), format="sparse")


def test_a_file_without_a_plan_is_left_alone() -> None:
    model = read_model(small_network())
    found = pack_by_plan(model)
    assert (found.file_format, found.layers, found.notes) == (None, {}, [])
    assert found.numbers == [list(range(7))]
