"""Operators that hand on what they read go, and the numbers stay; outputs keep what makes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold import fold
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import operator_name, read_model, write_model

SHAPE = (1, 2, 3, 4)
X = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)


def folded(content: bytes) -> tuple[list[str], bytes]:
    """Names of the operators that are left, and the file."""
    model = read_model(content)
    before = Use.of(model)
    fold(model, model.subgraphs[0], infer_sizes(model, model.subgraphs[0]))
    drop_unused(model, before)
    return [operator_name(model, op) for op in model.subgraphs[0].operators], write_model(model)


def with_input() -> tuple[TfliteBuilder, int]:
    net = TfliteBuilder()
    x = net.input(SHAPE)
    net.graph.tensors[x].shapeSignature = [-1, *SHAPE[1:]]
    return net, x


def numbers(net: TfliteBuilder, values: list) -> int:
    return net.constant(np.array(values, np.int32))


def reshape(net: TfliteBuilder, x: int, *shape: int) -> int:
    return net.operator("RESHAPE", [x, numbers(net, list(shape))], [abs(size) for size in shape])


def transpose(net: TfliteBuilder, x: int, *order: int) -> int:
    return net.operator("TRANSPOSE", [x, numbers(net, list(order))], [SHAPE[axis] for axis in order])


def pad(net: TfliteBuilder, x: int, last: int) -> int:
    return net.operator("PAD", [x, numbers(net, [[0, 0], [0, 0], [0, 0], [0, last]])], (*SHAPE[:3], SHAPE[3] + last))


def concatenation(net: TfliteBuilder, x: int, count: int) -> int:
    options = schema.ConcatenationOptionsT(axis=3)
    return net.operator("CONCATENATION", [x] * count, (*SHAPE[:3], count * SHAPE[3]), options)


@pytest.mark.parametrize(
    ("make", "stays"),
    [
        (lambda net, x: reshape(net, x, -1, 2, 3, 4), False),
        (lambda net, x: reshape(net, x, -1, 3, 2, 4), True),
        (lambda net, x: transpose(net, x, 0, 1, 2, 3), False),
        (lambda net, x: transpose(net, x, 0, 2, 1, 3), True),
        (lambda net, x: pad(net, x, 0), False),
        (lambda net, x: pad(net, x, 1), True),
        (lambda net, x: concatenation(net, x, 1), False),
        (lambda net, x: concatenation(net, x, 2), True),
    ],
)
def test_copies_go(make: Callable[[TfliteBuilder, int], int], stays: bool) -> None:
    net, x = with_input()
    dense = net.build([net.relu(make(net, x))])
    names, content = folded(dense)
    assert len(names) == 1 + stays and names[-1] == "RELU"
    np.testing.assert_array_equal(run(content, X)[0], run(dense, X)[0])


def test_a_copy_that_is_an_output_stays() -> None:
    net, x = with_input()
    copy = transpose(net, x, 0, 1, 2, 3)
    dense = net.build([copy, net.relu(copy)])
    names, content = folded(dense)
    assert names == ["TRANSPOSE", "RELU"]
    for mine, other in zip(run(content, X), run(dense, X), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_copy_of_a_copy() -> None:
    net, x = with_input()
    dense = net.build([net.relu(pad(net, transpose(net, reshape(net, x, -1, 2, 3, 4), 0, 1, 2, 3), 0))])
    assert folded(dense)[0] == ["RELU"]


def test_reshapes_of_reshapes_are_one() -> None:
    net, x = with_input()
    y = reshape(net, reshape(net, reshape(net, net.relu(x), -1, 24), -1, 4), -1, 6, 4)
    dense = net.build([y])
    names, content = folded(dense)
    assert names == ["RELU", "RESHAPE"]
    np.testing.assert_array_equal(run(content, X)[0], run(dense, X)[0])


def test_a_reshape_that_others_read_stays_for_them() -> None:
    net, x = with_input()
    flat = reshape(net, net.relu(x), -1, 24)
    dense = net.build([reshape(net, flat, -1, 6, 4), net.relu(flat)])
    names, content = folded(dense)
    assert names == ["RELU", "RESHAPE", "RESHAPE", "RELU"]
    for mine, other in zip(run(content, X), run(dense, X), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_rows_that_a_caller_may_resize_keep_their_reshape() -> None:
    """Without a signature more rows are allowed, which this RESHAPE makes a larger batch of."""
    net, x = with_input()
    net.graph.tensors[x].shapeSignature = None
    assert folded(net.build([net.relu(reshape(net, x, -1, 2, 3, 4))]))[0] == ["RESHAPE", "RELU"]


def test_what_nobody_read_before_stays() -> None:
    net, x = with_input()
    reshape(net, x, -1, 24)
    assert folded(net.build([net.relu(transpose(net, x, 0, 1, 2, 3))]))[0] == ["RESHAPE", "RELU"]
