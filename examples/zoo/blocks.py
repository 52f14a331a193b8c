"""What the networks of the zoo are built of, and how their weights are drawn."""

import re
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

Tensor = keras.KerasTensor
Activation = Callable[[Tensor], Tensor]

# What keras.applications calls depthwise convolutions and their kernels, beside Keras' own name.
_DEPTHWISE = re.compile("depthwise|dwconv|conv_dw")


def relu(x: Tensor) -> Tensor:
    """ReLU as a layer of its own."""
    return layers.ReLU()(x)


def leaky_relu(x: Tensor) -> Tensor:
    """LeakyReLU with the slope that YOLO has."""
    return layers.LeakyReLU(negative_slope=0.1)(x)


def silu(x: Tensor) -> Tensor:
    """Multiply x by its sigmoid."""
    return layers.Activation("silu")(x)


def mish(x: Tensor) -> Tensor:
    """Multiply x by the hyperbolic tangent of its softplus."""
    return layers.Activation("mish")(x)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return layers.Activation("tanh")(x)


def prelu(x: Tensor) -> Tensor:
    """PReLU with one slope for each channel."""
    return layers.PReLU(shared_axes=[1, 2])(x)


def batch_norm(x: Tensor) -> Tensor:
    """Batch norm, which conversion folds into the convolution before it."""
    return layers.BatchNormalization()(x)


def group_norm(x: Tensor) -> Tensor:
    """Group norm of eight groups."""
    return layers.GroupNormalization(groups=8)(x)


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm over the channels of each pixel, as ConvNeXt has it."""
    return layers.LayerNormalization(epsilon=1e-6)(x)


def instance_norm(x: Tensor) -> Tensor:
    """Norm of each channel of each image by itself."""
    return layers.GroupNormalization(groups=-1)(x)


def conv(
    x: Tensor,
    filters: int,
    kernel: int = 3,
    stride: int = 1,
    activation: Activation | None = relu,
    norm: Activation = batch_norm,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution without a bias, its norm, its activation."""
    x = layers.Conv2D(filters, kernel, stride, padding="same", dilation_rate=dilation, groups=groups, use_bias=False)(x)
    x = norm(x)
    return x if activation is None else activation(x)


def separable(x: Tensor, filters: int, stride: int = 1, activation: Activation = relu, kernel: int = 3) -> Tensor:
    """Depthwise convolution and pointwise convolution, each with norm and activation."""
    x = activation(batch_norm(layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(x)))
    return conv(x, filters, 1, activation=activation)


def residual(
    x: Tensor,
    filters: int,
    stride: int = 1,
    activation: Activation = relu,
    norm: Activation = batch_norm,
    dilation: int = 1,
    gate: Activation | None = None,
) -> Tensor:
    """Two 3x3 convolutions beside a shortcut; `gate` is what comes before the two are added."""
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = conv(x, filters, 1, stride, None, norm)
    x = conv(x, filters, 3, stride, activation, norm, dilation)
    x = conv(x, filters, 3, 1, None, norm, dilation)
    return activation(layers.Add()([x if gate is None else gate(x), shortcut]))


def mean_and_dense(x: Tensor, classes: int) -> Tensor:
    """The usual end of a classifier: logits, without a softmax."""
    return layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))


def draw_weights(model: keras.Model, seed: int = 0) -> None:
    """Draw all weights anew, so that each of them shows in the outputs.

    Kernels are He-normal. Biases, slopes and the norms' statistics are random too: with the zeros and ones of a new
    model, an error in one of them would change nothing.
    """
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        shape, name = tuple(variable.shape), variable.name
        if name in ("beta", "bias", "moving_mean"):
            value = rng.normal(0, 0.1, shape)
        elif name in ("gamma", "moving_variance") or name.startswith("variable"):  # ConvNeXt's scales have no name
            value = rng.uniform(0.5, 1.5, shape)
        elif name == "alpha":
            value = rng.uniform(0.05, 0.4, shape)
        elif name.endswith("kernel"):
            inputs = shape[:2] if _DEPTHWISE.search(variable.path) else shape[:-1]
            value = rng.normal(0, np.sqrt(2 / np.prod(inputs)), shape)
        else:
            continue  # counters of random numbers, and statistics of the images that a network was trained on
        variable.assign(value.astype(np.float32))
