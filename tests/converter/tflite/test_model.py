"""Reading is safe on any bytes, and what is written is what was read."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from mutation import mutate
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.checked_schema import CheckedBytes, schema
from mcpruner.converter.tflite.model import (
    constant_array,
    constant_bytes,
    operator_code,
    operator_name,
    read_model,
    tensor_name,
    use_counts,
    write_model,
)

MUTATIONS = 1000


def small_net() -> TfliteBuilder:
    """PAD, convolution, float16 weights, mean and a dense layer; its output is the last tensor."""
    rng = np.random.default_rng(0)
    net = TfliteBuilder()
    x = net.pad(net.input((1, 6, 6, 3)), (1, 1, 1, 1))
    y = net.conv(x, rng.standard_normal((4, 3, 3, 3)).astype(np.float32), padding="VALID", name="scope/conv")
    half = net.constant(rng.standard_normal((4, 3, 3, 4)).astype(np.float16), "half")
    y = net.relu(net.conv(y, net.dequantize(half), net.constant(np.ones(4, np.float32)), activation="RELU6"))
    net.fully_connected(net.mean(y), rng.standard_normal((5, 4)).astype(np.float32), name="logits")
    return net


@pytest.fixture(scope="module")
def content() -> bytes:
    net = small_net()
    return net.build([len(net.graph.tensors) - 1])


def test_round_trip_computes_the_same(content: bytes) -> None:
    x = np.random.default_rng(1).standard_normal((2, 6, 6, 3)).astype(np.float32)
    written = write_model(read_model(content))
    np.testing.assert_array_equal(run(written, x)[0], run(content, x)[0])
    assert write_model(read_model(written)) == written


def test_buffers_are_aligned(content: bytes) -> None:
    written = write_model(read_model(content))
    model = read_model(written)
    whole = np.frombuffer(written, np.uint8)
    for buffer in model.buffers[1:]:
        data = bytes(buffer.data)
        offsets = [i for i in range(0, whole.size, 16) if written[i : i + len(data)] == data]
        assert offsets, "a buffer does not start at a multiple of 16"


def test_lists_are_normalized_and_names_readable(content: bytes) -> None:
    model = read_model(content)
    graph = model.subgraphs[0]
    assert graph.inputs == [0]
    conv = graph.operators[1]
    assert operator_name(model, conv) == "CONV_2D"
    assert conv.inputs == [2, 3, 4] and tensor_name(graph, conv.outputs[0]) == "scope/conv"
    assert graph.tensors[3].shape == [4, 3, 3, 3]
    assert operator_code(model, schema.BuiltinOperator.PAD) == 0
    assert operator_code(model, schema.BuiltinOperator.CUSTOM, b"Mine") == len(model.operatorCodes) - 1
    assert operator_code(model, schema.BuiltinOperator.CUSTOM, b"Mine") == len(model.operatorCodes) - 1


def test_custom_operators_cannot_pose_as_builtin_ones() -> None:
    net = small_net()
    net.model.operatorCodes[1] = schema.OperatorCodeT(
        builtinCode=schema.BuiltinOperator.CUSTOM, deprecatedBuiltinCode=32, customCode=b"CONV_2D"
    )
    model = read_model(net.build([0]))
    assert operator_name(model, model.subgraphs[0].operators[1]) == "CONV_2D (custom)"


@pytest.mark.parametrize(
    "data", [b"", b"TFL3", b"\x00" * 100, b"\x1c\x00\x00\x00TFL2" + b"\x00" * 64, b"PK\x03\x04" * 9]
)
def test_other_files_are_refused_by_their_identifier(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^This is not a .tflite file: bytes 4\.\.7 must be TFL3, got .*\.$"):
        read_model(data)


def test_every_truncation_is_refused(content: bytes) -> None:
    for size in range(8, len(content), 7):
        with pytest.raises(ValueError, match="damaged"):
            read_model(content[:size])


def test_random_mutations_are_refused_or_read(content: bytes) -> None:
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(MUTATIONS):
        try:
            write_model(read_model(mutate(content, rng)))
        except ValueError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)
    assert MUTATIONS // 4 < refused < MUTATIONS


def test_huge_vector_lengths_cost_nothing(content: bytes) -> None:
    """Every 4-byte word once replaced by a length that a list of could not be held in memory."""
    for offset in range(8, len(content) - 4, 4):
        data = content[:offset] + struct.pack("<I", 0x3FFFFFF0) + content[offset + 4 :]
        try:
            read_model(data)
        except ValueError as error:
            assert "\n" not in str(error)


def test_tables_that_overlap_are_refused() -> None:
    """A file whose subgraphs are all the same one with many tensors would unpack to its square."""
    net = TfliteBuilder()
    for _ in range(64):
        net.input((1,))
    net.model.subgraphs = [net.graph]
    plain = net.build([])
    data = CheckedBytes(plain)
    before = data.tables
    schema.ModelT.InitFromPackedBuf(data)
    used = before - data.tables
    data.tables = used
    schema.ModelT.InitFromPackedBuf(data)
    with pytest.raises(ValueError, match="overlap"):
        schema.ModelT.InitFromPackedBuf(data)


def _bad_index(net: TfliteBuilder) -> None:
    net.graph.operators[1].inputs[1] = 99


def _bad_output(net: TfliteBuilder) -> None:
    net.graph.operators[1].outputs = [-1]


def _bad_code(net: TfliteBuilder) -> None:
    net.graph.operators[0].opcodeIndex = 17


def _bad_buffer(net: TfliteBuilder) -> None:
    net.graph.tensors[3].buffer = 50


def _bad_shape(net: TfliteBuilder) -> None:
    net.graph.tensors[3].shape = [4, 3, 3, -3]


def _short_constant(net: TfliteBuilder) -> None:
    net.graph.tensors[3].shape = [4, 3, 3, 4]


def _written_twice(net: TfliteBuilder) -> None:
    net.graph.operators[1].outputs = list(net.graph.operators[0].outputs)


def _no_subgraph(net: TfliteBuilder) -> None:
    net.model.subgraphs = []


def _bad_signature(net: TfliteBuilder) -> None:
    net.model.signatureDefs = [schema.SignatureDefT(signatureKey=b"serve", subgraphIndex=3, inputs=[], outputs=[])]


def _bad_signature_tensor(net: TfliteBuilder) -> None:
    entry = schema.TensorMapT(name=b"x", tensorIndex=1000)
    net.model.signatureDefs = [schema.SignatureDefT(signatureKey=b"serve", inputs=[entry], outputs=[])]


def _bad_metadata(net: TfliteBuilder) -> None:
    net.model.metadata = [schema.MetadataT(name=b"note", buffer=1000)]


@pytest.mark.parametrize(
    "damage, what",
    [
        (_bad_index, "operator 1 of subgraph 0 reads a tensor that is not there"),
        (_bad_output, "operator 1 of subgraph 0 writes a tensor that is not there"),
        (_bad_code, "operator 0 of subgraph 0 has the code 17"),
        (_bad_buffer, "tensor 3 of subgraph 0 is in buffer 50"),
        (_bad_shape, r"tensor 3 of subgraph 0 has the shape \[4, 3, 3, -3\]"),
        (_short_constant, "tensor 3 of subgraph 0 needs 576 bytes and has 432"),
        (_written_twice, "operator 1 of subgraph 0 writes a tensor that is written before"),
        (_no_subgraph, "it has no subgraph"),
        (_bad_signature, "a signature has no subgraph"),
        (_bad_signature_tensor, "a signature names a tensor that is not there"),
        (_bad_metadata, "metadata is in a buffer that is not there"),
    ],
)
def test_meaning_is_checked(damage: Callable[[TfliteBuilder], None], what: str) -> None:
    net = small_net()
    damage(net)
    with pytest.raises(ValueError, match=f"^The .tflite file is damaged \\({what}"):
        read_model(net.build([0]))


def test_weights_in_files_of_their_own_are_refused() -> None:
    net = small_net()
    net.model.externalBufferGroups = [schema.ExternalBufferGroupT(name=b"weights.bin")]
    with pytest.raises(ValueError, match="keeps weights in files of their own"):
        read_model(net.build([0]))


def test_options_from_a_newer_schema_are_refused() -> None:
    net = small_net()
    net.graph.operators[0].builtinOptionsType = 250
    with pytest.raises(ValueError, match="operator 0 of subgraph 0 with options of type 250.*install a newer one"):
        read_model(net.build([0]))


def test_signatures_metadata_and_subgraphs_survive() -> None:
    net = small_net()
    entry = schema.TensorMapT(name=b"x", tensorIndex=0)
    net.model.signatureDefs = [schema.SignatureDefT(signatureKey=b"serve", inputs=[entry], outputs=[])]
    net.model.buffers.append(schema.BufferT(data=np.frombuffer(b"1.2.3", np.uint8)))
    net.model.metadata = [schema.MetadataT(name=b"min_runtime_version", buffer=len(net.model.buffers) - 1)]
    net.model.subgraphs.append(schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[], name=b"second"))
    model = read_model(write_model(read_model(net.build([0]))))
    assert [graph.name for graph in model.subgraphs] == [b"main", b"second"]
    assert model.signatureDefs[0].signatureKey == b"serve" and model.signatureDefs[0].inputs[0].name == b"x"
    assert bytes(model.buffers[model.metadata[0].buffer].data) == b"1.2.3"


def test_reads_are_counted_with_those_of_the_caller() -> None:
    net = TfliteBuilder()
    x = net.input((1, 4))
    y = net.operator("ADD", [x, x], (1, 4), schema.AddOptionsT())
    z = net.operator("ADD", [y, x], (1, 4), schema.AddOptionsT())
    (graph,) = read_model(net.build([y, z])).subgraphs
    assert [use_counts(graph)[tensor] for tensor in (x, y, z)] == [3, 2, 1]


def test_constants_are_read_in_their_shape_and_nothing_else_is() -> None:
    net, types = TfliteBuilder(), {schema.TensorType.INT32: np.int32}
    x, pads = net.input((1, 4)), np.arange(8, dtype=np.int32).reshape(4, 2)
    wanted, other = net.constant(pads), net.constant(np.ones(2, np.float32))
    model = read_model(net.build([x]))
    (graph,) = model.subgraphs
    np.testing.assert_array_equal(constant_array(model, graph, wanted, types), pads)
    assert [constant_array(model, graph, index, types) for index in (x, other, -1)] == [None] * 3
    assert constant_bytes(model, graph, wanted).tobytes() == pads.tobytes()
    assert len(constant_bytes(model, graph, x)) == 0
    graph.tensors[wanted].sparsity = schema.SparsityParametersT()
    assert constant_array(model, graph, wanted, types) is None
