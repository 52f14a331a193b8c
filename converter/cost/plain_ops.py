"""Operators without weights: how much work each has, in our plugin and in TFLite.

    elementwise   ADD, MUL, RELU, ...           output_bytes
    exponential   LOGISTIC, TANH, SOFTMAX, ...  output_bytes
    window        MAX_POOL_2D, ...              read_bytes: of each output element, its window
    reduction     MEAN, ...                     input_bytes
    copy          PAD, CONCATENATION, ...       output_bytes

`format/operators.inc` says which operator costs like what. One that it does not name costs like a copy in TFLite: much
less than any that it could part partitions by.
"""

from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import Amounts
from mcpruner.converter.format.operators_generated import OPERATORS

KINDS = ("elementwise", "exponential", "window", "reduction", "copy")


def is_taken(name: str) -> bool:
    """Whether the plugin takes an operator of TFLite's, by its name in the schema."""
    return name in OPERATORS


def plain_amounts(name: str, graph: Any, op: Any) -> tuple[Amounts, Amounts]:
    """Amounts of work of an operator without weights, in our plugin and in TFLite.

    Parameters
    ----------
    name
        Name of the operator in TFLite's schema.
    graph, op
        Subgraph and operator, as ``ModelT`` has them.
    """
    kind = OPERATORS.get(name, "copy")
    amount = amount_of(kind, _bytes(graph, op.inputs), _bytes(graph, op.outputs), _window(op))
    return Amounts(f"cpu {kind}", amount), Amounts(f"tflite {kind}", amount)


def amount_of(kind: str, input_bytes: int, output_bytes: int, window: int = 1) -> dict[str, float]:
    """Terms of an operator of one of `KINDS`; `window` is how many elements of the input each output element reads."""
    terms = {
        "window": {"read_bytes": output_bytes * window, "output_bytes": output_bytes},
        "reduction": {"input_bytes": input_bytes},
    }.get(kind, {"output_bytes": output_bytes})
    return {**terms, "layer": 1}


def _window(op: Any) -> int:
    options = op.builtinOptions
    return int(getattr(options, "filterHeight", 1) * getattr(options, "filterWidth", 1))


def _bytes(graph: Any, tensors: Any) -> int:
    """Bytes of the computed tensors among them, as float32; an open size counts as 1."""
    return sum(4 * int(np.prod([max(1, size) for size in graph.tensors[i].shape])) for i in tensors if i >= 0)
