"""A converted model without custom operators: builtin ones, whose weights are sparse or plain tensors, and the plan.

    x ─ McprunerSparseConv2D(blob) ─ y   ->     sparse weights ─ DENSIFY ─┐
                                                               x ─ CONV_2D(bias) ─ y     format portable
                                                weights [─ DEQUANTIZE] ───┐
                                                               x ─ CONV_2D(bias) ─ y     format dense

Any runtime runs such a file. The plan (format/model_plan.fbs) goes into the model's metadata; by it `pack_by_plan`
packs the layers again as they were, and a plugin may.

Plain values of float16 blobs are float16 behind DEQUANTIZE. Sparse ones are float32: behind DENSIFY and DEQUANTIZE the
XNNPACK of TensorFlow 2.21 reads float16 weights before they are expanded, and so computes with whatever stands in that
memory. Values of int8 blobs are float32: LiteRT 2.3 refuses int8 weights of a float layer behind DENSIFY.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from mcpruner.converter.format.plan import LayerPlan, ModelPlan, serialize_plan
from mcpruner.converter.format.weights_key import weights_key
from mcpruner.converter.tflite.builtin_layer import make_builtin
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.densify import packed_layers, read_packed, weights_as_they_were
from mcpruner.converter.tflite.drop_unused import Use, drop_unused, what_may_count
from mcpruner.converter.tflite.model import (
    add_constant,
    constant_array,
    constant_bytes,
    operator_code,
    producers,
    schema,
    tensor_name,
)
from mcpruner.converter.tflite.runtime_version import raise_version, read_version
from mcpruner.converter.tflite.sparse_hint import why_plain
from mcpruner.converter.tflite.sparse_tensor import sparse_tensor

PLAN = b"mcpruner"  # what the metadata is called

_FLOATS = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}


@dataclass
class WrittenLayer:
    """How the file has a layer that was packed.

    Attributes
    ----------
    stored_bytes
        Bytes of weights, indices and bias.
    why_plain
        A clause that says why a portable file has plain weights; empty where it has sparse ones, and in a dense file.
    """

    stored_bytes: int
    why_plain: str = ""


@dataclass
class _Unpacked:
    """The tensors that stand for a blob in one subgraph, and the plan."""

    weights: int
    bias: int
    plan: LayerPlan


def write_builtin(model: Any, file_format: str) -> dict[int, WrittenLayer]:
    """Put builtin operators into the place of mcpruner's, and the plan into the metadata, in place.

    Parameters
    ----------
    model
        A model with packed layers (``ModelT``).
    file_format
        ``"portable"`` or ``"dense"``.

    Returns
    -------
    dict
        What became of each operator, by the `id` of it.

    Raises
    ------
    ValueError
        A blob is damaged, or the model has metadata that may count operators.
    """
    if counting := what_may_count(model):
        raise ValueError(
            f"The model has the metadata {counting!r}, which may count operators, and the format {file_format} needs "
            "further ones: remove it, or convert with --format packed."
        )
    version, before = read_version(model), Use.of(model)
    stored: dict[bytes, list[int]] = {}
    plans: list[LayerPlan] = []
    operators = [packed_layers(model, graph) for graph in model.subgraphs]
    for graph in model.subgraphs:
        plans += _unpack(model, graph, stored)
    drop_unused(model, before)
    before, written = Use.of(model), {}
    sparse: dict[int, tuple[int | None, Any, int]] = {}
    for graph, layers in zip(model.subgraphs, operators, strict=True):
        why = "" if file_format == "dense" else why_plain(model, graph)
        if file_format == "portable" and not why:
            written |= _make_sparse(model, graph, layers, sparse)
        else:
            written |= {id(op): WrittenLayer(_constant_bytes(model, graph, op), why) for op in layers}
    drop_unused(model, before)
    model.buffers.append(schema.BufferT(data=np.frombuffer(_plan(file_format, plans, version), np.uint8)))
    model.metadata.append(schema.MetadataT(name=PLAN, buffer=len(model.buffers) - 1))
    raise_version(model)
    return written


def _plan(file_format: str, layers: list[LayerPlan], version: str | None) -> bytes:
    return serialize_plan(ModelPlan(file_format, tuple(layers), version))


def _unpack(model: Any, graph: Any, stored: dict[bytes, list[int]]) -> list[LayerPlan]:
    """Put builtin operators with plain weights into a subgraph; `stored` has the buffers of each blob's constants."""
    operators, plans = [], []
    unpacked: dict[bytes, _Unpacked] = {}
    packed = {id(op) for op in packed_layers(model, graph)}
    for op in graph.operators:
        if id(op) not in packed:
            operators.append(op)
            continue
        blob = sha256(constant_bytes(model, graph, op.inputs[1])).digest()
        layer, options = read_packed(model, graph, op)
        if blob not in unpacked:
            weights = weights_as_they_were(layer, options, short_name(graph, op))
            plan = LayerPlan.of(layer, weights_key(weights), layer.bias is None and layer.kind != "FullyConnected")
            tensors, expand = _constants(model, graph, op, layer, weights, stored.setdefault(blob, []))
            unpacked[blob] = _Unpacked(*tensors, plan)
            operators += expand
        found = unpacked[blob]
        plans.append(found.plan)
        operators += make_builtin(model, graph, op, layer, options, found.weights, found.bias)
    graph.operators = operators
    return plans


def _constants(
    model: Any, graph: Any, op: Any, layer: Any, weights: np.ndarray, buffers: list[int]
) -> tuple[tuple[int, int], list[Any]]:
    """Tensors of a layer's weights and bias as float32, and the operators that expand them."""
    name = short_name(graph, op)
    if layer.kind == "FullyConnected":
        weights = weights.reshape(layer.out_channels, layer.in_channels)
    arrays = {"weights": weights.astype(np.float16 if layer.value_type == "float16" else np.float32)}
    if layer.bias is not None or layer.kind != "FullyConnected":
        arrays["bias"] = np.zeros(layer.out_channels, np.float32) if layer.bias is None else layer.bias
    given = iter(buffers or [None] * len(arrays))
    numbers = [add_constant(model, graph, f"{name}/{what}", array, next(given)) for what, array in arrays.items()]
    buffers[:] = [graph.tensors[number].buffer for number in numbers]
    bias = numbers[1] if len(numbers) == 2 else -1
    if layer.value_type != "float16":
        return (numbers[0], bias), []
    expand = _expand(model, graph, "DEQUANTIZE", numbers[0])
    return (expand.outputs[0], bias), [expand]


def _expand(model: Any, graph: Any, code: str, constant: int) -> Any:
    """An operator that expands a constant into a new float32 tensor."""
    name = f"{tensor_name(graph, constant)}/expanded".encode()
    shape = list(graph.tensors[constant].shape)
    graph.tensors.append(schema.TensorT(shape=shape, type=schema.TensorType.FLOAT32, buffer=0, name=name, hasRank=True))
    op = schema.OperatorT(inputs=[constant], outputs=[len(graph.tensors) - 1])
    _set_code(model, op, code)
    return op


def _set_code(model: Any, op: Any, code: str) -> None:
    """Let an operator be a DEQUANTIZE of float16, or a DENSIFY."""
    version, options = (3, schema.DequantizeOptionsT()) if code == "DEQUANTIZE" else (1, schema.DensifyOptionsT())
    op.opcodeIndex = operator_code(model, getattr(schema.BuiltinOperator, code), version=version)
    op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    op.builtinOptions = options


def _make_sparse(
    model: Any, graph: Any, layers: list[Any], sparse: dict[int, tuple[int | None, Any, int]]
) -> dict[int, WrittenLayer]:
    """Make the weights of a subgraph's layers sparse where they take fewer bytes so.

    `sparse` has for buffers of plain weights what `_sparse_buffer` made of them.
    """
    written, writers = {}, producers(graph)
    done: dict[int, tuple[int, int, str]] = {}
    for op in layers:
        weights = op.inputs[1]
        if weights not in done:
            done[weights] = _densify(model, graph, op, writers.get(weights), sparse)
        op.inputs[1], size, why = done[weights]
        bias = _bias(op)
        written[id(op)] = WrittenLayer(size + (len(constant_bytes(model, graph, bias)) if bias >= 0 else 0), why)
    return written


def _densify(
    model: Any, graph: Any, op: Any, dequantize: Any, sparse: dict[int, tuple[int | None, Any, int]]
) -> tuple[int, int, str]:
    """Put a sparse tensor and a DENSIFY into the place of a layer's plain weights and of their DEQUANTIZE.

    Returns the tensor that the layer reads then, the bytes of the constant, and why it is plain where it stays so.
    """
    constant = op.inputs[1] if dequantize is None else dequantize.inputs[0]
    tensor, plain = graph.tensors[constant], len(constant_bytes(model, graph, constant))
    if tensor.buffer not in sparse:
        sparse[tensor.buffer] = _sparse_buffer(model, graph, constant, plain)
    buffer, sparsity, size = sparse[tensor.buffer]
    if buffer is None:
        why = f"a sparse tensor would take {size} bytes, and the plain one takes {plain}"
        return op.inputs[1], plain, why if size else "all of its weights are zero, and a constant without bytes is none"
    tensor.buffer, tensor.sparsity, tensor.type = buffer, sparsity, schema.TensorType.FLOAT32
    if dequantize is not None:
        _set_code(model, dequantize, "DENSIFY")
        return op.inputs[1], size, ""
    expand = _expand(model, graph, "DENSIFY", constant)
    graph.operators.insert(next(i for i, other in enumerate(graph.operators) if other is op), expand)
    return expand.outputs[0], size, ""


def _sparse_buffer(model: Any, graph: Any, constant: int, plain: int) -> tuple[int | None, Any, int]:
    """A new buffer of what is not zero, the indices, and the bytes of both.

    There is no buffer where those bytes are not fewer, and none for weights that are all zero; then the bytes are 0.
    """
    weights = constant_array(model, graph, constant, _FLOATS).astype(np.float32)
    values, sparsity, size = sparse_tensor(weights)
    if values.size == 0:
        return None, None, 0
    if size >= plain:
        return None, None, size
    model.buffers.append(schema.BufferT(data=np.frombuffer(values.tobytes(), np.uint8)))
    return len(model.buffers) - 1, sparsity, size


def _constant_bytes(model: Any, graph: Any, op: Any) -> int:
    """Bytes of a layer's plain weights and bias in the file."""
    writers = producers(graph)
    stored = [writers[i].inputs[0] if i in writers else i for i in (op.inputs[1], _bias(op)) if i >= 0]
    return sum(len(constant_bytes(model, graph, i)) for i in stored)


def _bias(op: Any) -> int:
    return op.inputs[-1]  # of all that `make_builtin` makes
