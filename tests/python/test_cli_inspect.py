"""``mcpruner inspect``."""

import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from eager_costs import write_eager_costs
from small_network import Files, prunable
from tflite_builder import TfliteBuilder

from mcpruner.cli import main
from mcpruner.cli.inspect import describe
from mcpruner.converter.convert import convert

DENSE, SPARSE = schema.DimensionType.DENSE, schema.DimensionType.SPARSE_CSR


def _level(kind: int, denseSize: int = 0, segments: tuple = (), indices: tuple = ()) -> schema.DimensionMetadataT:
    level = schema.DimensionMetadataT(format=kind, denseSize=denseSize)
    if kind == SPARSE:
        level.arraySegmentsType = level.arrayIndicesType = schema.SparseIndexVector.Int32Vector
        level.arraySegments = schema.Int32VectorT(values=np.array(segments, np.int32))
        level.arrayIndices = schema.Int32VectorT(values=np.array(indices, np.int32))
    return level


def inspect(path: object, capsys: pytest.CaptureFixture) -> dict:
    assert main(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_converted_file(files: Files, capsys: pytest.CaptureFixture) -> None:
    found = inspect(files.sparse, capsys)
    assert found["bytes"] == files.sparse.stat().st_size
    layers = {layer["name"]: layer for layer in found["layers"]}
    conv = layers["conv3"]
    assert conv["operator"] == "McprunerSparseConv2D"
    assert conv["weights"] == [32, 3, 3, 32]
    assert conv["value_type"] == "float32"
    assert conv["group_size"] in (1, 2, 4, 8, 16)
    assert 0.2 < conv["density"] < 0.5
    assert 0 < conv["num_patterns"] <= 511
    assert 0 < conv["bytes"] < 32 * 3 * 3 * 32 * 4
    assert layers["mean"]["weights"] is None


def test_grouped_convolutions_are_what_they_were_before(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    net, weights = TfliteBuilder(), prunable(np.random.default_rng(0), (16, 3, 3, 8))
    dense = net.build([net.conv(net.input((1, 12, 12, 32)), weights)])
    packed, _ = convert(dense, calibration=write_eager_costs(tmp_path / "costs.json"))
    (found,), (was,) = describe(packed).layers, describe(dense).layers
    assert found["operator"] == "McprunerSparseConv2D"
    assert (found["weights"], found["density"]) == (was["weights"], was["density"]) == ([16, 3, 3, 8], was["density"])


def test_dense_file(files: Files, capsys: pytest.CaptureFixture) -> None:
    layers = {layer["name"]: layer for layer in inspect(files.dense, capsys)["layers"]}
    conv = layers["conv3"]
    assert (conv["operator"], conv["weights"], conv["value_type"]) == ("CONV_2D", [32, 3, 3, 32], "float32")
    assert conv["group_size"] is None and conv["num_patterns"] is None
    assert 0.2 < conv["density"] < 0.3
    assert conv["bytes"] == 32 * 3 * 3 * 32 * 4 + 32 * 4


def test_share_of_zeros_however_the_weights_are_stored() -> None:
    net = TfliteBuilder()
    weights = np.zeros((4, 8), np.float32)
    weights[:, :2] = 3
    x = net.input((1, 8))
    sparse = net.constant(weights, "sparse")
    net.graph.tensors[sparse].sparsity = schema.SparsityParametersT(
        traversalOrder=[0, 1],
        dimMetadata=[_level(DENSE, denseSize=4), _level(SPARSE, segments=[0, 2, 4, 6, 8], indices=[0, 1] * 4)],
    )
    net.model.buffers[net.graph.tensors[sparse].buffer].data = np.full(8, 3, np.float32).view(np.uint8)
    half = net.dequantize(net.constant(weights.astype(np.float16)))
    outputs = [net.fully_connected(x, w) for w in (weights, sparse, net.densify(sparse), half, net.input((4, 8), "w"))]
    found = [layer for layer in describe(net.build(outputs)).layers if layer["operator"] == "FULLY_CONNECTED"]
    assert [layer["density"] for layer in found] == [0.25, 0.25, 0.25, 0.25, None]
    assert [layer["value_type"] for layer in found] == ["float32", "float32", "float32", "float16", "float32"]
    assert {tuple(layer["weights"]) for layer in found} == {(4, 8)}


def test_an_operator_without_weights_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    net = TfliteBuilder()
    file = tmp_path / "broken.tflite"
    file.write_bytes(net.build([net.operator("CONV_2D", [net.input((1, 4, 4, 2))], (1, 4, 4, 2))]))
    assert main(["inspect", str(file)]) != 0
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    assert "operator 0 of subgraph 0, a CONV_2D, lacks one of its 2 inputs or its output" in printed.err


def test_table_has_a_row_for_each_operator(files: Files, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", str(files.sparse)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["layer", "operator", "weights", "density"]
    assert any(line.startswith("conv3  ") and "32x3x3x32" in line for line in lines)
    assert lines[-1].endswith(f"{files.sparse.stat().st_size} bytes")


@pytest.mark.parametrize("file_format", ["portable", "dense"])
def test_a_file_with_a_plan_shows_it(
    file_format: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    packed, path = inspect(files.sparse, capsys), tmp_path / "other.tflite"
    path.write_bytes(convert(files.sparse, format=file_format)[0])
    found = inspect(path, capsys)
    assert (packed["format"], found["format"], found["notes"]) == ("packed", file_format, [])
    before = {layer["name"]: layer for layer in packed["layers"] if layer["group_size"]}
    after = {layer["name"]: layer for layer in found["layers"] if layer["group_size"]}
    assert list(before) == list(after)
    for name, layer in after.items():
        assert {"CONV_2D", "FULLY_CONNECTED"} >= {layer["operator"]}
        same = ("num_patterns", "group_size", "value_type")
        assert [layer[key] for key in same] == [before[name][key] for key in same]
        assert np.prod(layer["weights"]) == np.prod(before[name]["weights"])
        assert layer["bytes"] > 0 and 0 < layer["density"] <= before[name]["density"]
    assert main(["inspect", str(path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"format {file_format}, a plan for {len(after)} layers: ")


def test_a_file_that_was_not_converted_says_so(files: Files, capsys: pytest.CaptureFixture) -> None:
    assert inspect(files.dense, capsys)["format"] is None
    assert main(["inspect", str(files.dense)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("not converted by mcpruner: ")
