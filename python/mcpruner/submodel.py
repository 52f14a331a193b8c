"""Variants of a ``.tflite`` for looking inside: inner tensors as outputs, and one operator alone."""

from collections.abc import Iterable

from mcpruner.converter.tflite_model import read_model, write_model


def expose(content: bytes, tensors: Iterable[int]) -> bytes:
    """The model with inner tensors (numbers in the first subgraph) as further outputs, after its own ones."""
    model = read_model(content)
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, *tensors]
    return write_model(model)


def extract(content: bytes, output: int) -> bytes:
    """A model of the one operator that computes tensor `output`: what it reads and is no constant becomes an input.

    Parameters
    ----------
    content
        A ``.tflite`` file.
    output
        Number of a tensor in its first subgraph.
    """
    model = read_model(content)
    graph = model.subgraphs[0]
    op = next(op for op in graph.operators if output in op.outputs)
    kept = list(dict.fromkeys(i for i in [*op.inputs, *op.outputs] if i >= 0))
    number = {old: new for new, old in enumerate(kept)}
    buffers = [model.buffers[0]]
    graph.tensors = [graph.tensors[old] for old in kept]
    for tensor in graph.tensors:
        buffer = model.buffers[tensor.buffer]
        tensor.buffer = 0
        if buffer.data is not None and len(buffer.data):
            tensor.buffer = len(buffers)
            buffers.append(buffer)
    op.inputs = [number.get(i, -1) for i in op.inputs]
    op.outputs = [number[i] for i in op.outputs]
    graph.operators, graph.outputs = [op], op.outputs
    graph.inputs = [i for i in op.inputs if i >= 0 and graph.tensors[i].buffer == 0]
    model.subgraphs, model.buffers = [graph], buffers
    model.signatureDefs, model.metadata, model.metadataBuffer = [], [], []
    return write_model(model)
