"""Store the weights of layers that are packed already as other values, where the user asks for them.

    blob of float32 ── round_values, pack ──> blob of float16 or int8        rounded, as when a layer is packed
    blob of int8 or float16 ────────────────> blob of float32                the same numbers, in more bytes

Filter groups, permutation and bias stay. A layer that rounding would change too much keeps what it has, by the rule of
`choose_value_type`.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import unpack
from mcpruner.converter.format.plan import LayerPlan
from mcpruner.converter.format.serialize import filter_scales, round_values
from mcpruner.converter.format.value_type import choose_value_type
from mcpruner.converter.tflite.densify import packed_layers, read_packed
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.model import add_constant, constant_bytes, tensor_name
from mcpruner.converter.tflite.rewrite import shown_options

_NO_KEY = 0  # of a plan that is carried out at once, and never looked for


@dataclass(frozen=True)
class RestoredLayer:
    """What became of a packed layer whose values were to be others.

    Attributes
    ----------
    num_patterns, stored_bytes
        Patterns in the blob's table, and bytes of the blob.
    clause
        How its values are stored, and what they were or why they are not others.
    """

    num_patterns: int
    stored_bytes: int
    clause: str


def restore_values(
    model: Any, operators: Sequence[Sequence[Any]], values: str, fresh: AbstractSet[tuple[int, int]]
) -> dict[tuple[int, int], RestoredLayer]:
    """Store the packed layers of `model` (``ModelT``) as asked, in place.

    Parameters
    ----------
    operators
        For each subgraph its operators, by the numbers that the result has.
    values
        ``"float32"``, ``"float16"`` or ``"int8"``; nothing changes where it is ``"source"``.
    fresh
        Layers that this conversion packed, which are as they were asked for.

    Returns
    -------
    dict
        The numbers of subgraph and operator, to what became of each layer that was stored as something else.

    Raises
    ------
    ValueError
        A blob is damaged; the sentence names the layer.
    """
    if values == "source":
        return {}
    before, made, restored = Use.of(model), {}, {}
    for number, graph in enumerate(model.subgraphs):
        packed = {id(op) for op in packed_layers(model, graph)}
        for index, op in enumerate(operators[number]):
            if id(op) in packed and (number, index) not in fresh:
                layer, options = read_packed(model, graph, op)
                if layer.value_type == values:
                    continue
                key = sha256(constant_bytes(model, graph, op.inputs[1])).digest()
                if key not in made:
                    made[key] = _NewBlob(*_pack_again(layer, values))
                restored[number, index] = made[key].place(model, graph, op, options)
    drop_unused(model, before)
    return restored


def _pack_again(layer: SparseLayer, values: str) -> tuple[bytes, SparseLayer, str]:
    """The blob with other values, the layer in it, and a clause that says what was done, or why not."""
    weights = unpack(layer)
    value_type, why_not = choose_value_type(weights, values)
    if why_not:
        return b"", layer, f"still as {layer.value_type}, since {why_not}"
    scales = filter_scales(weights)[layer.permutation] if value_type == "int8" else None
    plan = LayerPlan(_NO_KEY, layer.group_size, layer.permutation, value_type, scales)
    blob, packed = plan.make_blob(round_values(weights, value_type), layer.bias, layer.kind)
    return blob, packed, f"stored as {value_type} instead of {layer.value_type}"


@dataclass
class _NewBlob:
    """What all layers of one blob get: a blob, or none where they keep theirs."""

    blob: bytes
    packed: SparseLayer
    clause: str
    buffer: int | None = None

    def place(self, model: Any, graph: Any, op: Any, options: Any) -> RestoredLayer:
        """Let an operator read the blob."""
        if self.blob:
            name = tensor_name(graph, op.inputs[1])
            constant = add_constant(model, graph, name, np.frombuffer(self.blob, np.uint8), self.buffer)
            self.buffer = graph.tensors[constant].buffer
            op.inputs = [op.inputs[0], constant]
            op.customOptions = np.frombuffer(shown_options(options, self.packed), np.uint8)
        stored_bytes = len(constant_bytes(model, graph, op.inputs[1]))
        return RestoredLayer(len(self.packed.patterns), stored_bytes, self.clause)
