"""Small Keras models of every kind that people build, each with an input: what one of them can do, all of them can."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

CHANNELS = 8


def images(seed: int = 0, size: int = 6, batch: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((batch, size, size, CHANNELS)).astype(np.float32)


def conv(**options: Any) -> layers.Conv2D:
    return layers.Conv2D(8, 3, padding="same", **options)


def head(x: Any) -> Any:
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


def functional(body: Callable[[Any], Any]) -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    return keras.Model(inputs, head(body(inputs)))


def called(model: keras.Model, x: Any) -> keras.Model:
    model(x)
    return model


def stack(*inner: Any) -> keras.Sequential:
    return keras.Sequential([keras.Input((6, 6, CHANNELS)), *inner])


def branch(name: str, filters: int = 8) -> keras.Model:
    """Made twice, it has the same names twice."""
    inputs = keras.Input((6, 6, CHANNELS))
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name="conv")(inputs)
    return keras.Model(inputs, layers.Conv2D(CHANNELS, 1, name="out")(x), name=name)


class Block(layers.Layer):
    """Unnamed layers, in a list and in a dictionary; nothing is registered and there is no configuration."""

    def __init__(self, width: Any, **options: Any) -> None:
        super().__init__(**options)
        self.steps = [layers.Conv2D(width[0], 3, padding="same"), layers.BatchNormalization()]
        self.more = {"last": layers.Conv2D(CHANNELS, 1)}
        self.scale = lambda x: x * self.gain
        self.gain = self.add_weight(shape=(), initializer="ones")

    def call(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return self.scale(self.more["last"](keras.ops.relu(x)))


class Net(keras.Model):
    """A subclassed model whose constructor takes what no configuration can hold."""

    def __init__(self, backbone: Any, activation: Callable) -> None:
        super().__init__()
        self.backbone, self.activation = backbone, functools.partial(activation)
        self.last = layers.Dense(3)
        self.pool = layers.GlobalAveragePooling2D()
        self.other = [conv(name="conv"), conv(name="conv")]  # equal names in one model

    def call(self, x: Any) -> Any:
        for step in (self.backbone, *self.other):
            x = self.activation(step(x))
        return self.last(self.pool(x))


class Extra(layers.Conv2D):
    """A user's own layer, with variables of names that masked layers have, too."""

    def build(self, shape: Any) -> None:
        super().build(shape)
        self.mask = self.add_weight(name="mask", shape=(self.filters,), initializer="ones", trainable=False)
        self.gain = self.add_weight(name="through", shape=(), initializer="ones")

    def call(self, x: Any) -> Any:
        return super().call(x) * self.mask * self.gain


class Wide(keras.Model):
    """A functional model with a class and attributes of its own."""

    temperature = 1.0

    def call(self, *args: Any, **options: Any) -> Any:
        return super().call(*args, **options) / self.temperature


def compiled(function: Callable) -> Callable:
    """As TensorFlow compiles it; the function itself with other backends."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)


class Traced(layers.Layer):
    """Compiles its methods itself, one for all layers of the class and one for each layer."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.second = conv(), conv()
        self.compute = compiled(self.step)

    def step(self, x: Any) -> Any:
        return self.inner(x)

    @compiled
    def again(self, x: Any) -> Any:
        return self.second(x)

    def build(self, shape: Any) -> None:
        self.inner.build(shape)
        self.second.build(shape)

    def call(self, x: Any) -> Any:
        return self.again(self.compute(x))


def squash(x: Any) -> Any:
    return x * keras.ops.sigmoid(x)


def _wide() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    model = Wide(inputs, head(conv()(inputs)))
    model.temperature = 4.0
    return model


def _shared() -> keras.Model:
    layer = conv()
    return functional(lambda x: layer(keras.ops.relu(layer(x))))


def _two() -> keras.Model:
    a, b = keras.Input((6, 6, CHANNELS), name="a"), keras.Input((6, 6, CHANNELS), name="b")
    both = layers.Add()([conv()(a), conv()(b)])
    return keras.Model({"a": a, "b": b}, {"class": head(both), "mean": keras.ops.mean(both, axis=(1, 2))})


def _adapters() -> keras.Model:
    model = functional(lambda x: layers.Dense(8)(conv()(x)))
    rng = np.random.default_rng(5)
    for layer in model.layers[1:3]:
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(rng.standard_normal(layer.lora_kernel_b.shape) / 4)
    return model


def _closure() -> keras.Model:
    captured = conv()
    captured.build((None, 6, 6, CHANNELS))

    class Calls(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.tracked = captured
            self.apply = lambda x: captured(x)

        def call(self, x: Any) -> Any:
            return self.apply(x)

    return functional(Calls())


def _per_frame() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    x = layers.Reshape((6, 6, CHANNELS, 1))(inputs)
    x = layers.TimeDistributed(layers.Lambda(lambda t: keras.ops.squeeze(t, -1)))(x)
    x = layers.TimeDistributed(layers.Dense(8))(x)
    return keras.Model(inputs, head(x))


def _recurrent() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    x = layers.Reshape((6, 6 * CHANNELS))(conv()(inputs))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Dense(8)(x))))


def _lines() -> keras.Model:
    inputs = keras.Input((6, 6, CHANNELS))
    x = layers.Reshape((36, CHANNELS))(inputs)
    x = layers.Conv1D(8, 5, padding="causal", activation="relu")(x)
    x = layers.SeparableConv1D(12, 3, strides=2)(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def _both() -> keras.Model:
    both = branch("both")
    return functional(lambda x: both(both(x)))


def _unbuilt() -> keras.Model:
    return called(keras.Sequential([conv(), layers.GlobalAveragePooling2D(), layers.Dense(3)]), images())


KINDS: dict[str, Callable[[], keras.Model]] = {
    "sequential": lambda: stack(conv(), layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)),
    "sequential, built by its first call": _unbuilt,
    "two inputs and outputs by name": _two,
    "a layer called twice": _shared,
    "submodels of equal names": lambda: functional(lambda x: branch("right", 12)(branch("left", 8)(x))),
    "submodels in submodels": lambda: functional(stack(branch("deep"), stack(conv(), layers.ReLU()))),
    "one submodel called twice": _both,
    "operations on tensors": lambda: functional(lambda x: keras.ops.relu(conv()(x) * 2.0 + x) - 0.5),
    "a block without names or configuration": lambda: functional(Block((8,))),
    "a subclassed model without configuration": lambda: called(Net(branch("back"), lambda x: x * 0.5), images()),
    "a functional model of a class of its own": _wide,
    "lambda layers": lambda: functional(lambda x: conv()(layers.Lambda(lambda t: t * 2 - 1)(x))),
    "functions that nobody registered": lambda: functional(
        conv(activation=squash, kernel_regularizer=lambda w: 0.01 * keras.ops.sum(w * w))
    ),
    "a layer inside a function": _closure,
    "a compiled function inside a layer": lambda: functional(Traced()),
    "layers for each time step": _per_frame,
    "recurrent layers": _recurrent,
    "an own convolution with a variable named mask": lambda: functional(Extra(8, 3)),
    "adapters": _adapters,
    "separable convolutions": lambda: functional(
        lambda x: layers.SeparableConv2D(8, 3, depth_multiplier=2, activation="relu")(conv()(x))
    ),
    "1-D convolutions": _lines,
    "transposed convolutions": lambda: functional(
        lambda x: layers.Conv2DTranspose(12, 3, strides=2)(conv(activation="relu")(x))
    ),
    "einsums": lambda: functional(
        lambda x: layers.EinsumDense("abcd,de->abce", (None, None, 12), bias_axes="e")(conv()(x))
    ),
    "a normalised kernel": lambda: functional(layers.SpectralNormalization(conv())),
}


def make(kind: str) -> tuple[keras.Model, Any]:
    """A model of this kind with random weights, and an input for it."""
    keras.utils.set_random_seed(3)
    model = KINDS[kind]()
    x = images(1)
    return model, {"a": x, "b": images(2)} if kind.startswith("two inputs") else x


def outputs(model: keras.Model, x: Any) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(y) for y in keras.tree.flatten(model(x))]
