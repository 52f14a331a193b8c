"""Operators without weights: how much work each has, in our plugin and in TFLite.

    elementwise   ADD, MUL, RELU, ...           output_bytes
    exponential   LOGISTIC, SOFTMAX, ...        output_bytes; L2_NORMALIZATION is no exponential, but takes as long
    window        MAX_POOL_2D, ...              read_bytes: of each output element, its window; in our plugin a column
                                                and then a row of it, since it reduces rows first
    reduction     MEAN, ...                     input_bytes
    copy          PAD, CONCATENATION, ...       output_bytes

`format/operators.inc` says which operator costs like what. One that it does not name costs like a copy in TFLite: much
less than any that it could part partitions by. Our micro-kernels run along rows of a channel, so there bytes count in
whole vectors: of an image that is 7 columns wide, as many as of one of 16 columns.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import VECTORS, Amounts
from mcpruner.converter.format.operators_generated import OPERATORS

KINDS = ("elementwise", "exponential", "window", "reduction", "copy")

Shape = Sequence[int]


def is_taken(name: str) -> bool:
    """Whether the plugin takes an operator of TFLite's, by its name in the schema."""
    return name in OPERATORS


def operator_amounts(name: str, graph: Any, op: Any, simd: str) -> tuple[Amounts, Amounts]:
    """Amounts of work of an operator without weights, in our plugin and in TFLite.

    Parameters
    ----------
    name
        Name of the operator in TFLite's schema.
    graph, op
        Subgraph and operator, as ``ModelT`` has them.
    simd
        Instruction set of the plugin, one of `VECTORS`.
    """
    options = op.builtinOptions
    window = int(getattr(options, "filterHeight", 1)), int(getattr(options, "filterWidth", 1))
    shapes = ([graph.tensors[i].shape for i in tensors if i >= 0] for tensors in (op.inputs, op.outputs))
    return plain_amounts(OPERATORS.get(name, "copy"), *shapes, window, simd)


def plain_amounts(
    kind: str, inputs: Sequence[Shape], outputs: Sequence[Shape], window: tuple[int, int], simd: str
) -> tuple[Amounts, Amounts]:
    """Amounts of work of an operator of one of `KINDS`, in our plugin and in TFLite.

    Parameters
    ----------
    kind
        What the operator costs like.
    inputs, outputs
        Shapes of what it reads and writes, NHWC.
    window
        Height and width of the window that each element of the output is made of, if it is of kind ``"window"``.
    simd
        Instruction set of the plugin, one of `VECTORS`.
    """
    found = []
    for runtime, lanes, reads in (("cpu", VECTORS[simd][0], sum(window)), ("tflite", 1, window[0] * window[1])):
        read, written = (sum(_bytes(shape, lanes) for shape in shapes) for shapes in (inputs, outputs))
        terms = {
            "window": {"read_bytes": written * reads, "output_bytes": written},
            "reduction": {"input_bytes": read},
        }.get(kind, {"output_bytes": written})
        found.append(Amounts(f"{runtime} {kind}", {**terms, "layer": 1}))
    return found[0], found[1]


def _bytes(shape: Shape, lanes: int) -> int:
    """Bytes of float32 elements whose rows count in whole vectors; an open size counts as 1."""
    sizes = [max(1, int(size)) for size in shape]
    width = sizes[-2] if len(sizes) > 2 else 1
    return 4 * int(np.prod(sizes, dtype=np.int64)) // width * (-(-width // lanes) * lanes)
