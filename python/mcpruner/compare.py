"""Run two models on the same inputs, and say how far their outputs are apart.

An error is relative to the largest magnitude of the output it is in: ``max |actual - expected| / max |expected|`` over
all inputs. Relative to each value it would say nothing, since activations pass through zero. Integers and booleans are
decisions (a class of ArgMax, a level of a quantized image): their error is the share of the values that differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class OutputError:
    """How far one output is from what was expected, over all inputs seen so far.

    Attributes
    ----------
    name
        What to call the output.
    difference, magnitude
        Largest difference, and largest magnitude of what was expected.
    nan
        Whether either held a NaN.
    least_magnitude
        What the difference is at least divided by: where operands cancel, their rounding is larger than what is left.
    decides
        Whether the values are integers or booleans.
    count, unequal
        How many values there were, and how many of them differed.
    """

    name: str
    difference: float = 0.0
    magnitude: float = 0.0
    nan: bool = False
    least_magnitude: float = 0.0
    decides: bool = False
    count: int = 0
    unequal: int = 0

    @property
    def relative(self) -> float:
        """The difference as a share of the output's largest magnitude; infinite where that is zero or not a number.

        Where the values are decisions, it is the share of them that differs.
        """
        if self.difference == 0:
            return 0.0
        if self.decides:
            return self.unequal / self.count
        magnitude = max(self.magnitude, self.least_magnitude)
        return self.difference / magnitude if magnitude > 0 else float("inf")

    def add(self, actual: np.ndarray, expected: np.ndarray) -> None:
        """Take one more pair of equal shape into account. A NaN equals nothing: its difference is infinite.

        Raises
        ------
        ValueError
            The shapes differ.
        """
        if actual.shape != expected.shape:
            raise ValueError(
                f"Output {self.name} has shape {list(actual.shape)} in one model and {list(expected.shape)} in the "
                f"other: the two files are not of the same network."
            )
        if expected.size == 0:
            return
        a, b = actual.astype(np.float64), expected.astype(np.float64)
        with np.errstate(invalid="ignore"):
            difference = np.where(a == b, 0.0, np.abs(a - b))
        self.decides = expected.dtype.kind in "iub"
        self.count += expected.size
        self.unequal += int(np.count_nonzero(difference))  # a NaN counts
        self.nan |= bool(np.isnan(a).any() or np.isnan(b).any())
        self.difference = max(self.difference, float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max()))
        finite = np.abs(b[np.isfinite(b)])
        self.magnitude = max(self.magnitude, float(finite.max(initial=0.0)))


def run(interpreter: Any, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run one inference, after a resize where the inputs' shapes differ from the last ones.

    Parameters
    ----------
    interpreter
        Any TFLite interpreter, allocated or not.
    inputs
        One array for each of its inputs, in their order and of their types.

    Returns
    -------
    list of numpy.ndarray
        One array for each output, in their order.
    """
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        if tuple(detail["shape"]) != array.shape:
            interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def output_errors(
    actual: Sequence[Any],
    expected: Sequence[Any],
    batches: Iterable[Sequence[np.ndarray]],
    names: Sequence[str] | None = None,
) -> list[list[OutputError]]:
    """Compare the outputs of some interpreters with those of others.

    Parameters
    ----------
    actual, expected
        TFLite interpreters with equal inputs, and outputs that pair up by position.
    batches
        For each inference the list of its inputs.
    names
        What to call the outputs; by default the names of the first of `actual`.

    Returns
    -------
    list of list of OutputError
        For each interpreter of `expected` one error for each output, the largest over all of `actual`.

    Raises
    ------
    ValueError
        The number or the shapes of the outputs differ.
    """
    found = actual[0].get_output_details()
    for wanted in (interpreter.get_output_details() for interpreter in expected):
        if len(found) != len(wanted):
            raise ValueError(
                f"One model has {len(found)} outputs and the other {len(wanted)}: they are not of the same network."
            )
    names = names or [detail["name"] for detail in found]
    errors = [[OutputError(name) for name in names] for _ in expected]
    for inputs in batches:
        wanted = [run(interpreter, inputs) for interpreter in expected]
        for interpreter in actual:
            outputs = run(interpreter, inputs)
            for of_one, arrays in zip(errors, wanted, strict=True):
                for error, a, b in zip(of_one, outputs, arrays, strict=True):
                    error.add(a, b)
    return errors
