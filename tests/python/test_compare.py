"""Errors relative to the largest magnitude, and inputs."""

import ai_edge_litert.interpreter
import numpy as np
import pytest
from small_network import Files, small_network
from tflite_builder import TfliteBuilder

from mcpruner.compare import OutputError, output_errors, run
from mcpruner.inputs import random_inputs


def interpreter(content: bytes) -> ai_edge_litert.interpreter.Interpreter:
    return ai_edge_litert.interpreter.Interpreter(model_content=content)


def test_error_is_relative_to_the_largest_magnitude_of_all_inputs() -> None:
    error = OutputError("y")
    assert error.relative == 0.0
    error.add(np.array([1.0, 2.5]), np.array([1.0, 2.0]))
    assert error.relative == 0.25
    error.add(np.array([-10.0, 0.1]), np.array([-10.0, 0.0]))
    assert (error.difference, error.magnitude, error.relative) == (0.5, 10.0, 0.05)


@pytest.mark.parametrize(
    ("actual", "expected", "relative"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 1e-9], [0.0, 0.0], np.inf),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([np.nan, 1.0], [np.nan, 1.0], np.inf),
        ([1.0, 1.0], [np.nan, 1.0], np.inf),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([np.inf, 1.0], [-np.inf, 1.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_error_of_zeros_and_of_what_is_no_number(actual: list, expected: list, relative: float) -> None:
    error = OutputError("y")
    error.add(np.array(actual), np.array(expected))
    assert error.relative == relative
    assert error.nan == bool(np.isnan([*actual, *expected]).any())


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_error_of_decisions_is_the_share_that_differs(dtype: type) -> None:
    error = OutputError("y")
    error.add(np.array([0, 1, 1], dtype), np.array([0, 1, 1], dtype))
    assert (error.decides, error.relative) == (True, 0.0)
    error.add(np.array([0, 1, 0, 1, 1], dtype), np.array([0, 1, 1, 1, 0], dtype))
    assert (error.count, error.unequal, error.relative) == (8, 2, 0.25)


def test_other_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Output y has shape \[2\] in one model and \[3\] in the other"):
        OutputError("y").add(np.zeros(2), np.zeros(3))


def test_run_resizes() -> None:
    model = interpreter(small_network())
    for batch in (1, 3, 2):
        (y,) = run(model, [np.ones((batch, 13, 11, 16), np.float32)])
        assert y.shape == (batch, 10)


def test_output_errors_of_a_model_with_itself_are_zero(files: Files) -> None:
    content = files.dense.read_bytes()
    a, b = interpreter(content), interpreter(content)
    ((error,),) = output_errors([a], [b], random_inputs(b, samples=2), ["logits"])
    assert (error.name, error.difference) == ("logits", 0.0) and error.magnitude > 0


def test_every_actual_one_is_compared_with_every_expected_one(files: Files) -> None:
    net = TfliteBuilder()
    x = net.input((1, 4))
    same, twice = interpreter(net.build([net.relu(x)])), interpreter(net.build([net.add(x, x)]))
    inputs = [[np.ones((1, 4), np.float32)]]
    errors = output_errors([same, twice], [same, twice], inputs)
    assert [[error.relative for error in of_one] for of_one in errors] == [[1.0], [0.5]]


def test_models_with_other_outputs_are_refused(files: Files) -> None:
    net = TfliteBuilder()
    x = net.input((1, 13, 11, 16))
    two = interpreter(net.build([net.relu(x), net.mean(x)]))
    with pytest.raises(ValueError, match="One model has 1 outputs and the other 2"):
        output_errors([interpreter(files.dense.read_bytes())], [two], [])
