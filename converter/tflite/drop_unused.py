"""Take out of a model what conversion left without a reader, so that the file shrinks.

    what expands constants or computes shapes, and copies  ->  tensors  ->  buffers  ->  operator codes

What nobody read before conversion either stays: somebody may look for it by its name. What conversion made and did
not need in the end (weights that were folded and then packed) goes as well. Everything that stays keeps its order;
signatures and metadata follow their tensors and buffers. Where metadata may count operators or tensors itself (what is
not in `_COUNTS_NOTHING`), these keep their numbers, and only the bytes of unread constants go.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mcpruner.converter.tflite.model import operator_name

# Conversion may leave these without a reader: they expand constants, compute shapes, or copy.
_REMOVABLE = {
    *("DEQUANTIZE", "DENSIFY", "TRANSPOSE", "RESHAPE", "TILE", "PAD", "PADV2", "MIRROR_PAD", "CONCATENATION"),
    *("SHAPE", "STRIDED_SLICE", "SLICE", "GATHER", "PACK", "CAST", "REDUCE_PROD", "MUL", "SQUEEZE", "EXPAND_DIMS"),
}
# Metadata that is known not to count operators or tensors: versions, TFLite Metadata, which goes by the order of
# inputs and outputs, and our own plan, which goes by weights.
_COUNTS_NOTHING = (
    b"min_runtime_version",
    b"TFLITE_METADATA",
    b"CONVERSION_METADATA",
    b"reduced_precision_support",
    b"LiteRtStamp",
    b"mcpruner",
)


@dataclass(frozen=True)
class Use:
    """What of a model has a reader.

    Attributes
    ----------
    tensors, read
        For each subgraph the numbers of its tensors that are read or written, and of those that are read.
    buffers, codes
        Numbers of the buffers and of the operator codes that are used.
    tensor_counts, buffer_count
        How many tensors each subgraph has, and how many buffers there are: what has a higher number later is new.
    """

    tensors: list[set[int]]
    read: list[set[int]]
    buffers: set[int]
    codes: set[int]
    tensor_counts: list[int]
    buffer_count: int

    @classmethod
    def of(cls, model: Any) -> "Use":
        """Find what has a reader in the model as it is now."""
        tensors = [_used_tensors(model, number) for number in range(len(model.subgraphs))]
        read = [_read_tensors(graph) for graph in model.subgraphs]
        codes = {op.opcodeIndex for graph in model.subgraphs for op in graph.operators}
        counts = [len(graph.tensors) for graph in model.subgraphs]
        return cls(tensors, read, _used_buffers(model), codes, counts, len(model.buffers))


def what_may_count(model: Any) -> str:
    """The name of metadata that may count operators or tensors; empty where there is none."""
    names = (entry.name for entry in model.metadata if entry.name not in _COUNTS_NOTHING)
    return next(((name or b"without a name").decode(errors="replace") for name in names), "")


def operators_may_go(model: Any) -> bool:
    """Whether operators and tensors may be renumbered: there is no metadata that may count them."""
    return not what_may_count(model)


def drop_unused(model: Any, before: Use) -> None:
    """Remove operators, tensors, buffers and operator codes that were in use `before` and are no more, in place."""
    may_go = operators_may_go(model)
    for number, graph in enumerate(model.subgraphs):
        drop_operators(model, graph, before.read[number])
        new = range(before.tensor_counts[number], len(graph.tensors))
        unread = before.tensors[number].union(new) - _used_tensors(model, number)
        if may_go:
            _drop_tensors(model, number, unread)
        else:
            for index in unread:
                graph.tensors[index].buffer = 0
    made = range(before.buffer_count, len(model.buffers))
    unread = before.buffers.union(made) - _used_buffers(model) - {0}  # buffer 0 is the empty one by convention
    for index in unread:
        model.buffers[index].data = None
    if may_go:
        _drop_buffers(model, unread)
    _drop_codes(model, before.codes)


def _read_tensors(graph: Any) -> set[int]:
    return {*graph.outputs, *(tensor for op in graph.operators for tensor in op.inputs)}


def _used_tensors(model: Any, number: int) -> set[int]:
    graph = model.subgraphs[number]
    used = {*graph.inputs, *graph.outputs}
    for op in graph.operators:
        used.update(op.inputs, op.outputs, _integers(op.intermediates))
    used.update(entry.tensorIndex for entry in _signature_entries(model, number))
    return used - {-1}


def _used_buffers(model: Any) -> set[int]:
    holders = [tensor for graph in model.subgraphs for tensor in graph.tensors] + model.metadata
    return {*(holder.buffer for holder in holders), *_integers(model.metadataBuffer)}


def _signature_entries(model: Any, number: int) -> list[Any]:
    signatures = [signature for signature in model.signatureDefs if signature.subgraphIndex == number]
    return [entry for signature in signatures for entry in signature.inputs + signature.outputs]


def _integers(vector: Any) -> list[int]:
    return [] if vector is None else [int(i) for i in vector]


def drop_operators(model: Any, graph: Any, read_before: set[int]) -> None:
    """Drop operators that nobody reads any more, in place, if they may go; tensors and buffers stay."""
    if not operators_may_go(model):
        return
    kept = []  # It goes from the last one back, since one may read another.
    read = set(graph.outputs)
    for op in reversed(graph.operators):
        unread = read.isdisjoint(op.outputs) and not read_before.isdisjoint(op.outputs)
        if operator_name(model, op) in _REMOVABLE and unread:
            continue
        read.update(op.inputs)
        kept.append(op)
    graph.operators = kept[::-1]


def _drop_tensors(model: Any, subgraph: int, unread: set[int]) -> None:
    graph = model.subgraphs[subgraph]
    number = _renumber(set(range(len(graph.tensors))) - unread)
    number[-1] = -1
    graph.tensors = [tensor for index, tensor in enumerate(graph.tensors) if index in number]
    graph.inputs, graph.outputs = ([number[i] for i in v] for v in (graph.inputs, graph.outputs))
    for op in graph.operators:
        op.inputs, op.outputs = ([number[i] for i in v] for v in (op.inputs, op.outputs))
        if op.intermediates is not None:
            op.intermediates = [number[int(i)] for i in op.intermediates]
    for entry in _signature_entries(model, subgraph):
        entry.tensorIndex = number[entry.tensorIndex]


def _drop_buffers(model: Any, unread: set[int]) -> None:
    number = _renumber(set(range(len(model.buffers))) - unread)
    model.buffers = [buffer for index, buffer in enumerate(model.buffers) if index in number]
    for holder in [tensor for graph in model.subgraphs for tensor in graph.tensors] + model.metadata:
        holder.buffer = number[holder.buffer]
    if model.metadataBuffer is not None:
        model.metadataBuffer = [number[i] for i in _integers(model.metadataBuffer) if i in number]


def _drop_codes(model: Any, before: set[int]) -> None:
    operators = [op for graph in model.subgraphs for op in graph.operators]
    unread = before - {op.opcodeIndex for op in operators}
    number = _renumber(set(range(len(model.operatorCodes))) - unread)
    model.operatorCodes = [code for index, code in enumerate(model.operatorCodes) if index in number]
    for op in operators:
        op.opcodeIndex = number[op.opcodeIndex]


def _renumber(used: Iterable[int]) -> dict[int, int]:
    return {old: new for new, old in enumerate(sorted(used))}
