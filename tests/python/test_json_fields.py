"""The JSON that docs/cli.md, docs/tflite.md and the C header describe has the fields that they name, and no others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from small_network import Files

import mcpruner
from mcpruner.cli import main

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "delegate" / "tflite" / "mcpruner_delegate.h"


def fields(value: Any) -> Any:
    """Names alone, in any order: objects by their keys, a list by its first object, None for anything else."""
    if isinstance(value, dict):
        return {key: fields(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [fields(value[0])]
    return None


def named(text: str) -> Any:
    """What a sketch such as ``{name, layers: [{index}]}``, with or without quotes, names."""
    keys = re.sub(r"(\w+)(:?)", lambda m: f'"{m[1]}": ' + ("" if m[2] else "null"), text.replace('"', ""))
    return json.loads(keys)


def documented(page: str, what: str) -> Any:
    """The fields in the block of a page that is marked with ``what``."""
    blocks = re.findall(rf"```json {what}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert len(blocks) == 1, f"{page} must have one block for {what}"
    return named(blocks[0])


def test_sketches_are_read() -> None:
    assert named('{"a", "b": [{"c"}]}') == named("{a, b: [{c}]}") == fields({"a": 1, "b": [{"c": 2}, {"c": 3}]})


def test_convert_report(files: Files, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["-o", str(tmp_path / "out.tflite"), "--target", "x86-64", "--report", str(report)]
    assert main(["convert", str(files.dense), *options]) == 0
    assert fields(json.loads(report.read_text())) == documented("cli.md", "convert --report")


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_printed_json(command: str, files: Files, capsys: pytest.CaptureFixture) -> None:
    options = ["--against", str(files.dense), "--all-layers"] if command == "verify" else []
    assert main([command, str(files.sparse), *options, "--json"]) == 0
    assert fields(json.loads(capsys.readouterr().out)) == documented("cli.md", f"{command} --json")


def test_benchmark(files: Files, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    assert main(["benchmark", str(files.sparse), "--runs", "1", "--json", str(result)]) == 0
    found = json.loads(result.read_text())
    assert all(isinstance(size, int) for size in found["processor"]["caches"].values())
    found["processor"]["caches"] = None  # its keys are the levels that this machine has
    assert fields(found) == documented("cli.md", "benchmark --json")


def test_devices(capsys: pytest.CaptureFixture) -> None:
    assert main(["devices", "--json"]) == 0
    found, expected = fields(json.loads(capsys.readouterr().out)), documented("cli.md", "devices --json")
    if found["opencl"]["devices"] is None:  # a machine without OpenCL, or without a device
        found["opencl"] = expected["opencl"]
    assert found == expected


def test_report_and_profile_of_the_plugin(files: Files) -> None:
    interpreter = mcpruner.Interpreter(model_path=files.sparse)
    interpreter.allocate_tensors()
    interpreter.set_profiling()
    interpreter.invoke()
    report, profile = fields(interpreter.report()), fields(interpreter.profile())
    assert report == documented("tflite.md", "report")
    assert profile == documented("tflite.md", "profile")
    comment = re.sub(r"\s*\*\s+", " ", HEADER.read_text())
    assert report == named(re.search(r"Report: (\{.*?\}\]\})\.", comment)[1])
    listed = set(re.findall(r"\w+", re.search(r"Profile: a list with one object for each op: (.*?)\. ", comment)[1]))
    assert set(profile[0]) <= listed
