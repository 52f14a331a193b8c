"""First-order saliency against gradients by hand, and what `prune` makes of it."""

import keras
import numpy as np
import pytest

import mcpruner
from mcpruner.converter.training.saliency import first_order_saliency


def network() -> keras.Model:
    """Two dense layers without activations: gradients are matrix products."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(16, use_bias=False, name="hidden")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, use_bias=False, name="classifier")(hidden))


def batches(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [tuple(rng.normal(size=(32, n)).astype(np.float32) for n in (8, 2)) for _ in range(count)]


def test_it_is_the_squared_product_of_weight_and_gradient() -> None:
    model, data = network(), batches(3)
    first, second = (layer.get_weights()[0].astype(np.float64) for layer in model.layers[1:])
    wanted = 0
    for x, y in data:
        error = 2 * (x @ first @ second - y) / y.size
        wanted = wanted + (first * (x.T @ error @ second.T)) ** 2 / len(data)
    found = first_order_saliency(model, data, "mse")
    assert set(found) == {"hidden"}
    np.testing.assert_allclose(found["hidden"], wanted, rtol=1e-3, atol=1e-9)


def test_the_model_stays_as_it_is() -> None:
    model = network()
    before = model.get_weights()
    first_order_saliency(model, batches(2), "mse")
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert not model.compiled


def test_prune_goes_by_it() -> None:
    """An input that never varies is worth nothing, however large its weights are."""
    model = network()
    kernel = model.get_layer("hidden").get_weights()[0]
    kernel[0] *= 100
    model.get_layer("hidden").set_weights([kernel])
    data = [(np.where(np.arange(8) == 0, 0, x).astype(np.float32), y) for x, y in batches(4)]
    worth = mcpruner.first_order_saliency(model, data, "mse")
    by_magnitude, by_worth = (
        np.count_nonzero(mcpruner.prune(model, density=0.5, saliency=s).get_layer("hidden").get_weights()[0][0])
        for s in (None, worth)
    )
    assert by_magnitude == 16
    assert by_worth == 4  # one kernel, so that the channel is not dead


def test_bad_saliency_is_one_sentence() -> None:
    model = network()
    with pytest.raises(ValueError, match="'classifier', which is no prunable layer"):
        mcpruner.prune(model, density=0.5, saliency={"classifier": np.ones((16, 2))})
    for worth in (np.ones((2, 2)), -np.ones((8, 16)), np.full((8, 16), np.nan)):
        with pytest.raises(ValueError, match=r"expected a finite saliency of at least 0 and shape \[8, 16\]"):
            mcpruner.prune(model, density=0.5, saliency={"hidden": worth})


@pytest.mark.parametrize("way", ["frozen layer", "frozen model", "constraint", "half precision"])
def test_gradients_do_not_depend_on_how_a_model_is_trained(way: str) -> None:
    """A gradient of a frozen weight was 0, one of a weight at its bound anything."""
    wanted = first_order_saliency(network(), batches(2), "mse")["hidden"]
    model = network()
    model.get_layer("hidden").trainable = way != "frozen layer"
    if way == "frozen model":
        model.trainable = False
    if way == "constraint":
        model.get_layer("hidden")._kernel.constraint = keras.constraints.MaxNorm(1e-3)
    if way == "half precision":
        for layer in model.layers[1:]:
            layer.dtype_policy = keras.DTypePolicy("mixed_float16")
    assert wanted.max() > 0
    np.testing.assert_array_equal(first_order_saliency(model, batches(2), "mse")["hidden"], wanted)


def test_bad_batches_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        first_order_saliency(network(), [], "mse")
    x, y = batches(1)[0]
    with pytest.raises(ValueError, match="not finite"):
        first_order_saliency(network(), [(x * np.inf, y)], "mse")
    with pytest.raises(ValueError, match=r"^Expected each batch as a pair \(x, y\), got an object of type ndarray.$"):
        first_order_saliency(network(), [x], "mse")
    with pytest.raises(
        ValueError, match=r"^Expected batches as a list, generator or dataset of pairs \(x, y\), got 5.$"
    ):
        first_order_saliency(network(), 5, "mse")
