"""Take out operators that only hand on what they read.

    x ─ RESHAPE ─ RESHAPE(shape) ─ y   ->   x ─ RESHAPE(shape) ─ y
    x ─ RESHAPE to its own shape ─ y   ->   x, read in the place of y
    the same: TRANSPOSE in order, PAD by nothing, CONCATENATION of one

What nobody reads then is left to `drop_unused`.
"""

from typing import Any

from mcpruner.converter.tflite.model import operator_name, producers, schema
from mcpruner.converter.tflite.sizes import KnownSizes

# Their elements mean the same whatever else a tensor says of itself, as quantized ones do not.
_PLAIN = (schema.TensorType.FLOAT32, schema.TensorType.INT32, schema.TensorType.INT64, schema.TensorType.BOOL)


def fold_copies(model: Any, graph: Any, known: KnownSizes) -> None:
    """Let each RESHAPE of a RESHAPE read what that one reads, and the readers of copies what was copied, in place.

    What nobody reads any more is left to `drop_unused`. Outputs of the subgraph stay as they are; `fold` has the rest.
    """
    writers = producers(graph)
    source: dict[int, int] = {}  # Of each copy, what it is a copy of.
    for op in graph.operators:
        op.inputs = [source.get(tensor, tensor) for tensor in op.inputs]
        if operator_name(model, op) == "RESHAPE":
            before = writers.get(op.inputs[0])
            if before is not None and operator_name(model, before) == "RESHAPE":
                op.inputs[0] = before.inputs[0]
        if _copies(model, graph, op, known):
            source[op.outputs[0]] = op.inputs[0]


def _copies(model: Any, graph: Any, op: Any, known: KnownSizes) -> bool:
    """Whether an operator's only output is its first input, and no output of the subgraph."""
    if len(op.outputs) != 1 or op.outputs[0] in graph.outputs or not op.inputs or min(op.inputs) < 0:
        return False
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if x.type != y.type or x.type not in _PLAIN or x.isVariable:
        return False
    name, numbers = operator_name(model, op), known.numbers(op.inputs[1]) if len(op.inputs) > 1 else None
    if name == "CONCATENATION":
        return len(op.inputs) == 1 and not getattr(op.builtinOptions, "fusedActivationFunction", 0)
    if numbers is None:
        return False
    if name == "RESHAPE":
        sizes = known.shown(op.inputs[0])
        return sizes is not None and None not in sizes and known.sizes(op.outputs[0]) == sizes
    if name == "TRANSPOSE":
        return numbers == list(range(len(numbers)))
    return name in ("PAD", "PADV2", "MIRROR_PAD") and not any(numbers)
