"""Halving an interval, for budgets that are spent at some price, level or scale."""

from collections.abc import Callable


def bisect(holds: Callable[[float], bool], low: float, high: float, steps: int) -> tuple[float, float]:
    """Find the place between `low` and `high` up to which something holds.

    Parameters
    ----------
    holds
        Says whether it holds at a point; it is taken to hold at `low`, and not at `high`.
    low, high
        Ends of the first interval.
    steps
        How often the interval is halved.

    Returns
    -------
    tuple of float
        The last point where it held, and the first where it did not.
    """
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high
