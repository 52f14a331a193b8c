"""The pieces of the demo and of the benchmark driver: networks, layer times, picture. ``make demo`` runs the whole."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from small_network import Files

import mcpruner

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def examples() -> Iterator[SimpleNamespace]:
    """The modules of examples/ and benchmarks/, which import each other by their plain names."""
    folders = [str(ROOT / "examples"), str(ROOT / "benchmarks")]
    sys.path[:0] = folders
    names = ("models", "layer_times", "picture", "demo", "run")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    for folder in folders:
        sys.path.remove(folder)


def test_resnet18_has_torchvisions_topology(examples: SimpleNamespace) -> None:
    model = examples.models.resnet18()
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == 11_689_512
    assert model.output_shape == (None, 1000)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 20
    shapes = [model.get_layer(f"stage{i}_block2_relu2").output.shape[1:] for i in range(1, 5)]
    assert shapes == [(56, 56, 64), (28, 28, 128), (14, 14, 256), (7, 7, 512)]


def test_networks_are_seeded(examples: SimpleNamespace) -> None:
    first, second = (examples.models.resnet18(32, 10).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert any(np.ptp(weights) > 0 for weights in first if weights.ndim == 1)


def test_rescaled_filters_have_their_old_norm(examples: SimpleNamespace) -> None:
    dense = examples.models.digits_cnn()
    pruned = keras.models.clone_model(dense)
    pruned.set_weights([weights * (weights > 0) for weights in dense.get_weights()])
    layer = pruned.get_layer("conv2")
    kernel, *rest = layer.get_weights()
    kernel[..., 3] = 0
    layer.set_weights([kernel, *rest])
    examples.models.rescale_filters(pruned, dense)
    before, after = dense.get_layer("conv2").get_weights()[0], layer.get_weights()[0]
    norms = np.linalg.norm(after.reshape(-1, 64), axis=0), np.linalg.norm(before.reshape(-1, 64), axis=0)
    assert norms[0][3] == 0
    np.testing.assert_allclose(np.delete(norms[0], 3), np.delete(norms[1], 3), rtol=1e-5)
    assert np.array_equal(after == 0, kernel == 0)


def test_digits_are_split_evenly(examples: SimpleNamespace) -> None:
    (train_x, train_y), (test_x, test_y) = examples.demo.load_digits()
    assert train_x.shape == (1347, 8, 8, 1) and test_x.shape == (450, 8, 8, 1)
    assert train_x.dtype == np.float32 and (train_x.min(), train_x.max()) == (0.0, 1.0)
    assert set(train_y) == set(test_y) == set(range(10))


def test_layer_times_and_picture(examples: SimpleNamespace, files: Files, tmp_path: Path) -> None:
    content, report = mcpruner.convert(files.dense, target="x86-64")
    layers = examples.layer_times.layer_times(content, files.dense.read_bytes(), report, runs=2)
    assert [layer.name for layer in layers] == ["conv1", "conv2", "conv3", "classifier"]
    assert all(layer.dense_ms > 0 and layer.sparse_ms > 0 for layer in layers)
    assert layers[0].output == [1, 7, 6, 32]
    assert len(layers[0].row()) == len(examples.layer_times.LayerTime.HEADERS)
    examples.picture.draw(content, layers, tmp_path / "demo.png")
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_benchmark_rows(examples: SimpleNamespace) -> None:
    times = {"threads": 2, "median_ms": 1.0, "against_median_ms": 2.5, "speedup": 2.5}
    result = {"network": "n", "bytes": 10, "against_bytes": 99, "largest_error": 1e-7, "results": [times]}
    assert examples.run.rows(result) == [["n", 2, 10, 99, "1.00", "2.50", "2.50", "1.0e-07"]]
    assert len(examples.run.rows(result)[0]) == len(examples.run.HEADERS)
