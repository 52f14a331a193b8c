"""``mcpruner devices``, and the birth certificate of measurements."""

import json
import re
from pathlib import Path

import pytest

import mcpruner
from mcpruner import machine, runtime
from mcpruner.cli import main


def test_json_and_text_name_the_same(capsys: pytest.CaptureFixture) -> None:
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plugin"] == mcpruner.delegate_path()
    assert "scalar" in found["simd_targets"]
    assert any(name.startswith("ai_edge_litert ") for name in found["runtimes"])
    assert main(["devices"]) == 0
    text = capsys.readouterr().out
    assert found["machine"] in text and found["plugin"] in text and ", ".join(found["simd_targets"]) in text


def test_opencl_devices_or_why_there_are_none(capsys: pytest.CaptureFixture) -> None:
    assert main(["devices", "--opencl-library", "libabsent.so"]) == 0
    assert "OpenCL            option opencl_library: expected a library with OpenCL 1.2" in capsys.readouterr().out
    assert main(["devices", "--json"]) == 0
    opencl = json.loads(capsys.readouterr().out)["opencl"]
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    if opencl["devices"]:
        assert [line.startswith("  usable") for line in lines[-len(opencl["devices"]) :]] == [
            not device["unusable"] for device in opencl["devices"]
        ]
    else:
        assert opencl["unusable"] in lines[-1]


def test_missing_plugin_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(runtime, "_PLUGIN", "libabsent.so")
    assert main(["devices"]) == 2
    assert capsys.readouterr().err.endswith("is missing: run `make build` in the source tree, or install a wheel.\n")


def test_birth_certificate() -> None:
    found = machine.birth_certificate()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["date"])
    assert re.fullmatch(r".+, \w+, \d+ cores, Linux .+", found["machine"])
    assert re.fullmatch(r"[0-9a-f]{7,40}(-dirty)?|mcpruner \S+", found["commit"])


def test_processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for i, (level, kind, size) in enumerate([(1, "Data", 32), (1, "Instruction", 64), (3, "Unified", 2048)]):
        (tmp_path / f"index{i}").mkdir()
        for name, text in {"level": level, "type": kind, "size": f"{size}K"}.items():
            (tmp_path / f"index{i}" / name).write_text(f"{text}\n")
    monkeypatch.setattr(machine, "_CACHES", tmp_path)
    cpuinfo = {
        "model name": "Some CPU",
        "vendor_id": "Maker",
        "cpu family": "25",
        "model": "17",
        "flags": "fpu avx2 fma",
    }
    monkeypatch.setattr(machine, "_cpuinfo", lambda: cpuinfo)
    assert machine.processor() == {
        "name": "Some CPU",
        "vendor": "Maker",
        "family": "25",
        "model": "17",
        "stepping": "?",
        "simd": ["avx2", "fma"],
        "caches": {"L1d": 32768, "L3": 2 << 20},
    }


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (
            "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n",
            "Some CPU @ 2 GHz",
        ),
        (
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd09\nHardware\t: Hisilicon Kirin970\n",
            "Hisilicon Kirin970",
        ),
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd09\n", "CPU implementer 0x41 part 0xd09"),
    ],
)
def test_processor_names(cpuinfo: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.Path, "read_text", lambda *_, **__: cpuinfo)
    assert machine.machine_name().startswith(name + ", ")
