"""Make shapes constant that a runtime would compute, where they are the same for every batch.

    x ─ SHAPE ─ STRIDED_SLICE (batch) ─ PACK([batch, n]) ─ shape      ->   x ─ RESHAPE([-1, n]) ─ y
    x ───────────────────────────────── RESHAPE(shape) ─── y

TensorFlow writes such shapes where the batch is open: for Flatten, Reshape, UpSampling2D, a Dense of images. No
delegate takes what computes them, and one network would become many partitions.

A shape with one unknown size, the others being numbers, becomes -1 and these numbers, if their product is the number of
elements of what is reshaped: then -1 is that size, whatever it is. Any other computed integers become constants if all
of them are known. What computed them goes when nobody reads it any more (`drop_unused`).
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import INTEGERS, add_constant, operator_name, producers, schema, tensor_name
from mcpruner.converter.tflite.size_rules import reshaped
from mcpruner.converter.tflite.sizes import MOST, KnownSizes, Sizes
from mcpruner.converter.tflite.value_rules import VALUE_RULES

# What they read becomes the input of another subgraph, which may hold any value there.
_CALLS = ("IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE")


def fold_shapes(model: Any, graph: Any, known: KnownSizes) -> None:
    """Put constants in the place of all computed integers of a subgraph that are known, in place, as `fold` does."""
    writers = producers(graph)
    for op in graph.operators:
        name = operator_name(model, op)
        if name in _CALLS or not op.outputs:
            continue
        if name in VALUE_RULES and known.values(op.outputs[0]) is not None:
            continue  # Its readers are given constants themselves.
        for place, tensor in enumerate(op.inputs):
            numbers = _constant(known, op, name, place) if tensor in writers else None
            if numbers is not None:
                op.inputs[place] = _add_numbers(model, graph, op, tensor, numbers)
                if name == "RESHAPE":
                    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.NONE, None


def _constant(known: KnownSizes, op: Any, name: str, place: int) -> list[int] | None:
    """The numbers that an input can be replaced by; None where it stays computed."""
    values = known.values(op.inputs[place])
    if values is None or not all(size and abs(size.factor) <= MOST for size in values):
        return None
    if name == "RESHAPE" and place == 1:
        return _shape(known.sizes(op.inputs[0]), values)
    return None if any(size.unknown for size in values) else [size.factor for size in values]


def _shape(sizes: Sizes | None, shape: Sizes) -> list[int] | None:
    """A shape with -1 for the one size of it that is unknown, where it fits what is reshaped."""
    found = None if sizes is None else reshaped(sizes, shape)
    if found is None or sum(size.unknown is not None for size in found) > 1:
        return None
    return [-1 if size.unknown else size.factor for size in found]


def _add_numbers(model: Any, graph: Any, op: Any, tensor: int, numbers: list[int]) -> int:
    """A constant of the type and rank of a tensor."""
    old = graph.tensors[tensor]
    name = f"{tensor_name(graph, op.outputs[0])}/{tensor_name(graph, tensor).rpartition('/')[2]}"
    array = np.array(numbers, INTEGERS[old.type])
    return add_constant(model, graph, name, array if len(old.shape) else array.reshape(()))
