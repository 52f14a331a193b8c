"""The polynomial schedule: its ends, its shape, when it is due."""

import pytest

from mcpruner.converter.training.schedule import PolynomialSchedule


def test_ends():
    schedule = PolynomialSchedule(10, 110)
    assert schedule.density(0, 0.2) == 1.0
    assert schedule.density(10, 0.2) == 1.0
    assert schedule.density(110, 0.2) == 0.2
    assert schedule.density(1000, 0.2) == 0.2


@pytest.mark.parametrize(("power", "halfway"), [(1.0, 0.6), (2.0, 0.4), (3.0, 0.3)])
def test_shape(power, halfway):
    assert PolynomialSchedule(0, 100, power=power).density(50, 0.2) == pytest.approx(halfway)


def test_falls_monotonically():
    schedule = PolynomialSchedule(0, 50, initial_density=0.8)
    densities = [schedule.density(step, 0.1) for step in range(60)]
    assert densities[0] == 0.8
    assert densities == sorted(densities, reverse=True)


def test_never_below_the_final_density():
    assert PolynomialSchedule(0, 10, initial_density=0.3).density(0, 0.5) == 0.5
    assert PolynomialSchedule(0, 10, initial_density=0.3).density(5, 1.0) == 1.0


def test_due_at_multiples_and_at_the_end():
    schedule = PolynomialSchedule(5, 32, frequency=10)
    assert [step for step in range(50) if schedule.is_due(step)] == [5, 15, 25, 32]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"begin_step": 5, "end_step": 5}, "^Expected 0 <= begin_step < end_step, got 5 and 5.$"),
        ({"begin_step": 1.5, "end_step": 5}, "^Expected begin_step as a whole number of steps, got 1.5.$"),
        ({"begin_step": 1, "end_step": "5"}, "^Expected end_step as a whole number of steps, got '5'.$"),
        ({"begin_step": -1, "end_step": 5}, "^Expected 0 <= begin_step < end_step, got -1 and 5.$"),
        ({"frequency": 0}, "^Expected a frequency of at least 1 step, got 0.$"),
        ({"begin_step": False}, "^Expected begin_step as a whole number of steps, got False.$"),
        ({"power": "3"}, "^Expected power as a number, got '3'.$"),
        ({"initial_density": None}, "^Expected initial_density as a number, got None.$"),
        ({"power": 0.0}, "^Expected a power above 0, got 0.0.$"),
        ({"power": float("nan")}, "^Expected a power above 0, got nan.$"),
        ({"initial_density": 0.0}, "^Expected an initial_density above 0 and at most 1, got 0.0.$"),
        ({"initial_density": 1.1}, "^Expected an initial_density above 0 and at most 1, got 1.1.$"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        PolynomialSchedule(**{"begin_step": 0, "end_step": 10, **arguments})
