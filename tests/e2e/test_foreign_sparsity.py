"""A model pruned by nobody we know converts losslessly and runs right."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import mcpruner


def unstructured(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """80 % zeros anywhere."""
    return rng.random(kernel.shape) < 0.2


def two_of_four(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two of every four consecutive input channels, as NVIDIA's sparse tensor cores and tfmot's 2:4 want them."""
    moved = np.moveaxis(kernel, -2, -1)
    blocks = rng.random((*moved.shape[:-1], moved.shape[-1] // 4, 4))
    mask = blocks.argsort(-1).argsort(-1) < 2
    return np.moveaxis(mask.reshape(moved.shape), -1, -2)


def filters(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whole filters, half of them."""
    return np.broadcast_to(rng.random(kernel.shape[-1]) < 0.5, kernel.shape)


def small_network(choose: Callable, rng: np.random.Generator) -> keras.Model:
    """A few layers of each kind with trained-looking batch norm and the mask of ``choose``."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((33, 31, 8))
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same")(inputs)
    x = shortcut = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(32, 5, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(32, 3, padding="valid", dilation_rate=2)(keras.layers.ZeroPadding2D(2)(x))
    x = keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))
    x = keras.layers.MaxPooling2D(2)(keras.layers.Conv2D(48, 1)(x))
    model = keras.Model(inputs, keras.layers.Dense(40)(keras.layers.Flatten()(x)))
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            layer.set_weights([weights[0] * choose(weights[0], rng), rng.standard_normal(weights[1].shape)])
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in weights])
    return model


@pytest.mark.parametrize("choose", [unstructured, two_of_four, filters])
def test_foreign_masks_convert_losslessly(choose: Callable) -> None:
    """Every layer is taken or explained, the file shrinks, and results stay within rounding of the dense model's."""
    rng = np.random.default_rng(5)
    dense = tf.lite.TFLiteConverter.from_keras_model(small_network(choose, rng)).convert()
    sparse, report = mcpruner.convert(dense, target="x86-64")
    assert all(layer.reason for layer in report.layers)
    assert any(layer.accelerated for layer in report.layers)
    assert len(sparse) < len(dense)

    x = rng.standard_normal((2, 33, 31, 8)).astype(np.float32)
    expected = tf.lite.Interpreter(model_content=dense)
    actual = mcpruner.Interpreter(model_content=sparse)
    results = []
    for interpreter in (expected, actual):
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_allclose(results[1], results[0], atol=1e-5 * np.abs(results[0]).max(), rtol=0)
