"""Halving an interval."""

import math

import pytest

from mcpruner.converter.bisection import bisect


def test_both_sides_of_the_place_are_found() -> None:
    low, high = bisect(lambda x: x * x < 2, 0.0, 2.0, 40)
    assert low < math.sqrt(2) <= high
    assert high - low == pytest.approx(2.0**-39)


@pytest.mark.parametrize(("answer", "expected"), [(True, (7.0, 8.0)), (False, (0.0, 1.0))])
def test_what_holds_everywhere_or_nowhere_ends_at_an_end(answer: bool, expected: tuple[float, float]) -> None:
    assert bisect(lambda x: answer, 0.0, 8.0, 3) == expected


def test_no_step_asks_nothing() -> None:
    assert bisect(lambda x: 1 / 0, 1.0, 2.0, 0) == (1.0, 2.0)
