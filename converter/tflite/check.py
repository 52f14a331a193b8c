"""What must hold in a ``ModelT`` before anything looks inside: indices in range, constants as large as their shape.

It is checked here once, so that no later stage needs to.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from mcpruner.converter.tflite.checked_schema import schema

# An element of each type has so many bytes. Types that are not here (strings, resources, 2- and 4-bit integers) have no
# fixed size.
_ITEM_SIZES = {
    "FLOAT32": 4, "FLOAT16": 2, "BFLOAT16": 2, "FLOAT64": 8, "INT32": 4, "UINT32": 4, "INT64": 8, "UINT64": 8,
    "INT16": 2, "UINT16": 2, "INT8": 1, "UINT8": 1, "BOOL": 1, "COMPLEX64": 8, "COMPLEX128": 16,
}  # fmt: skip
_SIZES = {getattr(schema.TensorType, name): size for name, size in _ITEM_SIZES.items()}
# An operator that the converter looks into must have so many inputs; further ones are optional. Each has an output.
_OPERANDS = {
    "CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3, "CONV_3D": 2, "DEQUANTIZE": 1,
    "DENSIFY": 1, "PAD": 2, "PADV2": 2, "RESHAPE": 1, "SHAPE": 1, "STRIDED_SLICE": 4, "PACK": 1,
}  # fmt: skip
_REQUIRED = {getattr(schema.BuiltinOperator, name): (name, count) for name, count in _OPERANDS.items()}


def check_model(model: Any) -> None:
    """Raise ValueError with one sentence unless indices are in range and constants are as large as their shape."""
    _expect(model.subgraphs, "it has no subgraph")
    _expect(None not in model.subgraphs + model.operatorCodes + model.buffers, "a table is missing")
    if model.externalBuffers or model.externalBufferGroups:
        raise ValueError("The .tflite keeps weights in files of their own; convert the model before it is split up.")
    for number, graph in enumerate(model.subgraphs):
        _check_graph(model, graph, f"subgraph {number}")
    _check_signatures(model)


def _expect(condition: Any, what: str) -> None:
    if not condition:
        raise ValueError(f"The .tflite file is damaged ({what}); get a new copy of it.")


def _in_range(indices: Iterable[int], size: int, optional: bool = False) -> bool:
    return all((-1 if optional else 0) <= index < size for index in indices)


def _check_graph(model: Any, graph: Any, where: str) -> None:
    count = len(graph.tensors)
    _expect(None not in graph.tensors + graph.operators, f"a table of {where} is missing")
    _expect(_in_range(graph.inputs + graph.outputs, count), f"an input or output of {where} is no tensor")
    for number, tensor in enumerate(graph.tensors):
        _check_tensor(model, tensor, f"tensor {number} of {where}")
    written = set(graph.inputs)
    for number, op in enumerate(graph.operators):
        name = f"operator {number} of {where}"
        _check_operator(model, op, count, name)
        _expect(written.isdisjoint(op.outputs), f"{name} writes a tensor that is written before")
        written.update(op.outputs)


def _check_tensor(model: Any, tensor: Any, name: str) -> None:
    _expect(tensor.buffer < len(model.buffers), f"{name} is in buffer {tensor.buffer} of {len(model.buffers)}")
    _expect(all(size >= 0 for size in tensor.shape), f"{name} has the shape {tensor.shape}")
    _check_blocks(tensor, name)
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.sparsity is not None or tensor.type not in _SIZES:
        return
    expected = int(np.prod([1, *tensor.shape], dtype=object)) * _SIZES[tensor.type]
    _expect(len(data) == expected, f"{name} needs {expected} bytes and has {len(data)}")


def _check_blocks(tensor: Any, name: str) -> None:
    """Refuse a sparse tensor that every runtime crashes on: it divides by the size of a block, and reads none there."""
    sparsity, rank = tensor.sparsity, len(tensor.shape)
    if sparsity is None or any(v is None for v in (sparsity.traversalOrder, sparsity.blockMap, sparsity.dimMetadata)):
        return
    blocks = range(rank, rank + len(sparsity.blockMap))
    for dim, level in zip(sparsity.traversalOrder, sparsity.dimMetadata, strict=False):
        if dim in blocks and level is not None and level.format != schema.DimensionType.DENSE:
            raise ValueError(
                f"The .tflite has a sparse tensor, {name}, whose block dimension {int(dim) - rank} is sparse itself, "
                "and every TFLite runtime crashes on it: write blocks as dense dimensions."
            )


def _check_operator(model: Any, op: Any, count: int, name: str) -> None:
    _expect(op.opcodeIndex < len(model.operatorCodes), f"{name} has the code {op.opcodeIndex}")
    _expect(_in_range(op.inputs, count, optional=True), f"{name} reads a tensor that is not there")
    _expect(_in_range(op.outputs, count), f"{name} writes a tensor that is not there")
    code = model.operatorCodes[op.opcodeIndex]
    builtin, needed = _REQUIRED.get(max(code.builtinCode, code.deprecatedBuiltinCode), ("", 0))
    if builtin:
        inputs = f"{name}, a {builtin}, lacks one of its {needed} inputs or its output"
        _expect(len(op.inputs) >= needed and min(op.inputs[:needed]) >= 0 and op.outputs, inputs)
    for kind, options in ((op.builtinOptionsType, op.builtinOptions), (op.builtinOptions2Type, op.builtinOptions2)):
        if kind and options is None:
            raise ValueError(
                f"The .tflite has an {name} with options of type {kind}, which this version of ai-edge-litert does "
                "not know and would lose; install a newer one."
            )


def _check_signatures(model: Any) -> None:
    for signature in model.signatureDefs:
        _expect(signature is not None and signature.subgraphIndex < len(model.subgraphs), "a signature has no subgraph")
        tensors = [entry.tensorIndex for entry in signature.inputs + signature.outputs]
        count = len(model.subgraphs[signature.subgraphIndex].tensors)
        _expect(_in_range(tensors, count), "a signature names a tensor that is not there")
    for entry in model.metadata:
        _expect(entry is not None and entry.buffer < len(model.buffers), "metadata is in a buffer that is not there")
