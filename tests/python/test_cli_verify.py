"""``mcpruner verify``."""

import json
from pathlib import Path

import numpy as np
import pytest
from corruption import change_one_weight
from small_network import Files

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
