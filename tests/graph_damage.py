"""Damage with structure: ``.tflite`` files that are sound flatbuffers and unsound graphs.

`sample_models` builds small models with everything that the Python readers look into; `break_graph` changes a few
numbers, lists or tables of one. Unlike flipped bits (`mutation.py`), what comes out nearly always passes the reader of
the flatbuffer, so it is the meaning that must be checked.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from packing import pack_every_layer
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert

_EXTREMES = (-(2**31), -129, -2, -1, 0, 1, 2, 3, 7, 64, 127, 128, 255, 256, 65535, 65536, 2**31 - 1)


def _weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.standard_normal(shape) * (rng.random(shape) < 0.4)).astype(np.float32)


def _flatten(net: TfliteBuilder, x: int) -> int:
    """Keras' Flatten of a dynamic batch: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    zero, one = (net.constant(np.array([n], np.int32)) for n in (0, 1))
    shape = net.operator("SHAPE", [x], (4,), schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    options = schema.StridedSliceOptionsT(shrinkAxisMask=1)
    batch = net.operator("STRIDED_SLICE", [shape, zero, one, one], (), options)
    size = net.constant(np.array(int(np.prod(net.shape(x)[1:])), np.int32))
    packed = net.operator("PACK", [batch, size], (2,), schema.PackOptionsT(valuesCount=2))
    for tensor in (shape, batch, packed):
        net.graph.tensors[tensor].type = schema.TensorType.INT32
    return net.operator("RESHAPE", [x, packed], (1, int(np.prod(net.shape(x)[1:]))), schema.ReshapeOptionsT())


def _sparse_matrix(net: TfliteBuilder) -> int:
    """An 8 x 12 matrix in TFLite's sparse encoding, one value in each row."""
    number = net.constant(np.ones((8, 12), np.float32), "sparse")
    segments = schema.Int32VectorT(values=np.arange(9, dtype=np.int32))
    indices = schema.Int32VectorT(values=np.arange(8, dtype=np.int32))
    dense = schema.DimensionMetadataT(format=schema.DimensionType.DENSE, denseSize=8)
    rows = schema.DimensionMetadataT(format=schema.DimensionType.SPARSE_CSR)
    rows.arraySegmentsType = rows.arrayIndicesType = schema.SparseIndexVector.Int32Vector
    rows.arraySegments, rows.arrayIndices = segments, indices
    tensor = net.graph.tensors[number]
    tensor.sparsity = schema.SparsityParametersT(traversalOrder=[0, 1], dimMetadata=[dense, rows])
    net.model.buffers[tensor.buffer].data = np.ones(8, np.float32).view(np.uint8)
    return number


def _network(rng: np.random.Generator) -> bytes:
    net = TfliteBuilder()
    x = net.input((1, 6, 6, 4))
    y = net.conv(net.pad(x, (1, 1, 1, 1)), _weights(rng, 8, 3, 3, 4), np.ones(8, np.float32), padding="VALID", name="a")
    half = net.dequantize(net.constant(_weights(rng, 8, 1, 1, 8).astype(np.float16), "half"))
    y = net.add(net.conv(y, half, name="b"), y)
    y = net.depthwise_conv(y, _weights(rng, 1, 3, 3, 8), stride=(2, 2), name="c")
    for code, table in (("MUL", schema.MulOptionsT()), ("ADD", schema.AddOptionsT())):
        y = net.operator(code, [y, net.constant(np.full(8, 0.5, np.float32))], net.shape(y), table)
    z = net.fully_connected(_flatten(net, y), _weights(rng, 12, 72), name="d")
    z = net.fully_connected(z, net.densify(_sparse_matrix(net)), name="e")
    for shape in ((-1, 2, 4), (-1, 8)):
        z = net.operator("RESHAPE", [z, net.constant(np.array(shape, np.int32))], (1, *shape[1:]))
    order = net.constant(np.array([1, 0], np.int32))
    last = net.operator("TRANSPOSE", [net.constant(_weights(rng, 8, 5), "turned"), order], (5, 8))
    entry = schema.TensorMapT(name=b"x", tensorIndex=x)
    net.model.signatureDefs = [schema.SignatureDefT(signatureKey=b"serve", inputs=[entry], outputs=[])]
    net.model.buffers.append(schema.BufferT(data=np.frombuffer(b"1.2.3", np.uint8)))
    net.model.metadata = [schema.MetadataT(name=b"min_runtime_version", buffer=len(net.model.buffers) - 1)]
    net.graph.tensors[x].shapeSignature = [-1, 6, 6, 4]
    return net.build([net.fully_connected(z, last, name="f")])


def sample_models() -> list[bytes]:
    """A dense network, and the same packed."""
    content = _network(np.random.default_rng(1))
    with pack_every_layer():
        return [content, convert(content)[0]]


def _number(rng: np.random.Generator) -> int:
    return int(rng.choice(_EXTREMES)) if rng.random() < 0.6 else int(rng.integers(0, 30))


def _change_list(rng: np.random.Generator, values: list[int]) -> list[int] | None:
    """Cut off, emptied, gone, doubled, turned round, or with another number in it."""
    kind = rng.integers(7)
    if kind == 0:
        return values[: rng.integers(len(values) + 1)]
    if kind == 1:
        return None
    if kind == 2:
        return values + values[-1:]
    if kind == 3:
        return values[::-1]
    if kind == 4:
        return [*values, _number(rng)]
    if values:
        values[rng.integers(len(values))] = _number(rng)
    return values


def _change_table(rng: np.random.Generator, table: Any) -> None:
    """One field of a table: a number, a list, a name or a table below it."""
    fields = sorted(vars(table))
    if not fields:
        return
    name = fields[rng.integers(len(fields))]
    value = getattr(table, name)
    if isinstance(value, (bool, np.bool_)):
        setattr(table, name, not value)
    elif isinstance(value, (int, np.integer)):
        setattr(table, name, _number(rng))
    elif isinstance(value, (list, np.ndarray)) and (len(value) == 0 or isinstance(value[0], (int, np.integer))):
        changed = _change_list(rng, [int(v) for v in value])
        setattr(table, name, np.array(changed) if isinstance(value, np.ndarray) and changed is not None else changed)
    elif isinstance(value, list):
        kind = rng.integers(4)
        if kind == 0:
            rng.shuffle(value)
        elif kind == 1:
            del value[rng.integers(len(value))]
        elif kind == 2:
            value.append(value[rng.integers(len(value))])
        else:
            _change_table(rng, value[rng.integers(len(value))])
    elif isinstance(value, bytes):
        setattr(table, name, rng.choice([b"", b"\xff\xfe", b"CONV_2D", b"McprunerSparseConv2D", b"a;b/c/MatMul"]))
    elif value is not None and rng.random() < 0.7:
        _change_table(rng, value)
    else:
        setattr(table, name, None)


def _change_options(rng: np.random.Generator, op: Any) -> None:
    """The options of an operator: gone, or those of another one."""
    names = ("Conv2DOptions", "FullyConnectedOptions", "PackOptions", "ReshapeOptions", "AddOptions", "PadOptions")
    name = names[rng.integers(len(names))]
    keep = rng.random() < 0.5
    op.builtinOptions = getattr(schema, f"{name}T")() if keep else None
    op.builtinOptionsType = getattr(schema.BuiltinOptions, name) if keep else 0


def break_graph(content: bytes, rng: np.random.Generator) -> bytes | None:
    """The file with one to three things changed in it; None where the schema's writer cannot write that."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for _ in range(rng.integers(1, 4)):
        graph = model.subgraphs[0] if model.subgraphs else None
        kind = rng.integers(8)
        if kind == 0 or graph is None or not graph.operators or not graph.tensors:
            _change_table(rng, model)
        elif kind == 1:
            _change_table(rng, graph)
        elif kind in (2, 3):
            _change_table(rng, graph.tensors[rng.integers(len(graph.tensors))])
        elif kind == 4:
            _change_options(rng, graph.operators[rng.integers(len(graph.operators))])
        else:
            _change_table(rng, graph.operators[rng.integers(len(graph.operators))])
    builder = flatbuffers.Builder(1024)
    try:
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    except Exception:  # numbers out of a field's range, tables of the wrong kind: nothing that a file could hold
        return None
    return bytes(builder.Output())
