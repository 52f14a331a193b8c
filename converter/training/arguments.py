"""Checks of arguments' types. An error is one sentence: what was expected, what came."""

from numbers import Integral, Real
from typing import Any


def check_number(name: str, value: Any) -> None:
    """Raise ValueError unless `value`, the argument `name`, is a number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"Expected {name} as a number, got {value!r}.")


def check_steps(name: str, value: Any) -> None:
    """Raise ValueError unless `value`, the argument `name`, is a whole number, as a count of steps is."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"Expected {name} as a whole number of steps, got {value!r}.")


def check_batches(batches: Any, of: str) -> None:
    """Raise ValueError unless `batches` can be iterated; `of` says what they are batches of."""
    try:
        iter(batches)
    except TypeError as error:
        raise ValueError(f"Expected batches as a list, generator or dataset of {of}, got {batches!r}.") from error
