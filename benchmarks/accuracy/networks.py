"""The networks that `pairs.py` trains, with the weights that training starts from."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import shared_data
from keras import layers
from models import NETWORKS

PUBLISHED = ("resnet56_cifar10",)  # start from weights of ../shared/data, which saw other JPEGs
NAMES = ("resnet18_cifar", "vgg16_cifar", "mobilenet_v2_cifar", *PUBLISHED)


def network(name: str, seed: int, data: Path) -> keras.Model:
    """Network as training begins: published weights of `data` if there are any, else drawn with the seed."""
    if name in PUBLISHED:
        shared_data.SHARED = data
        model = shared_data.keras_model(name)
    else:
        model = mobilenet_v2_cifar() if name == "mobilenet_v2_cifar" else NETWORKS[name]()
        start_again(model, seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0  # every network that is scored has them estimated again
            layer.__class__ = OnePassNorm
    return model


def start_again(model: keras.Model, seed: int) -> None:
    """Draw the weights of a network with a seed, and reset its batch norms."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([np.full(w.shape, j in (0, 3)) for j, w in enumerate(layer.get_weights())])
        elif isinstance(layer, layers.DepthwiseConv2D):
            deviation = np.sqrt(2 / np.prod(layer.kernel.shape[:2]))
            layer.kernel.assign(keras.random.normal(layer.kernel.shape, 0, deviation, seed=1000 * seed + i))
        elif isinstance(layer, layers.Conv2D | layers.Dense):
            layer.kernel.assign(keras.initializers.HeNormal(seed=1000 * seed + i)(layer.kernel.shape))


class OnePassNorm(layers.BatchNormalization):
    """Batch norm whose mean and variance are sums over the float32 inputs, which XLA takes in one pass."""

    def _moments(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        axes = tuple(range(inputs.ndim - 1))
        mean = keras.ops.mean(inputs, axes)
        return mean, keras.ops.maximum(keras.ops.mean(keras.ops.square(inputs), axes) - keras.ops.square(mean), 0)


class ShiftedDepthwise(layers.DepthwiseConv2D):
    """Depthwise 3x3 convolution as a sum of shifted products, which XLA's GPU compiler fuses; its own is slow."""

    def call(self, inputs: Any) -> Any:
        """As the plain layer's, with "same" padding; sums are float32."""
        stride = self.strides[0]
        height, width = (-(-size // stride) for size in inputs.shape[1:3])
        before = 1 if stride == 1 else 0
        x = keras.ops.pad(inputs, [[0, 0], [before, 2 - before], [before, 2 - before], [0, 0]])
        kernel = keras.ops.cast(self.kernel, "float32")
        taps = [
            keras.ops.cast(x[:, i : i + stride * height : stride, j : j + stride * width : stride], "float32")
            * kernel[i, j, :, 0]
            for i in range(3)
            for j in range(3)
        ]
        return keras.ops.cast(sum(taps), inputs.dtype)


def mobilenet_v2_cifar() -> keras.Model:
    """MobileNetV2 (Sandler et al., arXiv 1801.04381) for 32x32 images: the stem and stage 6 at stride 1."""
    inputs = keras.Input((32, 32, 3), name="image")
    x = layers.ReLU(6.0, name="stem_relu")(_convolution(inputs, 32, 3, "stem"))
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 1), (6, 320, 1, 1))
    for stage, (expansion, filters, blocks, stride) in enumerate(stages, start=1):
        for block in range(blocks):
            x = _inverted(x, expansion, filters, stride if block == 0 else 1, f"stage{stage}_block{block + 1}")
    x = layers.ReLU(6.0, name="head_relu")(_convolution(x, 1280, 1, "head"))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(10, name="classifier")(x), name="mobilenet_v2_cifar")


def _inverted(x: keras.KerasTensor, expansion: int, filters: int, stride: int, name: str) -> keras.KerasTensor:
    """Expand, filter each channel, project; added to what came in where shapes allow it."""
    y = x
    if expansion > 1:
        y = layers.ReLU(6.0, name=name + "_expand_relu")(_convolution(y, expansion * x.shape[-1], 1, name + "_expand"))
    y = ShiftedDepthwise(3, stride, padding="same", use_bias=False, name=name + "_depthwise")(y)
    y = layers.ReLU(6.0, name=name + "_depthwise_relu")(layers.BatchNormalization(name=name + "_depthwise_bn")(y))
    y = _convolution(y, filters, 1, name + "_project")
    return layers.Add(name=name + "_add")([x, y]) if y.shape == x.shape else y


def _convolution(x: keras.KerasTensor, filters: int, kernel: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=name + "_bn")(x)
