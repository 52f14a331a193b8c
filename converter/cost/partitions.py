"""Which partitions TFLite makes of the operators that a delegate takes.

    ops      a   b   c   d   e            a, b and e are taken; c and d stay with TFLite
    subsets [a   b] [c   d] [e]           two partitions, of which the second reads what d wrote

As TFLite does (PartitionGraphIntoIndependentNodeSubsets in tensorflow/lite/graph_info.cc): the first operator that is
ready decides whether the next subset is one of taken operators or of others; then every operator of that kind joins it
that is ready or becomes ready by those that joined.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Node(NamedTuple):
    """An operator: the numbers of the computed tensors that it reads and of those that it writes, and who runs it."""

    inputs: frozenset[int]
    outputs: frozenset[int]
    taken: bool


class Partition(NamedTuple):
    """Numbers of the operators, in execution order, and of the computed tensors that pass its edges."""

    ops: tuple[int, ...]
    inputs: frozenset[int]
    outputs: frozenset[int]


def find_partitions(nodes: Sequence[Node], graph_outputs: frozenset[int]) -> list[Partition]:
    """Find the partitions of taken operators.

    Parameters
    ----------
    nodes
        All operators of a subgraph, in execution order.
    graph_outputs
        Tensors that the caller reads.
    """
    written = {tensor for node in nodes for tensor in node.outputs}
    partitions, left = [], list(range(len(nodes)))
    while left:
        subset = _next_subset(nodes, left, written)
        if not subset:
            break  # operators that read each other's results in a circle: the runtime will refuse the file
        inside = set(subset)
        left = [i for i in left if i not in inside]
        written -= {tensor for i in subset for tensor in nodes[i].outputs}
        if nodes[subset[0]].taken:
            partitions.append(partition_of(nodes, subset, graph_outputs))
    return partitions


def _next_subset(nodes: Sequence[Node], left: list[int], written: set[int]) -> tuple[int, ...]:
    """Operators of the next subset; `written` are the tensors that the operators which are left write."""
    subset: list[int] = []
    waiting, missing, kind = left, set(written), None
    while True:
        still = []
        for i in waiting:
            ready = not nodes[i].inputs & missing
            if ready and kind in (None, nodes[i].taken):
                kind = nodes[i].taken
                subset.append(i)
                missing -= nodes[i].outputs
            else:
                still.append(i)
        if len(still) == len(waiting):
            return tuple(subset)
        waiting = still


def partition_of(nodes: Sequence[Node], ops: Collection[int], graph_outputs: frozenset[int]) -> Partition:
    """The partition of these operators, as `find_partitions` has it."""
    inside = set(ops)
    written = frozenset(tensor for i in inside for tensor in nodes[i].outputs)
    inputs = frozenset(tensor for i in inside for tensor in nodes[i].inputs) - written
    read = {tensor for i, node in enumerate(nodes) if i not in inside for tensor in node.inputs} | graph_outputs
    return Partition(tuple(sorted(inside)), inputs, written & read)
