"""Each layer is packed where it can be, stays dense with its reason where it cannot, and the model means the same.

`densify` turns a converted file back into builtin operators, so that TFLite itself judges the meaning without a plugin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import unpack
from mcpruner.converter.format.serialize import SparseOptions, deserialize, deserialize_options, round_values
from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.densify import CONV, FULLY_CONNECTED, densify
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.converter.tflite.report import LayerReport

pytestmark = pytest.mark.usefixtures("free_calls")

RNG = np.random.default_rng(10)


def sparse(*shape: int, density: float = 0.15) -> np.ndarray:
    """Weights whose zeros are shared by groups of four filters."""
    mask = np.repeat(RNG.random((-(-shape[0] // 4), *shape[1:])) < density, 4, axis=0)[: shape[0]]
    return (RNG.standard_normal(shape) * mask).astype(np.float32)


def bias(size: int) -> np.ndarray:
    return RNG.standard_normal(size).astype(np.float32)


def names(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def options_of(content: bytes, number: int = 0) -> SparseOptions:
    op = read_model(content).subgraphs[0].operators[number]
    return deserialize_options(bytes(op.customOptions))


def blob_of(content: bytes, number: int = 0) -> SparseLayer:
    model = read_model(content)
    graph = model.subgraphs[0]
    return deserialize(bytes(model.buffers[graph.tensors[graph.operators[number].inputs[1]].buffer].data))


def only_layer(content: bytes, **kwargs: Any) -> tuple[bytes, LayerReport]:
    result, report = convert(content, **kwargs)
    (layer,) = report.layers
    return result, layer


def assert_same_meaning(dense: bytes, converted: bytes, *inputs: np.ndarray) -> None:
    for actual, expected in zip(run(densify(converted), *inputs), run(dense, *inputs), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5 * max(1, np.abs(expected).max()), rtol=0)


@pytest.mark.parametrize(
    "activation, word", [("NONE", "None"), ("RELU", "Relu"), ("RELU_N1_TO_1", "ReluN1To1"), ("RELU6", "Relu6")]
)
@pytest.mark.parametrize(
    "padding, stride, dilation", [("SAME", (1, 2), (1, 1)), ("VALID", (3, 1), (1, 1)), ("SAME", (1, 1), (2, 3))]
)
def test_options_of_a_convolution_are_carried(
    activation: str, word: str, padding: str, stride: tuple, dilation: tuple
) -> None:
    net = TfliteBuilder()
    x = net.input((1, 9, 11, 8))
    dense = net.build([net.conv(x, sparse(12, 3, 3, 8), bias(12), stride, padding, dilation, activation)])
    content, layer = only_layer(dense)
    assert layer.accelerated and layer.reason == f"sparse: density {layer.density:.3f}, groups of {layer.group_size}"
    assert names(content) == [CONV]
    expected = SparseOptions(
        padding=padding.capitalize(),
        stride_h=stride[0],
        stride_w=stride[1],
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        fused_activation=word,
    )
    assert options_of(content) == expected
    assert_same_meaning(dense, content, RNG.standard_normal((2, 9, 11, 8)).astype(np.float32))


def test_operator_is_written_as_agreed() -> None:
    net = TfliteBuilder()
    weights, offsets = sparse(16, 3, 3, 8), bias(16)
    dense = net.build([net.conv(net.input((1, 8, 8, 8)), weights, offsets, name="net/conv1/Conv2D")])
    content, layer = only_layer(dense)
    assert (layer.name, layer.index, layer.op, layer.shape) == ("conv1", 0, "CONV_2D", [16, 3, 3, 8])
    model = read_model(content)
    (graph,), (op,) = model.subgraphs, model.subgraphs[0].operators
    code = model.operatorCodes[op.opcodeIndex]
    assert (code.builtinCode, code.customCode, code.version) == (schema.BuiltinOperator.CUSTOM, CONV.encode(), 1)
    assert op.customOptionsFormat == schema.CustomOptionsFormat.FLEXBUFFERS
    shown = flexbuffers.Loads(bytes(op.customOptions))
    patterns = len(blob_of(content).patterns)
    assert (shown["padding"], shown["num_patterns"], shown["value_type"]) == ("Same", patterns, "float32")
    assert (shown["density"], shown["group_size"]) == (round(layer.density, 4), layer.group_size)
    x, blob = op.inputs
    assert graph.tensors[x].name == b"x" and graph.tensors[blob].type == schema.TensorType.UINT8
    assert graph.tensors[blob].shape == [len(model.buffers[graph.tensors[blob].buffer].data)] == [layer.bytes_after]
    read = blob_of(content)
    np.testing.assert_array_equal(unpack(read), weights)
    np.testing.assert_array_equal(read.bias, offsets)
    assert layer.bytes_before == weights.nbytes + offsets.nbytes
    assert graph.tensors[op.outputs[0]].name == b"net/conv1/Conv2D"
    assert len(graph.tensors) == 3 and len(model.buffers) == 2 and len(model.operatorCodes) == 1


@pytest.mark.parametrize("keep_num_dims, with_bias", [(False, True), (True, True), (False, False)])
def test_dense_layers_are_packed(keep_num_dims: bool, with_bias: bool) -> None:
    net = TfliteBuilder()
    offsets = bias(12) if with_bias else None
    y = net.fully_connected(net.input((2, 5, 64)), sparse(12, 64), offsets, "RELU", keep_num_dims)
    dense = net.build([y])
    content, layer = only_layer(dense)
    assert layer.accelerated and layer.shape == [12, 64] and names(content) == [FULLY_CONNECTED]
    assert options_of(content) == SparseOptions(fused_activation="Relu", keep_num_dims=keep_num_dims)
    model = read_model(content)
    assert model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]].shape == list(net.shape(y))
    assert_same_meaning(dense, content, RNG.standard_normal((2, 5, 64)).astype(np.float32))


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_values_are_stored_as_asked(values: str) -> None:
    net = TfliteBuilder()
    weights = sparse(16, 3, 3, 8)
    content, layer = only_layer(net.build([net.conv(net.input((1, 8, 8, 8)), weights)]), values=values)
    read = blob_of(content)
    np.testing.assert_array_equal(unpack(read), round_values(weights, values))
    assert read.value_type == values and layer.accelerated


def test_weights_beyond_float16_keep_float32() -> None:
    net = TfliteBuilder()
    weights = sparse(16, 3, 3, 8)
    weights.reshape(-1)[np.flatnonzero(weights)[0]] = 1e6
    content, layer = only_layer(net.build([net.conv(net.input((1, 8, 8, 8)), weights)]), values="float16")
    assert layer.accelerated and layer.reason.endswith("as float32, since a weight exceeds float16's range")
    np.testing.assert_array_equal(unpack(blob_of(content)), weights)


@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (0, 1, 0, 1), (3, 2, 0, 5)])
def test_explicit_pads_are_folded(pads: tuple[int, int, int, int]) -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 8))
    dense = net.build([net.conv(net.pad(x, pads), sparse(16, 3, 3, 8), bias(16), (2, 2), "VALID")])
    content, _ = only_layer(dense)
    assert names(content) == [CONV]
    options = options_of(content)
    assert options.padding == "Explicit"
    assert (options.pad_top, options.pad_bottom, options.pad_left, options.pad_right) == pads
    assert_same_meaning(dense, content, RNG.standard_normal((1, 8, 8, 8)).astype(np.float32))


def _read_twice(net: TfliteBuilder, padded: int) -> list[int]:
    return [net.relu(padded)]


def _is_output(net: TfliteBuilder, padded: int) -> list[int]:
    return [padded]


def _pads_channels(net: TfliteBuilder, padded: int) -> list[int]:
    table = np.array([[0, 0], [1, 1], [1, 1], [2, 0]], np.int32)
    net.graph.operators[0].inputs[1] = net.constant(table)
    net.graph.tensors[0].shape = [1, 8, 8, 6]
    return []


def _pads_too_much(net: TfliteBuilder, padded: int) -> list[int]:
    net.graph.operators[0].inputs[1] = net.constant(np.array([[0, 0], [256, 1], [1, 1], [0, 0]], np.int32))
    return []


def _is_computed(net: TfliteBuilder, padded: int) -> list[int]:
    net.graph.operators[0].inputs[1] = net.input((4, 2), "paddings", "int32")
    return []


def _has_control_dependencies(net: TfliteBuilder, padded: int) -> list[int]:
    net.model.buffers.append(schema.BufferT(data=np.zeros(4, np.uint8)))
    net.model.metadata = [schema.MetadataT(name=b"model_control_dependencies", buffer=len(net.model.buffers) - 1)]
    return []


@pytest.mark.parametrize(
    "change", [_read_twice, _is_output, _pads_channels, _pads_too_much, _is_computed, _has_control_dependencies]
)
def test_pads_stay_where_folding_is_not_exact(change: Callable[[TfliteBuilder, int], list[int]]) -> None:
    net = TfliteBuilder()
    padded = net.pad(net.input((1, 8, 8, 8)), (1, 1, 1, 1))
    y = net.conv(padded, sparse(16, 3, 3, 8), padding="VALID")
    content, layer = only_layer(net.build([y, *change(net, padded)]))
    assert layer.accelerated and names(content)[:2] == ["PAD", CONV]
    assert options_of(content, 1).padding == "Valid"


@pytest.mark.parametrize("value, folded", [(0.0, True), (1.0, False)])
def test_padv2_is_folded_for_zeros_only(value: float, folded: bool) -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 8))
    table = net.constant(np.array([[0, 0], [1, 1], [2, 2], [0, 0]], np.int64))
    padding = net.constant(np.array(value, np.float32))
    padded = net.operator("PADV2", [x, table, padding], (1, 10, 12, 8), schema.PadV2OptionsT())
    content, _ = only_layer(net.build([net.conv(padded, sparse(16, 3, 3, 8), padding="VALID")]))
    assert names(content) == ([CONV] if folded else ["PADV2", CONV])


def test_pad_before_same_stays() -> None:
    net = TfliteBuilder()
    y = net.conv(net.pad(net.input((1, 8, 8, 8)), (1, 1, 1, 1)), sparse(16, 3, 3, 8), padding="SAME")
    content, _ = only_layer(net.build([y]))
    assert names(content) == ["PAD", CONV] and options_of(content, 1).padding == "Same"


def test_float16_weights_are_read_and_their_dequantize_goes() -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 16))
    half = sparse(16, 3, 3, 16).astype(np.float16)
    kept = net.dequantize(net.constant(RNG.standard_normal((16, 1, 1, 16)).astype(np.float16)))
    y = net.conv(x, net.dequantize(net.constant(half)), net.dequantize(net.constant(bias(16).astype(np.float16))))
    dense = net.build([net.conv(y, kept, name="kept")])
    content, report = convert(dense, values="float16")
    assert [layer.accelerated for layer in report.layers] == [True, False]
    assert report.layers[1].reason == "dense: it has no zeros"
    assert names(content) == ["DEQUANTIZE", CONV, "CONV_2D"]
    np.testing.assert_array_equal(unpack(blob_of(content, 1)).astype(np.float16), half)
    assert report.layers[0].bytes_before == half.nbytes + 32 and len(content) < len(dense)
    assert_same_meaning(dense, content, RNG.standard_normal((1, 8, 8, 16)).astype(np.float32))


def test_weights_shared_by_two_layers_are_packed_for_each() -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 8))
    weights, offsets = net.constant(sparse(8, 3, 3, 8)), net.constant(bias(8))
    dense = net.build([net.conv(net.conv(x, weights, offsets), weights, offsets, stride=(2, 2))])
    content, report = convert(dense)
    assert [layer.accelerated for layer in report.layers] == [True, True] and names(content) == [CONV, CONV]
    assert_same_meaning(dense, content, RNG.standard_normal((1, 8, 8, 8)).astype(np.float32))


def test_weights_shared_with_a_layer_that_stays_dense_are_kept() -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 8))
    weights = net.constant(sparse(8, 3, 3, 8))
    y = net.conv(net.conv(x, weights), weights, activation="TANH")
    content, report = convert(net.build([y]))
    assert [layer.accelerated for layer in report.layers] == [True, False] and names(content) == [CONV, "CONV_2D"]


def test_all_subgraphs_are_rewritten_and_signatures_follow() -> None:
    net = TfliteBuilder()
    net.constant(np.zeros(1000, np.float32), "nobody ever read this")
    y = net.conv(net.input((1, 8, 8, 8)), sparse(16, 3, 3, 8), name="first")
    other = TfliteBuilder()
    other.model = net.model
    z = other.conv(other.input((1, 8, 8, 8), "x2"), sparse(16, 3, 3, 8), name="second")
    other.graph.outputs = [z]
    net.model.subgraphs.append(other.graph)
    entry = schema.TensorMapT(name=b"y", tensorIndex=y)
    net.model.signatureDefs = [schema.SignatureDefT(signatureKey=b"serve", inputs=[], outputs=[entry])]
    content, report = convert(net.build([y]))
    assert [(layer.name, layer.accelerated) for layer in report.layers] == [("first", True), ("second", True)]
    model = read_model(content)
    assert [len(graph.operators) for graph in model.subgraphs] == [1, 1]
    mapped = model.signatureDefs[0].outputs[0].tensorIndex
    assert model.subgraphs[0].tensors[mapped].name == b"first" and mapped == model.subgraphs[0].outputs[0]
    assert [tensor.name for tensor in model.subgraphs[0].tensors] == [
        b"nobody ever read this",
        b"x",
        b"first",
        b"first/mcpruner",
    ]


def _tanh(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 8), activation="TANH")


def _no_zeros(net: TfliteBuilder, x: int) -> None:
    net.conv(x, RNG.standard_normal((8, 3, 3, 8)).astype(np.float32))


def _few_zeros(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(64, 3, 3, 8, density=0.99), padding="VALID")  # 6 columns: two of eight lanes idle


def _large_kernel(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 9, 8, 8))


def _groups_of_one_channel(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 1))


def _uneven_groups(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(7, 3, 3, 4))


def _computed_weights(net: TfliteBuilder, x: int) -> None:
    net.conv(x, net.relu(net.constant(sparse(8, 3, 3, 8)), name="w"))


def _computed_bias(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 8), net.input((8,), "b"))


def _hybrid(net: TfliteBuilder, x: int) -> None:
    net.conv(x, net.constant(np.ones((8, 3, 3, 8), np.int8), "w", scales=[0.1] * 8))


def _long_stride(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 1, 1, 8), stride=(256, 1))


def _shuffled(net: TfliteBuilder, x: int) -> None:
    net.fully_connected(x, sparse(16, 8))
    net.graph.operators[-1].builtinOptions.weightsFormat = 1


def _wide(net: TfliteBuilder, x: int) -> None:
    net.fully_connected(net.input((1, 65536)), sparse(4, 65536))


def _depthwise(net: TfliteBuilder, x: int) -> None:
    net.depthwise_conv(x, np.zeros((1, 3, 3, 8), np.float32))


def _transposed(net: TfliteBuilder, x: int) -> None:
    shape, options = net.constant(np.array([1, 9, 9, 8], np.int32)), schema.TransposeConvOptionsT(strideH=1, strideW=1)
    net.operator("TRANSPOSE_CONV", [shape, net.constant(sparse(8, 3, 3, 8)), x], (1, 9, 9, 8), options)


def _empty_weights(net: TfliteBuilder, x: int) -> None:
    net.conv(x, np.zeros((8, 0, 3, 8), np.float32), padding="VALID")


@pytest.mark.parametrize(
    "add, reason",
    [
        (_tanh, "its fused activation is TANH; taken are none, RELU, RELU6 and RELU_N1_TO_1"),
        (_no_zeros, "it has no zeros"),
        (_few_zeros, r"it keeps 0\.9\d\d of its weights: a dense layer runs as fast"),
        (_large_kernel, "its 9x8 kernel has more than 64 positions"),
        (_groups_of_one_channel, "its groups have one channel each, and depthwise convolutions are not packed"),
        (_uneven_groups, "its 7 filters of 4 channels do not fit an input of 8 channels"),
        (_computed_weights, "w is computed by RELU"),
        (_computed_bias, "b is not a constant"),
        (_hybrid, "its weights are quantized to int8; convert the float model"),
        (_long_stride, r"one of its strides and dilations \[256, 1, 1, 1\] exceeds 255"),
        (_shuffled, "its weights are shuffled for 4x16 integer kernels"),
        (_wide, "it has 65536 channels, and the format holds at most 65535"),
        (_empty_weights, r"its weights of shape \[8, 0, 3, 8\] are empty"),
        (_depthwise, "depthwise convolutions are not packed"),
        (_transposed, "its input does not fit the 9 x 9 pixels that it makes"),
    ],
)
def test_layers_that_stay_dense_say_why(add: Callable[[TfliteBuilder, int], None], reason: str) -> None:
    net = TfliteBuilder()
    add(net, net.input((1, 8, 8, 8)))
    dense = net.build([net.graph.operators[-1].outputs[0]])
    content, layer = only_layer(dense)
    assert not layer.accelerated and layer.bytes_before == layer.bytes_after
    assert re.fullmatch(f"dense: {reason}", layer.reason), layer.reason
    assert content == dense


def test_quantized_models_are_refused_by_name() -> None:
    net = TfliteBuilder()
    x = net.input((1, 8, 8, 8), dtype="int8")
    net.conv(x, net.constant(np.ones((8, 3, 3, 8), np.int8), scales=[0.1] * 8), name="conv1")
    with pytest.raises(
        ValueError, match=r"^The model is quantized: all of its 1 layers compute in int8 \(the first is conv1\)"
    ):
        convert(net.build([0]))


def test_one_quantized_layer_does_not_keep_the_others() -> None:
    net = TfliteBuilder()
    y = net.conv(net.input((1, 8, 8, 8)), sparse(16, 3, 3, 8), name="float")
    q = net.conv(net.input((1, 8, 8, 8), "q", "int8"), net.constant(np.ones((8, 3, 3, 8), np.int8)), name="quantized")
    _, report = convert(net.build([y, q]))
    assert [layer.accelerated for layer in report.layers] == [True, False]
    assert report.layers[1].reason == "dense: its activations are int8 and float32, and only float32 ones are taken"
