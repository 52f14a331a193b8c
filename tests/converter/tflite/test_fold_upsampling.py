"""Nearest upsampling that TensorFlow writes as RESHAPE and TILE becomes one operator, with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold import fold
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import operator_name, read_model, write_model


def upsampling(
    shape: tuple[int, ...], a: int, b: int, open_batch: bool = True, times: list | None = None, expand: bool = False
) -> bytes:
    """What TensorFlow writes for Keras's UpSampling2D((a, b)); with `expand`, where the batch is open."""
    net = TfliteBuilder()
    n, h, w, c = shape
    x = net.input(shape)
    if open_batch:
        net.graph.tensors[x].shapeSignature = [-1, h, w, c]

    def step(code: str, y: int, numbers: list[int], made: tuple[int, ...]) -> int:
        return net.operator(code, [y, net.constant(np.array(numbers, np.int32))], made)

    def new_axis(y: int, axis: int, made: tuple[int, ...]) -> int:
        if not expand:
            return step("RESHAPE", y, [batch, *made[1:]], made)
        if axis == 3:
            y = step("RESHAPE", y, [batch, h * a, w, c], (n, h * a, w, c))
        return net.operator(
            "EXPAND_DIMS", [y, net.constant(np.array(axis, np.int32))], made, schema.ExpandDimsOptionsT()
        )

    batch = -1 if open_batch else n
    y = new_axis(x, 2, (n, h, 1, w, c))
    y = step("TILE", y, times or [1, 1, a, 1, 1], (n, h, a, w, c))
    y = new_axis(y, 3, (n, h * a, w, 1, c))
    y = step("TILE", y, [1, 1, 1, b, 1], (n, h * a, w, b, c))
    return net.build([step("RESHAPE", y, [batch, h * a, w * b, c], (n, h * a, w * b, c))])


def folded(content: bytes) -> tuple[list[str], bytes]:
    """Names of the operators that are left, and the file."""
    model = read_model(content)
    before = Use.of(model)
    fold(model, model.subgraphs[0], infer_sizes(model, model.subgraphs[0]))
    drop_unused(model, before)
    return [operator_name(model, op) for op in model.subgraphs[0].operators], write_model(model)


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("open_batch", [False, True])
@pytest.mark.parametrize(("h", "w", "a", "b"), [(8, 6, 2, 2), (1, 1, 2, 3), (7, 13, 5, 1), (40, 33, 3, 7)])
def test_becomes_one_resize_with_the_same_numbers(
    h: int, w: int, a: int, b: int, open_batch: bool, expand: bool
) -> None:
    dense = upsampling((1, h, w, 3), a, b, open_batch, expand=expand)
    names, content = folded(dense)
    assert names == ["RESIZE_NEAREST_NEIGHBOR"]
    x = np.random.default_rng(0).standard_normal((1, h, w, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(content, x)[0], x.repeat(a, 1).repeat(b, 2))
    np.testing.assert_array_equal(run(content, x)[0], run(dense, x)[0])


def test_what_repeats_otherwise_stays() -> None:
    assert len(folded(upsampling((1, 4, 4, 2), 2, 2, times=[1, 2, 1, 1, 1]))[0]) == 5  # the whole image twice
