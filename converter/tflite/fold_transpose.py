"""Compute the TRANSPOSE of a constant while converting, so that no runtime does.

    weights ─ TRANSPOSE(order) ─ FULLY_CONNECTED   ->   transposed weights ─ FULLY_CONNECTED

The operator and its input go when nobody reads them any more (`drop_unused`).
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import add_constant, constant_array, operator_name, schema, tensor_name
from mcpruner.converter.tflite.sizes import KnownSizes

_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}


def fold_transpose(model: Any, graph: Any, known: KnownSizes) -> None:
    """Let the readers of transposed constants read a constant, in place, as `fold` does."""
    constants: dict[int, int] = {}
    for op in graph.operators:
        op.inputs = [constants.get(tensor, tensor) for tensor in op.inputs]
        if operator_name(model, op) == "TRANSPOSE" and len(op.inputs) == 2 and op.outputs[0] not in graph.outputs:
            array = _transposed(model, graph, op, known)
            if array is not None:
                name = tensor_name(graph, op.outputs[0]) + "/constant"
                constants[op.outputs[0]] = add_constant(model, graph, name, array)


def _transposed(model: Any, graph: Any, op: Any, known: KnownSizes) -> np.ndarray | None:
    x, order = op.inputs[0], known.numbers(op.inputs[1])
    if x < 0 or x in graph.inputs or graph.tensors[x].isVariable or order is None:
        return None
    array = constant_array(model, graph, x, _TYPES)
    return array.transpose(order) if array is not None and sorted(order) == list(range(array.ndim)) else None
