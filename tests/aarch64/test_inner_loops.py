"""The compiler's work on the convolution kernels for NEON, read from the disassembly."""

from __future__ import annotations

import count
import inner_loops
import pytest
from inner_loops import Loop

# Schedule -> instructions per multiply-add allowed in the main loop of the largest tile.
CEILINGS = {"neon": 1.35, "neon_a53": 2.1}


@pytest.fixture(scope="module")
def loops() -> list[Loop]:
    """Every inner loop of the plugin."""
    return inner_loops.inner_loops(count.build()[0])


def _main_loop(loops: list[Loop], schedule: str) -> Loop:
    """The one with most multiply-adds, which nearly all of a layer's pixels pass through."""
    return max((loop for loop in loops if loop.schedule == schedule and not loop.two_rows), key=lambda loop: loop.fmla)


@pytest.mark.parametrize("schedule", CEILINGS)
def test_every_tile_of_four_filters_has_its_loop(loops: list[Loop], schedule: str) -> None:
    found = {loop.vectors for loop in loops if (loop.schedule, loop.filters) == (schedule, 4)}
    assert set(range(2, 7)) <= found


def test_no_loop_of_four_filters_spills(loops: list[Loop]) -> None:
    assert [loop for loop in loops if loop.filters == 4 and loop.spills] == []


@pytest.mark.parametrize(("schedule", "ceiling"), CEILINGS.items())
def test_main_loop_is_mostly_multiply_adds(loops: list[Loop], schedule: str, ceiling: float) -> None:
    main = _main_loop(loops, schedule)
    assert (main.filters, main.vectors) == (4, 6)
    assert main.per_fmla <= ceiling


def test_spills_are_seen() -> None:
    kept = ("ldr\tq1, [x5, x0]", "fmla\tv3.4s, v1.4s, v0.s[0]", "str\tq3, [x1], #16")
    spilled = ("ldr\tq1, [sp, #16]", "stp\tq1, q2, [sp]", "str\tx1, [x29, #8]")
    assert Loop("neon", 4, 6, False, kept).spills == 0
    assert Loop("neon", 4, 6, False, kept + spilled).spills == 3


def test_cycles_are_those_of_the_multiply_adds(loops: list[Loop]) -> None:
    main = _main_loop(loops, inner_loops.OUT_OF_ORDER)
    assert main.fmla <= inner_loops.mca_cycles(main) < 1.02 * main.fmla
