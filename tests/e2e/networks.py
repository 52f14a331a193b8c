"""The networks of the end-to-end tests: real weights where ``../shared/data`` has them, random ones elsewhere."""

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
    trained: bool


def _random_images() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((12, 224, 224, 3)).astype(np.float32)


def _trained(name: str, images: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Network:
    return Network(
        name, lambda: shared_data.keras_model(name), lambda: shared_data.preprocess(name, images()[0]), trained=True
    )


def _random(name: str, application: Callable[..., keras.Model]) -> Network:
    def build() -> keras.Model:
        keras.utils.set_random_seed(0)
        return application(weights=None, classifier_activation=None, input_shape=(224, 224, 3))

    return Network(name, build, _random_images, trained=False)


NETWORKS = {
    network.name: network
    for network in (
        _trained("resnet20_cifar10", shared_data.cifar_images),
        _trained("resnet56_cifar10", shared_data.cifar_images),
        _trained("mobilenet_v1_0.75_224", shared_data.imagenet_images),
        _trained("mobilenet_v2_1.0_224_int8", shared_data.imagenet_images),
        _random("vgg16", keras.applications.VGG16),
        _random("resnet50", keras.applications.ResNet50),
    )
}


def masked_model(network: Network, density: float) -> keras.Model:
    """``network`` pruned in one shot for the generic target."""
    import mcpruner

    dense = network.build()
    pruned = mcpruner.prune(dense, target="generic", density=density)
    if not network.trained:
        rescale_filters(pruned, dense)
    return pruned


def export(network: Network, density: float, directory: Path) -> tuple[Path, Path]:
    """Write the masked network as an ordinary ``.tflite`` and as a converted one, all masks packed; their paths."""
    import tensorflow as tf

    import mcpruner

    dense, sparse = directory / f"{network.name}.dense.tflite", directory / f"{network.name}.sparse.tflite"
    dense.write_bytes(tf.lite.TFLiteConverter.from_keras_model(masked_model(network, density)).convert())
    costs = write_eager_costs(directory / "costs.json")
    sparse.write_bytes(mcpruner.convert(dense, target="generic", calibration=costs)[0])
    return dense, sparse
