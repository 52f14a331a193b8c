"""The small Keras model of the tests that train while pruning: two convolutions that can be pruned, and a head."""

import keras
from keras import layers


def small_cnn() -> keras.Model:
    """Images of [6, 6, 4] to three logits, always of the same weights; not compiled."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.Conv2D(8, 3, name="conv"),
            layers.Conv2D(12, 1, name="point"),
            layers.Flatten(),
            layers.Dense(3, name="fc"),
        ]
    )
