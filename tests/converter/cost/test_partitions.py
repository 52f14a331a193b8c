"""The partitions that are predicted are those that TFLite makes."""

from __future__ import annotations

import pytest

from mcpruner.converter.cost.partitions import Node, find_partitions


def chain(pattern: str) -> list[Node]:
    """Operators one behind the other; those with a capital letter are taken."""
    return [Node(frozenset({i}), frozenset({i + 1}), letter.isupper()) for i, letter in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("", []), ("abc", []), ("ABC", [(0, 1, 2)]), ("ABcD", [(0, 1), (3,)]), ("aBCdeF", [(1, 2), (5,)])],
)
def test_a_chain_is_cut_at_what_is_left(pattern: str, expected: list[tuple[int, ...]]) -> None:
    found = find_partitions(chain(pattern), frozenset({len(pattern)}))
    assert [partition.ops for partition in found] == expected
    for partition in found:
        assert partition.inputs == {partition.ops[0]} and partition.outputs == {partition.ops[-1] + 1}


def test_branches_join_as_soon_as_they_are_ready() -> None:
    """A left operator on one branch does not part the other: TFLite goes on with all that is ready first."""
    #   x ─ A(0) ─┬─ b(1) ─── D(3) ─ y      D reads b and C
    #             └─ C(2) ───┘
    nodes = [
        Node(frozenset({0}), frozenset({1}), True),
        Node(frozenset({1}), frozenset({2}), False),
        Node(frozenset({1}), frozenset({3}), True),
        Node(frozenset({2, 3}), frozenset({4}), True),
    ]
    first, second = find_partitions(nodes, frozenset({4}))
    assert first.ops == (0, 2) and first.inputs == {0} and first.outputs == {1, 3}
    assert second.ops == (3,) and second.inputs == {2, 3} and second.outputs == {4}


def test_an_operator_without_inputs_is_ready_from_the_start() -> None:
    nodes = [
        Node(frozenset({0}), frozenset({1}), False),
        Node(frozenset(), frozenset({2}), True),
        Node(frozenset({1, 2}), frozenset({3}), True),
    ]
    assert [partition.ops for partition in find_partitions(nodes, frozenset({3}))] == [(1, 2)]


def test_a_circle_ends() -> None:
    nodes = [Node(frozenset({1}), frozenset({0}), True), Node(frozenset({0}), frozenset({1}), True)]
    assert find_partitions(nodes, frozenset()) == []
