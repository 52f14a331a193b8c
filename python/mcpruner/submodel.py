"""Variants of a ``.tflite`` for looking inside: another subgraph as the main one, inner outputs, one operator alone."""

from collections.abc import Iterable
from typing import Any

from mcpruner.converter.tflite.model import read_model, write_model


def entry_points(content: bytes) -> dict[int, str]:
    """Number and name of each subgraph that a caller can run: of the first one and of those with a signature."""
    signatures = read_model(content).signatureDefs or []
    named = {int(signature.subgraphIndex): bytes(signature.signatureKey or b"").decode() for signature in signatures}
    return dict(sorted({0: "main", **named}.items()))


def with_main(content: bytes, number: int) -> bytes:
    """The model with subgraph `number` in the first place, where interpreters run it without a signature's name."""
    if number == 0:
        return content
    model = read_model(content)
    graphs = model.subgraphs
    graphs[0], graphs[number] = graphs[number], graphs[0]
    places = {0: number, number: 0}
    for op in (op for graph in graphs for op in graph.operators):
        for options in (op.builtinOptions, op.builtinOptions2):
            _renumber(options, places)
    for signature in model.signatureDefs or []:
        signature.subgraphIndex = places.get(signature.subgraphIndex, signature.subgraphIndex)
    return write_model(model)


def _renumber(options: Any, places: dict[int, int]) -> None:
    """Give an operator's options the new numbers of subgraphs: ``bodySubgraphIndex`` and the like, and CALL's."""
    for field, value in vars(options).items() if options is not None else ():
        if field.endswith("SubgraphIndex") or field == "subgraph":
            setattr(options, field, places.get(value, value))


def expose(content: bytes, tensors: Iterable[int]) -> bytes:
    """The model with inner tensors (numbers in the first subgraph) as further outputs, after its own ones."""
    model = read_model(content)
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, *tensors]
    return write_model(model)


def extract(content: bytes, output: int) -> bytes:
    """Make a model of the one operator that computes a tensor: what it reads and is no constant becomes an input.

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
