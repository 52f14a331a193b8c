"""The compiler's work on the convolution kernels for NEON, read from the disassembly."""

from __future__ import annotations

import count
import inner_loops
import pytest


@pytest.fixture(scope="module")
def loops() -> list[inner_loops.Loop]:
    """Every inner loop of the plugin."""
    return inner_loops.inner_loops(count.build()[0])


def test_every_tile_has_its_loops(loops) -> None:
    assert {(filters, vectors) for filters in (1, 2, 4) for vectors in range(1, 7)} <= {
        (loop.filters, loop.vectors) for loop in loops
    }


def test_no_loop_spills(loops) -> None:
    assert [(loop.function, loop.filters, loop.vectors) for loop in loops if loop.spills] == []
