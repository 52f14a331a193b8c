"""Shapes that Keras' Flatten computes become constants, where that means the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tflite_builder import TfliteBuilder

from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.fold_flatten import fold_flatten
from mcpruner.converter.tflite.model import operator_name, read_model

OPEN = ["SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"]


def _slice_options(**changes: int) -> Any:
    options = schema.StridedSliceOptionsT()
    options.shrinkAxisMask = changes.get("shrink", 1)
    options.beginMask = changes.get("begin_mask", 0)
    return options


def _integers(net: TfliteBuilder, code: str, inputs: list[int], shape: tuple[int, ...], options: Any) -> int:
    """An operator whose output is int32."""
    output = net.operator(code, inputs, shape, options)
    net.graph.tensors[output].type = schema.TensorType.INT32
    return output


def _flatten(size: int = 24, of_other: bool = False, first: int = 0, **changes: int) -> bytes:
    """A RESHAPE of [1, 2, 3, 4] to [batch, size]; `of_other`: the batch is that of another tensor."""
    net = TfliteBuilder()
    x, other = net.input((1, 2, 3, 4)), net.input((1, 2, 3, 4), "other")
    shape = _integers(net, "SHAPE", [other if of_other else x], (4,), schema.ShapeOptionsT())
    bounds = [net.constant(np.array([n], np.int32)) for n in (first, first + 1, 1)]
    batch = _integers(net, "STRIDED_SLICE", [shape, *bounds], (), _slice_options(**changes))
    pack = schema.PackOptionsT()
    pack.valuesCount = 2
    sizes = _integers(net, "PACK", [batch, net.constant(np.array(size, np.int32))], (2,), pack)
    y = net.operator("RESHAPE", [x, sizes], (1, 24), schema.ReshapeOptionsT())
    return net.build([y, sizes] if changes.get("shape_is_output") else [y])


def _names(model: Any) -> list[str]:
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def test_the_shape_becomes_constant() -> None:
    model = read_model(_flatten())
    fold_flatten(model, model.subgraphs[0])
    assert _names(model) == ["RESHAPE"]
    graph = model.subgraphs[0]
    shape = graph.tensors[graph.operators[0].inputs[1]]
    assert np.frombuffer(model.buffers[shape.buffer].data, np.int32).tolist() == [-1, 24]


@pytest.mark.parametrize(
    "changes", [{"size": 12}, {"of_other": True}, {"first": 1}, {"shrink": 0}, {"begin_mask": 1}], ids=str
)
def test_other_shapes_stay(changes: dict[str, Any]) -> None:
    model = read_model(_flatten(**changes))
    fold_flatten(model, model.subgraphs[0])
    assert _names(model) == OPEN


def test_a_shape_that_is_read_elsewhere_stays_computed() -> None:
    model = read_model(_flatten(shape_is_output=1))
    fold_flatten(model, model.subgraphs[0])
    assert _names(model) == OPEN
    graph = model.subgraphs[0]
    assert graph.operators[-1].inputs[1] != graph.operators[-2].outputs[0]


def test_open_dimensions_stay() -> None:
    model = read_model(_flatten())
    model.subgraphs[0].tensors[0].shapeSignature = [-1, -1, 3, 4]
    fold_flatten(model, model.subgraphs[0])
    assert _names(model) == OPEN
