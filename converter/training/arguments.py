"""What arguments of another type than expected are told, in one sentence: what was expected, what came."""

from numbers import Integral, Real
from typing import Any


def check_number(name: str, value: Any) -> None:
    """Refuse what is no number (ValueError)."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"Expected {name} as a number, got {value!r}.")


def check_steps(name: str, value: Any) -> None:
    """Refuse what counts no steps (ValueError)."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"Expected {name} as a whole number of steps, got {value!r}.")


def check_batches(batches: Any, of: str) -> None:
    """Refuse what gives no batches of these, one after the other (ValueError)."""
    try:
        iter(batches)
    except TypeError as error:
        raise ValueError(f"Expected batches as a list, generator or dataset of {of}, got {batches!r}.") from error
