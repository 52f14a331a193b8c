"""Inputs that are made up or given, and their shapes."""

import ai_edge_litert.interpreter
import numpy as np
import pytest
from small_network import small_network
from tflite_builder import TfliteBuilder

from mcpruner.inputs import Feed, random_inputs


def interpreter(content: bytes) -> ai_edge_litert.interpreter.Interpreter:
    return ai_edge_litert.interpreter.Interpreter(model_content=content)


def test_random_inputs_are_seeded_and_of_the_batch_asked_for() -> None:
    model = interpreter(small_network())
    first, second = (list(random_inputs(model, samples=2, batch=3)) for _ in range(2))
    assert [array.shape for (array,) in first] == [(3, 13, 11, 16)] * 2
    assert all(np.array_equal(a, b) for (a,), (b,) in zip(first, second, strict=True))
    assert not np.array_equal(first[0][0], first[1][0])
    (other,) = next(iter(random_inputs(model, samples=1, seed=1)))
    assert other.dtype == np.float32 and other.shape == (1, 13, 11, 16)


def test_random_integers_stay_in_range() -> None:
    net = TfliteBuilder()
    bytes_in, indices = net.input((1, 1000), "bytes", "uint8"), net.input((1, 1000), "indices", "int32")
    x, y = next(iter(random_inputs(interpreter(net.build([bytes_in, indices])), samples=1)))
    assert (x.dtype, x.min(), x.max()) == (np.uint8, 0, 255)
    assert (y.dtype, y.min(), y.max()) == (np.int32, 0, 1)


def test_open_sizes_must_be_given() -> None:
    net = TfliteBuilder()
    x = net.input((1, 1, 1, 4), "x")
    net.graph.tensors[x].shapeSignature = [-1, -1, -1, 4]
    model = interpreter(net.build([net.relu(x)]))
    with pytest.raises(ValueError, match=r"Input x has open sizes, \[-1, -1, -1, 4\]: give its shape, or inputs as a"):
        random_inputs(model, samples=1)
    for shapes in ((2, 3, 5, 4), {"x": (2, 3, 5, 4)}):
        ((array,),) = random_inputs(model, samples=1, shapes=shapes)
        assert array.shape == (2, 3, 5, 4)
        ((array,),) = random_inputs(model, samples=1, batch=7, shapes=shapes)
        assert array.shape == (7, 3, 5, 4)


def two_inputs() -> bytes:
    net = TfliteBuilder()
    return net.build([net.add(net.input((1, 4), "x"), net.input((1, 4), "y"))])


@pytest.mark.parametrize("shape", [[2, 4], (2, 4), np.array([2, 4]), (np.int64(2), 4)])
def test_a_shape_is_any_sequence_of_whole_numbers(shape: object) -> None:
    net = TfliteBuilder()
    model = interpreter(net.build([net.relu(net.input((1, 4), "x"))]))
    for shapes in (shape, [shape], (shape,), {"x": shape}):
        ((array,),) = random_inputs(model, samples=1, shapes=shapes)
        assert array.shape == (2, 4)
    ((x, y),) = random_inputs(interpreter(two_inputs()), samples=1, shapes=[shape, [3, 4]])
    assert (x.shape, y.shape) == ((2, 4), (3, 4))


@pytest.mark.parametrize("bad", ["1,4", [1, 4.0], [1, "4"], [[1, [4]]], [[1, 4], None], 4, {"x": "1,4"}, {"x": None}])
def test_what_is_no_shape_is_refused_in_one_sentence(bad: object) -> None:
    net = TfliteBuilder()
    model = interpreter(net.build([net.relu(net.input((1, 4), "x"))]))
    with pytest.raises(ValueError, match=r"^Expected a shape as whole numbers, such as \[1, 32, 32, 3\], got .*\.$"):
        random_inputs(model, samples=1, shapes=bad)


@pytest.mark.parametrize("shape", [(1, 3, 5), (1, 3, 5, 8), (1, 0, 5, 4), ()])
def test_a_shape_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    net = TfliteBuilder()
    x = net.input((1, 1, 1, 4), "x")
    net.graph.tensors[x].shapeSignature = [-1, -1, -1, 4]
    model = interpreter(net.build([net.relu(x)]))
    with pytest.raises(ValueError, match=r"Input x has the shape \[-1, -1, -1, 4\] \(-1 is open\), got \["):
        random_inputs(model, samples=1, shapes={"x": shape})


def test_names_of_shapes_are_checked() -> None:
    content = two_inputs()
    Feed(shapes={"y": (2, 4)}).check_names(content)
    with pytest.raises(ValueError, match="There is a shape for 'z'; the model's inputs are x, y."):
        Feed(shapes={"z": (2, 4)}).check_names(content)
    with pytest.raises(ValueError, match="A shape without a name fits a model with one input; its inputs are x, y."):
        Feed(shapes=(1, 4)).batches(interpreter(content), samples=1)
    with pytest.raises(ValueError, match="3 shapes without a name fit a model with 3 inputs; its inputs are x, y."):
        Feed(shapes=[(1, 4)] * 3).batches(interpreter(content), samples=1)


def test_further_signatures_get_what_has_a_name() -> None:
    array = np.ones((1, 4), np.float32)
    assert Feed(array, 2, {"x": (1, 4)}).without_main() == Feed(None, 2, {"x": (1, 4)})
    assert Feed(None, 2, (1, 4)).without_main() == Feed(None, 2)
