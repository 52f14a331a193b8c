"""Sizes and shapes follow the rules of TFLite's operators; where a rule does not hold, nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tflite_builder import TfliteBuilder

from mcpruner.converter.format.operators_generated import OPERATORS
from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import read_model
from mcpruner.converter.tflite.size_rules import SIZE_RULES, reshaped
from mcpruner.converter.tflite.sizes import KnownSizes, Size, product

BATCH = Size(1, (0, 0))  # The first dimension of tensor 0, which is the input in all networks here.
SHAPE = (1, 4, 5, 6)


class Net(TfliteBuilder):
    """A network with an input of an open batch, and operators that compute integers."""

    def __init__(self) -> None:
        super().__init__()
        self.x = self.input(SHAPE)
        self.graph.tensors[self.x].shapeSignature = [-1, *SHAPE[1:]]

    def integers(self, code: str, inputs: list[int], shape: tuple[int, ...], options: Any = None) -> int:
        output = self.operator(code, inputs, shape, options)
        self.graph.tensors[output].type = schema.TensorType.INT32
        return output

    def number(self, value: int | list[int]) -> int:
        return self.constant(np.array(value, np.int32))

    def shape_of_x(self) -> int:
        return self.integers("SHAPE", [self.x], (4,), schema.ShapeOptionsT())

    def known(self, output: int, fixed: bool = False) -> KnownSizes:
        model = read_model(self.build([output]))
        return infer_sizes(model, model.subgraphs[0], fixed)

    def values(self, output: int) -> Any:
        return self.known(output).values(output)

    def sizes(self, output: int, fixed: bool = False) -> Any:
        return self.known(output, fixed).sizes(output)


def strided(begin: int, end: int, stride: int = 1, **options: int) -> Any:
    net = Net()
    bounds = [net.number([n]) for n in (begin, end, stride)]
    rank = () if options.get("shrinkAxisMask") else (2,)
    return net.values(
        net.integers("STRIDED_SLICE", [net.shape_of_x(), *bounds], rank, schema.StridedSliceOptionsT(**options))
    )


WHOLE = (BATCH, Size(4), Size(5), Size(6))


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((0, 2), {}, WHOLE[:2]),
        ((1, 9), {}, WHOLE[1:]),
        ((-2, 4), {}, WHOLE[2:]),
        ((3, 1), {}, ()),
        ((0, 4, 2), {}, WHOLE[::2]),
        ((2, 3), {"beginMask": 1}, WHOLE[:3]),
        ((2, 3), {"endMask": 1}, WHOLE[2:]),
        ((-1, 0), {"shrinkAxisMask": 1}, (Size(6),)),
        ((4, 5), {"shrinkAxisMask": 1}, None),
        ((1, 2), {"shrinkAxisMask": 1, "beginMask": 1}, None),
        ((3, 0, -1), {}, None),
        ((0, 2), {"ellipsisMask": 1}, None),
        ((0, 2), {"newAxisMask": 1}, None),
    ],
)
def test_strided_slices_of_a_shape(arguments: tuple[int, ...], options: dict[str, int], expected: Any) -> None:
    assert strided(*arguments, **options) == expected


@pytest.mark.parametrize(
    ("begin", "size", "expected"), [(0, 1, WHOLE[:1]), (1, -1, WHOLE[1:]), (2, 9, WHOLE[2:]), (-1, 1, None)]
)
def test_slices_of_a_shape(begin: int, size: int, expected: Any) -> None:
    net = Net()
    inputs = [net.shape_of_x(), net.number([begin]), net.number([size])]
    assert net.values(net.integers("SLICE", inputs, (2,))) == expected


@pytest.mark.parametrize(
    ("places", "axis", "expected"), [([3, 0], 0, (Size(6), BATCH)), ([4], 0, None), ([-1], 0, None), ([0], 1, None)]
)
def test_gathers_of_a_shape(places: list[int], axis: int, expected: Any) -> None:
    net = Net()
    options = schema.GatherOptionsT(axis=axis)
    assert net.values(net.integers("GATHER", [net.shape_of_x(), net.number(places)], (1,), options)) == expected


def test_shapes_are_computed_with() -> None:
    net = Net()
    doubled = net.integers("MUL", [net.shape_of_x(), net.number(2)], (4,), schema.MulOptionsT())
    assert net.values(doubled) == (Size(2, (0, 0)), Size(8), Size(10), Size(12))
    whole = net.integers("REDUCE_PROD", [doubled, net.number([0])], (), schema.ReducerOptionsT())
    assert net.values(whole) == (Size(2 * 8 * 10 * 12, (0, 0)),)
    joined = net.integers("CONCATENATION", [doubled, net.number([7, -1])], (6,), schema.ConcatenationOptionsT())
    assert net.values(joined)[3:] == (Size(12), Size(7), Size(-1))
    relu = schema.ActivationFunctionType.RELU6
    options = schema.MulOptionsT(fusedActivationFunction=relu)
    assert net.values(net.integers("MUL", [net.shape_of_x(), net.number(2)], (4,), options)) is None
    squared = net.integers("MUL", [net.shape_of_x(), net.shape_of_x()], (4,), schema.MulOptionsT())
    assert net.values(squared) == (None, Size(16), Size(25), Size(36))


def test_an_input_is_no_constant_even_if_the_file_has_values_of_it() -> None:
    net = Net()
    given = net.number([2, 3])
    net.graph.inputs.append(given)
    copy = net.integers("CAST", [given], (2,), schema.CastOptionsT())
    assert net.values(copy) is None


def test_a_batch_comes_through() -> None:
    net = Net()
    x = net.pad(net.conv(net.x, np.ones((8, 3, 3, 6), np.float32)), (0, 1, 1, 0))
    assert net.sizes(x) == (BATCH, Size(5), Size(6), Size(8))
    x = net.operator("TRANSPOSE", [x, net.number([3, 0, 1, 2])], (8, 1, 5, 6))
    assert net.sizes(x) == (Size(8), BATCH, Size(5), Size(6))
    x = net.operator("EXPAND_DIMS", [x, net.number(-1)], (8, 1, 5, 6, 1))
    x = net.operator("TILE", [x, net.number([1, 2, 1, 1, 3])], (8, 2, 5, 6, 3))
    assert net.sizes(x) == (Size(8), Size(2, (0, 0)), Size(5), Size(6), Size(3))


@pytest.mark.parametrize(
    ("padding", "strides", "rows", "columns"),
    [
        ("SAME", (1, 1), Size(1, (1, 1)), Size(9)),
        ("SAME", (2, 2), None, Size(5)),
        ("VALID", (1, 1), None, None),
    ],
)
def test_windows_on_every_pixel(padding: str, strides: tuple[int, int], rows: Any, columns: Any) -> None:
    """Of an image with 9 columns and open rows; what no rule tells has a size of its own."""
    net = Net()
    image = net.input((1, 7, 9, 3))
    net.graph.tensors[image].shapeSignature = [-1, -1, 9, 3]
    options = schema.Pool2DOptionsT(
        padding=getattr(schema.Padding, padding), strideH=strides[0], strideW=strides[1], filterHeight=3, filterWidth=3
    )
    output = net.operator("MAX_POOL_2D", [image], (1, 1, 1, 3), options)
    net.graph.tensors[output].shapeSignature = [-1, -1, -1, 3]
    found = net.sizes(output)
    assert found[0] == Size(1, (1, 0)) and found[3] == Size(3)
    assert found[1:3] == (rows or Size(1, (output, 1)), columns or Size(1, (output, 2)))


@pytest.mark.parametrize("keep", [False, True])
def test_reductions(keep: bool) -> None:
    net = Net()
    shape = (1, 4, 1, 1) if keep else (1, 4)
    y = net.operator("MEAN", [net.x, net.number([2, -1])], shape, schema.ReducerOptionsT(keepDims=keep))
    assert net.sizes(y) == (BATCH, *map(Size, shape[1:]))


@pytest.mark.parametrize(("code", "shape"), [("DEPTH_TO_SPACE", (1, 8, 10, 6)), ("SPACE_TO_DEPTH", (1, 2, 5, 6))])
def test_blocks_of_pixels(code: str, shape: tuple[int, ...]) -> None:
    net = Net()
    options = schema.DepthToSpaceOptionsT(2) if code == "DEPTH_TO_SPACE" else schema.SpaceToDepthOptionsT(2)
    assert net.sizes(net.operator(code, [net.x], shape, options)) == (BATCH, *map(Size, shape[1:]))


def _squeezed(net: Net, axes: list[int] | None, shape: tuple[int, ...]) -> int:
    """What SQUEEZE makes of [batch, 1, 5, 1]."""
    x = net.operator("MEAN", [net.x, net.number([1, 3])], (1, 1, 5, 1), schema.ReducerOptionsT(keepDims=True))
    return net.operator("SQUEEZE", [x], shape, schema.SqueezeOptionsT(squeezeDims=axes))


@pytest.mark.parametrize(
    ("axes", "expected"),
    [([1, -1], (BATCH, Size(5))), ([3], (BATCH, Size(1), Size(5))), ([0], (Size(1), Size(5), Size(1)))],
)
def test_squeezes(axes: list[int], expected: Any) -> None:
    net = Net()
    assert net.sizes(_squeezed(net, axes, tuple(size.factor for size in expected))) == expected


@pytest.mark.parametrize("axes", [[], None])
def test_a_squeeze_of_any_axes_loses_the_batch_if_it_is_1(axes: list[int] | None) -> None:
    net = Net()
    y = _squeezed(net, axes, (5,))
    assert net.sizes(y) == (Size(1, (y, 0)),)
    net.graph.tensors[net.x].shapeSignature = None
    assert net.sizes(y, fixed=True) == (Size(5),)


def _parts(net: Net, code: str, shape: tuple[int, ...], axis: int, count: int) -> list[int]:
    """The outputs, all of one shape, of an operator that cuts the input in parts along an axis."""
    inputs, options = {
        "SPLIT": ([net.number(axis), net.x], schema.SplitOptionsT(numSplits=count)),
        "SPLIT_V": ([net.x, net.number([1] * count), net.number([axis])], schema.SplitVOptionsT(numSplits=count)),
        "UNPACK": ([net.x], schema.UnpackOptionsT(num=count, axis=axis)),
    }[code]
    first = net.operator(code, inputs, shape, options)
    others = [net.tensor(shape, f"part{i}") for i in range(1, count)]
    net.graph.operators[-1].outputs = [first, *others]
    return [first, *others]


@pytest.mark.parametrize("axis", [3, -1])
@pytest.mark.parametrize(("code", "last"), [("SPLIT", (1,)), ("SPLIT_V", (1,)), ("UNPACK", ())])
def test_every_part_keeps_the_batch(code: str, last: tuple[int, ...], axis: int) -> None:
    net = Net()
    parts = _parts(net, code, (1, 4, 5, *last), axis, 6)
    assert [net.sizes(part) for part in parts] == 6 * [(BATCH, Size(4), Size(5), *map(Size, last))]


@pytest.mark.parametrize("code", ["SPLIT", "SPLIT_V"])
def test_parts_of_the_batch_are_as_open_as_it_is(code: str) -> None:
    net = Net()
    for part in _parts(net, code, SHAPE, 0, 2):
        assert net.sizes(part) == (Size(1, (part, 0)), *map(Size, SHAPE[1:]))


def test_each_image_of_a_batch() -> None:
    net = Net()
    (image,) = _parts(net, "UNPACK", SHAPE[1:], 0, 1)
    assert net.sizes(image) == tuple(map(Size, SHAPE[1:]))


@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        (0, (2, 1, 4, 5, 6), (Size(2), BATCH, *map(Size, SHAPE[1:]))),
        (2, (1, 4, 2, 5, 6), (BATCH, Size(4), Size(2), Size(5), Size(6))),
        (-1, (1, 4, 5, 6, 2), (BATCH, *map(Size, SHAPE[1:]), Size(2))),
    ],
)
def test_packs(axis: int, shape: tuple[int, ...], expected: Any) -> None:
    net = Net()
    y = net.operator("PACK", [net.x, net.relu(net.x)], shape, schema.PackOptionsT(valuesCount=2, axis=axis))
    assert net.sizes(y) == expected


@pytest.mark.parametrize(
    ("begin", "lengths", "expected"),
    [
        ([0, 1, 0, 2], [-1, 3, -1, -1], (BATCH, Size(3), Size(5), Size(4))),
        ([0, 0, 0, 0], [1, 3, -1, 4], (Size(1), Size(3), Size(5), Size(4))),
        ([1, 1, 0, 2], [-1, 3, -1, -1], None),
        ([0, 1], [-1, 3], None),
    ],
)
def test_slices(begin: list[int], lengths: list[int], expected: Any) -> None:
    net = Net()
    y = net.operator("SLICE", [net.x, net.number(begin), net.number(lengths)], (1, 3, 5, 4), schema.SliceOptionsT())
    assert net.sizes(y) == (expected or (Size(1, (y, 0)), Size(3), Size(5), Size(4)))


def test_a_slice_as_long_as_the_batch() -> None:
    net = Net()
    y = net.operator("SLICE", [net.x, net.number([0, 0, 0, 0]), net.shape_of_x()], SHAPE, schema.SliceOptionsT())
    assert net.sizes(y) == WHOLE


@pytest.mark.parametrize(
    ("begin", "stride", "masks", "shape"),
    [
        ([0, 1], [1, 2], {"beginMask": 1, "endMask": 1}, (1, 2, 5, 6)),
        ([0, 1], [1, 1], {"endMask": 1}, (1, 3, 5, 6)),
        ([7, 1], [-1, 1], {"beginMask": 1, "endMask": 1}, (1, 3, 5, 6)),
        ([0, 2], [1, 1], {"ellipsisMask": 1}, (1, 4, 5, 3)),
        ([0, 2], [1, 1], {"ellipsisMask": 1, "shrinkAxisMask": 2}, (1, 4, 5)),
        ([0, 0, 2, 0], [1] * 4, {"endMask": 1, "ellipsisMask": 2, "shrinkAxisMask": 4, "newAxisMask": 8}, (1, 4, 5, 1)),
        ([0, 1, 2], [1, 1, 1], {"endMask": 1, "shrinkAxisMask": 6}, (1, 6)),
    ],
)
def test_strided_slices_that_keep_the_batch(
    begin: list[int], stride: list[int], masks: dict[str, int], shape: tuple[int, ...]
) -> None:
    assert _strided_sizes(begin, stride, masks, shape) == (BATCH, *map(Size, shape[1:]))


@pytest.mark.parametrize(
    ("begin", "stride", "masks"),
    [
        ([0], [1], {"beginMask": 1}),
        ([1], [1], {"endMask": 1}),
        ([0], [2], {"beginMask": 1, "endMask": 1}),
        ([0], [-1], {"endMask": 1}),
    ],
)
def test_strided_slices_of_the_batch(begin: list[int], stride: list[int], masks: dict[str, int]) -> None:
    assert _strided_sizes(begin, stride, masks, SHAPE)[0] not in (BATCH, Size(1))


@pytest.mark.parametrize(
    ("masks", "shape", "expected"),
    [
        ({"newAxisMask": 1}, (1, *SHAPE), (Size(1), *WHOLE)),
        ({"shrinkAxisMask": 1}, SHAPE[1:], WHOLE[1:]),
    ],
)
def test_strided_slices_that_move_the_batch(masks: dict[str, int], shape: tuple[int, ...], expected: Any) -> None:
    assert _strided_sizes([0], [1], masks, shape) == expected


def _strided_sizes(begin: list[int], stride: list[int], masks: dict[str, int], shape: tuple[int, ...]) -> Any:
    net = Net()
    inputs = [net.x, net.number(begin), net.number([3] * len(begin)), net.number(stride)]
    return net.sizes(net.operator("STRIDED_SLICE", inputs, shape, schema.StridedSliceOptionsT(**masks)))


def test_every_operator_that_the_plugin_takes_has_a_rule() -> None:
    """One without a rule would end the batch wherever it stands, and shapes behind it would stay computed."""
    assert not set(OPERATORS) - set(SIZE_RULES)


def test_dense_layers_of_rows() -> None:
    net = Net()
    rows = net.operator("RESHAPE", [net.x, net.number([-1, 6])], (20, 6))
    assert net.sizes(rows) == (Size(20, (0, 0)), Size(6))
    assert net.sizes(net.fully_connected(rows, np.ones((3, 6), np.float32))) == (Size(20, (0, 0)), Size(3))
    kept = net.fully_connected(net.x, np.ones((3, 6), np.float32), keep_num_dims=True)
    assert net.sizes(kept) == (BATCH, Size(4), Size(5), Size(3))
    flat = net.fully_connected(net.x, np.ones((3, 6), np.float32))
    assert net.sizes(flat) == (Size(20, (0, 0)), Size(3))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 1, 1, 6), (BATCH, Size(4), Size(5), Size(6))), ((6,), (BATCH, Size(4), Size(5), Size(6)))],
)
def test_broadcasting_keeps_the_batch(shape: tuple[int, ...], expected: Any) -> None:
    net = Net()
    for operands in (
        (net.x, net.constant(np.ones(shape, np.float32))),
        (net.constant(np.ones(shape, np.float32)), net.x),
    ):
        assert net.sizes(net.operator("MUL", operands, SHAPE, schema.MulOptionsT())) == expected


def test_two_batches_that_are_not_known_to_be_equal_make_a_third() -> None:
    net = Net()
    y = net.operator("ADD", [net.x, net.input(SHAPE, "other")], SHAPE, schema.AddOptionsT())
    assert net.sizes(y) == (Size(1, (y, 0)), Size(4), Size(5), Size(6))


def test_the_batch_of_the_file_counts_only_where_it_is_fixed() -> None:
    net = Net()
    net.graph.tensors[net.x].shapeSignature = None
    assert net.sizes(net.relu(net.x)) == (BATCH, Size(4), Size(5), Size(6))
    assert net.sizes(net.relu(net.x), fixed=True) == tuple(map(Size, SHAPE))


def test_examples_of_open_sizes_are_not_taken_for_sizes() -> None:
    """Rows are open in the input, and the file says nothing of them behind it."""
    net = Net()
    net.graph.tensors[net.x].shapeSignature = [-1, -1, 5, 6]
    y = net.operator("REVERSE_V2", [net.x, net.number([1])], SHAPE, schema.ReverseV2OptionsT())
    assert net.sizes(y) == tuple(Size(1, (y, axis)) for axis in range(4))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((BATCH, Size(120)), (BATCH, Size(120))),
        ((Size(-1), Size(6)), (Size(20, (0, 0)), Size(6))),
        ((BATCH, Size(-1), Size(6)), (BATCH, Size(20), Size(6))),
        ((Size(-1), Size(-1)), None),
        ((Size(-1), Size(7)), None),
        ((Size(-1), Size(0)), None),
        ((Size(1, (9, 0)), Size(120)), None),
        ((Size(1, (9, 0)), Size(-1)), None),
        ((BATCH, BATCH, Size(120)), None),
        ((BATCH, None), None),
        ((BATCH, Size(12)), None),
        (None, None),
    ],
)
def test_reshapes(shape: Any, expected: Any) -> None:
    assert reshaped((BATCH, Size(4), Size(5), Size(6)), shape) == expected


def test_products() -> None:
    assert product([]) == Size(1) and product([Size(3), BATCH, Size(2)]) == Size(6, (0, 0))
    assert product([BATCH, BATCH]) is None and product([Size(2), None]) is None
    assert product([Size(2**30), Size(2)]) is None and product([Size(2**31 - 1)]) == Size(2**31 - 1)
