"""``mcpruner benchmark``. Times are not asserted, only that each is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from corruption import change_one_weight
from small_network import Files

from mcpruner.cli import main
from mcpruner.cli.benchmark import print_result


def test_every_pair_is_timed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "result.json"
    options = ["--threads", "1,2", "--backend", "cpu,reference", "--runs", "4", "--json", str(path)]
    assert main(["benchmark", str(files.sparse), "--against", str(files.dense), *options]) == 0
    result = json.loads(path.read_text())
    assert set(result) >= {"file", "against", "machine", "processor", "date", "commit", "runtime"}
    assert result["ok"] is True and result["largest_error"] < 1e-4
    assert [(r["threads"], r["backend"]) for r in result["results"]] == [
        (1, "cpu"),
        (1, "reference"),
        (2, "cpu"),
        (2, "reference"),
    ]
    for one in result["results"]:
        assert 0 < one["min_ms"] <= one["median_ms"]
        assert 0 < one["against_min_ms"] <= one["against_median_ms"]
        assert one["runs"] == 6  # whole blocks
        assert 0 < one["speedup_low"] <= one["speedup"] <= one["speedup_high"]
        assert one["cpu_ms"] > 0 and one["against_cpu_ms"] > 0
        assert 0 < one["cpu_speedup_low"] <= one["cpu_speedup"] <= one["cpu_speedup_high"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:2] == ["threads", "backend"] and len(lines) >= 7
    result["results"] = result["results"][:1]
    result["results"][0] |= {"speedup_low": 0.4, "speedup": 0.5, "speedup_high": 1.0}
    print_result(result)
    row, busy = capsys.readouterr().out.splitlines()[3:5]
    assert row.split()[8:10] == ["busy", "0.40..1.00"] and busy.startswith("the machine was busy: ")


def test_without_a_dense_file_and_with_a_profile(files: Files, capsys: pytest.CaptureFixture) -> None:
    assert main(["benchmark", str(files.sparse), "--runs", "2", "--profile"]) == 0
    output = capsys.readouterr().out
    assert "\nprofile, 1 threads, auto\nop " in output
    assert "conv3" in output


def test_inputs_are_checked_and_timed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    np.save(tmp_path / "x.npy", np.full((1, 13, 11, 16), np.nan, np.float32))
    arguments = ["benchmark", str(files.sparse), "--runs", "1", "--inputs", str(tmp_path / "x.npy")]
    assert main(arguments) == 1
    assert capsys.readouterr().out.startswith("NOT equal: ")
    np.save(tmp_path / "x.npy", np.ones((2, 13, 11, 16), np.float32))
    assert main([*arguments, "--profile"]) == 0


def test_wrong_file_is_not_timed(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    corrupted, path = tmp_path / "corrupted.tflite", tmp_path / "result.json"
    corrupted.write_bytes(change_one_weight(files.sparse.read_bytes(), 0, -1.0))
    assert main(["benchmark", str(corrupted), "--against", str(files.dense), "--json", str(path)]) == 1
    assert capsys.readouterr().out.startswith("NOT equal: largest error ")
    assert json.loads(path.read_text())["results"] == []
