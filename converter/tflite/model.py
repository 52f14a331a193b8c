"""Read, check and write a ``.tflite`` file as the objects of TFLite's schema, without TensorFlow.

    bytes ── read_model ──> ModelT (every index inside it is valid) ── write_model ──> bytes (buffers 16-byte aligned)

What stands behind the flatbuffer comes along: constants (outside.py) and an archive (archive.py), which the model
carries in an attribute `behind`, (bytes, where they began).

The schema is TFLite's own, from ai-edge-litert. After `read_model`, lists of indices and shapes are lists of int, and
names are bytes, as the schema has them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np

from mcpruner.converter.tflite.archive import carry
from mcpruner.converter.tflite.check import check_model
from mcpruner.converter.tflite.checked_schema import CheckedBytes, schema
from mcpruner.converter.tflite.outside import bring_in, pack_outside

__all__ = [
    "INTEGERS",
    "add_constant",
    "constant_array",
    "constant_bytes",
    "operator_code",
    "operator_name",
    "producers",
    "read_model",
    "schema",
    "tensor_name",
    "type_name",
    "use_counts",
    "write_model",
]

IDENTIFIER = b"TFL3"
MAX_BYTES = 2**31 - 1  # The offsets of a flatbuffer are signed 32-bit numbers.
# Buffers begin at multiples of it, as TFLite's C++ writer has them; the delegate may rely on that.
ALIGNMENT = 16

# Shapes, axes and bounds are of these types; `constant_array` takes the table.
INTEGERS = {schema.TensorType.INT32: np.int32, schema.TensorType.INT64: np.int64}

_BUILTIN_NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
_TYPE_NAMES = {v: k for k, v in vars(schema.TensorType).items() if isinstance(v, int)}


def read_model(content: bytes) -> Any:
    """Read the model in a ``.tflite`` file, as ``ModelT``.

    Parameters
    ----------
    content
        The file's bytes; any byte string is safe to pass.

    Raises
    ------
    ValueError
        The bytes are no ``.tflite``, are damaged, or have features that would be lost when the model is written again;
        the message is one sentence.
    """
    if len(content) < 8 or bytes(content[4:8]) != IDENTIFIER:
        raise ValueError(
            f"This is not a .tflite file: bytes 4..7 must be {IDENTIFIER.decode()}, got "
            f"{bytes(content[4:8])!r} ({len(content)} bytes in all)."
        )
    try:
        checked = CheckedBytes(memoryview(content)[:MAX_BYTES])
        model = schema.ModelT.InitFromPackedBuf(checked)
        _normalize(model)
        end = max(checked.end, bring_in(model, content))
    except Exception as error:  # the generated reader fails in many ways on damaged input
        detail = str(error) if isinstance(error, ValueError) else "an offset points outside of it"
        raise ValueError(f"The .tflite file is damaged ({detail}); get a new copy of it.") from error
    check_model(model)
    if checked.has_unknown_fields():
        raise ValueError(
            "The .tflite has a field that this version of ai-edge-litert does not know and would lose; install a newer "
            "one."
        )
    model.behind = content[end:], end
    return model


def _normalize(model: Any) -> None:
    """Absent vectors become empty, and index vectors lists of int."""
    for name in ("operatorCodes", "subgraphs", "buffers", "metadata", "signatureDefs"):
        if getattr(model, name) is None:
            setattr(model, name, [])
    for graph in model.subgraphs:
        graph.tensors, graph.operators = graph.tensors or [], graph.operators or []
        graph.inputs, graph.outputs = _integers(graph.inputs), _integers(graph.outputs)
        for tensor in graph.tensors:
            tensor.shape = _integers(tensor.shape)
        for op in graph.operators:
            op.inputs, op.outputs = _integers(op.inputs), _integers(op.outputs)
    for signature in model.signatureDefs:
        signature.inputs, signature.outputs = signature.inputs or [], signature.outputs or []


def _integers(vector: Any) -> list[int]:
    return [] if vector is None else [int(i) for i in vector]


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns byte vectors, since Python's builder ignores the schema's force_align, and copies them only once."""

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        if x.dtype != np.uint8:
            return super().CreateNumpyVector(x)
        self.Prep(ALIGNMENT, x.size)  # the data's first byte; its length stands in the 4 bytes before
        self.StartVector(1, x.size, 1)
        self.head = self.Head() - x.size
        np.frombuffer(self.Bytes, np.uint8)[self.head : self.head + x.size] = x.ravel()
        return self.EndVector()


def write_model(model: Any) -> bytes:
    """The bytes of a ``.tflite`` file, with what stood behind the one that was read.

    Raises
    ------
    ValueError
        What stood there cannot be carried over, or even without its constants the flatbuffer would exceed 2 GB.
    """
    inside = _bytes_inside(model) <= MAX_BYTES - (1 << 20)
    content = _pack(model) if inside else pack_outside(model, _pack, ALIGNMENT)
    return content + carry(*getattr(model, "behind", (b"", 0)), len(content))


def _bytes_inside(model: Any) -> int:
    options = [op.customOptions for graph in model.subgraphs for op in graph.operators]
    return sum(len(data) for data in [*options, *(buffer.data for buffer in model.buffers)] if data is not None)


def _pack(model: Any) -> bytes:
    """The flatbuffer alone."""
    size = _bytes_inside(model)
    if size > MAX_BYTES - (1 << 20):
        raise ValueError(f"The .tflite would have a flatbuffer of {size} bytes; one holds at most {MAX_BYTES}.")
    builder = _AlignedBuilder(size + (1 << 16))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])  # `Output` would make one more copy of it.


def operator_name(model: Any, op: Any) -> str:
    """``CONV_2D`` and so on; of a custom operator its own name."""
    code = model.operatorCodes[op.opcodeIndex]
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    if builtin != schema.BuiltinOperator.CUSTOM:
        return _BUILTIN_NAMES.get(builtin, f"BUILTIN_{builtin}")
    custom = (code.customCode or b"").decode(errors="replace")
    return f"{custom} (custom)" if custom in vars(schema.BuiltinOperator) else custom


def operator_code(model: Any, builtin: int, custom: bytes | None = None, version: int = 1) -> int:
    """Index of an operator code, appended if the model has none like it."""
    deprecated = min(builtin, 127)  # what readers from before 2020 look at
    for index, code in enumerate(model.operatorCodes):
        found = max(code.builtinCode, code.deprecatedBuiltinCode)
        if (found, code.customCode, code.version) == (builtin, custom, version):
            return index
    model.operatorCodes.append(
        schema.OperatorCodeT(builtinCode=builtin, deprecatedBuiltinCode=deprecated, customCode=custom, version=version)
    )
    return len(model.operatorCodes) - 1


def tensor_name(graph: Any, index: int) -> str:
    """Name of a tensor as text, its number where it has none."""
    return (graph.tensors[index].name or b"").decode(errors="replace") or f"tensor {index}"


def type_name(tensor: Any) -> str:
    """``float32`` and so on."""
    return _TYPE_NAMES.get(tensor.type, f"type {tensor.type}").lower()


def producers(graph: Any) -> dict[int, Any]:
    """The operator that computes each computed tensor."""
    return {output: op for op in graph.operators for output in op.outputs}


def use_counts(graph: Any) -> Counter[int]:
    """How often each tensor is read, by operators and as an output of the subgraph."""
    counts = Counter(graph.outputs)
    for op in graph.operators:
        counts.update(op.inputs)
    return counts


def constant_bytes(model: Any, graph: Any, index: int) -> np.ndarray:
    """What the file holds of a tensor, uint8; empty where the tensor is computed or given."""
    data = model.buffers[graph.tensors[index].buffer].data
    return np.zeros(0, np.uint8) if data is None else np.asarray(data, np.uint8)


def constant_array(model: Any, graph: Any, index: int, types: Mapping[int, type]) -> np.ndarray | None:
    """The values of a dense constant of one of these types, in its shape; None for anything else, an absent input too.

    Parameters
    ----------
    types
        TFLite's ``TensorType`` to NumPy's.
    """
    tensor = graph.tensors[index]
    data = constant_bytes(model, graph, index)
    if index < 0 or tensor.type not in types or len(data) == 0 or tensor.sparsity is not None:
        return None
    return data.view(types[tensor.type]).reshape(tensor.shape)


def add_constant(model: Any, graph: Any, name: str, array: np.ndarray, buffer: int | None = None) -> int:
    """Append a constant tensor (float32, int32 or uint8), in a new buffer or in one that holds the same; its number."""
    if buffer is None:
        buffer = len(model.buffers)
        model.buffers.append(schema.BufferT(data=np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)))
    kind = getattr(schema.TensorType, array.dtype.name.upper())
    tensor = schema.TensorT(shape=list(array.shape), type=kind, buffer=buffer, name=name.encode())
    tensor.hasRank = True
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
