"""Scales and shifts of channels become part of the convolution before them, where that is exact up to rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold import fold
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import operator_name, read_model, write_model
from mcpruner.verification import verify

RNG = np.random.default_rng(5)
SHAPE = (2, 9, 7, 6)
RELU = schema.ActivationFunctionType.RELU


def conv(net: TfliteBuilder, **options: object) -> int:
    """A convolution of the input to 6 channels."""
    return net.conv(net.input((2, 9, 7, 3)), prunable(RNG, (6, 3, 3, 3)), numbers(6), **options)


def depthwise(net: TfliteBuilder) -> int:
    """A depthwise convolution of the input without a bias."""
    return net.depthwise_conv(net.input(SHAPE), numbers(1, 3, 3, 6))


def numbers(*shape: int) -> np.ndarray:
    """Normal noise."""
    return RNG.standard_normal(shape).astype(np.float32)


def behind(net: TfliteBuilder, code: str, x: int, other: np.ndarray | int, swap: bool = False, act: int = 0) -> int:
    """MUL or ADD of a tensor and a constant."""
    options = (schema.MulOptionsT if code == "MUL" else schema.AddOptionsT)(fusedActivationFunction=act)
    inputs = [x, other if isinstance(other, int) else net.constant(other)]
    shape = np.broadcast_shapes(*(net.shape(i) for i in inputs))
    return net.operator(code, inputs[::-1] if swap else inputs, shape, options)


def folded(content: bytes) -> tuple[list[str], bytes]:
    """Names of the operators that are left, and the file."""
    model = read_model(content)
    before, graph = Use.of(model), model.subgraphs[0]
    fold(model, graph, infer_sizes(model, graph, False))
    drop_unused(model, before)
    return [operator_name(model, op) for op in graph.operators], write_model(model)


def check(content: bytes, left: list[str]) -> None:
    """The file folds to these operators and computes the same."""
    names, after = folded(content)
    assert names == left
    x = RNG.standard_normal(read_model(content).subgraphs[0].tensors[0].shape).astype(np.float32)
    for want, got in zip(run(content, x), run(after, x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [conv, depthwise])
@pytest.mark.parametrize("shape", [(), (1,), (6,), (1, 6), (1, 1, 1, 6), (1, 1, 1, 1)])
@pytest.mark.parametrize("swap", [False, True])
def test_a_scale_and_a_shift_become_weights_and_a_bias(
    layer: Callable[[TfliteBuilder], int], shape: tuple[int, ...], swap: bool
) -> None:
    net = TfliteBuilder()
    x = layer(net)
    y = behind(net, "ADD", behind(net, "MUL", x, numbers(*shape), swap), numbers(*shape), not swap, RELU)
    check(net.build([y]), ["CONV_2D" if layer is conv else "DEPTHWISE_CONV_2D"])


def test_shifts_and_scales_come_in_any_order_and_number() -> None:
    net = TfliteBuilder()
    y = conv(net)
    for code in ("ADD", "MUL", "MUL", "ADD", "ADD"):
        y = behind(net, code, y, numbers(6))
    check(net.build([y]), ["CONV_2D"])


def test_nothing_passes_an_activation() -> None:
    net = TfliteBuilder()
    check(net.build([behind(net, "MUL", conv(net, activation="RELU"), numbers(6))]), ["CONV_2D", "MUL"])
    net = TfliteBuilder()
    y = behind(net, "ADD", behind(net, "MUL", conv(net), numbers(6), act=RELU), numbers(6))
    check(net.build([y]), ["CONV_2D", "ADD"])


@pytest.mark.parametrize("shape", [(7, 6), (7, 1), (9, 1, 1), (2, 1, 1, 6), (1, 1, 1, 1, 6), SHAPE])
def test_what_differs_from_pixel_to_pixel_stays(shape: tuple[int, ...]) -> None:
    net = TfliteBuilder()
    model = net.build([behind(net, "MUL", conv(net), numbers(*shape))])
    assert folded(model)[0] == ["CONV_2D", "MUL"]


def test_a_scale_that_makes_one_channel_many_stays() -> None:
    net = TfliteBuilder()
    x = net.conv(net.input((2, 9, 7, 3)), numbers(1, 3, 3, 3))
    check(net.build([behind(net, "MUL", x, numbers(6))]), ["CONV_2D", "MUL"])


def test_a_tensor_that_others_read_stays() -> None:
    net = TfliteBuilder()
    x = conv(net)
    scaled, shifted = behind(net, "MUL", x, numbers(6)), behind(net, "ADD", x, numbers(6))
    check(net.build([scaled, shifted]), ["CONV_2D", "MUL", "ADD"])
    net = TfliteBuilder()
    x = conv(net)
    check(net.build([x, behind(net, "MUL", x, numbers(6))]), ["CONV_2D", "MUL"])
    net = TfliteBuilder()
    x = conv(net)
    check(net.build([behind(net, "MUL", x, x)]), ["CONV_2D", "MUL"])


def test_shared_weights_are_scaled_for_one_reader_alone() -> None:
    net = TfliteBuilder()
    x, weights = net.input((2, 9, 7, 3)), net.constant(numbers(6, 3, 3, 3))
    one, other = net.conv(x, weights), net.conv(x, weights)
    check(net.build([behind(net, "MUL", one, numbers(6)), other]), ["CONV_2D", "CONV_2D"])


@pytest.mark.parametrize("amounts", [np.nan, np.inf, 1e38])
def test_numbers_that_no_weight_can_be_stay(amounts: float) -> None:
    net = TfliteBuilder()
    x = net.conv(net.input((2, 9, 7, 3)), np.full((6, 3, 3, 3), 10, np.float32))
    model = net.build([behind(net, "MUL", x, np.full(6, amounts, np.float32))])
    assert folded(model)[0] == ["CONV_2D", "MUL"]


@pytest.mark.parametrize("place", [0, 1])
def test_operators_with_the_options_of_another_one_stay(place: int) -> None:
    net = TfliteBuilder()
    model = read_model(net.build([behind(net, "MUL", conv(net), numbers(6))]))
    graph = model.subgraphs[0]
    op = graph.operators[place]
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.AbsOptions, schema.AbsOptionsT()
    fold(model, graph, infer_sizes(model, graph, False))
    assert [operator_name(model, op) for op in graph.operators] == ["CONV_2D", "MUL"]


def test_half_weights_stay_as_small_as_they_are() -> None:
    net = TfliteBuilder()
    weights = net.dequantize(net.constant(numbers(6, 3, 3, 3).astype(np.float16)))
    x = net.conv(net.input((2, 9, 7, 3)), weights)
    check(net.build([behind(net, "MUL", x, numbers(6))]), ["DEQUANTIZE", "CONV_2D", "MUL"])


@pytest.mark.parametrize("values", ["source", "float16", "int8"])
def test_a_converted_file_is_verified_against_the_dense_one(values: str) -> None:
    """Dilated convolutions with batch norms between others, as TensorFlow leaves them (DeepLab)."""
    net = TfliteBuilder()
    x = net.conv(net.input((1, 12, 12, 5)), prunable(RNG, (8, 3, 3, 5)), numbers(8), activation="RELU")
    for channels in (8, 12):
        pads = net.constant(np.array([[2, 2], [2, 2]], np.int32))
        crops, blocks = net.constant(np.zeros((2, 2), np.int32)), net.constant(np.array([2, 2], np.int32))
        x = net.operator("SPACE_TO_BATCH_ND", [x, blocks, pads], (4, 8, 8, 8))
        x = net.conv(x, prunable(RNG, (channels, 3, 3, 8)), padding="VALID")
        x = net.operator("BATCH_TO_SPACE_ND", [x, blocks, crops], (1, 12, 12, channels))
        x = behind(net, "ADD", behind(net, "MUL", x, numbers(channels)), numbers(channels), act=RELU)
    dense = net.build([net.fully_connected(net.mean(x), numbers(4, 12))])
    with pack_every_layer():
        content, report = convert(dense, values=values)
    model = read_model(content)
    names = [operator_name(model, op) for op in model.subgraphs[0].operators]
    assert names[:4] == ["McprunerSparseConv2D"] * 3 + ["MEAN"]
    assert report.num_accelerated >= 3
    used = {tensor for graph in model.subgraphs for op in graph.operators for tensor in [*op.inputs, *op.outputs]}
    assert len(used - {-1}) == len(model.subgraphs[0].tensors)  # No scaled weights are left beside the packed ones.
    assert {tensor.buffer for tensor in model.subgraphs[0].tensors} | {0} == set(range(len(model.buffers)))
    result = verify(content, dense, all_layers=True, num_threads=(1, 3))
    assert result.ok and len(result.weights) == report.num_accelerated
    x = RNG.standard_normal((1, 12, 12, 5)).astype(np.float32)
    if values == "source":
        np.testing.assert_allclose(run(densify(content), x)[0], run(dense, x)[0], rtol=1e-4, atol=1e-5)
