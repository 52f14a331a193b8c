"""The README's ten lines run as they stand, on a smaller network."""

import re
import shutil
from pathlib import Path
from typing import Any

import keras
import pytest
from small_network import Files

README = Path(__file__).resolve().parents[2] / "README.md"


def small_model(**options: Any) -> keras.Model:
    assert options == {"weights": None, "classifier_activation": None}
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(32, 3, name="conv1"), keras.layers.Conv2D(32, 3, name="conv2")]
    last = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, name="classifier")]
    return keras.Sequential([keras.Input((16, 16, 8)), *layers, *last])


def example(section: str) -> str:
    return re.search(rf"## {section}\n.*?```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)


def test_two_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files) -> None:
    shutil.copy(files.dense, tmp_path / "pruned.tflite")
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(compile(example("Two lines"), str(README), "exec"), found)
    found["interpreter"].allocate_tensors()
    layers = [node for node in found["interpreter"].report()["nodes"] if node["op"] == "CONV_2D"]
    assert layers and all(node["packed_at_load"] or node["packing_reason"] for node in layers)


def test_ten_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    code = example("Ten lines")
    assert len([line for line in code.splitlines() if line]) <= 10
    monkeypatch.setattr(keras.applications, "ResNet50", small_model)
    exec(compile(code, str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "conv2" in printed
    assert re.search(r"\n\d+\.\d\d times faster, largest error \d\.\de-\d\d\n$", printed)
