"""Give Keras' Flatten a constant shape, so that it need not part the layers around it.

    x ─ SHAPE ─ STRIDED_SLICE (batch) ─ PACK([batch, n]) ─ shape      ->   x ─ RESHAPE([-1, n]) ─ y
    x ───────────────────────────────── RESHAPE(shape) ─── y

A runtime computes such a shape while it runs, which no delegate takes: one network would become two partitions. Exact
means: n is the number of elements of one image of x, in the file.
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.drop_unused import operators_may_go
from mcpruner.converter.tflite.model import (
    add_constant,
    constant_array,
    operator_name,
    producers,
    schema,
    tensor_name,
    use_counts,
)


def fold_flatten(model: Any, graph: Any) -> None:
    """Make the shapes of all flattening RESHAPEs of a subgraph constant, in place; others stay as they are."""
    if not operators_may_go(model):
        return
    writers = producers(graph)
    for op in list(graph.operators):
        chain = _shape_chain(model, graph, op, writers)
        if chain is None:
            continue
        shape = np.array([-1, _image_elements(graph, op.inputs[0])], np.int32)
        name = f"{tensor_name(graph, op.outputs[0])}/shape"
        op.inputs = [op.inputs[0], add_constant(model, graph, name, shape)]
        op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.NONE, None
        _remove_unread(graph, chain)


def _shape_chain(model: Any, graph: Any, op: Any, writers: dict[int, Any]) -> list[Any] | None:
    """PACK, STRIDED_SLICE and SHAPE of a RESHAPE that flattens the images of its input; None for any other operator."""
    if operator_name(model, op) != "RESHAPE" or len(op.inputs) != 2:
        return None
    pack = writers.get(op.inputs[1])
    if pack is None or operator_name(model, pack) != "PACK" or len(pack.inputs) != 2:
        return None
    if not isinstance(pack.builtinOptions, schema.PackOptionsT) or pack.builtinOptions.axis != 0:
        return None
    batch = writers.get(pack.inputs[0])
    if batch is None or operator_name(model, batch) != "STRIDED_SLICE" or not _takes_first(model, graph, batch):
        return None
    shape = writers.get(batch.inputs[0])
    if shape is None or operator_name(model, shape) != "SHAPE" or shape.inputs[0] != op.inputs[0]:
        return None
    elements = _image_elements(graph, op.inputs[0])
    size = _integers(model, graph, pack.inputs[1])
    return [pack, batch, shape] if elements > 0 and size == [elements] else None


def _takes_first(model: Any, graph: Any, batch: Any) -> bool:
    """Whether a STRIDED_SLICE is ``shape[0]``."""
    options = batch.builtinOptions
    if not isinstance(options, schema.StridedSliceOptionsT) or len(batch.inputs) != 4:
        return False
    masks = (options.beginMask, options.endMask, options.ellipsisMask, options.newAxisMask)
    begin, end, stride = (_integers(model, graph, index) for index in batch.inputs[1:])
    return not any(masks) and options.shrinkAxisMask == 1 and (begin, end, stride) == ([0], [1], [1])


def _image_elements(graph: Any, index: int) -> int:
    """Elements of one image of a tensor; -1 where a dimension other than the first is open."""
    tensor = graph.tensors[index]
    signature = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    sizes = [int(size) for size in signature][1:]
    return int(np.prod(sizes)) if sizes and min(sizes) > 0 else -1


def _integers(model: Any, graph: Any, index: int) -> list[int] | None:
    values = constant_array(model, graph, index, {schema.TensorType.INT32: np.int32})
    return None if values is None else values.ravel().tolist()


def _remove_unread(graph: Any, chain: list[Any]) -> None:
    """Remove those operators of a chain, last first, that nobody reads any more."""
    for op in chain:
        counts = use_counts(graph)
        if not any(counts[output] for output in op.outputs):
            graph.operators.remove(op)
