"""Fold an explicit PAD into the convolution behind it, where that is exact.

    x ─ PAD(zeros, H and W only) ─ CONV_2D(VALID)   ->   x ─ McprunerSparseConv2D(Explicit, pad_top, ...)

Exact means: the paddings are constants, the value is zero, nobody else reads the padded tensor.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mcpruner.converter.format.limits_generated import MAX_PAD
from mcpruner.converter.format.serialize import SparseOptions
from mcpruner.converter.tflite.drop_unused import operators_may_go
from mcpruner.converter.tflite.model import INTEGERS, constant_array, operator_name, schema, use_counts


def fold_pad(model: Any, graph: Any, op: Any, options: SparseOptions, writers: dict[int, Any]) -> SparseOptions:
    """Fold the PAD before a convolution into it, and return the options that the convolution then has.

    The PAD leaves the subgraph and `op` reads its input instead; where folding is not exact, nothing changes.

    Parameters
    ----------
    model, graph, op
        The model, its subgraph and the convolution in it.
    options
        The convolution's options so far.
    writers
        `model.producers` of the subgraph.
    """
    padded = op.inputs[0]
    pad = writers.get(padded)
    if options.padding != "Valid" or pad is None or not operators_may_go(model):
        return options
    pads = _zero_pads(model, graph, pad)
    if pads is None or use_counts(graph)[padded] != 1:
        return options
    op.inputs[0] = pad.inputs[0]
    graph.operators.remove(pad)
    (top, bottom), (left, right) = pads
    return replace(options, padding="Explicit", pad_top=top, pad_bottom=bottom, pad_left=left, pad_right=right)


def _zero_pads(model: Any, graph: Any, pad: Any) -> list[list[int]] | None:
    """[[top, bottom], [left, right]] of a PAD of zeros around rows and columns, else None."""
    name = operator_name(model, pad)
    if len(pad.inputs) != {"PAD": 2, "PADV2": 3}.get(name, -1) or min(pad.inputs) < 0:
        return None
    table = constant_array(model, graph, pad.inputs[1], INTEGERS)
    if table is None or table.shape != (4, 2) or table.min() < 0 or table.max() > MAX_PAD or table[[0, 3]].any():
        return None
    if name == "PADV2":
        value = constant_array(model, graph, pad.inputs[2], {schema.TensorType.FLOAT32: np.float32})
        if value is None or value.any():
            return None
    x = graph.tensors[pad.inputs[0]]
    if x.type != schema.TensorType.FLOAT32 or len(x.shape) != 4:
        return None
    return table[1:3].tolist()
