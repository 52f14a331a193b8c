"""Sizes of tensors that are partly unknown until the model runs, and what a subgraph's file says of them.

A size is a number, or a number of times one unknown dimension. Two unknown sizes are equal where both are as many times
the same dimension of the same tensor. `infer_sizes` follows them through a subgraph.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mcpruner.converter.tflite.model import INTEGERS, constant_array, constant_bytes

MOST = 2**31 - 1  # No dimension of a tensor is larger: files have them as signed 32-bit numbers.
MOST_VALUES = 64  # No shape, axis or bound has more elements; larger constants are not looked into.


class Size(NamedTuple):
    """``factor``, or ``factor`` times the dimension (tensor, axis) that is ``unknown``."""

    factor: int
    unknown: tuple[int, int] | None = None


Sizes = tuple[Size | None, ...]  # None is a size of which nothing is known, not even that it equals itself elsewhere.


def product(sizes: Iterable[Size | None]) -> Size | None:
    """All sizes multiplied; None where more than one unknown or a None is among them, or no tensor is so large."""
    result = Size(1)
    for size in sizes:
        if size is None or (size.unknown and result.unknown):
            return None
        result = Size(result.factor * size.factor, result.unknown or size.unknown)
    return result if abs(result.factor) <= MOST else None


class KnownSizes:
    """What is known of a subgraph: sizes of tensors, and the elements of those that hold shapes.

    Parameters
    ----------
    model, graph
        The model and its subgraph.
    fixed
        Whether the first dimension of inputs is what the file says. Otherwise callers may resize it.
    """

    def __init__(self, model: Any, graph: Any, fixed: bool) -> None:
        self.model, self.graph, self._fixed = model, graph, fixed
        self._open = any(size < 0 for i in graph.inputs for size in list(_signature(graph.tensors[i]))[1:])
        self._signed = says_what_is_open(graph)
        self._sizes: dict[int, Sizes] = {}
        self._values: dict[int, Sizes] = {}

    def set_sizes(self, tensor: int, found: Sequence[Size | None] | None) -> None:
        """Keep the sizes that a tensor has by its operator; of what the operator does not tell, the file may know."""
        by_file = self._by_file(tensor)
        if found is not None and by_file is not None and len(found) == len(by_file):
            self._sizes[tensor] = tuple(mine or its for mine, its in zip(found, by_file, strict=True))

    def set_values(self, tensor: int, found: Sizes | None) -> None:
        """Keep the elements of a shape, if they are known."""
        if found is not None and len(found) <= MOST_VALUES:
            self._values[tensor] = found

    def sizes(self, tensor: int) -> Sizes | None:
        """The sizes of a tensor; None where not even their number is known."""
        return self._sizes[tensor] if tensor in self._sizes else self._by_file(tensor)

    def shown(self, tensor: int) -> Sizes | None:
        """As `sizes`, but a number counts only where the file says which sizes are open.

        Callers may resize the inputs of a file without signatures in every dimension, not in the first alone.
        """
        sizes = self.sizes(tensor)
        if sizes is None or self._fixed or self._signed or len(_signature(self.graph.tensors[tensor])) == len(sizes):
            return sizes
        return tuple(s if s and s.unknown else Size(1, (tensor, axis)) for axis, s in enumerate(sizes))

    def values(self, tensor: int) -> Sizes | None:
        """The elements of a tensor of integers, in order; None where they are not known."""
        if tensor in self._values:
            return self._values[tensor]
        numbers = self.numbers(tensor)
        return None if numbers is None else tuple(map(Size, numbers))

    def numbers(self, tensor: int) -> list[int] | None:
        """The elements of a constant of integers, in order; None for any other tensor."""
        if tensor < 0 or tensor in self.graph.inputs or self.graph.tensors[tensor].isVariable:
            return None
        if len(constant_bytes(self.model, self.graph, tensor)) > 8 * MOST_VALUES:
            return None
        constant = constant_array(self.model, self.graph, tensor, INTEGERS)
        return None if constant is None else constant.ravel().tolist()

    def rank(self, tensor: int) -> int:
        """The number of a tensor's dimensions, by the file."""
        return len(self.graph.tensors[tensor].shape)

    def _by_file(self, number: int) -> Sizes | None:
        """What the file says of a tensor. What is open has a size of its own, and so has the batch."""
        tensor = self.graph.tensors[number]
        if number not in self.graph.inputs and len(constant_bytes(self.model, self.graph, number)):
            return tuple(map(Size, tensor.shape))
        if not tensor.shape and not tensor.hasRank:
            return None
        given = _signature(tensor)
        if len(given) != len(tensor.shape):
            given = [-1] * len(tensor.shape) if self._open and not self._signed else tensor.shape
        batch_is_given = self._fixed or any(size < 0 for size in given[1:])
        return tuple(
            Size(int(size)) if size >= 0 and (axis > 0 or batch_is_given) else Size(1, (number, axis))
            for axis, size in enumerate(given)
        )


def says_what_is_open(graph: Any) -> bool:
    """Whether a subgraph's file has a signature for each tensor that has an open size, inner ones too.

    TensorFlow writes one for these and for no other tensor; old and other converters do so for inputs alone, if at all.
    """
    return any(len(_signature(graph.tensors[output])) for op in graph.operators for output in op.outputs)


def _signature(tensor: Any) -> Sequence[int]:
    """The sizes with -1 for those that are open; empty where the file does not say which are."""
    return [] if tensor.shapeSignature is None else tensor.shapeSignature
