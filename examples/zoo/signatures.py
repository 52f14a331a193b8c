"""Networks whose inputs are unusual: two of them, bytes, sizes that are open."""

import keras
from keras import layers

from zoo.blocks import Tensor, conv, mean_and_dense, residual
from zoo.dense_prediction import DepthToSpace


def _trunk(x: Tensor) -> Tensor:
    x = conv(x, 32, 3, 2)
    for filters in (32, 64, 128):
        x = residual(x, filters, 2)
    return x


def siamese() -> keras.Model:
    """One trunk for two images, and a score of how much their embeddings differ."""
    one = keras.Input((96, 96, 3))
    trunk = keras.Model(one, mean_and_dense(_trunk(one), 64), name="trunk")
    left, right = (keras.Input((96, 96, 3), name=name) for name in ("left", "right"))
    difference = keras.ops.absolute(layers.Subtract()([trunk(left), trunk(right)]))
    score = layers.Dense(1, activation="sigmoid")(difference)
    return keras.Model([left, right], score, name="siamese")


def multi_input() -> keras.Model:
    """An image and what else is known of it, as a vector."""
    image, facts = keras.Input((128, 128, 3), name="image"), keras.Input((17,), name="facts")
    x = layers.GlobalAveragePooling2D()(_trunk(image))
    y = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(facts))
    x = layers.Dense(128, activation="relu")(layers.Concatenate()([x, y]))
    return keras.Model([image, facts], layers.Dense(10)(x), name="multi_input")


def uint8_input() -> keras.Model:
    """The bytes of a camera go in, and the network scales them itself."""
    inputs = keras.Input((128, 128, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    return keras.Model(inputs, mean_and_dense(_trunk(x), 10), name="uint8_input")


def dynamic_batch() -> keras.Model:
    """Flattened for its dense layers, so that a shape with the open batch has to be computed."""
    inputs = keras.Input((64, 64, 3), name="image")
    x = layers.Flatten()(_trunk(inputs))
    return keras.Model(inputs, layers.Dense(10)(layers.Dense(128, activation="relu")(x)), name="dynamic_batch")


def dynamic_size() -> keras.Model:
    """A denoiser of images of any even height and width, at half of it inside; it says what to take away."""
    inputs = keras.Input((None, None, 3), name="image")
    x = conv(inputs, 64, 3, 2)
    for _ in range(6):
        x = conv(x, 64)
    noise = DepthToSpace(2)(layers.Conv2D(4 * 3, 3, padding="same")(x))
    return keras.Model(inputs, layers.Subtract()([inputs, noise]), name="dynamic_size")
