"""Pack the layers of a file without custom operators as its plan says: the inverse of `portable`, without a search.

    x ─ CONV_2D(weights, bias) ─ y   ── key of the weights ──> plan ──>   x ─ McprunerSparseConv2D(blob) ─ y

Layers that no plan fits stay as they are, for `decide` to look at.
"""

from dataclasses import dataclass, field
from typing import Any

from mcpruner.converter.format.grouped import expand_groups
from mcpruner.converter.format.plan import LayerPlan, deserialize_plan
from mcpruner.converter.format.weights_key import weights_key
from mcpruner.converter.tflite.decide import KINDS
from mcpruner.converter.tflite.dense_layer import DenseLayer, StaysDense, operands, read_layer
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.model import operator_name, producers, read_model, write_model
from mcpruner.converter.tflite.portable import PLAN
from mcpruner.converter.tflite.rewrite import place_blob
from mcpruner.converter.tflite.runtime_version import write_version
from mcpruner.converter.tflite.weights import read_constant


@dataclass(frozen=True)
class PlannedLayer:
    """A layer that was packed by a plan.

    Attributes
    ----------
    op
        TFLite's name of its operator in the file.
    stored_bytes
        Bytes of weights and bias in the file.
    blob_bytes
        Bytes of the blob.
    value_type, group_size, num_patterns
        How it is packed.
    """

    op: str
    stored_bytes: int
    blob_bytes: int
    value_type: str
    group_size: int
    num_patterns: int


@dataclass
class PlannedFile:
    """What a file's plan was, and what came of it.

    Attributes
    ----------
    file_format
        ``"portable"`` or ``"dense"``; None where the file has no plan that can be read.
    layers
        The layers that were packed, by the numbers that subgraph and operator have in the file.
    numbers
        For each subgraph, the numbers that its operators have in the file.
    notes
        Sentences that say which plans were ignored, and why.
    """

    file_format: str | None = None
    layers: dict[tuple[int, int], PlannedLayer] = field(default_factory=dict)
    numbers: list[list[int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def packed_content(content: bytes) -> bytes:
    """A ``.tflite`` with its layers packed where it has plans for them; errors as of `read_model` and `read_layer`."""
    model = read_model(content)
    return write_model(model) if pack_by_plan(model).layers else content


def pack_by_plan(model: Any) -> PlannedFile:
    """Pack the layers of a model (``ModelT``) that it has plans for, in place, and take the plan out of it.

    Raises
    ------
    ValueError
        A layer is damaged.
    """
    numbers = [{id(op): i for i, op in enumerate(graph.operators)} for graph in model.subgraphs]
    found, before = PlannedFile(), Use.of(model)
    entries = [entry for entry in model.metadata if entry.name == PLAN]
    if entries:
        data = model.buffers[entries[0].buffer].data
        model.metadata = [entry for entry in model.metadata if entry.name != PLAN]
        _pack(model, b"" if data is None else bytes(bytearray(data)), found)
        drop_unused(model, before)
    found.numbers = [[of[id(op)] for op in graph.operators] for of, graph in zip(numbers, model.subgraphs, strict=True)]
    return found


def _pack(model: Any, data: bytes, found: PlannedFile) -> None:
    try:
        plan = deserialize_plan(data)
    except ValueError as error:
        found.notes.append(f"The plans in the file were ignored: {error}.")
        return
    found.file_format = plan.file_format
    if plan.min_runtime_version is not None:
        write_version(model, plan.min_runtime_version)
    plans, used = plan.by_key(), set()
    stored: dict[bytes, int] = {}
    for number, graph in enumerate(model.subgraphs):
        writers = producers(graph)
        for index, op in enumerate(list(graph.operators)):
            layer = _layer(model, graph, op, writers)
            key = None if layer is None else weights_key(layer.weights)
            if key in plans:
                used.add(key)
                of_key = plans[key]
                one = of_key.pop(0) if len(of_key) > 1 else of_key[0]
                _pack_layer(model, graph, op, layer, one, stored, found, (number, index))
    if lost := len(plans) - len(used):
        found.notes.append(f"{lost} of {len(plans)} plans in the file fit no layer: its weights were changed since.")


def _layer(model: Any, graph: Any, op: Any, writers: dict[int, Any]) -> DenseLayer | None:
    name = operator_name(model, op)
    if name not in KINDS:
        return None
    try:
        return read_layer(model, graph, op, KINDS[name], writers)
    except StaysDense:
        return None


def _pack_layer(
    model: Any,
    graph: Any,
    op: Any,
    layer: DenseLayer,
    plan: LayerPlan,
    stored: dict[bytes, int],
    found: PlannedFile,
    place: tuple[int, int],
) -> None:
    weights = expand_groups(layer.weights, layer.options.groups)
    try:
        blob, packed = plan.make_blob(weights, layer.bias, layer.kind)
    except ValueError as error:
        found.notes.append(f"The plan of layer {layer.name} was ignored: {error}.")
        return
    writers = producers(graph)
    constants = [i for i in operands(op, layer.kind)[1:] if i >= 0]
    size = sum(read_constant(model, graph, i, writers).stored_bytes for i in constants)
    found.layers[place] = PlannedLayer(
        operator_name(model, op), size, len(blob), plan.value_type, plan.group_size, len(packed.patterns)
    )
    place_blob(model, graph, op, layer, blob, packed, stored)
