"""Classifiers: keras.applications, other norms, gates, groups of channels."""

from collections.abc import Callable

import keras
from keras import layers

from zoo.blocks import (
    Activation,
    Tensor,
    batch_norm,
    conv,
    group_norm,
    instance_norm,
    layer_norm,
    mean_and_dense,
    relu,
    residual,
)

NORMS = {"group": group_norm, "layer": layer_norm, "instance": instance_norm}


def application(name: str, size: int) -> Callable[[], keras.Model]:
    """A network of keras.applications for images of `size` x `size` pixels, logits without a softmax."""
    make = getattr(keras.applications, name)
    return lambda: make(weights=None, classifier_activation=None, input_shape=(size, size, 3))


def _residual_network(name: str, norm: Activation = batch_norm, gate: Activation | None = None) -> keras.Model:
    """Four stages of two residual blocks for images of 96 pixels."""
    inputs = keras.Input((96, 96, 3), name="image")
    x = conv(inputs, 32, 3, 2, norm=norm)
    for filters in (32, 64, 128, 256):
        for block in range(2):
            x = residual(x, filters, 2 if block == 0 and filters > 32 else 1, norm=norm, gate=gate)
    return keras.Model(inputs, mean_and_dense(x, 100), name=name)


def normalised(norm: str) -> keras.Model:
    """A residual network with one of the `NORMS` in the place of batch norm."""
    return _residual_network(f"{norm}_norm", norm=NORMS[norm])


def _gate_of_dense(x: Tensor) -> Tensor:
    """Dense layers on [N, C], which Keras brings to [N, 1, 1, C] where it multiplies."""
    channels = x.shape[-1]
    s = layers.Dense(channels // 4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return layers.Multiply()([x, layers.Dense(channels, activation="sigmoid")(s)])


def _gate_of_convolutions(x: Tensor) -> Tensor:
    """1x1 convolutions on a mean that keeps its dimensions."""
    channels = x.shape[-1]
    s = layers.Conv2D(channels // 4, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([x, layers.Conv2D(channels, 1, activation="sigmoid")(s)])


def _gate_of_reshape(x: Tensor) -> Tensor:
    """1x1 convolutions behind a reshape to [N, 1, 1, C], as EfficientNet has them."""
    channels = x.shape[-1]
    s = layers.Reshape((1, 1, channels))(layers.GlobalAveragePooling2D()(x))
    s = layers.Conv2D(channels // 4, 1, activation="relu")(s)
    return layers.Multiply()([x, layers.Conv2D(channels, 1, activation="sigmoid")(s)])


GATES = {"dense": _gate_of_dense, "conv": _gate_of_convolutions, "reshape": _gate_of_reshape}


def squeeze_excite(gate: str) -> keras.Model:
    """A residual network with one of the `GATES`, which all compute squeeze-and-excitation (arXiv 1709.01507)."""
    return _residual_network(f"squeeze_excite_{gate}", gate=GATES[gate])


def _shuffle_channels(x: Tensor, groups: int) -> Tensor:
    _, height, width, channels = x.shape
    x = layers.Reshape((height, width, groups, channels // groups))(x)
    return layers.Reshape((height, width, channels))(layers.Permute((1, 2, 4, 3))(x))


def _grouped_shuffle_block(x: Tensor, filters: int, stride: int, groups: int) -> Tensor:
    """Grouped 1x1, shuffle, depthwise, grouped 1x1; at stride 2 beside a pooled copy that is concatenated."""
    made = filters - x.shape[-1] if stride > 1 else filters
    first = conv(x, filters // 4, 1, groups=1 if x.shape[-1] == _STEM else groups)
    y = _shuffle_channels(first, groups)
    y = batch_norm(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(y))
    y = conv(y, made, 1, activation=None, groups=groups)
    if stride > 1:
        return relu(layers.Concatenate()([layers.AveragePooling2D(3, 2, padding="same")(x), y]))
    return relu(layers.Add()([x, y]))


def _split_shuffle_block(x: Tensor, filters: int, stride: int, groups: int) -> Tensor:
    """Two branches, each of half the channels, whose outputs are shuffled; at stride 1 the first is as it was."""
    around, through = (x, x) if stride > 1 else keras.ops.split(x, 2, axis=-1)
    if stride > 1:
        around = batch_norm(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(around))
        around = conv(around, filters // 2, 1)
    through = conv(through, filters // 2, 1)
    through = batch_norm(layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(through))
    through = conv(through, filters // 2, 1)
    return _shuffle_channels(layers.Concatenate()([around, through]), groups)


_STEM = 24  # channels behind the first pool, whose 1x1 convolution has no groups
SHUFFLES = {
    "v1": (_grouped_shuffle_block, 3, (240, 480, 960)),
    "v2": (_split_shuffle_block, 2, (116, 232, 464)),
}


def shufflenet(version: str) -> keras.Model:
    """ShuffleNet: grouped convolutions (v1, arXiv 1707.01083), or channels that are split (v2, arXiv 1807.11164)."""
    block, groups, widths = SHUFFLES[version]
    inputs = keras.Input((224, 224, 3), name="image")
    x = layers.MaxPooling2D(3, 2, padding="same")(conv(inputs, _STEM, 3, 2))
    for filters, blocks in zip(widths, (4, 8, 4), strict=True):
        for i in range(blocks):
            x = block(x, filters, 2 if i == 0 else 1, groups)
    if version == "v2":
        x = conv(x, 1024, 1)
    return keras.Model(inputs, mean_and_dense(x, 1000), name=f"shufflenet_{version}")


def resnext() -> keras.Model:
    """ResNeXt (Xie et al., arXiv 1611.05431): bottlenecks with 3x3 convolutions of eight groups."""
    inputs = keras.Input((128, 128, 3), name="image")
    x = layers.MaxPooling2D(3, 2, padding="same")(conv(inputs, 32, 7, 2))
    for filters, blocks in ((64, 2), (128, 2), (256, 2)):
        for block in range(blocks):
            stride = 2 if block == 0 and filters > 64 else 1
            y = conv(conv(x, filters, 1), filters, 3, stride, groups=8)
            y = conv(y, 2 * filters, 1, activation=None)
            shortcut = conv(x, 2 * filters, 1, stride, None) if block == 0 else x
            x = relu(layers.Add()([y, shortcut]))
    return keras.Model(inputs, mean_and_dense(x, 100), name="resnext")
