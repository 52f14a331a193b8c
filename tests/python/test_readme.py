"""The README's ten lines run as they stand, on a smaller network."""

import re
from pathlib import Path
from typing import Any

import keras
import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def small_model(**options: Any) -> keras.Model:
    assert options == {"weights": None, "classifier_activation": None}
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(32, 3, name="conv1"), keras.layers.Conv2D(32, 3, name="conv2")]
    last = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, name="classifier")]
    return keras.Sequential([keras.Input((16, 16, 8)), *layers, *last])


def test_ten_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    assert len([line for line in code.splitlines() if line]) <= 10
    monkeypatch.setattr(keras.applications, "ResNet50", small_model)
    exec(compile(code, str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "conv2" in printed
    assert re.search(r"\n\d+\.\d\d times faster, largest error \d\.\de-\d\d\n$", printed)
