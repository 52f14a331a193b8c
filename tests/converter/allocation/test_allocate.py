"""Per-layer densities: goals are met, redundant layers pay for the others, plans survive a round trip through JSON."""

import json
import re

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.allocation.allocate import Plan, allocate
from mcpruner.converter.allocation.latency import Latency
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.post_training.recipe import prune_post_training
from mcpruner.converter.target import get_target
from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.prune import prune


def cnn(image: int | None = 16) -> keras.Model:
    """`peaked` has a few weights that hold nearly all of its magnitude; those of `flat` are alike."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((image, image, 3)),
            layers.Conv2D(16, 3, padding="same", name="stem"),
            layers.Conv2D(64, 3, padding="same", name="flat"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise"),
            layers.Conv2D(64, 3, padding="same", name="peaked"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, name="hidden"),
            layers.Dense(10, name="fc"),
        ],
        name="cnn",
    )
    rng = np.random.default_rng(2)
    for name, power in (("flat", 1), ("peaked", 9)):
        layer = model.get_layer(name)
        layer.kernel.assign(rng.uniform(0.5, 1.0, layer.kernel.shape) ** power)
    return model


def images() -> np.ndarray:
    return np.random.default_rng(4).random((8, 16, 16, 3), np.float32)


def kept(model: keras.Model) -> float:
    kernels = [model.get_layer(name).get_weights()[0] for name in ("flat", "peaked", "hidden")]
    return sum(map(np.count_nonzero, kernels)) / sum(kernel.size for kernel in kernels)


@pytest.mark.parametrize("density", [0.0625, 0.178, 0.5, 1.0])
def test_density_of_the_whole_model(density):
    model = cnn()
    plan = allocate(model, "generic", density=density)
    assert set(plan.densities) == {"flat", "peaked", "hidden"}
    assert plan.density == pytest.approx(density, abs=1e-3)
    assert kept(prune(model, "generic", density=plan.densities)) == pytest.approx(density, abs=2e-3)


def test_the_redundant_layer_pays():
    plan = allocate(cnn(), density=0.3)
    assert plan.densities["peaked"] < plan.densities["flat"]


@pytest.mark.parametrize("target", ["x86-64", "hikey970-cpu"])
def test_speedup_and_latency_are_met(target):
    model = cnn()
    plan = allocate(model, target, speedup=2.0)
    assert plan.dense_ms / plan.pruned_ms == pytest.approx(2.0, rel=0.01)
    again = allocate(model, target, latency_ms=plan.pruned_ms)
    assert again.densities == pytest.approx(plan.densities, abs=0.01)


def test_a_time_spares_weights_that_are_used_at_few_pixels():
    """`hidden` is used once for each image: for the same time it may keep more than for the same density."""
    model = cnn()
    timed = allocate(model, "x86-64", speedup=2.0)
    counted = allocate(model, "x86-64", density=timed.density)
    assert timed.densities["hidden"] > counted.densities["hidden"]


def test_latency_is_a_sum_of_lines():
    model = cnn()
    latency = Latency.of(model, get_target("x86-64"))
    peaked = {"peaked": model.get_layer("peaked")}
    at = [latency.pruned_ms(peaked, {"peaked": density}) for density in (0.1, 0.2, 0.4)]
    assert at[2] - at[1] == pytest.approx(2 * (at[1] - at[0]))
    expected = latency.per_weight(peaked["peaked"]) * 0.1 * 64 * 64 * 9 / 1e6
    assert at[1] - at[0] == pytest.approx(expected)
    assert latency.dense_ms > 0


def test_no_layer_dies():
    plan = allocate(cnn(), density=0.04)
    pruned = prune(cnn(), density=plan.densities)
    for name in ("flat", "peaked"):
        kernel = pruned.get_layer(name).get_weights()[0] != 0
        assert kernel.any(axis=(0, 1, 2)).all()
        assert kernel.any(axis=(0, 1, 3)).all()


def test_scope():
    assert set(allocate(cnn(), density=0.2, scope="peaked").densities) == {"peaked"}


def test_saved_edited_and_loaded(tmp_path):
    plan = allocate(cnn(), "x86-64", speedup=2.0)
    plan.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == plan
    edited = json.loads((tmp_path / "plan.json").read_text())
    edited["densities"]["flat"] = 0.25
    (tmp_path / "plan.json").write_text(json.dumps(edited))
    assert Plan.load(tmp_path / "plan.json").densities["flat"] == 0.25


@pytest.mark.parametrize(
    "text", ['{"layers": 3}', '{"target": "x86-64", "densities": [0.5], "density": 0.5}', "[]", "{"]
)
def test_files_that_are_no_plan(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ValueError, match="is no plan .* write one with `mcpruner.allocate"):
        Plan.load(tmp_path / "plan.json")


@pytest.mark.parametrize("way", [prune, lambda model, density: prune_post_training(model, images(), density=density)])
def test_a_plan_is_a_density(way):
    model = cnn()
    plan = allocate(model, density=0.3)
    by_plan, by_densities = way(model, density=plan), way(model, density=plan.densities)
    assert dict(plan) == plan.densities and len(plan) == 3
    for one, other in zip(by_plan.get_weights(), by_densities.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_options_keep_their_own_copy_of_a_plan():
    plan = Plan("generic", {"flat": 0.25}, 0.25)
    options = PruningOptions(density=plan)
    plan.densities["flat"] = 0.5
    assert options.globs == {"flat": 0.25} and PruningOptions(**options.given()) == options
    assert PruningCallback(density=plan).pruner is None
    with pytest.raises(ValueError, match="^Expected density as a number or a mapping .* got an empty mapping.$"):
        PruningOptions(density=Plan("generic", {}, 1.0))


@pytest.mark.parametrize(
    ("goals", "message"),
    [
        ({}, "^Expected one of density, multiply_adds, speedup and latency_ms, got none.$"),
        ({"density": 0.1, "speedup": 2}, "^Expected one of density, multiply_adds, .* got density, speedup.$"),
        ({"density": 0.0}, "^Expected a goal above 0, got density=0.$"),
        ({"speedup": "3"}, "^Expected speedup as a number, got '3'.$"),
        ({"speedup": float("nan")}, "^Expected a goal above 0, got speedup=nan.$"),
        ({"density": 1.5}, "^Expected density of at most 1, got 1.5.$"),
    ],
)
def test_bad_goals(goals, message):
    with pytest.raises(ValueError, match=message):
        allocate(cnn(), **goals)


@pytest.mark.parametrize(
    ("name", "value", "end"), [("speedup", 1000.0, "most"), ("density", 0.001, "least"), ("latency_ms", 1e-9, "least")]
)
def test_what_is_reachable_is_said(name: str, value: float, end: str) -> None:
    sentence = f"^{name}={value:g} is out of reach: as long as every filter and .* the {end} is {name}=([0-9.e-]*)\\.$"
    with pytest.raises(ValueError, match=sentence) as caught:
        allocate(cnn(), **{name: value})
    limit = float(re.match(sentence, str(caught.value))[1])
    allocate(cnn(), **{name: limit})
    beyond = limit * (1.01 if end == "most" else 0.99)
    with pytest.raises(ValueError, match="is out of reach"):
        allocate(cnn(), **{name: beyond})


def test_unknown_output_sizes():
    assert Latency.of(cnn(None), get_target("generic")) is None
    assert allocate(cnn(None), density=0.25).pruned_ms is None
    with pytest.raises(ValueError, match="^The sizes of the layers' outputs of model 'cnn' are not known: give a dens"):
        allocate(cnn(None), speedup=2.0)
