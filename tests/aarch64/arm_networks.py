"""Networks that an emulated CPU runs in seconds, pruned and converted for the HiKey 970 on this machine."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import numpy as np
import shared_data
from keras import layers
from models import rescale_filters

import mcpruner

TARGET, DENSITY = "hikey970-cpu", 0.25
MISSING = shared_data.MISSING


def vgg16_cifar() -> keras.Model:
    """VGG-16 for 32x32 images: 13 convolutions and one dense layer, 313 M multiply-adds."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((32, 32, 3), name="image")
    for stage, (filters, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for i in range(1, depth + 1):
            conv = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=f"conv{stage}_{i}")
            x = layers.ReLU(name=f"relu{stage}_{i}")(conv(x))
        x = layers.MaxPooling2D(name=f"pool{stage}")(x)
    return keras.Model(inputs, layers.Dense(10, name="classifier")(layers.Flatten(name="flat")(x)), name="vgg16_cifar")


def mobilenet_v1() -> keras.Model:
    """MobileNetV1 0.25 for 96x96 images, random weights."""
    keras.utils.set_random_seed(0)
    return keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None, classifier_activation=None)


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "resnet20": lambda: shared_data.keras_model("resnet20_cifar10"),
    "mobilenet_v1": mobilenet_v1,
    "vgg16_cifar": vgg16_cifar,
}
NAMES = tuple(NETWORKS)


def available() -> tuple[str, ...]:
    """Networks whose weights are here."""
    return NAMES if shared_data.SHARED.exists() else tuple(name for name in NAMES if name != "resnet20")


@functools.cache
def converted(name: str) -> tuple[bytes, np.ndarray]:
    """The converted file, and an input: float32 [1, height, width, 3]."""
    dense = NETWORKS[name]()
    pruned = mcpruner.prune(dense, target=TARGET, density=DENSITY)
    if name != "resnet20":
        rescale_filters(pruned, dense)
    image = np.random.default_rng(0).standard_normal((1, *dense.input_shape[1:])).astype(np.float32)
    return mcpruner.convert(pruned, target=TARGET)[0], image
