"""``mcpruner convert``."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from disk import file_limit, names
from eager_costs import write_eager_costs
from small_network import Files

import mcpruner
from mcpruner.cli import main
from mcpruner.converter.tflite.model import operator_name, read_model, write_model


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_file_is_what_convert_returns(values: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    output, report = tmp_path / "out.tflite", tmp_path / "report.json"
    options = ["--target", "x86-64", "--values", values, "--report", str(report)]
    assert main(["convert", str(files.dense), "-o", str(output), *options]) == 0
    expected, expected_report = mcpruner.convert(files.dense, target="x86-64", values=values)
    assert output.read_bytes() == expected
    assert json.loads(report.read_text()) == json.loads(expected_report.to_json())
    printed = capsys.readouterr().out
    assert printed == expected_report.table() and "conv3" in printed


def test_the_dense_file_is_what_verify_compares_with(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output, dense = tmp_path / "out.tflite", tmp_path / "dense.tflite"
    options = ["--target", "x86-64", "--values", "float16"]
    assert main(["convert", str(files.dense), "-o", str(output), "--dense", str(dense), *options]) == 0
    assert dense.read_bytes() == files.dense.read_bytes()
    assert main(["verify", str(output), "--against", str(dense)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("equal: ")


def test_the_dense_file_of_a_keras_model_has_the_batch_that_was_fixed(tmp_path: Path) -> None:
    """Flatten computes its shape where the batch is open."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(32, 3, name="conv1"), keras.layers.Conv2D(32, 3, name="conv2")]
    last = [keras.layers.Flatten(), keras.layers.Dense(10, name="classifier")]
    model = keras.Sequential([keras.Input((16, 16, 8)), *layers, *last])
    mcpruner.prune(model, "x86-64", density=0.25).save(tmp_path / "pruned.keras")
    output, dense = tmp_path / "out.tflite", tmp_path / "dense.tflite"
    costs = str(write_eager_costs(tmp_path / "costs.json"))
    options = ["-o", str(output), "--dense", str(dense), "--calibration", costs, "--batch", "3"]
    assert main(["convert", str(tmp_path / "pruned.keras"), *options]) == 0
    models = [read_model(path.read_bytes()) for path in (output, dense)]
    assert [model.subgraphs[0].tensors[0].shape for model in models] == [[3, 16, 16, 8]] * 2
    names = [[operator_name(model, op) for op in model.subgraphs[0].operators] for model in models]
    assert [found.count("McprunerSparseConv2D") for found in names] == [2, 0] and names[1].count("CONV_2D") == 2
    assert main(["verify", str(output), "--against", str(dense)]) == 0


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [("dense", "pdp-11", "pdp-11"), ("absent", "generic", "absent"), ("other", "generic", "is not a .tflite file")],
)
def test_bad_input_is_one_sentence(
    source: str, target: str, words: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "other.tflite").write_bytes(b"no model")
    paths = {"dense": files.dense, "absent": tmp_path / "absent.keras", "other": tmp_path / "other.tflite"}
    output = tmp_path / "out.tflite"
    assert main(["convert", str(paths[source]), "-o", str(output), "--target", target]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and words in captured.err
    assert not output.exists()


def test_calibration_decides_and_a_bad_one_is_one_sentence(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, costs = tmp_path / "out.tflite", write_eager_costs(tmp_path / "costs.json")
    assert main(["convert", str(files.dense), "-o", str(out), "--calibration", str(costs)]) == 0
    assert " times as fast together; " in capsys.readouterr().out
    assert main(["convert", str(files.dense), "-o", str(out), "--calibration", str(costs), "--threads", "2"]) == 0
    assert " times as fast together on 2 threads; " in capsys.readouterr().out
    costs.write_text("{}")
    assert main(["convert", str(files.dense), "-o", str(out), "--calibration", str(costs)]) == 2
    assert "costs.json is no calibration ('format' is missing)" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "out.tflite"
    output.write_bytes(b"as it was")
    with file_limit(1024):
        assert main(["convert", str(files.dense), "-o", str(output)]) == 2
    assert capsys.readouterr().err == f"mcpruner: {output}: File too large.\n"
    assert output.read_bytes() == b"as it was" and names(tmp_path) == ["out.tflite"]


def test_stdout_takes_the_file_and_stderr_the_table(files: Files) -> None:
    command = [sys.executable, "-m", "mcpruner", "convert", str(files.dense), "-o", "/dev/stdout"]
    process = subprocess.run(command, capture_output=True, check=True)
    expected, report = mcpruner.convert(files.dense)
    assert process.stdout == expected and process.stderr.decode() == report.table()


@pytest.mark.parametrize(("batch", "status"), [("1", 0), ("2", 2), ("0", 2)])
def test_the_batch_is_fixed_or_refused(
    batch: str, status: int, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The small network has a batch of 1; `test_fix_batch` has those that leave it open."""
    output = tmp_path / "out.tflite"
    assert main(["convert", str(files.dense), "-o", str(output), "--batch", batch]) == status
    assert output.exists() == (status == 0)
    errors = capsys.readouterr().err
    assert errors.count("\n") == (status != 0) and ("batch" in errors) == (status != 0)


@pytest.mark.parametrize("file_format", ["packed", "portable", "dense"])
def test_formats_are_written_verified_and_timed(
    file_format: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output, result = tmp_path / "out.tflite", tmp_path / "result.json"
    options = ["--target", "x86-64", "--values", "float16", "--format", file_format]
    assert main(["convert", str(files.dense), "-o", str(output), *options]) == 0
    assert output.read_bytes() == mcpruner.convert(files.dense, "x86-64", "float16", format=file_format)[0]
    assert main(["verify", str(output), "--against", str(files.dense), "--all-layers", "--json"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed[printed.index("\n{") :])
    assert [weight["value_type"] for weight in found["weights"]] == ["float16"] * len(found["weights"]) != []
    assert all(weight["different"] == 0 for weight in found["weights"])
    assert main(["benchmark", str(output), "--runs", "1", "--json", str(result)]) == 0
    assert json.loads(result.read_text())["ok"]


def test_a_file_whose_weights_are_others_is_not_verified(files: Files, tmp_path: Path) -> None:
    output = tmp_path / "out.tflite"
    assert main(["convert", str(files.dense), "-o", str(output), "--target", "x86-64", "--format", "portable"]) == 0
    model = read_model(output.read_bytes())
    graph = model.subgraphs[0]
    op = next(op for op in graph.operators if operator_name(model, op) == "DENSIFY")
    buffer = model.buffers[graph.tensors[op.inputs[0]].buffer]
    buffer.data = np.roll(np.asarray(buffer.data), 4)
    output.write_bytes(write_model(model))
    assert main(["verify", str(output), "--against", str(files.dense)]) == 1
