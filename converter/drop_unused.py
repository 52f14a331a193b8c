"""Take out of a model what nobody reads any more, so that the file shrinks.

    DEQUANTIZE and DENSIFY of constants  ->  tensors  ->  buffers  ->  operator codes

Everything that stays keeps its order; signatures and metadata follow their tensors and buffers.
"""

from collections.abc import Iterable
from typing import Any

from mcpruner.converter.tflite_model import operator_name

_REMOVABLE = ("DEQUANTIZE", "DENSIFY")


def operators_may_go(model: Any) -> bool:
    """Whether operators can be removed: control dependencies in the metadata count them by number."""
    return all(entry.name != b"model_control_dependencies" for entry in model.metadata)


def drop_unused(model: Any) -> None:
    """Remove unread operators, tensors, buffers and operator codes, in place."""
    for number, graph in enumerate(model.subgraphs):
        if operators_may_go(model):
            _drop_operators(model, graph)
        _drop_tensors(model, graph, [s for s in model.signatureDefs if s.subgraphIndex == number])
    _drop_buffers(model)
    _drop_codes(model)


def _drop_operators(model: Any, graph: Any) -> None:
    """Expanders of constants that nobody reads; backwards, since one may read another."""
    kept = []
    read = set(graph.outputs)
    for op in reversed(graph.operators):
        if operator_name(model, op) in _REMOVABLE and read.isdisjoint(op.outputs):
            continue
        read.update(op.inputs)
        kept.append(op)
    graph.operators = kept[::-1]


def _drop_tensors(model: Any, graph: Any, signatures: list[Any]) -> None:
    used = {*graph.inputs, *graph.outputs}
    for op in graph.operators:
        used.update(op.inputs, op.outputs, map(int, op.intermediates if op.intermediates is not None else ()))
    entries = [entry for signature in signatures for entry in signature.inputs + signature.outputs]
    used.update(entry.tensorIndex for entry in entries)
    number = _renumber(used - {-1})
    number[-1] = -1
    graph.tensors = [tensor for index, tensor in enumerate(graph.tensors) if index in number]
    graph.inputs, graph.outputs = ([number[i] for i in v] for v in (graph.inputs, graph.outputs))
    for op in graph.operators:
        op.inputs, op.outputs = ([number[i] for i in v] for v in (op.inputs, op.outputs))
        if op.intermediates is not None:
            op.intermediates = [number[int(i)] for i in op.intermediates]
    for entry in entries:
        entry.tensorIndex = number[entry.tensorIndex]


def _drop_buffers(model: Any) -> None:
    """Buffer 0 stays: it is the empty one by convention."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    metadata = [] if model.metadataBuffer is None else [int(i) for i in model.metadataBuffer]
    used = {0, *(t.buffer for t in tensors), *(entry.buffer for entry in model.metadata), *metadata}
    number = _renumber(i for i in used if i < len(model.buffers))
    model.buffers = [buffer for index, buffer in enumerate(model.buffers) if index in number]
    for holder in [*tensors, *model.metadata]:
        holder.buffer = number[holder.buffer]
    if metadata:
        model.metadataBuffer = [number[i] for i in metadata if i in number]


def _drop_codes(model: Any) -> None:
    operators = [op for graph in model.subgraphs for op in graph.operators]
    number = _renumber({op.opcodeIndex for op in operators})
    model.operatorCodes = [code for index, code in enumerate(model.operatorCodes) if index in number]
    for op in operators:
        op.opcodeIndex = number[op.opcodeIndex]


def _renumber(used: Iterable[int]) -> dict[int, int]:
    return {old: new for new, old in enumerate(sorted(used))}
