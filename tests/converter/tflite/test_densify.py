"""A converted file back to builtin operators."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from small_network import Files, export, prunable
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.format.serialize import deserialize_options, serialize_options
from mcpruner.converter.tflite.densify import CONV, densify, read_packed
from mcpruner.converter.tflite.model import operator_name, read_model, schema, write_model
from mcpruner.converter.tflite.weights import read_weights


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return export(tmp_path_factory.mktemp("small"))


def names(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def test_custom_operators_become_builtin_ones(files: Files) -> None:
    content = densify(files.sparse.read_bytes())
    found = names(content)
    assert not any(name.startswith("Mcpruner") for name in found)
    assert [name for name in found if name != "PAD"] == [n for n in names(files.dense.read_bytes()) if n != "PAD"]


def test_result_is_that_of_the_dense_file(files: Files) -> None:
    x = np.random.default_rng(3).standard_normal((2, 13, 11, 16)).astype(np.float32)
    (expected,) = run(files.dense.read_bytes(), x)
    (actual,) = run(densify(files.sparse.read_bytes()), x)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_options_are_carried(padding: str, activation: str) -> None:
    rng = np.random.default_rng(5)
    net = TfliteBuilder()
    x = net.input((1, 12, 14, 16))
    y = net.conv(x, prunable(rng, (16, 3, 2, 16)), None, (2, 1), padding, (1, 2), activation)
    dense = net.build([net.fully_connected(y, prunable(rng, (16, 16)), activation=activation, keep_num_dims=True)])
    content, _ = convert(dense, target="generic")
    inputs = rng.standard_normal((1, 12, 14, 16)).astype(np.float32)
    (expected,), (actual,) = run(dense, inputs), run(densify(content), inputs)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.fixture
def grouped(free_calls: None) -> bytes:
    """A converted file of one convolution of two groups."""
    net = TfliteBuilder()
    weights = prunable(np.random.default_rng(5), (16, 3, 3, 8))
    content, report = convert(net.build([net.conv(net.input((1, 12, 14, 16)), weights, name="conv")]), target="generic")
    assert [layer.shape for layer in report.layers if layer.accelerated] == [[16, 3, 3, 8]]
    return content


def test_grouped_convolutions_are_grouped_again(grouped: bytes) -> None:
    model = read_model(densify(grouped))
    (op,) = model.subgraphs[0].operators
    weights = read_weights(model, model.subgraphs[0], op)
    np.testing.assert_array_equal(weights, prunable(np.random.default_rng(5), (16, 3, 3, 8)))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (3, "Layer conv: expected that groups divide its filters and its channels, got 3"),
        (4, "Layer conv: expected no weights outside of its 4 groups, got some"),
    ],
)
def test_groups_that_do_not_fit_are_refused(grouped: bytes, groups: int, words: str) -> None:
    model = read_model(grouped)
    (op,) = model.subgraphs[0].operators
    options = replace(deserialize_options(bytes(op.customOptions)), groups=groups)
    op.customOptions = np.frombuffer(serialize_options(options), np.uint8)
    with pytest.raises(ValueError, match=words):
        densify(write_model(model))


def test_file_without_custom_operators_keeps_its_meaning(files: Files) -> None:
    content = files.dense.read_bytes()
    x = np.ones((1, 13, 11, 16), np.float32)
    assert names(densify(content)) == names(content)
    np.testing.assert_array_equal(run(densify(content), x)[0], run(content, x)[0])


def damaged(content: bytes, change: str) -> bytes:
    """The file with its first custom convolution damaged in one way."""
    model = read_model(content)
    graph = model.subgraphs[0]
    op = next(op for op in graph.operators if operator_name(model, op) == CONV)
    blob = model.buffers[graph.tensors[op.inputs[1]].buffer]
    if change == "blob":
        blob.data = np.roll(blob.data, 5)
    elif change == "no blob":
        blob.data = None
    elif change == "inputs":
        op.inputs = op.inputs[:1]
    elif change == "options":
        op.customOptions = np.zeros(3, np.uint8)
    elif change == "version":
        model.operatorCodes[op.opcodeIndex].version = 2
    return write_model(model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("blob", "Layer conv1: "),
        ("no blob", "Layer conv1 has no blob"),
        ("inputs", "must have 2 inputs and 1 output; one has 1 and 1"),
        ("options", "Layer conv1: "),
        ("version", "Layer conv1 is version 2 of McprunerSparseConv2D; this mcpruner reads version 1"),
    ],
)
def test_damage_is_one_sentence_that_names_the_layer(files: Files, change: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        densify(damaged(files.sparse.read_bytes(), change))
    assert "\n" not in str(caught.value)


def test_read_packed_gives_the_weights_back(files: Files) -> None:
    model = read_model(files.sparse.read_bytes())
    graph = model.subgraphs[0]
    layers = [read_packed(model, graph, op)[0] for op in graph.operators if operator_name(model, op) == CONV]
    assert [tuple(layer.kernel_size) for layer in layers] == [(3, 3), (1, 1), (3, 3)]
    assert all(0 < layer.density < 0.5 for layer in layers)


def twin(shared: bool) -> bytes:
    """The small network of one packed layer in two subgraphs, with a blob for each or the same buffer for both."""
    net = TfliteBuilder()
    weights = prunable(np.random.default_rng(0), (32, 3, 3, 32))
    content, _ = convert(net.build([net.conv(net.input((1, 16, 16, 32)), weights, np.ones(32, np.float32))]))
    model = read_model(content)
    model.subgraphs.append(read_model(content).subgraphs[0])
    if not shared:
        blob = model.subgraphs[1].tensors[model.subgraphs[1].operators[0].inputs[1]]
        model.buffers.append(schema.BufferT(data=model.buffers[blob.buffer].data))
        blob.buffer = len(model.buffers) - 1
    return write_model(model)


@pytest.mark.parametrize("shared", [False, True])
def test_a_layer_of_several_subgraphs_is_stored_once(shared: bool) -> None:
    model = read_model(densify(twin(shared)))
    used = [[graph.tensors[i].buffer for i in graph.operators[0].inputs[1:]] for graph in model.subgraphs]
    assert used[0] == used[1] and len(set(used[0])) == 2
    assert [read_weights(model, graph, graph.operators[0]).shape for graph in model.subgraphs] == [(32, 3, 3, 32)] * 2
    sizes = sorted(len(buffer.data) for buffer in model.buffers if buffer.data is not None and len(buffer.data))
    assert sizes == [4 * 32, 4 * 32 * 3 * 3 * 32]


def test_operators_that_read_one_blob() -> None:
    """Its tensor is emptied when all of them have read it."""
    model = read_model(twin(shared=True))
    graph, _ = model.subgraphs
    model.subgraphs = [graph]
    graph.operators.append(copy.copy(graph.operators[0]))
    graph.operators[1].outputs = [len(graph.tensors)]
    graph.tensors.append(copy.copy(graph.tensors[graph.operators[0].outputs[0]]))
    model = read_model(densify(write_model(model)))
    (graph,) = model.subgraphs
    assert [operator_name(model, op) for op in graph.operators] == ["CONV_2D"] * 2
    first, second = (read_weights(model, graph, op) for op in graph.operators)
    np.testing.assert_array_equal(first, second)
