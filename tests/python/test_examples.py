"""The pieces of the demo: networks, layer times, picture. ``make demo`` runs the whole."""

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
    """The modules of examples/, which import each other by their plain names."""
    sys.path.insert(0, str(ROOT / "examples"))
    names = ("models", "layer_times", "picture", "demo")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(ROOT / "examples"))


def test_resnet18_has_torchvisions_topology(examples: SimpleNamespace) -> None:
    model = examples.models.resnet18()
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == 11_689_512
    assert model.output_shape == (None, 1000)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 20
    shapes = [model.get_layer(f"stage{i}_block2_relu2").output.shape[1:] for i in range(1, 5)]
    assert shapes == [(56, 56, 64), (28, 28, 128), (14, 14, 256), (7, 7, 512)]


@pytest.mark.parametrize(("name", "parameters"), [("resnet18_cifar", 11_173_962), ("vgg16_cifar", 14_724_042)])
def test_networks_for_small_images(examples: SimpleNamespace, name: str, parameters: int) -> None:
    model = examples.models.NETWORKS[name]()
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 10))
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == parameters


def test_applications_have_he_normal_kernels(examples: SimpleNamespace) -> None:
    model = examples.models.NETWORKS["mobilenet_v1"]()
    kernel = np.array(model.get_layer("conv_pw_13").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / kernel.shape[-2]), rel=0.01)


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
