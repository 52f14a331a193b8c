"""Pruning while training: the schedule is followed, weights can come back, the end is exact and stays so."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.callback import PruningCallback
from mcpruner.converter.prune import strip
from mcpruner.converter.pruner import Pruner
from mcpruner.converter.schedule import PolynomialSchedule

RNG = np.random.default_rng(0)
X = RNG.random((64, 6, 6, 4), np.float32)
Y = RNG.integers(0, 3, 64)


def cnn(optimizer: keras.optimizers.Optimizer | None = None, **compile_options) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.Conv2D(8, 3, name="conv"),
            layers.Conv2D(12, 1, name="point"),
            layers.Flatten(),
            layers.Dense(3, name="fc"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss, **compile_options)
    return model


def fit(model: keras.Model, callback: PruningCallback, epochs: int = 4, **options) -> None:
    model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=[callback], **options)  # 4 steps an epoch


def kernel(model: keras.Model, name: str = "conv") -> np.ndarray:
    return model.get_layer(name).get_weights()[0]


class Record(keras.callbacks.Callback):
    """Density of the convolution after each step; stands behind the callback under test in the list."""

    def on_train_begin(self, logs=None):
        self.densities = []

    def on_train_batch_end(self, batch, logs=None):
        self.densities.append(float((kernel(self.model) != 0).mean()))


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.optimizers.AdamW(0.01, weight_decay=0.1),
        keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    ],
    ids=["sgd", "adamw", "ema"],
)
def test_ends_at_the_density_with_exact_zeros(optimizer):
    model = cnn(optimizer)
    callback = PruningCallback("generic", density=0.25, end_step=10, frequency=2)
    fit(model, callback)
    for name in ("conv", "point"):
        mask = callback.pruner.masks[name]
        assert ((kernel(model, name) != 0) == mask).all()
        assert mask.mean() == pytest.approx(0.25, abs=8.01 / mask.size)
    assert (kernel(model, "fc") != 0).all()
    assert callback.pruner.frozen


def test_density_falls_along_the_polynomial():
    model, record = cnn(), Record()
    callback = PruningCallback("generic", 0.25, begin_step=2, end_step=10, frequency=4, initial_density=0.9)
    model.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=[callback, record])
    schedule = PolynomialSchedule(2, 10, 4, initial_density=0.9)
    expected = [1.0] + [schedule.density(step, 0.25) for step in (2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10)]
    assert record.densities == pytest.approx(expected, abs=0.03)


def test_masks_stay_once_frozen():
    model = cnn()
    callback = PruningCallback("generic", 0.25, end_step=4, frequency=2)
    fit(model, callback, epochs=1)
    masks = {path: mask.copy() for path, mask in callback.pruner.masks.items()}
    before = kernel(model)
    fit(model, callback, epochs=3)
    assert callback.pruner.step_count == 16
    assert all((callback.pruner.masks[path] == mask).all() for path, mask in masks.items())
    assert ((kernel(model) != 0) == masks["conv"]).all()
    assert not np.allclose(kernel(model), before)


def test_end_step_defaults_to_half_of_the_fit():
    model, record = cnn(), Record()
    callback = PruningCallback("generic", 0.25, frequency=2, power=1)
    model.fit(X, Y, batch_size=16, epochs=4, verbose=0, callbacks=[callback, record])
    assert record.densities[6] > record.densities[7] == record.densities[-1]


def test_validation_sees_the_pruned_model():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append(float((kernel(self.model) != 0).mean()))

    model = cnn()
    callback = PruningCallback("generic", 0.25, end_step=4, frequency=2)
    model.fit(X, Y, 16, 2, verbose=0, validation_data=(X, Y), callbacks=[callback, Watch()])
    assert seen == pytest.approx([0.25, 0.25], abs=0.03)


def test_density_by_glob():
    model = cnn()
    callback = PruningCallback("generic", {"point": 0.5, "*": 0.25}, end_step=4, frequency=2)
    fit(model, callback)
    assert (kernel(model, "point") != 0).mean() == pytest.approx(0.5, abs=0.05)
    assert (kernel(model) != 0).mean() == pytest.approx(0.25, abs=0.03)


def test_strip_after_training_gives_the_same_outputs():
    model = cnn()
    fit(model, PruningCallback("generic", 0.25, end_step=4))
    plain = strip(model)
    assert ((kernel(plain) == 0) == (kernel(model) == 0)).all()
    np.testing.assert_array_equal(plain.predict(X, verbose=0), model.predict(X, verbose=0))


def test_an_early_end_warns_and_goes_on_with_the_next_fit():
    model = cnn()
    callback = PruningCallback("generic", 0.25, end_step=6, frequency=2)
    with pytest.warns(UserWarning, match="^Training ended after step 4, before the pruning schedule's end"):
        fit(model, callback, epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(model, callback, epochs=1)
    assert (kernel(model) != 0).mean() == pytest.approx(0.25, abs=0.03)


def test_pruner_in_a_custom_loop_moves_pruned_weights_and_lets_them_back():
    """A pruned weight moves by its update (straight-through) and is kept again when it has become large."""
    model = cnn()
    variable = model.get_layer("point").kernel
    start = np.full((1, 1, 8, 12), 0.5, np.float32)
    start[:, :, :4, :4] = start[:, :, 4:, 4:8] = start[:, :, :4, 8:] = 1.0
    variable.assign(start)
    pruner = Pruner(model, PolynomialSchedule(0, 3, 2, initial_density=0.5), density=0.5, scope="point")
    kept = start == 1.0
    assert (pruner.masks["point"] == kept).all()
    assert (variable.numpy() == np.where(kept, 1.0, 0.0)).all()
    update = np.where(kept, -0.2, 0.2).astype(np.float32)
    variable.assign_add(update)  # shadow: 0.8 where kept, 0.7 where pruned; masks are not due at step 1
    pruner.step()
    np.testing.assert_array_equal(variable.numpy(), np.where(kept, np.float32(0.8), 0))
    variable.assign_add(update)  # shadow: 0.6 and 0.9: at step 2 the halves change places
    pruner.step()
    np.testing.assert_allclose(variable.numpy(), np.where(kept, 0.0, 0.9), rtol=1e-6)
    assert (pruner.masks["point"] == ~kept).all()
    assert not pruner.frozen
    pruner.step()
    assert pruner.frozen
    variable.assign_add(np.ones_like(update))
    pruner.step()
    assert ((variable.numpy() != 0) == ~kept).all()


def test_pattern_size_holds_at_the_end_only():
    model = cnn()
    callback = PruningCallback("generic", 0.2, end_step=8, frequency=2, pattern_size=3)
    fit(model, callback)
    sizes = callback.pruner.masks["conv"].sum(axis=(0, 1))
    assert set(np.unique(sizes)) == {0, 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "^Expected one of density and sparsity"),
        ({"density": 0.5, "end_step": 0}, "^Expected 0 <= begin_step < end_step, got 0 and 0.$"),
        ({"density": 0.5, "frequency": 0}, "^Expected a frequency of at least 1 step, got 0.$"),
        ({"density": 0.5, "pattern_size": 4}, "^Layer 'conv': pattern_size 4 keeps at most 4 of 9 weights"),
        ({"density": 0.5, "scope": "fc"}, "^The glob 'fc' of scope matches only layers that are not pruned"),
        ({"density": 0.5, "target": "arm"}, "^Unknown target 'arm'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        fit(cnn(), PruningCallback(**options), epochs=1)


def test_steps_per_execution_is_refused():
    with pytest.raises(ValueError, match="compile the model with steps_per_execution=1, got 2.$"):
        fit(cnn(steps_per_execution=2), PruningCallback(density=0.5))


def test_unknown_number_of_steps_needs_an_end_step():
    def batches():
        while True:
            yield X[:16], Y[:16]

    callback = PruningCallback(density=0.25)
    callback.set_params({"epochs": 1, "steps": None})
    callback.set_model(cnn())
    with pytest.raises(
        ValueError, match="^The number of steps per epoch is unknown: give PruningCallback an end_step.$"
    ):
        callback.on_train_begin()
    fit_callback = PruningCallback(density=0.25, end_step=3)
    model = cnn()
    model.fit(batches(), steps_per_epoch=4, verbose=0, callbacks=[fit_callback])
    assert (kernel(model) != 0).mean() == pytest.approx(0.25, abs=0.03)


def test_one_callback_for_one_model():
    callback = PruningCallback(density=0.25, end_step=2)
    fit(cnn(), callback, epochs=1)
    with pytest.raises(ValueError, match="^This PruningCallback has pruned another model: make one callback for each"):
        fit(cnn(), callback, epochs=1)
