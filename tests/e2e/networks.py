"""The networks of the end-to-end tests: real weights where ``../shared/data`` has them, random ones elsewhere.

VGG-16 and ResNet-50 are made for images of 112 pixels, the first with dense layers of 512 units: all of their
convolutions, a quarter of the work. As published they are in `LONG`, which ``pytest --long`` runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import shared_data
from eager_costs import write_eager_costs
from models import rescale_filters


@dataclass(frozen=True)
class Network:
    """How to make a network and what to feed it."""

    name: str
    build: Callable[[], keras.Model]
    images: Callable[[], np.ndarray]  # float32 [images, height, width, 3]
    sample: int  # of the images, the first ones: all of them in a long run only
    trained: bool


def _trained(name: str, images: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Network:
    def load() -> np.ndarray:
        return shared_data.preprocess(name, images()[0])

    return Network(name, lambda: shared_data.keras_model(name), load, 40, trained=True)


def _random(name: str, size: int, make: Callable[[tuple[int, int, int]], keras.Model]) -> Network:
    def build() -> keras.Model:
        keras.utils.set_random_seed(0)
        return make((size, size, 3))

    def images() -> np.ndarray:
        return np.random.default_rng(0).standard_normal((12, size, size, 3)).astype(np.float32)

    return Network(name, build, images, 4, trained=False)


def _application(make: Callable[..., keras.Model]) -> Callable[[tuple[int, int, int]], keras.Model]:
    return lambda shape: make(weights=None, classifier_activation=None, input_shape=shape)


def _narrow_vgg16(shape: tuple[int, int, int]) -> keras.Model:
    body = keras.applications.VGG16(weights=None, include_top=False, input_shape=shape)
    x = keras.layers.Flatten(name="flatten")(body.output)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(512, "relu", name=name)(x)
    return keras.Model(body.input, keras.layers.Dense(1000, name="predictions")(x))


def _by_name(*networks: Network) -> dict[str, Network]:
    return {network.name: network for network in networks}


NETWORKS = _by_name(
    _trained("resnet20_cifar10", shared_data.cifar_images),
    _trained("mobilenet_v1_0.75_224", shared_data.imagenet_images),
    _trained("mobilenet_v2_1.0_224_int8", shared_data.imagenet_images),
    _random("resnet50_112", 112, _application(keras.applications.ResNet50)),
)
LONG = _by_name(
    _random("vgg16_112", 112, _narrow_vgg16),
    _trained("resnet56_cifar10", shared_data.cifar_images),
    _random("vgg16", 224, _application(keras.applications.VGG16)),
    _random("resnet50", 224, _application(keras.applications.ResNet50)),
)


def masked_model(network: Network, density: float) -> keras.Model:
    """``network`` pruned in one shot for the generic target."""
    import mcpruner

    dense = network.build()
    pruned = mcpruner.prune(dense, target="generic", density=density)
    if not network.trained:
        rescale_filters(pruned, dense)
    return pruned


def write_dense(model: keras.Model, path: Path) -> Path:
    """Write `model` as an ordinary ``.tflite``; returns `path`."""
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    return path


def export(network: Network, density: float, directory: Path) -> tuple[Path, Path]:
    """Write the masked network as an ordinary ``.tflite`` and as a converted one, all masks packed; their paths."""
    import mcpruner

    dense, sparse = directory / f"{network.name}.dense.tflite", directory / f"{network.name}.sparse.tflite"
    write_dense(masked_model(network, density), dense)
    costs = write_eager_costs(directory / "costs.json")
    sparse.write_bytes(mcpruner.convert(dense, target="generic", calibration=costs)[0])
    return dense, sparse
