"""Every way to prune takes every kind of layer: separable, transposed, grouped and 1-D convolutions, einsums."""

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner import (
    PruningCallback,
    allocate,
    convert,
    first_order_saliency,
    measure_sensitivity,
    prune,
    prune_post_training,
    strip,
)
from mcpruner.converter.allocation.latency import layer_geometry
from mcpruner.converter.cost.cost_model import Geometry
from mcpruner.converter.format.grouped import expand_groups
from mcpruner.converter.format.pack import pack
from mcpruner.converter.mask.reorder import filter_permutation
from mcpruner.converter.training.keras_kernel import conv_groups, kernel_shape, kernel_size, kernel_values
from mcpruner.converter.training.prunable import find_layers, kernel_to_ohwi

GROUP = 4  # filters that share a mask on this target
TARGET = "x86-64"
KINDS = ("separable", "transposed", "grouped", "einsum", "line", "grouped_line", "separable_line")


def network() -> keras.Model:
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6, 5, 8))
    x = layers.SeparableConv2D(20, 3, padding="same", activation="relu", name="separable")(inputs)
    x = layers.Conv2DTranspose(16, 3, strides=2, activation="relu", name="transposed")(x)
    x = layers.Conv2D(24, 3, padding="same", groups=2, activation="relu", name="grouped")(x)
    x = layers.EinsumDense("abcd,de->abce", (None, None, 24), bias_axes="e", name="einsum")(x)
    x = layers.Reshape((13 * 11, 24))(layers.ReLU()(x))
    x = layers.Conv1D(16, 3, strides=2, padding="causal", activation="relu", name="line")(x)
    x = layers.Conv1D(16, 3, groups=2, activation="relu", name="grouped_line")(x)
    x = layers.SeparableConv1D(16, 5, activation="relu", name="separable_line")(x)
    return keras.Model(inputs, layers.Dense(3, name="fc")(layers.GlobalAveragePooling1D()(x)))


def data(count: int = 16) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.standard_normal((count, 6, 5, 8)).astype(np.float32), rng.integers(0, 3, count)


def check(model: keras.Model, density: float) -> None:
    """All layers have this density, and packing in groups of filters stores hardly more than the weights kept."""
    found = find_layers(model)[0]
    assert tuple(found) == KINDS
    for label, layer in found.items():
        weights = kernel_to_ohwi(kernel_values(layer))
        assert weights.shape == kernel_shape(layer) and weights.size == kernel_size(layer)
        assert np.mean(weights != 0) == pytest.approx(density, abs=0.06), label
        weights = expand_groups(weights, conv_groups(layer))
        stored = pack(weights, filter_permutation(weights != 0, GROUP), GROUP).values.size
        assert stored <= 1.2 * np.count_nonzero(weights), label


def test_one_shot_and_by_saliency() -> None:
    model, (x, y) = network(), data()
    check(prune(model, TARGET, density=0.25), 0.25)
    worth = first_order_saliency(model, [(x, y)], keras.losses.SparseCategoricalCrossentropy(True))
    assert {label: value.shape for label, value in worth.items()} == {
        "separable": (1, 1, 8, 20),
        "transposed": (3, 3, 16, 20),
        "grouped": (3, 3, 8, 24),
        "einsum": (24, 24),
        "line": (3, 24, 16),
        "grouped_line": (3, 8, 16),
        "separable_line": (1, 16, 16),
    }
    check(prune(model, TARGET, density=0.5, saliency=worth), 0.5)


def test_while_training() -> None:
    model, (x, y) = network(), data(64)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(True))
    depthwise = model.get_layer("separable").depthwise_kernel
    model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[PruningCallback(TARGET, density=0.25)])
    plain = strip(model)
    check(plain, 0.25)
    np.testing.assert_allclose(plain.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)
    assert np.all(np.asarray(depthwise) != 0)


def test_without_training() -> None:
    model, (x, _) = network(), data(60)
    pruned = prune_post_training(model, x, TARGET, density=0.25)
    check(pruned, 0.25)
    dense, one_shot = model.predict(x, verbose=0), prune(model, TARGET, density=0.25).predict(x, verbose=0)
    assert np.abs(pruned.predict(x, verbose=0) - dense).mean() < np.abs(one_shot - dense).mean()


@pytest.mark.parametrize("goal", [{"density": 0.4}, {"multiply_adds": 0.4}, {"speedup": 1.2}])
def test_allocation(goal) -> None:
    plan = allocate(network(), TARGET, **goal)
    assert set(plan) == set(KINDS)


def test_sensitivity() -> None:
    measured = measure_sensitivity(network(), data(60)[0], TARGET)
    assert set(measured.errors) == set(KINDS)
    assert set(measured.allocate(density=0.5)) == set(KINDS)


def test_geometry() -> None:
    model = network()
    found = {name: layer_geometry(model.get_layer(name)) for name in KINDS}
    assert found == {
        "separable": ((20, 1, 1, 8), Geometry("Conv2D", 6, 5)),
        "transposed": ((16, 3, 3, 20), Geometry("TransposeConv2D", 6, 5, 2)),
        "grouped": ((24, 3, 3, 8), Geometry("Conv2D", 13, 11, groups=2)),
        "einsum": ((24, 1, 1, 24), Geometry("FullyConnected", 13, 11)),
        "line": ((16, 1, 3, 24), Geometry("Conv2D", 1, 72, 2)),
        "grouped_line": ((16, 1, 3, 8), Geometry("Conv2D", 1, 70, groups=2)),
        "separable_line": ((16, 1, 1, 16), Geometry("Conv2D", 1, 66)),
    }


def test_what_is_converted_has_the_zeros() -> None:
    """All can be packed, and stay dense for their predicted time alone."""
    _, report = convert(prune(network(), TARGET, density=0.25), TARGET, batch=1)
    pruned = {layer.name: layer for layer in report.layers if layer.density < 0.4}
    assert [layer.op for layer in pruned.values()] == [
        *("CONV_2D", "TRANSPOSE_CONV", "CONV_2D", "FULLY_CONNECTED", "CONV_2D", "CONV_2D", "CONV_2D")
    ]
    assert [layer.density for layer in pruned.values()] == pytest.approx([0.25] * 7, abs=0.06)
    reasons = [layer.reason for layer in pruned.values()]
    by_time = ("sparse: ", "at density", "packed it is predicted")
    assert all(reason.removeprefix("dense: ").startswith(by_time) for reason in reasons)
