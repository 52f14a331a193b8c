"""Operators at the rim of a partition go back to TFLite where it runs them faster, edges counted, and only there."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from mcpruner.converter.cost.partitions import Node
from mcpruner.converter.cost.rim import slow_rim

PACKED = (900.0, 300.0)
FAST, SLOW = (50.0, 20.0), (50.0, 80.0)


def rim_of_a_chain(times: list[tuple[float, float]]) -> frozenset[int]:
    """The slow rim of operators that each read what the one before wrote; an edge takes 10 ns."""
    nodes = [Node(frozenset([i]), frozenset([i + 1]), True) for i in range(len(times))]
    packed = [i for i, pair in enumerate(times) if pair is PACKED]

    def plugin_ns(members: Collection[int]) -> float:
        return 2 * 10 + sum(times[i][1] for i in members)

    return slow_rim(nodes, range(len(times)), packed, plugin_ns, [tflite for tflite, _ in times])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([SLOW, PACKED, SLOW, SLOW], {0, 2, 3}),
        ([FAST, SLOW, PACKED, SLOW, PACKED, SLOW, FAST], set()),  # None of the slow ones is at the rim.
        ([PACKED, (100.0, 105.0)], set()),  # 1.05 times as fast is not enough.
        ([PACKED, (100.0, 106.0)], {1}),
    ],
)
def test_slow_rims(times: list[tuple[float, float]], expected: set[int]) -> None:
    assert rim_of_a_chain(times) == expected


def test_a_wider_edge_keeps_an_operator() -> None:
    """A slow MEAN whose input would be an edge of 400 ns, where its output is one of 4."""
    nodes = [Node(frozenset([0]), frozenset([1]), True), Node(frozenset([1]), frozenset([2]), True)]

    def plugin_ns(members: Collection[int], inner: float) -> float:
        return 300 + (80 + 4 if 1 in members else inner)

    assert slow_rim(nodes, [0, 1], [0], lambda members: plugin_ns(members, 400), [900, 50]) == frozenset()
    assert slow_rim(nodes, [0, 1], [0], lambda members: plugin_ns(members, 4), [900, 50]) == {1}
