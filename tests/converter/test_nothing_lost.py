"""Conversion changes what it says that it changes, and nothing else of the file: compared field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from schema_objects import differences, full
from small_network import prunable, small_network
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.checked_schema import CheckedBytes, schema
from mcpruner.converter.tflite.densify import CONV
from mcpruner.converter.tflite.model import operator_name, read_model, write_model

pytestmark = pytest.mark.usefixtures("free_calls")

UNIONS = {"builtinOptions": schema.BuiltinOptions, "builtinOptions2": schema.BuiltinOptions2}


def read_again(model: Any) -> Any:
    data = CheckedBytes(write_model(model))
    again = schema.ModelT.InitFromPackedBuf(data)
    assert not data.has_unknown_fields() and data.end <= len(data) < data.end + 16
    return again


@pytest.mark.parametrize("member", [1, 2, 3])
def test_every_field_of_every_table_survives(member: int) -> None:
    model = full("ModelT", 1)
    (graph,) = model.subgraphs
    graph.tensors[0].quantization.details = None
    graph.tensors[0].quantization = full("QuantizationParametersT", member)
    graph.tensors[0].sparsity.dimMetadata = [full("DimensionMetadataT", member)]
    assert differences(model, read_again(model)) == []


@pytest.mark.parametrize("union", UNIONS)
def test_the_options_of_every_operator_survive(union: str) -> None:
    names = {number: name for name, number in vars(UNIONS[union]).items() if isinstance(number, int) and number}
    model = full("ModelT")
    for number, name in names.items():
        (op,) = model.subgraphs[0].operators
        setattr(op, f"{union}Type", number)
        setattr(op, union, full(f"{name}T"))
        assert differences(model, read_again(model)) == [], name


def test_differences_are_found() -> None:
    changed = full("ModelT")
    changed.subgraphs[0].operators[0].builtinOptions.strideW = 9
    assert differences(full("ModelT"), changed) == ["model.subgraphs[0].operators[0].builtinOptions.strideW: 1 and 9"]


def every_feature() -> tuple[TfliteBuilder, int]:
    """A prunable convolution amid what else a file may hold."""
    rng = np.random.default_rng(5)
    net = TfliteBuilder()
    net.constant(np.arange(5, dtype=np.int32), "nobody reads this")
    x = net.input((1, 8, 8, 16))
    net.graph.tensors[x].shapeSignature = [-1, 8, 8, 16]
    state = net.tensor((1, 8, 8, 32), "state")
    net.graph.tensors[state].isVariable = True
    y = net.conv(x, prunable(rng, (32, 3, 3, 16)), rng.standard_normal(32).astype(np.float32), name="conv")
    net.graph.tensors[y].quantization = full("QuantizationParametersT", 2)
    y = net.custom("Theirs", [y, -1, state], net.shape(y), bytes(range(256)), "custom")
    op = net.graph.operators[-1]
    op.mutatingVariableInputs, op.intermediates, op.debugMetadataIndex = [False, False, True], [state], 3
    quantized = net.constant(np.arange(32, dtype=np.int8), "quantized", scales=[0.5] * 32)
    net.graph.tensors[quantized].quantization.quantizedDimension = 0
    net.graph.tensors[net.constant(np.ones((2, 2), np.float32), "sparse")].sparsity = full("SparsityParametersT", 2)
    y = net.add(y, net.dequantize(quantized, "expanded"), name="sum")
    net.model.operatorCodes[-1].version = 4
    net.model.signatureDefs = [
        schema.SignatureDefT(
            signatureKey=b"serve",
            inputs=[schema.TensorMapT(name=b"image", tensorIndex=x)],
            outputs=[schema.TensorMapT(name=b"state", tensorIndex=state), schema.TensorMapT(name=b"y", tensorIndex=y)],
        ),
        schema.SignatureDefT(signatureKey=b"other", inputs=[], outputs=[], subgraphIndex=1),
    ]
    second = TfliteBuilder()
    second.model = net.model
    second.graph.outputs = [second.relu(second.input((3,), "x2"), "y2")]
    net.model.subgraphs.append(second.graph)
    return net, y


def add_metadata(net: TfliteBuilder, *names: bytes) -> None:
    net.model.metadata = []
    for name in names:
        net.model.buffers.append(schema.BufferT(data=np.frombuffer(b"of " + name, np.uint8)))
        net.model.metadata.append(schema.MetadataT(name=name, buffer=len(net.model.buffers) - 1))


def by_name(content: bytes) -> Any:
    """A model with tensors, buffers and codes in the place of their numbers."""
    model = read_model(content)
    for entry in model.metadata:
        entry.buffer = model.buffers[entry.buffer]
    for number, graph in enumerate(model.subgraphs):
        tensors = graph.tensors
        for tensor in tensors:
            tensor.buffer = model.buffers[tensor.buffer].data

        def named(numbers: Any, tensors: list[Any] = tensors) -> list[Any]:
            return [tensors[i].name if i >= 0 else None for i in ([] if numbers is None else numbers)]

        graph.inputs, graph.outputs = named(graph.inputs), named(graph.outputs)
        for op in graph.operators:
            op.inputs, op.outputs, op.intermediates = named(op.inputs), named(op.outputs), named(op.intermediates)
            op.opcodeIndex = model.operatorCodes[op.opcodeIndex]
        for signature in (s for s in model.signatureDefs if s.subgraphIndex == number):
            for entry in signature.inputs + signature.outputs:
                entry.tensorIndex = tensors[entry.tensorIndex].name
    model.buffers = []
    return model


def without_the_layer(model: Any) -> Any:
    """Less what packing the layer "conv" changes: its operator's code, options and constants."""
    graph = model.subgraphs[0]
    op = next(op for op in graph.operators if op.outputs == [b"conv"])
    gone = op.inputs[1:]
    graph.tensors = sorted((t for t in graph.tensors if t.name not in gone), key=lambda tensor: tensor.name)
    op.opcodeIndex = op.builtinOptions = op.customOptions = None
    op.inputs, op.builtinOptionsType = op.inputs[:1], 0
    model.operatorCodes = []
    return model


@pytest.mark.parametrize("metadata", [[b"min_runtime_version", b"TFLITE_METADATA"], [b"OfflineMemoryAllocation"], []])
def test_all_but_the_packed_layer_is_as_it_was(metadata: list[bytes]) -> None:
    net, y = every_feature()
    add_metadata(net, *metadata)
    dense = net.build([y])
    content, report = convert(dense)
    assert [layer.accelerated for layer in report.layers] == [True]
    before, after = by_name(dense), by_name(content)
    assert operator_name(read_model(content), read_model(content).subgraphs[0].operators[0]) == CONV
    assert [bytes(entry.buffer.data) for entry in after.metadata] == [b"of " + name for name in metadata]
    if (
        b"OfflineMemoryAllocation" in metadata
    ):  # tensors keep their numbers, constants that were packed lose their bytes
        names = [[tensor.name for tensor in model.subgraphs[0].tensors] for model in (before, after)]
        assert names[1][: len(names[0])] == names[0]
        constants = {tensor.name: tensor for tensor in after.subgraphs[0].tensors}
        for name in (b"conv/weights", b"conv/bias"):
            assert len(constants[name].buffer) == 0
            after.subgraphs[0].tensors.remove(constants[name])
    assert differences(without_the_layer(before), without_the_layer(after)) == []


def test_constants_are_aligned_to_sixteen_bytes() -> None:
    content, _ = convert(small_network())
    constants = [buffer.data for buffer in read_model(content).buffers if buffer.data is not None and len(buffer.data)]
    assert len(constants) >= 4
    assert {content.index(data.tobytes()) % 16 for data in constants} == {0}


@pytest.mark.parametrize(
    "table", ["Model", "SubGraph", "Tensor", "Operator", "Buffer", "Conv2DOptions", "OperatorCode"]
)
def test_fields_of_a_newer_schema_are_refused(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_model(small_network())
    made = getattr(schema, f"{table}Start")
    with monkeypatch.context() as patch:  # one field more than this schema has, and its value is no default

        def start(builder: Any) -> None:
            made(builder)
            builder.current_vtable.append(0)

        def end(builder: Any) -> int:
            builder.PrependUint32Slot(len(builder.current_vtable) - 1, 7, 0)
            return builder.EndObject()

        patch.setattr(schema, f"{table}Start", start)
        patch.setattr(schema, f"{table}End", end)
        content = write_model(model)
    x = np.ones((1, 13, 11, 16), np.float32)
    assert np.isfinite(run(content, x)[0]).all()  # a runtime reads over it
    with pytest.raises(ValueError, match="a field that this version of ai-edge-litert does not know"):
        read_model(content)
