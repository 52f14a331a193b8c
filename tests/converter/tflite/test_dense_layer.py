"""Layers whose activations have sizes that a file does not say, or says wrongly: no reason to refuse the file."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from packing import pack_every_layer
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert

RNG = np.random.default_rng(20261129)


def sparse(*shape: int) -> np.ndarray:
    return (RNG.standard_normal(shape) * (RNG.random(shape) < 0.3)).astype(np.float32)


def _input_of_rank_three(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 8))
    net.graph.tensors[x].shape = [8, 8, 8]


def _open_channels(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 8))
    net.graph.tensors[x].shapeSignature = [1, 8, 8, -1]


def _other_channels(net: TfliteBuilder, x: int) -> None:
    net.conv(x, sparse(8, 3, 3, 5))


def _huge(net: TfliteBuilder, x: int) -> None:
    net.conv(net.input((1, 32769, 32768, 1)), sparse(8, 1, 1, 1), stride=(255, 255))


@pytest.mark.parametrize(
    "add, reason",
    [
        (_input_of_rank_three, "the file does not say how many input channels it has, so it may be grouped"),
        (_open_channels, "the file does not say how many input channels it has, so it may be grouped"),
        (_other_channels, r"its \d+ filters of 5 channels do not fit an input of 8 channels"),
        (_huge, "it has a tensor of 1073774592 elements, and the delegate takes at most 1073741824"),
    ],
)
def test_layers_that_stay_dense_say_why(add: Callable[[TfliteBuilder, int], None], reason: str) -> None:
    net = TfliteBuilder()
    add(net, net.input((1, 8, 8, 8)))
    dense = net.build([net.graph.operators[-1].outputs[0]])
    with pack_every_layer():
        content, report = convert(dense)
    assert re.fullmatch(f"dense: {reason}", report.layers[0].reason), report.layers[0].reason
    assert content == dense


@pytest.mark.parametrize("operand", [1, 2])
def test_constants_that_are_an_output_too_stay(operand: int) -> None:
    net = TfliteBuilder()
    weights, bias = (net.dequantize(net.constant(a.astype(np.float16))) for a in (sparse(8, 3, 3, 8), sparse(8)))
    y = net.conv(net.input((1, 8, 8, 8)), weights, bias)
    dense = net.build([y, net.graph.operators[-1].inputs[operand]])
    with pack_every_layer():
        content, report = convert(dense)
    assert report.layers[0].reason == "dense: its weights or its bias are an output of the model as well"
    assert content == dense


def _unknown_output(net: TfliteBuilder) -> int:
    y = net.conv(net.input((1, 8, 8, 8)), sparse(8, 3, 3, 8))
    net.graph.tensors[y].shape = []
    return y


def _other_output(net: TfliteBuilder) -> int:
    y = net.conv(net.input((1, 8, 8, 8)), sparse(8, 3, 3, 8))
    net.graph.tensors[y].shape = [1, 8, 8, 5]
    return y


def _empty_batch(net: TfliteBuilder) -> int:
    return net.conv(net.input((0, 8, 8, 8)), sparse(8, 3, 3, 8))


def _odd_signature(net: TfliteBuilder) -> int:
    y = net.conv(net.input((1, 8, 8, 8)), sparse(8, 3, 3, 8))
    net.graph.tensors[y].shapeSignature = [-1, 8]
    return y


def _empty_rows(net: TfliteBuilder) -> int:
    return net.fully_connected(net.input((0, 3, 8)), sparse(8, 8), keep_num_dims=True)


def _unknown_rows(net: TfliteBuilder) -> int:
    x = net.input((2, 3, 8))
    y = net.fully_connected(x, sparse(8, 8), keep_num_dims=True)
    net.graph.tensors[x].shape, net.graph.tensors[y].shape = [], []
    return y


@pytest.mark.parametrize(
    "make", [_unknown_output, _other_output, _empty_batch, _odd_signature, _empty_rows, _unknown_rows]
)
def test_sizes_of_activations_keep_no_layer_from_being_packed(make: Callable[[TfliteBuilder], int]) -> None:
    net = TfliteBuilder()
    dense = net.build([make(net)])
    with pack_every_layer():
        _, report = convert(dense)
    assert [layer.accelerated for layer in report.layers] == [True]
