"""Converted files that are valid and wrong."""

import numpy as np

from mcpruner.converter.format.serialize import deserialize, serialize
from mcpruner.converter.tflite.densify import CONV
from mcpruner.converter.tflite.model import operator_name, read_model, write_model


def change_one_weight(content: bytes, index: int, factor: float) -> bytes:
    """The file with one weight of its custom convolution number `index` multiplied by `factor`."""
    model = read_model(content)
    graph = model.subgraphs[0]
    op = [op for op in graph.operators if operator_name(model, op) == CONV][index]
    buffer = model.buffers[graph.tensors[op.inputs[1]].buffer]
    layer = deserialize(bytes(buffer.data))
    values = layer.values.copy()
    values[np.flatnonzero(values)[5]] *= np.float32(factor)
    layer.values = values
    buffer.data = np.frombuffer(serialize(layer, layer.value_type), np.uint8)
    return write_model(model)
