"""``mcpruner verify``."""

import json
from pathlib import Path

import numpy as np
import pytest
from corruption import change_one_weight
from eager_costs import write_eager_costs
from small_network import Files, prunable
from tflite_builder import TfliteBuilder

from mcpruner.cli import main


def test_equal_files_exit_0(files: Files, capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", str(files.sparse), "--against", str(files.dense), "--all-layers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["classifier", "conv1", "conv2", "conv3", "add", "mean"]
    assert lines[-1].startswith("equal: largest error ") and lines[-1].count("tolerance 1e-04") == 2


def test_corrupted_weight_exits_1(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    corrupted = tmp_path / "corrupted.tflite"
    corrupted.write_bytes(change_one_weight(files.sparse.read_bytes(), 1, -1.0))
    assert main(["verify", str(corrupted), "--against", str(files.dense)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("conv2: 1 of 1024 weights differ, by up to ")
    assert lines[-1].startswith("NOT equal: ")
    assert main(["verify", str(corrupted), "--against", str(files.dense), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_inputs_threads_backend_and_json(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    np.save(tmp_path / "x.npy", np.ones((4, 13, 11, 16), np.float32))
    options = [
        "--inputs",
        str(tmp_path / "x.npy"),
        "--batch",
        "3",
        "--threads",
        "2",
        "--backend",
        "reference",
        "--json",
    ]
    assert main(["verify", str(files.sparse), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["against"], found["ok"]) == (str(files.sparse), None, True)
    assert found["largest_error"] < found["tolerance"] == 1e-4


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ([], "has open sizes, [-1, -1, -1, 16]: give its shape"),
        (["x=1,9,7"], "got [1, 9, 7]: give one that fits"),
        (["y=1,9,7,16"], "There is a shape for 'y'; the model's inputs are x."),
        (["x=1,9,7,16", "x=1,9,7,16"], "several shapes for one input"),
        (["1,9,7,16"], ""),
        (["x=2,9,7,16"], ""),
    ],
)
@pytest.mark.parametrize("command", ["verify", "benchmark"])
def test_open_sizes_are_given(
    command: str, shape: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    net, rng = TfliteBuilder(), np.random.default_rng(0)
    x = net.input((1, 1, 1, 16), "x")
    y = net.conv(x, prunable(rng, (32, 3, 3, 16)), name="conv")
    for tensor in (x, y):
        net.graph.tensors[tensor].shapeSignature = [-1, -1, -1, net.shape(tensor)[3]]
    dense, output = tmp_path / "dense.tflite", tmp_path / "out.tflite"
    dense.write_bytes(net.build([y]))
    costs = str(write_eager_costs(tmp_path / "costs.json"))
    assert main(["convert", str(dense), "-o", str(output), "--calibration", costs]) == 0
    options = [f"--shape={given}" for given in shape] + ["--runs=1"] * (command == "benchmark")
    assert main([command, str(output), "--against", str(dense), *options]) == (2 if words else 0)
    assert words in capsys.readouterr().err


def test_errors_with_exact_weights_stand_beside(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    half = tmp_path / "half.tflite"
    assert main(["convert", str(files.dense), "-o", str(half), "--target", "x86-64", "--values", "float16"]) == 0
    capsys.readouterr()
    assert main(["verify", str(half), "--against", str(files.dense)]) == 0
    header, row, verdict = capsys.readouterr().out.splitlines()
    assert header.endswith("with exact weights") and 1e-5 < float(row.split()[-1]) < 5e-3
    assert verdict.endswith(f"; with exact weights {row.split()[-1]}, tolerance 5e-03")
    assert main(["verify", str(half)]) == 0
    _, row, verdict = capsys.readouterr().out.splitlines()
    assert row.split()[-1] == "unknown" and verdict.endswith("; with exact weights unknown: give --against")


def test_nan_is_said(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    np.save(tmp_path / "x.npy", np.full((1, 13, 11, 16), np.nan, np.float32))
    assert main(["verify", str(files.sparse), "--inputs", str(tmp_path / "x.npy")]) == 1
    assert "classifier: there is a NaN, which equals nothing: give --inputs" in capsys.readouterr().out


def test_tolerance_decides(files: Files) -> None:
    assert main(["verify", str(files.sparse), "--exact-weights", "--tolerance", "1"]) == 0
    assert main(["verify", str(files.sparse), "--backend", "reference", "--tolerance", "1e-30"]) == 1


@pytest.mark.parametrize("content", [b"no array", b"\x93NUMPY", b""])
def test_inputs_that_are_no_array(content: bytes, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    assert main(["verify", str(files.sparse), "--inputs", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"mcpruner: {path} is not a .npy file of numbers")


def test_several_arrays_are_refused(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    np.savez(tmp_path / "x.npz", a=np.ones(1), b=np.ones(1))
    assert main(["verify", str(files.sparse), "--inputs", str(tmp_path / "x.npz")]) == 2
    assert "holds several arrays" in capsys.readouterr().err
