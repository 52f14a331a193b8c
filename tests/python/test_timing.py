"""Turns of blocks, and what is quoted of their times. No time is asserted."""

import time

import numpy as np
import pytest

from mcpruner.timing import milliseconds, quoted, rounds, runs_for, speedup, take_turns, timed_block, twice_timed_block


def test_blocks_alternate_and_their_first_runs_do_not_count() -> None:
    order: list[str] = []
    blocks = [timed_block(lambda name=name: order.append(name)) for name in "ab"]
    times = take_turns(blocks, 4, lambda: order.append("-"))
    assert times.shape == (2, rounds(4), 3) and (times >= 0).all()
    assert "".join(order) == "aaaa" + "bbbb" + "aaaabbbb-" * 2


def test_times_stand_where_they_belong() -> None:
    count = iter(range(100))
    times = take_turns([lambda runs: [next(count)] * runs, lambda runs: [-next(count)] * runs], 6)
    assert times.tolist() == [[[2] * 3, [4] * 3], [[-3] * 3, [-5] * 3]]


def test_blocks_by_two_clocks_leave_out_of_one_what_is_waited_for() -> None:
    times = take_turns([twice_timed_block(lambda: time.sleep(0.02))] * 2, 4)
    assert times.shape == (2, 2, 2, 3)
    wall, processor = times[:, :, 0], times[:, :, 1]
    assert (wall >= 20).all() and (processor >= 0).all() and np.median(processor) < 10


def test_few_runs_make_a_short_block() -> None:
    assert take_turns([timed_block(lambda: None)], 2).shape == (1, 1, 2)


@pytest.mark.parametrize(("seconds", "round_ms", "runs"), [(8, 100, 60), (8, 500, 24), (8, 1, 150)])
def test_runs_fill_the_seconds_within_limits(seconds: float, round_ms: float, runs: int) -> None:
    assert runs_for(seconds, round_ms) == runs


def test_speedup_is_the_median_of_neighbouring_blocks_ratios() -> None:
    ours = np.array([[1.0, 1.0, 9.0], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0]])
    found = speedup(ours, ours * [[2], [3], [4]])
    assert found == {"speedup": 3.0, "speedup_low": pytest.approx(2.2), "speedup_high": pytest.approx(3.8)}


def test_no_ratio_is_quoted_where_turns_disagree() -> None:
    found = {"speedup": 3.0, "speedup_low": 2.0, "speedup_high": 4.0, "cpu_speedup": 1.0}
    assert quoted(found) == "3.00" and quoted(found | {"speedup_high": 4.01}) == "busy"
    assert quoted(found | {"cpu_speedup_low": 0.1, "cpu_speedup_high": 1.0}, "cpu_") == "busy"


def test_milliseconds() -> None:
    assert milliseconds(np.array([[1.0, 5.0], [2.0, 3.0]]), "against_") == {
        "against_median_ms": 2.5,
        "against_min_ms": 1.0,
    }
