"""Every recipe of ``docs/pruning.md`` on the digits: pruned, converted, verified, run through the plugin."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from demo import accuracy, fit, load_digits
from models import digits_cnn

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.source import load_source
from mcpruner.verification import verify

TARGET = "x86-64"
DENSITY = 0.25
EPOCHS = 4
(TRAIN_X, TRAIN_Y), (TEST_X, TEST_Y) = load_digits()


@pytest.fixture(scope="module")
def dense() -> keras.Model:
    model = digits_cnn()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # a few hundred steps must do
    fit(model, TRAIN_X, TRAIN_Y, 6)
    return model


def one_shot(model: keras.Model) -> keras.Model:
    return mcpruner.prune(model, TARGET, density=DENSITY)


def post_training(model: keras.Model) -> keras.Model:
    images = TRAIN_X[:300]
    plan = mcpruner.measure_sensitivity(model, images, TARGET).allocate(DENSITY)
    return mcpruner.prune_post_training(model, images, TARGET, density=plan.densities)


def callback() -> mcpruner.PruningCallback:
    return mcpruner.PruningCallback(TARGET, density=DENSITY, frequency=10)


def while_training(model: keras.Model) -> keras.Model:
    fit(model, TRAIN_X, TRAIN_Y, EPOCHS, callback())
    return mcpruner.strip(model)


def with_teacher(model: keras.Model) -> keras.Model:
    taught = mcpruner.prune_with_teacher(model)
    fit(taught, TRAIN_X, TRAIN_Y, EPOCHS, callback())
    return mcpruner.strip(taught.student)


def allocated(model: keras.Model) -> keras.Model:
    densities = mcpruner.allocate(model, TARGET, density=DENSITY).densities
    fit(model, TRAIN_X, TRAIN_Y, EPOCHS, mcpruner.PruningCallback(TARGET, density=densities, frequency=10))
    return mcpruner.strip(model)


@pytest.mark.parametrize(
    ("recipe", "least_accuracy"),
    [(one_shot, 0.0), (post_training, 0.8), (while_training, 0.9), (with_teacher, 0.9), (allocated, 0.9)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_recipe(dense: keras.Model, recipe: Callable, least_accuracy: float) -> None:
    pruned = recipe(mcpruner.strip(dense))
    kernels = [pruned.get_layer(name).get_weights()[0] for name in ("conv2", "conv3")]
    kept = sum(map(np.count_nonzero, kernels)) / sum(kernel.size for kernel in kernels)
    assert kept == pytest.approx(DENSITY, abs=0.005)
    content, report = mcpruner.convert(pruned, target=TARGET)
    assert sum(layer.accelerated for layer in report.layers) == 2
    assert verify(content, load_source(pruned)).ok
    logits = run(mcpruner.Interpreter(model_content=content), [TEST_X])[0]
    expected = pruned.predict(TEST_X, verbose=0)
    assert np.abs(logits - expected).max() <= 1e-4 * np.abs(expected).max()
    assert accuracy(logits, TEST_Y) >= least_accuracy
