"""Shapes that a runtime would compute become constants where they hold for every batch, and stay where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tflite_builder import TfliteBuilder

from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold import fold
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import constant_array, operator_name, read_model

OPEN = ["SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"]


def _slice_options(**changes: int) -> Any:
    options = schema.StridedSliceOptionsT()
    options.shrinkAxisMask = changes.get("shrink", 1)
    options.beginMask = changes.get("begin_mask", 0)
    return options


def _integers(net: TfliteBuilder, code: str, inputs: list[int], shape: tuple[int, ...], options: Any = None) -> int:
    """An operator whose output is int32."""
    output = net.operator(code, inputs, shape, options)
    net.graph.tensors[output].type = schema.TensorType.INT32
    return output


def _packed(net: TfliteBuilder, *sizes: int) -> int:
    """PACK of scalars."""
    return _integers(net, "PACK", list(sizes), (len(sizes),), schema.PackOptionsT(valuesCount=len(sizes)))


def _number(net: TfliteBuilder, value: int | list[int]) -> int:
    return net.constant(np.array(value, np.int32))


def _size(net: TfliteBuilder, x: int, axis: int, **changes: int) -> int:
    """One size of a tensor, as TensorFlow writes it."""
    shape = _integers(net, "SHAPE", [x], (len(net.shape(x)),), schema.ShapeOptionsT())
    bounds = [_number(net, [n]) for n in (axis, axis + 1, 1)]
    return _integers(net, "STRIDED_SLICE", [shape, *bounds], (), _slice_options(**changes))


def _flatten(size: int = 24, of_other: bool = False, first: int = 0, **changes: int) -> bytes:
    """A RESHAPE of [1, 2, 3, 4] to [batch, size]; `of_other`: the batch is that of another tensor."""
    net = TfliteBuilder()
    x, other = net.input((1, 2, 3, 4)), net.input((1, 2, 3, 4), "other")
    sizes = _packed(net, _size(net, other if of_other else x, first, **changes), _number(net, size))
    y = net.operator("RESHAPE", [x, sizes], (1, 24), schema.ReshapeOptionsT())
    return net.build([y, sizes] if changes.get("shape_is_output") else [y])


def folded(content: bytes, fixed: bool = False) -> Any:
    """The model with its first subgraph folded, and without what nobody reads any more."""
    model = read_model(content)
    before = Use.of(model)
    fold(model, model.subgraphs[0], infer_sizes(model, model.subgraphs[0], fixed))
    drop_unused(model, before)
    return model


def _names(model: Any) -> list[str]:
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def _constant(model: Any, operator: int = -1, place: int = 1) -> list[int] | None:
    graph = model.subgraphs[0]
    types = {schema.TensorType.INT32: np.int32}
    found = constant_array(model, graph, graph.operators[operator].inputs[place], types)
    return None if found is None else found.tolist()


def test_the_shape_becomes_constant() -> None:
    model = folded(_flatten())
    assert _names(model) == ["RESHAPE"] and _constant(model) == [-1, 24]


@pytest.mark.parametrize(
    "changes", [{"size": 12}, {"of_other": True}, {"first": 1}, {"shrink": 0}, {"begin_mask": 1}], ids=str
)
def test_other_shapes_stay(changes: dict[str, Any]) -> None:
    assert _names(folded(_flatten(**changes))) == OPEN


@pytest.mark.parametrize(
    ("code", "options", "numbers", "shape"),
    [
        ("DEPTH_TO_SPACE", schema.DepthToSpaceOptionsT(2), [], (1, 4, 6, 1)),
        ("SPACE_TO_DEPTH", schema.SpaceToDepthOptionsT(1), [], (1, 2, 3, 4)),
        ("SQUEEZE", schema.SqueezeOptionsT(squeezeDims=[4]), [], (1, 2, 3, 4)),
        ("PACK", schema.PackOptionsT(valuesCount=1, axis=-1), [], (1, 2, 3, 4, 1)),
        ("UNPACK", schema.UnpackOptionsT(num=1, axis=4), [], (1, 2, 3, 4)),
        ("SLICE", schema.SliceOptionsT(), [[0, 1, 0, 0], [-1, 1, -1, 2]], (1, 1, 3, 2)),
        ("SPLIT_V", schema.SplitVOptionsT(numSplits=1), [[4], [3]], (1, 2, 3, 4)),
        ("STRIDED_SLICE", schema.StridedSliceOptionsT(1, 1), [[0, 1], [0, 2], [1, 1]], (1, 1, 3, 4)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_shape_behind_an_operator_that_keeps_the_batch_becomes_constant(
    code: str, options: Any, numbers: list[list[int]], shape: tuple[int, ...]
) -> None:
    net = TfliteBuilder()
    given = (1, 2, 3, 4, 1) if code in ("SQUEEZE", "UNPACK") else (1, 2, 3, 4)
    kept = net.operator(code, [net.input(given), *(_number(net, values) for values in numbers)], shape, options)
    left = int(np.prod(shape))
    sizes = _packed(net, _size(net, kept, 0), _number(net, left))
    model = folded(net.build([net.operator("RESHAPE", [kept, sizes], (1, left), schema.ReshapeOptionsT())]))
    assert _names(model) == [code, "RESHAPE"] and _constant(model) == [-1, left]


def test_a_shape_behind_a_part_becomes_constant() -> None:
    """SPLIT has its axis before what it cuts; the shape is of the second part."""
    net = TfliteBuilder()
    first = net.operator("SPLIT", [_number(net, 3), net.input((1, 2, 3, 4))], (1, 2, 3, 2), schema.SplitOptionsT(2))
    second = net.tensor((1, 2, 3, 2), "second")
    net.graph.operators[-1].outputs = [first, second]
    sizes = _packed(net, _size(net, second, 0), _number(net, 12))
    y = net.operator("RESHAPE", [second, sizes], (1, 12), schema.ReshapeOptionsT())
    model = folded(net.build([y, first]))
    assert _names(model) == ["SPLIT", "RESHAPE"] and _constant(model) == [-1, 12]


def test_a_shape_that_is_read_elsewhere_stays_computed() -> None:
    model = folded(_flatten(shape_is_output=1))
    assert _names(model) == OPEN and _constant(model) == [-1, 24]
    assert model.subgraphs[0].outputs[1] == model.subgraphs[0].operators[2].outputs[0]


def test_open_dimensions_stay() -> None:
    model = read_model(_flatten())
    model.subgraphs[0].tensors[0].shapeSignature = [-1, -1, 3, 4]
    fold(model, model.subgraphs[0], infer_sizes(model, model.subgraphs[0]))
    assert _names(model) == OPEN and _constant(model) is None


def test_operators_that_metadata_may_count_stay() -> None:
    model = read_model(_flatten())
    model.metadata = [schema.MetadataT(name=b"counts operators", buffer=0)]
    fold(model, model.subgraphs[0], infer_sizes(model, model.subgraphs[0]))
    assert _names(model) == OPEN and _constant(model) is None


def with_open_batch(net: TfliteBuilder, *tensors: int) -> None:
    for tensor in tensors:
        net.graph.tensors[tensor].shapeSignature = [-1, *net.shape(tensor)[1:]]


@pytest.mark.parametrize(("signed", "expected"), [(True, [-1, 12, 2]), (False, None)])
def test_sizes_but_the_batch_count_where_the_file_says_that_they_are_not_open(signed: bool, expected: Any) -> None:
    """Without signatures a caller may resize rows and columns as well."""
    net = TfliteBuilder()
    x = net.input((1, 12, 2, 1))
    if signed:
        with_open_batch(net, x)
    shape = _packed(net, _size(net, x, 0), _size(net, x, 1), _number(net, 2))
    y = net.operator("RESHAPE", [x, shape], (1, 12, 2), schema.ReshapeOptionsT())
    assert _constant(folded(net.build([y]))) == expected


def test_a_product_with_the_batch_is_one_unknown_size() -> None:
    """A dense layer of images: [b, 5, 4] to [b x 5, 4]."""
    net = TfliteBuilder()
    x = net.input((1, 5, 4))
    with_open_batch(net, x)
    shape = _integers(net, "SHAPE", [x], (3,), schema.ShapeOptionsT())
    first = _integers(net, "GATHER", [shape, _number(net, [0, 1])], (2,), schema.GatherOptionsT())
    rows = _integers(net, "REDUCE_PROD", [first, _number(net, [0])], (), schema.ReducerOptionsT())
    y = net.operator("RESHAPE", [x, _packed(net, rows, _number(net, 4))], (5, 4), schema.ReshapeOptionsT())
    model = folded(net.build([y]))
    assert _names(model) == ["RESHAPE"] and _constant(model) == [-1, 4]


def test_examples_of_open_sizes_fit_what_is_known() -> None:
    """TensorFlow writes [1, 1] for [b x 5, 4] where it does not follow the product."""
    net = TfliteBuilder()
    x = net.input((2, 5, 4))
    with_open_batch(net, x)
    shape = _packed(net, _integers(net, "MUL", [_size(net, x, 0), _number(net, 5)], ()), _number(net, 4))
    y = net.operator("RESHAPE", [x, shape], (1, 1), schema.ReshapeOptionsT())
    net.graph.tensors[y].shapeSignature = [-1, -1]
    model = folded(net.build([y]))
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]]
    assert (tensor.shape, tensor.shapeSignature) == ([10, 4], [-1, 4])


def test_the_batch_is_followed_to_where_it_is_read() -> None:
    """The shape is that of the input, what is reshaped comes behind a padding, a reduction and a sum."""
    net = TfliteBuilder()
    x = net.input((1, 5, 7, 6))
    with_open_batch(net, x)
    mean = net.mean(net.pad(x, (1, 0, 2, 3)))
    total = net.add(mean, net.relu(mean))
    y = net.operator("RESHAPE", [total, _packed(net, _size(net, x, 0), *[_number(net, n) for n in (2, 3)])], (1, 2, 3))
    assert _constant(folded(net.build([y]))) == [-1, 2, 3]


def test_a_size_that_no_rule_follows_equals_nothing_else() -> None:
    net = TfliteBuilder()
    x = net.input((1, 6))
    with_open_batch(net, x)
    other = net.operator("REVERSE_V2", [x, _number(net, [0])], (1, 6), schema.ReverseV2OptionsT())
    y = net.operator("RESHAPE", [other, _packed(net, _size(net, x, 0), *[_number(net, n) for n in (2, 3)])], (1, 2, 3))
    assert _constant(folded(net.build([y]))) is None


@pytest.mark.parametrize(("rest", "expected"), [(-1, [-1, 6]), (5, None)])
def test_a_minus_one_beside_the_batch_is_a_number(rest: int, expected: Any) -> None:
    net = TfliteBuilder()
    x = net.input((1, 2, 3))
    with_open_batch(net, x)
    y = net.operator("RESHAPE", [x, _packed(net, _size(net, x, 0), _number(net, rest))], (1, 6))
    assert _constant(folded(net.build([y]))) == expected


def test_a_fixed_batch_is_a_number_like_others() -> None:
    """TRANSPOSE_CONV takes no -1: its shape stays computed until the batch is fixed."""
    net = TfliteBuilder()
    x = net.input((2, 4, 4, 3))
    shape = _packed(net, _size(net, x, 0), *[_number(net, n) for n in (8, 8, 5)])
    weights = net.constant(np.ones((5, 2, 2, 3), np.float32))
    options = schema.TransposeConvOptionsT(strideH=2, strideW=2)
    content = net.build([net.operator("TRANSPOSE_CONV", [shape, weights, x], (2, 8, 8, 5), options)])
    assert _names(folded(content)) == ["SHAPE", "STRIDED_SLICE", "PACK", "TRANSPOSE_CONV"]
    model = folded(content, fixed=True)
    assert _names(model) == ["TRANSPOSE_CONV"] and _constant(model, place=0) == [2, 8, 8, 5]
