"""Operators that cost nothing in the plugin, since it folds them into another one (delegate/graph/passes).

x ─ PAD ─ CONV_2D                             the convolution pads
x ─ CONV_2D ─ ADD(y)                          the convolution adds y to what it stores
x ─ CONV_2D ─ (ADD(y)) ─ LEAKY_RELU           the convolution applies the function to what it stores
x ─ ADD ─ RELU                                the same, of all that take an activation
x ─ LOGISTIC ─ MUL(x)                         one function, SiLU
x ─ EXP ─ ADD(1) ─ LOG ─ TANH ─ MUL(x)        one function, Mish
x ─ RESHAPE ─ TRANSPOSE ─ RESHAPE             one copy, ShuffleNet's shuffle of channels
x ─ MEAN, SQUARED_DIFFERENCE, ... ─ ADD       one op, a layer, group or instance normalization

A normalization costs what its first MEAN and its last operator do: it reads its input as a mean does, and writes as
much as it reads. Its operators are found by where their inputs come from, not by the algebra of find_norms.h.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mcpruner.converter.tflite.model import operator_name, use_counts

_CONVOLUTIONS = ("CONV_2D", "McprunerSparseConv2D")
_WITH_EPILOGUE = (*_CONVOLUTIONS, "DEPTHWISE_CONV_2D", "ADD")
_WITH_ACTIVATION = (*_WITH_EPILOGUE, "FULLY_CONNECTED", "McprunerSparseFullyConnected", "SUB", "MUL", "DIV")
_ACTIVATIONS = ("RELU", "RELU_N1_TO_1", "RELU6")
# The functions that cost nothing behind an operator, and the operators that apply them.
_APPLIED_BY = dict.fromkeys(("LEAKY_RELU", "PRELU", "HARD_SWISH"), _WITH_EPILOGUE)
_APPLIED_BY |= dict.fromkeys(_ACTIVATIONS, _WITH_ACTIVATION)
_MISH = ("TANH", "LOG", "ADD", "EXP")
_OF_NORMS = ("SQUARED_DIFFERENCE", "MEAN", "ADD", "SUB", "MUL", "DIV", "NEG", "RSQRT", "SQRT")


def folded_operators(model: Any, graph: Any) -> dict[int, int]:
    """Numbers of the operators of a subgraph that are folded away, and of those that must be in the same partition."""
    return _FoldFinder(model, graph).find()


class _FoldFinder:
    """Finds them, as FoldFinder of delegate/cost/folds.cc does."""

    def __init__(self, model: Any, graph: Any) -> None:
        self._operators = graph.operators
        self._names = [operator_name(model, op) for op in graph.operators]
        self._writers = {output: index for index, op in enumerate(graph.operators) for output in op.outputs}
        self._computed = {*self._writers, *graph.inputs}
        self._uses = use_counts(graph)
        self._folded: dict[int, int] = {}

    def find(self) -> dict[int, int]:
        """Look at each operator once."""
        for index, (name, op) in enumerate(zip(self._names, self._operators, strict=True)):
            if name in (*_CONVOLUTIONS, "DEPTHWISE_CONV_2D"):
                self._fold([pad for code in ("PAD", "PADV2") for pad in self._chain(op.inputs[0], (code,))], index)
            if name == "ADD":
                for conv in (conv for i in op.inputs for code in _CONVOLUTIONS for conv in self._chain(i, (code,))):
                    self._fold([index], conv)
            self._fold_function(index)
            if name == "RESHAPE" and len(op.inputs):
                moved = list(self._chain(op.inputs[0], ("TRANSPOSE", "RESHAPE")))
                self._fold(moved if len(moved) == 2 else [], index)
            if len(op.inputs) == 2:
                for first, second in (op.inputs, op.inputs[::-1]):
                    if name == "MUL":
                        self._fold_gate(index, first, second)
                    if name == "SQUARED_DIFFERENCE":
                        self._fold_normalization(first, second)
        return self._folded

    def _fold(self, operators: Iterable[int], host: int) -> None:
        self._folded |= dict.fromkeys(operators, host)

    def _chain(self, tensor: int, names: Sequence[str]) -> Iterator[int]:
        """The operators of these names, each the only reader of the next one's result, that end in a tensor."""
        for name in names:
            index = self._writers.get(tensor)
            if index is None or self._uses[tensor] != 1 or self._names[index] != name:
                return
            yield index
            tensor = next((i for i in self._operators[index].inputs if i in self._computed), -1)

    def _fold_function(self, index: int) -> None:
        """Functions cost nothing behind what applies them; a sum does that for a convolution which adds it."""
        for code in _APPLIED_BY.get(self._names[index], ()):
            for host in self._chain(self._operators[index].inputs[0], (code,)):
                if code != "ADD" or host in self._folded or self._names[index] in _ACTIVATIONS:
                    self._fold([index], host)

    def _fold_gate(self, mul: int, x: int, gate: int) -> None:
        """SiLU and Mish are one function, which costs what its exponential does."""
        for names in (("LOGISTIC",), _MISH):
            found = list(self._chain(gate, names))
            if len(found) == len(names) and x in self._operators[found[-1]].inputs:
                self._fold([mul, *found[:-1]], found[-1])

    def _fold_normalization(self, x: int, mean: int) -> None:
        """Fold the operators that follow from a tensor and its mean alone into the last of them."""
        first = self._writers.get(mean)
        if first is None or self._names[first] != "MEAN" or list(self._operators[first].inputs[:1]) != [x]:
            return
        members = self._members_of_normalization(x, mean)
        *inner, last = members
        reads = Counter(tensor for index in members for tensor in self._operators[index].inputs)
        between = [tensor for index in (first, *inner) for tensor in self._operators[index].outputs]
        has_root = not {"RSQRT", "SQRT"}.isdisjoint(self._names[index] for index in members)
        if has_root and all(self._uses[tensor] == reads[tensor] for tensor in between):
            self._fold(inner, last)
            self._fold_views(x, self._uses[x] == reads[x] + 1, last)

    def _members_of_normalization(self, x: int, mean: int) -> list[int]:
        """The operators of which each reads nothing computed but x, its mean, and what follows from these."""
        terms, members = {mean}, []
        for index, (name, op) in enumerate(zip(self._names, self._operators, strict=True)):
            read = self._computed.intersection(op.inputs)
            if name in _OF_NORMS and read & terms and read <= {x, *terms}:
                members.append(index)
                terms.update(op.outputs)
        return members

    def _fold_views(self, x: int, x_is_inner: bool, last: int) -> None:
        """Fold the reshape before a normalization of x, if nothing else reads x, and the one behind it."""
        made = self._operators[last].outputs
        for index, (name, op) in enumerate(zip(self._names, self._operators, strict=True)):
            if name == "RESHAPE" and len(op.inputs):
                before = x_is_inner and x in op.outputs
                if before or (op.inputs[0] in made and self._uses[op.inputs[0]] == 1):
                    self._fold([index], last)
