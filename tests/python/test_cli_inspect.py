"""``mcpruner inspect``."""

import json

import pytest
from small_network import Files

from mcpruner.cli import main


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


def test_dense_file(files: Files, capsys: pytest.CaptureFixture) -> None:
    layers = {layer["name"]: layer for layer in inspect(files.dense, capsys)["layers"]}
    conv = layers["conv3"]
    assert (conv["operator"], conv["weights"], conv["value_type"]) == ("CONV_2D", [32, 3, 3, 32], "float32")
    assert conv["group_size"] is None and conv["num_patterns"] is None
    assert 0.2 < conv["density"] < 0.3
    assert conv["bytes"] == 32 * 3 * 3 * 32 * 4 + 32 * 4


def test_table_has_a_row_for_each_operator(files: Files, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", str(files.sparse)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["layer", "operator", "weights", "density"]
    assert any(line.startswith("conv3  ") and "32x3x3x32" in line for line in lines)
    assert lines[-1].endswith(f"{files.sparse.stat().st_size} bytes")
