"""What operators that compute with shapes make of them.

    SHAPE ─ STRIDED_SLICE, SLICE, GATHER ─ MUL, REDUCE_PROD, CAST ─ PACK, CONCATENATION, RESHAPE, ...

Shapes are vectors or scalars; of both the elements are kept in order, and the rank is the file's.
"""

from collections.abc import Callable
from typing import Any

from mcpruner.converter.tflite.model import INTEGERS, schema
from mcpruner.converter.tflite.sizes import KnownSizes, Sizes, product

Rule = Callable[[KnownSizes, Any], Sizes | None]


def computed_values(known: KnownSizes, op: Any, name: str) -> Sizes | None:
    """The elements of an operator's output, from those of its inputs; None where they are not known."""
    rule, inputs = VALUE_RULES.get(name, (None, 0))
    if rule is None or len(op.inputs) < inputs or min(op.inputs, default=-1) < 0 or len(op.outputs) != 1:
        return None
    output = known.graph.tensors[op.outputs[0]]
    return rule(known, op) if output.type in INTEGERS and len(output.shape) <= 1 else None


def _shape(known: KnownSizes, op: Any) -> Sizes | None:
    return known.shown(op.inputs[0])


def _same(known: KnownSizes, op: Any) -> Sizes | None:
    return known.values(op.inputs[0])


def _strided_slice(known: KnownSizes, op: Any) -> Sizes | None:
    options, values = op.builtinOptions, known.values(op.inputs[0])
    bounds = [known.numbers(tensor) for tensor in op.inputs[1:4]]
    if not isinstance(options, schema.StridedSliceOptionsT) or options.ellipsisMask or options.newAxisMask:
        return None
    if values is None or getattr(options, "offset", False) or any(b is None or len(b) != 1 for b in bounds):
        return None
    (begin,), (end,), (stride,) = bounds
    if known.rank(op.outputs[0]) != 1 - (options.shrinkAxisMask & 1):
        return None
    if options.shrinkAxisMask & 1:
        masked = options.beginMask & 1 or options.endMask & 1
        return (values[begin],) if not masked and -len(values) <= begin < len(values) else None
    if stride < 1:
        return None
    return values[None if options.beginMask & 1 else begin : None if options.endMask & 1 else end : stride]


def _slice(known: KnownSizes, op: Any) -> Sizes | None:
    values, begin, size = known.values(op.inputs[0]), known.numbers(op.inputs[1]), known.numbers(op.inputs[2])
    if values is None or begin is None or size is None or len(begin) != 1 or len(size) != 1 or begin[0] < 0:
        return None
    return values[begin[0] :][: None if size[0] < 0 else size[0]]


def _gather(known: KnownSizes, op: Any) -> Sizes | None:
    options, values, places = op.builtinOptions, known.values(op.inputs[0]), known.numbers(op.inputs[1])
    plain = options is None or (isinstance(options, schema.GatherOptionsT) and not (options.axis or options.batchDims))
    if not plain or values is None or places is None or not all(0 <= place < len(values) for place in places):
        return None
    return tuple(values[place] for place in places)


def _joined(rank: int) -> Rule:
    """PACK of scalars or CONCATENATION of vectors: both have nothing but the axis 0."""

    def rule(known: KnownSizes, op: Any) -> Sizes | None:
        parts = [known.values(tensor) if known.rank(tensor) == rank else None for tensor in op.inputs]
        return None if None in parts or _has_activation(op) else tuple(size for part in parts for size in part)

    return rule


def _product(known: KnownSizes, op: Any) -> Sizes | None:
    values = known.values(op.inputs[0])
    if values is None or known.rank(op.inputs[0]) != 1 or known.numbers(op.inputs[1]) not in ([0], [-1]):
        return None
    return (product(values),)


def _mul(known: KnownSizes, op: Any) -> Sizes | None:
    one, other = (known.values(tensor) for tensor in op.inputs[:2])
    if not one or not other or _has_activation(op) or (len(one) != len(other) and 1 not in (len(one), len(other))):
        return None
    count = max(len(one), len(other))
    pairs = zip(*(values * (count // len(values)) for values in (one, other)), strict=True)
    return tuple(product(pair) for pair in pairs)


def _has_activation(op: Any) -> bool:
    return bool(getattr(op.builtinOptions, "fusedActivationFunction", 0))


# To each name belong its rule and how many inputs it reads.
VALUE_RULES: dict[str, tuple[Rule, int]] = {
    "SHAPE": (_shape, 1),
    "CAST": (_same, 1),
    "RESHAPE": (_same, 1),
    "SQUEEZE": (_same, 1),
    "EXPAND_DIMS": (_same, 1),
    "STRIDED_SLICE": (_strided_slice, 4),
    "SLICE": (_slice, 3),
    "GATHER": (_gather, 2),
    "PACK": (_joined(0), 1),
    "CONCATENATION": (_joined(1), 1),
    "REDUCE_PROD": (_product, 2),
    "MUL": (_mul, 2),
}
