"""Batch norms estimated again: the mean of the batches' own statistics, and nothing else changes."""

import keras
import numpy as np
import pytest
from keras import layers
from keras_kinds import compiled

import mcpruner

RNG = np.random.default_rng(0)
BATCHES = [RNG.normal(1.0, 2.0, (n, 5, 5, 4)).astype(np.float32) for n in (16, 16, 8)]


def cnn() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((5, 5, 4)),
            layers.BatchNormalization(name="first"),
            layers.Conv2D(6, 3, name="conv"),
            layers.Dropout(0.5, seed=3),
            layers.BatchNormalization(momentum=0.5, name="frozen", trainable=False),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def averages(layer: keras.layers.Layer) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(v) for v in (layer.moving_mean, layer.moving_variance)]


def test_mean_of_the_batches() -> None:
    model = cnn()
    others = [w for w in model.get_weights()[4:]]
    mcpruner.reestimate_batch_norm(model, iter(BATCHES))
    mean, variance = averages(model.get_layer("first"))
    np.testing.assert_allclose(mean, np.mean([b.mean((0, 1, 2)) for b in BATCHES], axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, np.mean([b.var((0, 1, 2)) for b in BATCHES], axis=0), rtol=1e-4)
    assert all((a == b).all() for a, b in zip(model.get_weights()[4:], others, strict=True))
    assert model.get_layer("first").momentum == 0.99 and model.get_layer("frozen").momentum == 0.5


def test_what_was_there_does_not_count() -> None:
    """Neither earlier averages nor how often it is done."""
    model, far = cnn(), cnn()
    far.get_layer("first").moving_mean.assign(np.full(4, 1e6, np.float32))
    for _ in range(2):
        mcpruner.reestimate_batch_norm(far, BATCHES)
    mcpruner.reestimate_batch_norm(model, BATCHES)
    for a, b in zip(averages(model.get_layer("first")), averages(far.get_layer("first")), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_nested_and_masked_models() -> None:
    inputs = keras.Input((5, 5, 4))
    model = keras.Model(inputs, cnn()(inputs))
    pruned = mcpruner.prune(model, density=0.5)
    mcpruner.reestimate_batch_norm(pruned, BATCHES)
    again = pruned.layers[1].get_layer("first")
    np.testing.assert_allclose(averages(again)[0], np.mean([b.mean((0, 1, 2)) for b in BATCHES], 0), rtol=1e-4)


class Traced(layers.Layer):
    """Has a batch norm in a function that TensorFlow compiles, with the momentum that the layer has then."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = layers.BatchNormalization(name="first")

    def build(self, shape: tuple) -> None:
        self.norm.build(shape)

    @compiled
    def normed(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return self.norm(x, training=True)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return self.normed(x)


def test_functions_that_were_traced_before() -> None:
    model = keras.Sequential([keras.Input((5, 5, 4)), Traced()])
    model(BATCHES[0])
    norm = model.layers[0].norm
    mcpruner.reestimate_batch_norm(model, BATCHES)
    mean = np.mean([b.mean((0, 1, 2)) for b in BATCHES], axis=0)
    np.testing.assert_allclose(averages(norm)[0], mean, rtol=1e-4, atol=1e-5)
    model(BATCHES[0])
    wanted = 0.99 * mean + 0.01 * BATCHES[0].mean((0, 1, 2))
    np.testing.assert_allclose(averages(norm)[0], wanted, rtol=1e-4, atol=1e-5)


def test_nothing_changes_where_it_fails() -> None:
    model = cnn()
    before = model.get_weights()
    with pytest.raises(ValueError, match="^Expected at least one batch of inputs, got none.$"):
        mcpruner.reestimate_batch_norm(model, [])
    with pytest.raises(ValueError, match="^Expected batches as a list, generator or dataset of inputs, got 5.$"):
        mcpruner.reestimate_batch_norm(model, 5)
    with pytest.raises(ValueError, match="^Expected a Keras 3 model, got an object of type str.$"):
        mcpruner.reestimate_batch_norm("model.keras", BATCHES)
    with pytest.raises(ValueError):
        mcpruner.reestimate_batch_norm(model, [BATCHES[0], np.zeros((2, 3), np.float32)])
    assert all((a == b).all() for a, b in zip(model.get_weights(), before, strict=True))
    assert model.get_layer("first").momentum == 0.99
