"""Operators that cost nothing in the plugin, since it folds them into another one (delegate/graph/passes).

x ─ PAD ─ CONV_2D                             the convolution pads
x ─ CONV_2D ─ ADD(y)                          the convolution adds y to what it stores
x ─ LOGISTIC ─ MUL(x)                         one function, SiLU
x ─ EXP ─ ADD(1) ─ LOG ─ TANH ─ MUL(x)        one function, Mish
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mcpruner.converter.tflite.model import operator_name, producers, use_counts

_CONVOLUTIONS = ("CONV_2D", "McprunerSparseConv2D")
_MISH = ("TANH", "LOG", "ADD", "EXP")


def folded_operators(model: Any, graph: Any) -> dict[int, int]:
    """Numbers of the operators of a subgraph that are folded away, and of those that must be in the same partition."""
    writers, uses = producers(graph), use_counts(graph)
    numbers = {id(op): i for i, op in enumerate(graph.operators)}

    def chain(tensor: int, names: Sequence[str]) -> Iterator[Any]:
        """The operators of these names, each the only reader of the next one's result, that end in a tensor."""
        for name in names:
            op = writers.get(tensor)
            if op is None or uses[tensor] != 1 or operator_name(model, op) != name:
                return
            yield op
            tensor = next((i for i in op.inputs if i in writers or i in graph.inputs), -1)

    folded: dict[int, int] = {}
    for index, op in enumerate(graph.operators):
        name = operator_name(model, op)
        if name in (*_CONVOLUTIONS, "DEPTHWISE_CONV_2D"):
            folded |= {numbers[id(pad)]: index for code in ("PAD", "PADV2") for pad in chain(op.inputs[0], (code,))}
        if name == "ADD":
            for conv in (conv for i in op.inputs for code in _CONVOLUTIONS for conv in chain(i, (code,))):
                folded[index] = numbers[id(conv)]
        if name == "MUL" and len(op.inputs) == 2:
            for x, gate in (op.inputs, op.inputs[::-1]):
                for names in (("LOGISTIC",), _MISH):
                    ops = list(chain(gate, names))
                    if len(ops) == len(names) and x in ops[-1].inputs:
                        folded |= dict.fromkeys(
                            [index, *(numbers[id(each)] for each in ops[:-1])], numbers[id(ops[-1])]
                        )
    return folded
