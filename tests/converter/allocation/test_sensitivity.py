"""Densities for pruning without training: what is measured, what is chosen, every refusal."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import mcpruner
from mcpruner.converter.allocation.sensitivity import Sensitivity, measure_sensitivity
from mcpruner.converter.training.prune import prune

IMAGES = np.random.default_rng(0).standard_normal((40, 8, 8, 8)).astype(np.float32)


def branches() -> keras.Model:
    """Two branches of equal work, of which one hardly reaches the output."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 8))
    loud = layers.Conv2D(32, 1, activation="relu", name="loud")(inputs)
    quiet = layers.Rescaling(1e-3)(layers.Conv2D(32, 1, activation="relu", name="quiet")(inputs))
    x = layers.Conv2D(16, 3, name="joined")(layers.Concatenate()([loud, quiet]))
    return keras.Model(inputs, layers.Dense(4, name="fc")(layers.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def measured() -> Sensitivity:
    return measure_sensitivity(branches(), IMAGES, "hikey970-cpu")


def test_errors_fall_with_density_and_influence_is_of_the_output(measured):
    assert set(measured.sizes) == {"loud", "quiet", "joined"}  # not the classifier
    assert measured.sizes["joined"] == 16 * 9 * 64
    for errors in measured.errors.values():
        assert errors == sorted(errors, reverse=True)
        assert 0 < errors[-1] < errors[0] <= 1
    assert measured.influence["quiet"] < 0.01 * measured.influence["loud"]


@pytest.mark.parametrize("density", [0.2, 0.5, 0.7, 1.0])
def test_the_plan_has_the_density_and_spares_what_counts(measured, density):
    plan = measured.allocate(density)
    kept = sum(measured.sizes[path] * share for path, share in plan.densities.items()) / sum(measured.sizes.values())
    assert kept == pytest.approx(density, abs=0.01)
    assert plan.density == pytest.approx(kept)
    assert plan.densities["quiet"] == min(plan.densities.values())
    if density == 0.7:
        assert plan.densities["quiet"] < 0.4 < 0.6 < plan.densities["loud"]


@pytest.mark.parametrize("density", [0.1, 1.2, 0.0, float("nan")])
def test_a_density_that_was_not_measured_is_refused(measured, density):
    with pytest.raises(ValueError, match=r"Expected a density of 0.2 to 1, where errors are measured, got"):
        measured.allocate(density)


def test_the_model_stays_and_the_plan_is_for_post_training(measured, tmp_path: Path):
    model = branches()
    before = [weights.copy() for weights in model.get_weights()]
    plan = measure_sensitivity(model, IMAGES, "hikey970-cpu").allocate(0.5)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    plan.save(tmp_path / "plan.json")
    densities = mcpruner.Plan.load(tmp_path / "plan.json").densities
    assert densities == pytest.approx(measured.allocate(0.5).densities)
    pruned = mcpruner.prune_post_training(model, IMAGES, "hikey970-cpu", density=densities)
    for path, density in densities.items():
        assert (pruned.get_layer(path).kernel.numpy() != 0).mean() == pytest.approx(density, abs=0.03)
    magnitude = prune(model, "hikey970-cpu", density=densities)
    errors = [
        np.square(m.predict(IMAGES, verbose=0) - model.predict(IMAGES, verbose=0)).sum() for m in (pruned, magnitude)
    ]
    assert errors[0] < 0.5 * errors[1]


def test_scope_leaves_layers_out():
    assert set(measure_sensitivity(branches(), IMAGES, scope="lo*").sizes) == {"loud"}


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="Expected calibration data of shape"):
        measure_sensitivity(branches(), IMAGES[:, :4])
    inner = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(8, 3, name="conv")], name="body")
    nested = keras.Sequential([keras.Input((8, 8, 8)), inner, layers.GlobalAveragePooling2D(), layers.Dense(2)])
    with pytest.raises(ValueError, match="called once in the model's own graph"):
        measure_sensitivity(nested, IMAGES)
