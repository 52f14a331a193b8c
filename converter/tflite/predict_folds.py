"""Operators that cost nothing in the plugin, since it folds them into another one (delegate/graph/passes).

x ─ PAD ─ CONV_2D                             the convolution pads
x ─ CONV_2D ─ ADD(y)                          the convolution adds y to what it stores
x ─ LOGISTIC ─ MUL(x)                         one function, SiLU
x ─ EXP ─ ADD(1) ─ LOG ─ TANH ─ MUL(x)        one function, Mish
x ─ RESHAPE ─ TRANSPOSE ─ RESHAPE             one copy, ShuffleNet's shuffle of channels
x ─ MEAN, SQUARED_DIFFERENCE, ... ─ ADD       one op, a layer, group or instance normalization

A normalization costs what its first MEAN and its last operator do: it reads its input as a mean does, and writes as
much as it reads. Its operators are found by where their inputs come from, not by the algebra of find_norms.h.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from mcpruner.converter.tflite.model import operator_name, producers, use_counts

_CONVOLUTIONS = ("CONV_2D", "McprunerSparseConv2D")
_MISH = ("TANH", "LOG", "ADD", "EXP")
_OF_NORMS = ("SQUARED_DIFFERENCE", "MEAN", "ADD", "SUB", "MUL", "DIV", "NEG", "RSQRT", "SQRT")


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
        if name == "RESHAPE" and len(op.inputs):
            moved = list(chain(op.inputs[0], ("TRANSPOSE", "RESHAPE")))
            folded |= {numbers[id(each)]: index for each in moved if len(moved) == 2}
        if name == "SQUARED_DIFFERENCE" and len(op.inputs) == 2:
            for x, mean in (op.inputs, op.inputs[::-1]):
                folded |= _normalization(model, graph, x, mean)
    return folded


def _normalization(model: Any, graph: Any, x: int, mean: int) -> dict[int, int]:
    """As `folded_operators`, for the operators that follow from a tensor and its mean alone."""
    writers, uses = producers(graph), use_counts(graph)
    first = writers.get(mean)
    if first is None or operator_name(model, first) != "MEAN" or list(first.inputs[:1]) != [x]:
        return {}
    computed, terms, members = {*writers, *graph.inputs}, {mean}, []
    for index, op in enumerate(graph.operators):
        read = computed.intersection(op.inputs)
        if operator_name(model, op) in _OF_NORMS and read & terms and read <= {x, *terms}:
            members.append(index)
            terms.update(op.outputs)
    ops = [graph.operators[index] for index in members]
    reads = Counter(tensor for op in ops for tensor in op.inputs)
    inner = [tensor for op in (first, *ops[:-1]) for tensor in op.outputs]
    if not {"RSQRT", "SQRT"} & {operator_name(model, op) for op in ops} or any(uses[i] != reads[i] for i in inner):
        return {}
    around = [op for op in graph.operators if operator_name(model, op) == "RESHAPE" and len(op.inputs)]
    views = [op for op in around if x in op.outputs and uses[x] == reads[x] + 1]
    views += [op for op in around if op.inputs[0] in ops[-1].outputs and uses[op.inputs[0]] == 1]
    numbers = {id(op): index for index, op in enumerate(graph.operators)}
    return dict.fromkeys([*members[:-1], *(numbers[id(op)] for op in views)], members[-1])
