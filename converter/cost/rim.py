"""Which operators at the rim of a partition are better left to TFLite.

    x ── edge ── LOGISTIC ── packed layer ── edge ── y         LOGISTIC may be slower here than in TFLite; without it
    x ── LOGISTIC ── edge ── packed layer ── edge ── y         the edge is as wide, so it goes

The plugin does the same when it loads a model (`SlowRim` in delegate/cost/predictor.cc).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from mcpruner.converter.cost.partitions import Node
from mcpruner.converter.format.costs_generated import WORTH_IT


def slow_rim(
    nodes: Sequence[Node],
    partition: Collection[int],
    packed: Collection[int],
    plugin_ns: Callable[[frozenset[int]], float],
    tflite_ns: Sequence[float],
) -> frozenset[int]:
    """Find the operators that run `WORTH_IT` times as fast in TFLite, the partition's edges counted.

    Parameters
    ----------
    nodes
        All operators of a subgraph.
    partition
        Numbers of those in the partition.
    packed
        Numbers of operators that TFLite cannot run.
    plugin_ns
        Nanoseconds of a partition of these operators, its edges included.
    tflite_ns
        Nanoseconds of each operator in TFLite.
    """
    writers = {tensor: i for i, node in enumerate(nodes) for tensor in node.outputs}
    readers: defaultdict[int, set[int]] = defaultdict(set)
    for i in partition:
        for tensor in nodes[i].inputs:
            readers[tensor].add(i)
    members, slow = frozenset(partition), frozenset()

    def is_rim(i: int) -> bool:
        """Whether all that an operator reads comes from outside, or all that it writes is read outside alone."""
        return not any(writers.get(tensor) in members for tensor in nodes[i].inputs) or not any(
            readers[tensor] & members for tensor in nodes[i].outputs
        )

    def is_slow(i: int) -> bool:
        return is_rim(i) and whole - plugin_ns(members - {i}) > WORTH_IT * tflite_ns[i]

    while True:
        whole = plugin_ns(members)
        found = next(filter(is_slow, sorted(members - frozenset(packed))), None)
        if found is None:
            return slow
        members, slow = members - {found}, slow | {found}
