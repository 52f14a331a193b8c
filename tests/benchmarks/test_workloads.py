"""The networks' files and their bars."""

from pathlib import Path

import keras
import numpy as np
import pytest
import workloads

from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.converter.tflite.weights import read_weights


@pytest.mark.parametrize(
    ("name", "density", "backend", "bar"),
    [
        ("resnet18", 0.178, "auto", 4.0),
        ("resnet50", 0.2, "auto", 3.5),
        ("resnet50", 0.178, "auto", None),
        ("vgg16", 0.5, "auto", 1.5),
        ("mobilenet_v2", 0.5, "auto", 1.2),
        ("mobilenet_v1", 1, "cpu", 0.85),
        ("vgg16_cifar", 1, "cpu", 0.95),
        ("vgg16_cifar", 1, "auto", 0.97),
        ("resnet18_unstructured", 0.1, "auto", 2.0),
        ("resnet18_unstructured", 0.5, "auto", None),
    ],
)
def test_bars(name: str, density: float, backend: str, bar: float | None) -> None:
    assert workloads.litert_bar(name, density, backend) == bar


def test_every_network_has_bars() -> None:
    for name in workloads.CHOICES:
        assert workloads.litert_bar(name, workloads.default_density(name), "auto") > 1
    assert [workloads.engine_bar(name) for name in ("vgg16", "mobilenet_v1")] == [2.5, None]


def conv_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(64, 3, name="conv"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(16)]
    return keras.Sequential([keras.Input((12, 12, 32)), *layers])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network in the place of ResNet-18."""
    import models

    monkeypatch.setitem(models.NETWORKS, "resnet18", conv_network)


def densities(path: Path) -> list[float]:
    model = read_model(path.read_bytes())
    graph = model.subgraphs[0]
    ops = [op for op in graph.operators if operator_name(model, op) in ("CONV_2D", "FULLY_CONNECTED")]
    return [float(np.mean(read_weights(model, graph, op) != 0)) for op in ops]


def test_files_are_made_once(small: None, tmp_path: Path) -> None:
    files = workloads.export("resnet18", 0.25, "float32", tmp_path)
    assert densities(files.dense) == pytest.approx([0.25, 1.0], abs=0.01)  # logits stay dense
    assert files.converted.stat().st_size < files.dense.stat().st_size
    files.converted.write_bytes(b"as it was")
    again = workloads.export("resnet18", 0.25, "float32", tmp_path)
    assert again == files and again.converted.read_bytes() == b"as it was"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".tflite", ".tflite"]


def test_density_one_is_the_network_itself(small: None, tmp_path: Path) -> None:
    files = workloads.export("resnet18", 1, "float32", tmp_path)
    assert densities(files.dense) == [1.0, 1.0]
    assert files.converted.read_bytes() == files.dense.read_bytes()


def test_unstructured_zeros_are_anywhere(small: None, tmp_path: Path) -> None:
    files = workloads.export("resnet18_unstructured", 0.1, "float32", tmp_path)
    assert densities(files.dense) == pytest.approx([0.1, 0.1], abs=0.001)
    model = read_model(files.dense.read_bytes())
    mask = read_weights(model, model.subgraphs[0], model.subgraphs[0].operators[0]) != 0
    assert 0.3 < np.mean(mask.reshape(16, 4, -1).any(axis=1)) < 0.4  # no four filters share them: 1 - 0.9^4 = 0.34
