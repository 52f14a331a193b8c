"""A random Keras network, pruned in one shot and exported: the path that users of Keras take, real layers only.

On the way it is checked that the stripped model predicts what the masked one does. What comes back is the dense
``.tflite`` with zeros, to be tried like any other (`trial.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers
from trial import TOLERANCE, Wrong, frame, input_shapes, relative_error

import mcpruner
from mcpruner.converter.source import load_source

Grow = Callable[["Dice", keras.KerasTensor], keras.KerasTensor]


class Dice:
    """The random choices of one network."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 3])

    def pick(self, *options: object) -> object:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def activation(self) -> str | None:
        """An activation that a layer can have."""
        return self.pick(
            None, "relu", "relu", "relu6", "silu", "sigmoid", "tanh", "elu", "gelu", "hard_silu", "softplus"
        )


def _conv(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    kernel, filters = d.pick(1, 3, 3, 5, (1, 3), (2, 1)), int(d.pick(1, 3, 8, 12, 16, 31, 64))
    stride = d.pick(1, 1, 1, 2, 3)
    dilation = d.pick(1, 1, 2) if stride == 1 else 1
    padding = "same" if min(x.shape[1:3]) < 10 else d.pick("same", "valid")
    kind = d.pick("conv", "conv", "conv", "separable", "depthwise", "transposed", "grouped")
    bias, activation = d.chance(0.7), d.activation()
    if kind == "separable":
        return layers.SeparableConv2D(filters, 3, padding="same", use_bias=bias, activation=activation)(x)
    if kind == "depthwise":
        return layers.DepthwiseConv2D(3, d.pick(1, 2), "same", d.pick(1, 1, 2), use_bias=bias, activation=activation)(x)
    if kind == "transposed" and x.shape[1] < 20:
        return layers.Conv2DTranspose(filters, 3, 2, "same", use_bias=bias, activation=activation)(x)
    groups = d.pick(2, 4) if kind == "grouped" else 1
    groups = 1 if x.shape[-1] % groups or filters % groups else groups
    return layers.Conv2D(
        filters, kernel, stride, padding, dilation_rate=dilation, groups=groups, use_bias=bias, activation=activation
    )(x)


def _pool(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    layer = d.pick(layers.MaxPooling2D, layers.AveragePooling2D)
    return layer(d.pick(2, 3), d.pick(1, 2, None), padding="same")(x)


def _move(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    kind = d.pick("pad", "crop", "up", "permute", "reshape")
    if kind == "pad":
        return layers.ZeroPadding2D(((d.pick(0, 1), d.pick(1, 2)), (1, d.pick(0, 1))))(x)
    if kind == "crop" and min(x.shape[1:3]) > 4:
        return layers.Cropping2D(((1, 0), (0, 2)))(x)
    if kind == "up" and x.shape[1] < 16:
        return layers.UpSampling2D(2, interpolation=d.pick("nearest", "bilinear"))(x)
    if kind == "permute":
        return layers.Permute((2, 1, 3))(x)
    return layers.Reshape((x.shape[1] * x.shape[2], 1, x.shape[3]))(x)


def _branches(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    filters = int(x.shape[-1])
    other = layers.Conv2D(filters, d.pick(1, 3), padding="same", activation=d.activation())(x)
    kind = d.pick("add", "multiply", "subtract", "concatenate", "gate", "maximum")
    if kind == "gate":
        gate = layers.Dense(filters, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=d.chance(0.5))(x))
        gate = layers.Reshape((1, 1, filters))(gate) if len(gate.shape) == 2 else gate
        return layers.Multiply()([x, gate])
    layer = {"add": layers.Add, "multiply": layers.Multiply, "subtract": layers.Subtract, "maximum": layers.Maximum}
    return layer.get(kind, layers.Concatenate)()([x, other])


def _twice(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    """A submodel that is called twice, or two submodels with equal names."""
    filters = int(x.shape[-1])

    def tower() -> keras.Model:
        inner = keras.Input(x.shape[1:])
        return keras.Model(inner, layers.Conv2D(filters, 3, padding="same", activation="relu", name="inner")(inner))

    first = tower()
    return first(first(x)) if d.chance(0.5) else layers.Add()([first(x), tower()(x)])


def _elementwise(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    layer = d.pick(
        layers.BatchNormalization,
        layers.BatchNormalization,
        layers.LayerNormalization,
        layers.ReLU,
        layers.LeakyReLU,
        layers.Dropout,
        layers.Dense,
    )
    if layer is layers.Dropout:
        return layer(0.3)(x)
    return layer(int(d.pick(5, 16)), activation=d.activation())(x) if layer is layers.Dense else layer()(x)


def _head(d: Dice, x: keras.KerasTensor) -> keras.KerasTensor:
    pool = d.pick(layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
    x = layers.Flatten()(x) if pool is layers.Flatten else pool()(x)
    for _ in range(int(d.pick(0, 1, 2))):
        x = layers.Dense(int(d.pick(7, 32, 100)), activation=d.activation(), use_bias=d.chance(0.8))(x)
    return layers.Dense(10, activation=d.pick(None, "softmax"))(x)


_KINDS: tuple[Grow, ...] = (_conv, _conv, _conv, _conv, _pool, _move, _branches, _elementwise, _elementwise, _twice)


def random_model(seed: int) -> keras.Model:
    """The Keras model of a seed, its weights and statistics random too."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    d = Dice(seed)
    image = keras.Input((int(d.pick(7, 12, 16, 23, 32)), int(d.pick(5, 12, 17, 32)), int(d.pick(1, 3, 4, 16))))
    x = layers.Conv2D(16, 3, padding="same", activation=d.activation())(image)  # what follows can be pruned then
    x = layers.Conv2D(int(d.pick(8, 24, 33)), d.pick(1, 3), padding="same", activation=d.activation())(x)
    middle = []
    for _ in range(int(d.rng.integers(4, 14))):
        grown = d.pick(*_KINDS)(d, x)
        if np.prod(grown.shape[1:]) <= 60_000:
            x = grown
            middle.append(x)
    outputs = [_head(d, x)] + ([middle[len(middle) // 2]] if d.chance(0.3) else [])
    model = keras.Model(image, outputs if len(outputs) > 1 else outputs[0])
    for weight in model.weights:
        if "moving" in weight.path or "gamma" in weight.path or "bias" in weight.path:
            weight.assign(d.rng.uniform(0.5, 1.5, weight.shape))
    return model


def keras_network(seed: int) -> bytes:
    """The dense ``.tflite`` of a seed's model, pruned at a random density with random kinds of patterns."""
    model, d = random_model(seed), Dice(seed + 2**40)
    density = float(d.pick(0.05, 0.178, 0.3, 0.6))
    pattern_size = d.pick("auto", "any", 4 if density < 0.4 else "auto", 2 if density < 0.2 else "any")
    pruned = mcpruner.prune(
        model,
        target=d.pick("generic", "x86-64", "hikey970-gpu"),
        density=density,
        pattern_size=pattern_size,
        balance=pattern_size != "any" and d.chance(0.3),
    )
    plain_model = mcpruner.strip(pruned)
    content = load_source(plain_model)
    inputs = frame(input_shapes(content), seed, 1.0)
    for masked, stripped in zip(_predict(pruned, inputs), _predict(plain_model, inputs), strict=True):
        if relative_error(masked, stripped) > TOLERANCE:
            raise Wrong(f"strip: predictions differ by {relative_error(masked, stripped):.3g}")
    return content


def _predict(model: keras.Model, inputs: list[np.ndarray]) -> list[np.ndarray]:
    outputs = model(inputs[0], training=False)
    return [np.asarray(y) for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
