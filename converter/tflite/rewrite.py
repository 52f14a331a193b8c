"""Replace the convolutions and dense layers of a model by packed custom operators, where that pays.

    x ─ CONV_2D(weights, bias) ─ y           ->   x ─ McprunerSparseConv2D(blob) ─ y
    x ─ FULLY_CONNECTED(weights, bias) ─ y   ->   x ─ McprunerSparseFullyConnected(blob) ─ y
    x ─ TRANSPOSE_CONV(shape, ...) ─ y       ->   x ─ McprunerSparseTransposeConv(blob) ─ y

The blob (format/sparse_pattern.fbs) is a constant UINT8 tensor, the options are the operator's custom options.
Operators keep their places, tensors their names. Equal blobs, as of signatures that share weights, are stored once.
Which layers are packed was decided before (`decide`).
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.format.grouped import expand_groups
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import pack, unpack
from mcpruner.converter.format.serialize import (
    SparseOptions,
    deserialize,
    filter_scales,
    round_values,
    serialize,
    serialize_options,
)
from mcpruner.converter.format.value_type import choose_value_type
from mcpruner.converter.tflite.decide import PACKED, Decision
from mcpruner.converter.tflite.dense_layer import DenseLayer, operands
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold_pad import fold_pad
from mcpruner.converter.tflite.model import add_constant, operator_code, producers, schema, tensor_name

VERSION = 1  # All custom operators are written with this version.

_CODES = {kind: name.encode() for name, kind in PACKED.items()}


@dataclass(frozen=True)
class PackedLayer:
    """What became of a layer that was packed.

    Attributes
    ----------
    num_patterns, stored_bytes
        Patterns in the blob's table, and bytes of the blob.
    why_float32
        A clause that says why the blob holds float32 values where others were asked for; empty if it holds what was
        asked for.
    """

    num_patterns: int
    stored_bytes: int
    why_float32: str


def rewrite(model: Any, decision: Decision, values: str, before: Use) -> dict[tuple[int, int], PackedLayer]:
    """Pack the layers of `model` (``ModelT``) as decided, in place.

    Parameters
    ----------
    decision
        What `decide` returned for this model as it is now; where nothing is to be packed, nothing changes.
    values
        How weights are stored: ``"float32"``, ``"float16"``, ``"int8"``, or ``"source"``, as the model has them.
    before
        What of the model had a reader before it was folded; what has none afterwards goes.

    Returns
    -------
    dict
        The numbers that subgraph and operator had, to what was packed.
    """
    if not decision.packs:
        return {}
    packed, stored = {}, {}
    for number, (graph, decided) in enumerate(zip(model.subgraphs, decision.graphs, strict=True)):
        operators = list(graph.operators)  # They keep the numbers that `decided` has.
        for each in decided.layers:
            if each.layer is not None:
                op = operators[each.index]
                packed[number, each.index] = _pack_layer(model, graph, op, each.layer, each.choice, values, stored)
    drop_unused(model, before)
    return packed


def _pack_layer(
    model: Any, graph: Any, op: Any, layer: DenseLayer, choice: Choice, values: str, stored: dict[bytes, int]
) -> PackedLayer:
    """Put a packed operator into the place of a layer's; `stored` has the buffers of blobs by their digests."""
    value_type, why_not = choose_value_type(layer.weights, layer.stored_type if values == "source" else values)
    blob, packed = _make_blob(layer, choice, value_type)
    place_blob(model, graph, op, layer, blob, packed, stored)
    return PackedLayer(len(packed.patterns), len(blob), why_not)


def place_blob(
    model: Any, graph: Any, op: Any, layer: DenseLayer, blob: bytes, packed: SparseLayer, stored: dict[bytes, int]
) -> None:
    """Turn a layer's operator into the custom one that reads a blob, in place.

    Parameters
    ----------
    model, graph, op
        The model, its subgraph and the operator in it.
    layer
        What `read_layer` found in it.
    blob, packed
        The layer, packed, and what is read back from that.
    stored
        The buffers of the blobs that were placed so far, by their digests; this one comes in.
    """
    options = layer.options
    if layer.kind == "Conv2D":
        options = fold_pad(model, graph, op, options, producers(graph))
    name = f"{tensor_name(graph, op.outputs[0])}/mcpruner"
    digest = sha256(blob).digest()
    constant = add_constant(model, graph, name, np.frombuffer(blob, np.uint8), stored.get(digest))
    stored[digest] = graph.tensors[constant].buffer
    _replace(model, op, layer.kind, constant, shown_options(options, packed))


def shown_options(options: SparseOptions, packed: SparseLayer) -> bytes:
    """The custom options of a packed layer's operator, with what tools show of the layer beside them."""
    shown: dict[str, float | str] = {
        "density": round(float(packed.density), 4),
        "group_size": int(packed.group_size),
        "num_patterns": len(packed.patterns),
        "value_type": packed.value_type,
    }
    return serialize_options(options, shown)


def _make_blob(layer: DenseLayer, choice: Choice, values: str) -> tuple[bytes, SparseLayer]:
    """The MCP1 blob, and what is read back from it, compared."""
    weights = expand_groups(layer.weights, layer.options.groups)
    # They are rounded first: what rounds to zero need not be stored, and the blob can be made again of what it holds.
    rounded = round_values(weights, values)
    packed = pack(rounded, choice.permutation, choice.group_size, layer.bias, layer.kind)
    packed.scales = filter_scales(weights)[choice.permutation] if values == "int8" else None
    blob = serialize(packed, values)
    read = deserialize(blob)
    same_bias = np.array_equal(_or_zeros(read.bias, read), _or_zeros(layer.bias, read))
    if not same_bias or not np.array_equal(unpack(read), rounded):
        raise RuntimeError(f"Layer {layer.name} does not survive packing; please report this with the model.")
    return blob, read


def _or_zeros(bias: np.ndarray | None, layer: Any) -> np.ndarray:
    return np.zeros(layer.out_channels, np.float32) if bias is None else bias


def _replace(model: Any, op: Any, kind: str, constant: int, options: bytes) -> None:
    op.opcodeIndex = operator_code(model, schema.BuiltinOperator.CUSTOM, _CODES[kind], VERSION)
    op.inputs = [operands(op, kind)[0], constant]
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.NONE, None
    op.customOptions = np.frombuffer(options, np.uint8)
    op.customOptionsFormat = schema.CustomOptionsFormat.FLEXBUFFERS
