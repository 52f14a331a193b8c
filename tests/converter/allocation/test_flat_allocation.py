"""Densities under a budget of multiply-adds: the rule, the budget, what a shortcut is."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.allocation.allocate import Plan, allocate
from mcpruner.converter.allocation.flat_allocation import allocate_flat, is_shortcut, kept_work


def block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    y = layers.Conv2D(filters, 3, 2, padding="same", name=name + "_conv1")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(filters, 3, padding="same", name=name + "_conv2")(y)
    shortcut = layers.Conv2D(filters, 1, 2, name=name + "_shortcut")(x)
    return layers.ReLU()(layers.Add()([y, layers.BatchNormalization()(shortcut)]))


def residual(size: int | None = 32, width: int = 64) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(width, 3, padding="same", name="stem")(inputs)
    for i in range(3):
        x = layers.ReLU()(layers.Conv2D(width, 3, padding="same", name=f"plain{i}")(x))
    x = block(block(x, 2 * width, "a"), 4 * width, "b")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, name="fc")(x), name="residual")


def multiply_adds(model: keras.Model) -> dict[str, float]:
    kinds = (layers.Conv2D, layers.Dense)
    prunable = [x for x in model.layers if isinstance(x, kinds) and x.name not in ("stem", "fc")]
    return {x.name: float(np.prod(x.kernel.shape) * np.prod(x.output.shape[1:-1])) for x in prunable}


@pytest.mark.parametrize("share", [0.0625, 0.178, 0.5, 1.0])
def test_the_budget_is_spent(share: float) -> None:
    model = residual()
    plan = allocate(model, "generic", multiply_adds=share)
    work = multiply_adds(model)
    assert set(plan.densities) == set(work)
    assert sum(work[name] * plan.densities[name] for name in work) / sum(work.values()) == pytest.approx(share)
    assert plan.multiply_adds == pytest.approx(share)


def test_the_rule() -> None:
    """Densities go with the number of weights to the power of -0.15; small shortcuts keep 0.8."""
    model = residual()
    densities = allocate(model, multiply_adds=0.2).densities
    sizes = {name: np.prod(model.get_layer(name).kernel.shape) for name in densities}
    scales = [d * sizes[name] ** 0.15 for name, d in densities.items() if not name.endswith("shortcut")]
    np.testing.assert_allclose(scales, scales[0])
    assert densities["a_shortcut"] == densities["b_shortcut"] == 0.8


def test_a_shortcut_that_is_not_small_is_a_layer_like_others() -> None:
    inputs = keras.Input((8, 8, 16))
    x = block(inputs, 32, "only")
    outputs = layers.Dense(3)(layers.Flatten()(x))
    densities = allocate(keras.Model(inputs, outputs), multiply_adds=0.3).densities
    assert densities["only_shortcut"] < 0.6


def test_any_goal_says_what_it_keeps() -> None:
    model = residual()
    plan = allocate(model, density=0.25)
    work = multiply_adds(model)
    assert plan.multiply_adds == pytest.approx(kept_work(plan.densities, work))
    assert plan.multiply_adds > plan.density


def test_what_a_shortcut_is() -> None:
    model = residual()
    found = {layer.name for layer in model.layers if is_shortcut(layer)}
    assert found == {"a_shortcut", "b_shortcut"}
    linear = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(8, 1), layers.BatchNormalization()])
    assert not any(map(is_shortcut, linear.layers))
    assert not is_shortcut(layers.Conv2D(8, 1))


def test_a_projection_that_ends_a_block_is_no_shortcut() -> None:
    """MobileNetV2's block: the 1x1 convolution before the sum reads a depthwise one, not the fork."""
    inputs = keras.Input((8, 8, 16))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    y = layers.ReLU(6.0)(layers.Conv2D(64, 1, name="expand")(x))
    y = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, padding="same")(y))
    y = layers.BatchNormalization()(layers.Conv2D(16, 1, name="project")(y))
    model = keras.Model(inputs, layers.Add()([x, y]))
    assert not any(map(is_shortcut, model.layers))


def test_a_shortcut_behind_a_pool_and_in_a_nested_model() -> None:
    """ResNet-D pools before the 1x1 convolution; the fork is the nested model's input."""
    inner = keras.Input((8, 8, 16))
    y = layers.Conv2D(32, 3, 2, padding="same")(inner)
    z = layers.Conv2D(32, 1, name="short")(layers.AveragePooling2D(2)(inner))
    body = keras.Model(inner, layers.Add()([y, z]), name="body")
    keras.Model(outer := keras.Input((8, 8, 16)), body(outer))
    assert [layer.name for layer in body.layers if is_shortcut(layer)] == ["short"]


def test_floors_count_and_may_exceed_the_budget() -> None:
    kinds = {name: keras.layers.Dense(4) for name in ("small", "large")}
    for layer, inputs in zip(kinds.values(), (4, 64), strict=True):
        layer.build((None, inputs))
    work, floors = {"small": 16.0, "large": 256.0}, {"small": 0.5, "large": 0.01}
    found = allocate_flat(kinds, work, floors, 0.1)
    assert found["small"] == 0.5 and kept_work(found, work) == pytest.approx(0.1)
    assert allocate_flat(kinds, work, floors, 0.03) is None


def test_out_of_reach_and_out_of_range() -> None:
    sentence = "^multiply_adds=0.001 is out of reach: as long as .* the least is multiply_adds=(0.0[0-9]*)\\.$"
    with pytest.raises(ValueError, match=sentence) as caught:
        allocate(residual(), multiply_adds=0.001)
    least = float(re.match(sentence, str(caught.value))[1])
    assert allocate(residual(), multiply_adds=least).multiply_adds <= least
    with pytest.raises(ValueError, match="^Expected multiply_adds of at most 1, got 1.5.$"):
        allocate(residual(), multiply_adds=1.5)
    with pytest.raises(ValueError, match="^The sizes of the layers' outputs of model 'residual' are not known"):
        allocate(residual(None), multiply_adds=0.2)
    assert allocate(residual(None), density=0.2).multiply_adds is None


def test_old_plans_are_read(tmp_path) -> None:
    (tmp_path / "plan.json").write_text('{"target": "generic", "densities": {"a": 0.5}, "density": 0.5}')
    assert Plan.load(tmp_path / "plan.json").multiply_adds is None
