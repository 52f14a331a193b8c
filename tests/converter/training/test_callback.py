"""Pruning while training: the schedule is followed, weights can come back, the end is exact and stays so.

Runs with any backend; `test_other_backends` runs this file with JAX.
"""

import warnings

import keras
import numpy as np
import pytest
from small_cnn import small_cnn

from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.masked_layers import StepState, get_steps, masked_layers
from mcpruner.converter.training.prune import strip
from mcpruner.converter.training.pruner import Pruner
from mcpruner.converter.training.schedule import PolynomialSchedule

RNG = np.random.default_rng(0)
X = RNG.random((64, 6, 6, 4), np.float32)
Y = RNG.integers(0, 3, 64)


def cnn(optimizer: keras.optimizers.Optimizer | None = None, **compile_options) -> keras.Model:
    model = small_cnn()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss, **compile_options)
    return model


def fit(model: keras.Model, callback: PruningCallback, epochs: int = 4, **options) -> None:
    model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=[callback], **options)  # 4 steps an epoch


def kernel(model: keras.Model, name: str = "conv") -> np.ndarray:
    """As the layer uses it: masked."""
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(model.get_layer(name).kernel))


def stored(model: keras.Model, name: str = "conv") -> np.ndarray:
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
        assert ((stored(model, name) != 0) == mask).all()
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


def test_the_history_has_the_density():
    model = cnn()
    callback = PruningCallback(density=0.25, frequency=1, end_step=8)
    history = model.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=[callback]).history["density"]
    assert history == sorted(history, reverse=True) and history[0] > history[1] == history[2]
    masks = [layer.pruning_mask for layer in (model.get_layer("conv"), model.get_layer("point"))]
    masks = [keras.ops.convert_to_numpy(mask) for mask in masks]
    assert history[-1] == pytest.approx(sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks))


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
        warnings.simplefilter("error", UserWarning)
        fit(model, callback, epochs=1)
    assert (kernel(model) != 0).mean() == pytest.approx(0.25, abs=0.03)


def test_pruner_in_a_custom_loop_lets_weights_back():
    """Masks follow the dense kernel, which the loop's optimizer moves where it is pruned as well."""
    model = cnn()
    variable = model.get_layer("point").kernel
    start = np.full((1, 1, 8, 12), 0.5, np.float32)
    start[:, :, :4, :4] = start[:, :, 4:, 4:8] = start[:, :, :4, 8:] = 1.0
    variable.assign(start)
    pruner = Pruner(model, PolynomialSchedule(0, 3, 2, initial_density=0.5), density=0.5, scope="point")
    kept = start == 1.0
    assert (pruner.masks["point"] == kept).all()
    assert (kernel(model, "point") == np.where(kept, 1.0, 0.0)).all()
    update = np.where(kept, -0.2, 0.2).astype(np.float32)
    variable.assign_add(update)  # 0.8 where kept, 0.7 where pruned; masks are not due at step 1
    pruner.step()
    np.testing.assert_array_equal(kernel(model, "point"), np.where(kept, np.float32(0.8), 0))
    variable.assign_add(update)  # 0.6 and 0.9: at step 2 the halves change places
    pruner.step()
    np.testing.assert_allclose(kernel(model, "point"), np.where(kept, 0.0, 0.9), rtol=1e-6)
    assert (pruner.masks["point"] == ~kept).all()
    pruner.finish()
    assert not pruner.frozen
    assert (stored(model, "point") != 0).all()
    pruner.step()
    assert pruner.frozen
    variable.assign_add(np.ones_like(update))
    pruner.finish()
    assert ((stored(model, "point") != 0) == ~kept).all()


def test_gradients_are_straight_through_until_frozen():
    """One step of SGD: a pruned weight moves by the gradient at the masked network, after the schedule not at all."""
    model = cnn(keras.optimizers.SGD(0.5))
    pruner = Pruner(model, PolynomialSchedule(0, 2, 2, initial_density=0.5), density=0.5, scope="point")
    for frozen in (False, True):
        before, mask = stored(model, "point"), pruner.masks["point"]
        model.train_on_batch(X, Y)
        moved = stored(model, "point") != before
        assert (moved == (mask if frozen else np.ones_like(mask))).mean() > 0.99
        pruner.step(2)


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
        ({"density": 0.5, "begin_step": "1"}, "^Expected begin_step as a whole number of steps, got '1'.$"),
        ({"density": 0.5, "end_step": 2.5}, "^Expected end_step as a whole number of steps, got 2.5.$"),
        ({"density": 0.5, "frequency": 0}, "^Expected a frequency of at least 1 step, got 0.$"),
        ({"density": 0.5, "begin_step": -1}, "^Expected 0 <= begin_step < end_step, got -1 and 0.$"),
        ({"density": 0.5, "begin_step": 7, "end_step": 7}, "^Expected 0 <= begin_step < end_step, got 7 and 7.$"),
        ({"density": 0.5, "frequency": True}, "^Expected frequency as a whole number of steps, got True.$"),
        ({"density": 0.5, "power": 0}, "^Expected a power above 0, got 0.$"),
        ({"density": 0.5, "initial_density": "1"}, "^Expected initial_density as a number, got '1'.$"),
        (
            {"density": 0.5, "removed": "kept"},
            "^Expected removed as one of decay, frozen, .*, got 'kept'.$",
        ),
        ({"density": 0.5, "target": "arm"}, "^Unknown target 'arm'"),
    ],
)
def test_bad_options_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        PruningCallback(**options)


@pytest.mark.parametrize("options", [{"begin_step": 0}, {"begin_step": 10**9}, {"end_step": 1}, {"frequency": 1}, {}])
def test_what_fit_will_fill_in_may_be_left_out(options):
    assert PruningCallback(density=0.5, **options).pruner is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern_size": 4}, "^Layer 'conv': pattern_size 4 keeps at most 4 of 9 weights"),
        ({"scope": "fc"}, "^The glob 'fc' of scope matches only layers that are not pruned"),
    ],
)
def test_options_that_do_not_suit_the_model(options, message):
    callback = PruningCallback(density=0.5, **options)
    with pytest.raises(ValueError, match=message):
        fit(cnn(), callback, epochs=1)


def test_steps_per_execution():
    one, two = cnn(), cnn(steps_per_execution=2)
    for model in (one, two):
        fit(model, PruningCallback(density=0.25, begin_step=0, end_step=8, frequency=4), shuffle=False)
    np.testing.assert_allclose(kernel(one), kernel(two), rtol=1e-4, atol=1e-6)


def test_executions_that_do_not_divide_an_epoch():
    """4 steps an epoch by three: Keras tells of batch 5 at the end of it."""
    model, callback = cnn(steps_per_execution=3), PruningCallback(density=0.25, end_step=14, frequency=2)
    fit(model, callback)
    assert callback.pruner.step_count == int(model.optimizer.iterations) == 16


def test_a_model_that_was_trained_and_used_before():
    """Compiled steps from before the masks are traced again."""
    model = cnn()
    model.fit(X, Y, batch_size=16, verbose=0)
    model.evaluate(X, Y, verbose=0)
    dense = model.predict(X, verbose=0)
    fit(model, PruningCallback(density=0.25, end_step=4, frequency=2))
    pruned = model.predict(X, verbose=0)
    assert not np.allclose(dense, pruned)
    np.testing.assert_allclose(strip(model).predict(X, verbose=0), pruned, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16", "float64"])
def test_other_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = cnn(keras.optimizers.SGD(0.01))  # Adam's epsilon is 0 in float16
        fit(model, PruningCallback(density=0.25, end_step=8, frequency=2))
        assert not policy.startswith("mixed") or kernel(model).dtype == stored(model).dtype == np.float32
        assert (stored(model) != 0).mean() == pytest.approx(0.25, abs=0.03)
        assert np.isfinite(stored(model)).all()
    finally:
        keras.config.set_dtype_policy("float32")


def test_early_stopping_restores_a_pruned_model():
    model = cnn()
    stop = keras.callbacks.EarlyStopping("loss", patience=1, start_from_epoch=2, restore_best_weights=True)
    model.fit(X, Y, 16, 8, verbose=0, callbacks=[PruningCallback(density=0.25, end_step=4, frequency=2), stop])
    assert (strip(model).get_layer("conv").get_weights()[0] != 0).mean() == pytest.approx(0.25, abs=0.03)


OPTIONS = {"density": 0.25, "end_step": 12, "frequency": 2}


def straight_run() -> np.ndarray:
    model = cnn()
    fit(model, PruningCallback(**OPTIONS), epochs=5, shuffle=False)
    return stored(model)


class Cut(keras.callbacks.Callback):
    """Interrupts training after an epoch, as a power cut would."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_backup_and_restore_resumes_exactly(tmp_path):
    def run(*more: keras.callbacks.Callback) -> keras.Model:
        model = cnn()
        backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        callbacks = [PruningCallback(**OPTIONS), backup, *more]
        model.fit(X, Y, batch_size=16, epochs=5, verbose=0, shuffle=False, callbacks=callbacks)
        return model

    with pytest.raises(KeyboardInterrupt):
        run(Cut())
    np.testing.assert_array_equal(stored(run()), straight_run())


def test_a_keras_file_written_on_the_way_resumes_exactly(tmp_path):
    model, path = cnn(), tmp_path / "half.keras"
    save = keras.callbacks.ModelCheckpoint(path)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, 16, 5, verbose=0, shuffle=False, callbacks=[PruningCallback(**OPTIONS), save, Cut()])
    model = keras.models.load_model(path)
    fit(model, PruningCallback(**OPTIONS), epochs=5, initial_epoch=2, shuffle=False)
    np.testing.assert_array_equal(stored(model), straight_run())


class Fails(keras.callbacks.Callback):
    """Interrupts training once, when its ninth epoch begins."""

    failed = False

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 8 and not self.failed:
            self.failed = True
            raise KeyboardInterrupt


def test_the_default_schedule_is_for_the_epochs_that_are_left(tmp_path):
    """A network that was trained for 6 epochs and is pruned in 6 more: 60 % of 24 steps, also after an interruption."""
    fails = Fails()

    def run() -> PruningCallback:
        model, callback = cnn(), PruningCallback(density=0.25)
        backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        callbacks = [callback, backup, fails]
        model.fit(X, Y, batch_size=16, epochs=12, initial_epoch=6, verbose=0, callbacks=callbacks)
        return callback

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # none says that the schedule is not at its end
        with pytest.raises(KeyboardInterrupt):
            run()
        callback = run()
    assert callback.pruner.step_count == 24 and callback.pruner.frozen
    assert {get_steps(layer) for layer in masked_layers(callback.pruner.model)} == {StepState(24, 24, 14)}
    assert callback.pruner.density == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(("initial_epoch", "end"), [(0, 10), (2, 5)])
def test_the_default_schedule_of_a_model_that_the_first_batch_builds(initial_epoch, end):
    model = keras.Sequential([keras.layers.Conv2D(8, 3), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    callback = PruningCallback(density=0.25)
    fit(model, callback, epochs=0)  # of which no schedule comes
    fit(model, callback, initial_epoch=initial_epoch)
    assert {get_steps(layer).end for layer in masked_layers(model)} == {end}


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
