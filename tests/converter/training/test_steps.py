"""Each optimizer step is counted once, in whatever way training goes on: all ways end where one long `fit` ends.

All batches are the same and the optimizer has no state but its counter, so that 20 steps are 20 steps. Runs with any
backend; `test_other_backends` runs this file with JAX.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from small_cnn import small_cnn

from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.masked_layers import StepState, get_mask, get_steps, masked_layers
from mcpruner.converter.training.prune import strip
from mcpruner.converter.training.pruner import Pruner
from mcpruner.converter.training.schedule import PolynomialSchedule

RNG = np.random.default_rng(0)
X = np.tile(RNG.random((16, 6, 6, 4), np.float32), (4, 1, 1, 1))  # 4 steps an epoch
Y = np.tile(RNG.integers(0, 3, 16), 4)
BATCH = (X[:16], Y[:16])
OPTIONS = {"density": 0.25, "begin_step": 0, "end_step": 13, "frequency": 3}


def cnn(**options: Any) -> keras.Model:
    return compiled(small_cnn(), **options)


def compiled(model: keras.Model, **options: Any) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.02), loss, **options)
    return model


def fit(model: keras.Model, epochs: int, *callbacks: Any, **options: Any) -> None:
    """`epochs` in Keras' meaning: the number of the last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


def new() -> PruningCallback:
    return PruningCallback(**OPTIONS)


class Fails(keras.callbacks.Callback):
    """Interrupts training once, after a step of the second epoch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.model.optimizer.iterations is not None and self.epoch == 1 and batch == 1 and not self.failed:
            self.failed = True
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    failed = False


def again(folder: Path) -> keras.Model:
    model, callback = cnn(), new()
    fit(model, 2, callback)
    fit(model, 3, callback)
    return model


def again_by_epoch(folder: Path) -> keras.Model:
    model, callback = cnn(), new()
    fit(model, 2, callback)
    fit(model, 5, callback, initial_epoch=2)
    return model


def again_with_a_new_callback(folder: Path) -> keras.Model:
    model = cnn()
    for epochs in (1, 3, 1):
        fit(model, epochs, new())
    return model


def compiled_again(folder: Path) -> keras.Model:
    model, callback = cnn(), new()
    fit(model, 2, callback)
    fit(compiled(model), 3, callback)
    return model


def a_keras_file(folder: Path) -> keras.Model:
    model = cnn()
    fit(model, 2, new())
    model.save(folder / "model.keras")
    model = keras.models.load_model(folder / "model.keras")
    fit(model, 3, new())
    return model


def a_keras_file_by_epoch(folder: Path) -> keras.Model:
    model = cnn()
    fit(model, 2, keras.callbacks.ModelCheckpoint(folder / "model.keras"), new())
    model = keras.models.load_model(folder / "model.keras")
    fit(model, 5, new(), initial_epoch=2)
    return model


def a_file_of_the_middle_of_an_epoch(folder: Path) -> keras.Model:
    model = cnn()
    save = keras.callbacks.ModelCheckpoint(folder / "model.keras", save_freq=6)
    with pytest.raises(KeyboardInterrupt):
        fit(model, 5, new(), save, Fails())
    model = keras.models.load_model(folder / "model.keras")
    fit(model, 3, new())
    for _ in range(2):
        model.train_on_batch(*BATCH)
    return model


def a_file_of_weights(folder: Path) -> keras.Model:
    model = cnn()
    fit(model, 2, new())
    model.save_weights(folder / "model.weights.h5")
    model, callback = cnn(), new()
    callback.set_model(model)  # masks the layers
    model.load_weights(folder / "model.weights.h5")
    fit(model, 3, callback)
    return model


def a_file_of_weights_by_epoch(folder: Path) -> keras.Model:
    """Written before the callback knows that the epoch has ended, and read where the optimizer has no state yet."""
    model = cnn()
    fit(model, 2, keras.callbacks.ModelCheckpoint(folder / "model.weights.h5", save_weights_only=True), new())
    model, callback = cnn(), new()
    callback.set_model(model)
    model.load_weights(folder / "model.weights.h5")
    fit(model, 5, callback, initial_epoch=2)
    return model


def backup(folder: Path, before: bool = False, **options: Any) -> keras.Model:
    def run(*more: Any) -> keras.Model:
        model = cnn()
        restore = keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False, **options)
        fit(model, 5, *((restore, new()) if before else (new(), restore)), *more)
        return model

    with pytest.raises(KeyboardInterrupt):
        run(Fails())
    return run()


def a_loop(folder: Path) -> keras.Model:
    model = cnn()
    pruner = Pruner(model, PolynomialSchedule(0, 13, 3), density=0.25)
    for _ in range(20):
        model.train_on_batch(*BATCH)
        pruner.step()
    pruner.finish()
    assert pruner.step_count == 20
    return model


def a_loop_of_two_pruners(folder: Path) -> keras.Model:
    model = cnn()
    for _ in range(4):
        pruner = Pruner(model, PolynomialSchedule(0, 13, 3), density=0.25)
        for _ in range(5):
            model.train_on_batch(*BATCH)
            pruner.step()
    pruner.finish()
    return model


def batches_in_between(folder: Path) -> keras.Model:
    model, callback = cnn(), new()
    for epochs, batches in ((1, 1), (2, 3), (1, 0)):  # of the batches none ends where masks are due
        fit(model, epochs, callback)
        for _ in range(batches):
            model.train_on_batch(*BATCH)
    return model


def a_loop_of_callbacks(folder: Path) -> keras.Model:
    model = cnn()
    callbacks = keras.callbacks.CallbackList([new()], model=model, epochs=5, steps=4)
    callbacks.on_train_begin()
    for step in range(20):
        model.train_on_batch(*BATCH)
        callbacks.on_train_batch_end(step)
    callbacks.on_train_end()
    return model


def failed_and_tried_again(folder: Path, before: bool = False) -> keras.Model:
    model, callback, fails = cnn(), new(), Fails()
    both = (fails, callback) if before else (callback, fails)
    with pytest.raises(KeyboardInterrupt):
        fit(model, 5, *both)
    fit(model, 3, *both)
    for _ in range(2):  # 6 + 12 + 2
        model.train_on_batch(*BATCH)
    return model


def listed_twice(folder: Path) -> keras.Model:
    model, callback = cnn(), new()
    fit(model, 5, callback, callback)
    return model


def a_callback_for_each_layer(folder: Path) -> keras.Model:
    model = cnn()
    fit(model, 5, *(PruningCallback(**OPTIONS, scope=name) for name in ("conv", "point")))
    return model


WAYS: dict[str, Callable[[Path], keras.Model]] = {
    "fit again": again,
    "fit again with initial_epoch": again_by_epoch,
    "fit again with a new callback": again_with_a_new_callback,
    "compiled again": compiled_again,
    "a .keras file": a_keras_file,
    "a .keras file with initial_epoch": a_keras_file_by_epoch,
    "a .keras file of the middle of an epoch": a_file_of_the_middle_of_an_epoch,
    "a file of weights": a_file_of_weights,
    "a file of weights of a checkpoint listed first": a_file_of_weights_by_epoch,
    "BackupAndRestore": backup,
    "BackupAndRestore listed first": lambda folder: backup(folder, before=True),
    "a loop": a_loop,
    "a loop of several pruners": a_loop_of_two_pruners,
    "train_on_batch in between": batches_in_between,
    "a loop of callbacks": a_loop_of_callbacks,
    "failed and tried again": failed_and_tried_again,
    "failed in a callback before": lambda folder: failed_and_tried_again(folder, before=True),
    "listed twice": listed_twice,
    "a callback for each layer": a_callback_for_each_layer,
}


@pytest.fixture(scope="module")
def straight() -> list[np.ndarray]:
    model = cnn()
    fit(model, 5, new())
    return strip(model).get_weights()


@pytest.mark.parametrize("way", WAYS)
def test_twenty_steps(way, straight, tmp_path):
    model = WAYS[way](tmp_path)
    for layer in masked_layers(model):
        state = get_steps(layer)
        assert state.end == 13
        assert state.count + int(model.optimizer.iterations) - state.at == 20
    for ours, theirs in zip(strip(model).get_weights(), straight, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(ours == 0, theirs == 0)


def test_steps_per_execution(straight):
    model, callback = cnn(steps_per_execution=4), PruningCallback(density=0.25, begin_step=0, end_step=8, frequency=4)
    fit(model, 2, callback)
    fit(model, 3, callback)
    assert callback.pruner.step_count == 20
    other, callback = cnn(), PruningCallback(density=0.25, begin_step=0, end_step=8, frequency=4)
    fit(other, 5, callback)
    for ours, theirs in zip(strip(model).get_weights(), strip(other).get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_masks_that_were_due_in_between_are_chosen_when_the_callback_is_back():
    model, callback = cnn(), new()
    fit(model, 1, callback)
    for _ in range(12):
        model.train_on_batch(*BATCH)
    callback.on_train_begin()
    assert callback.pruner.step_count == 16 and callback.pruner.frozen
    assert callback.pruner.density == pytest.approx(0.25, abs=0.03)


def test_training_before_pruning_does_not_count():
    model, callback = cnn(), new()
    model.fit(X, Y, batch_size=16, epochs=3, verbose=0)
    fit(model, 1, callback)
    assert callback.pruner.step_count == 4


def test_the_default_end_is_kept(tmp_path):
    """60 % of the first fit, also where a new process goes on with fewer epochs."""
    model = cnn()
    fit(model, 5, PruningCallback(density=0.25, frequency=2))
    assert {get_steps(layer) for layer in masked_layers(model)} == {StepState(20, 20, 12)}
    model = cnn()
    with pytest.raises(KeyboardInterrupt):
        fit(model, 5, PruningCallback(density=0.25, frequency=2), Fails())
    model.save(tmp_path / "model.keras")
    model, callback = keras.models.load_model(tmp_path / "model.keras"), PruningCallback(density=0.25, frequency=2)
    fit(model, 2, callback)
    assert {get_steps(layer) for layer in masked_layers(model)} == {StepState(14, 14, 12)}
    assert callback.pruner.frozen
    fit(model, 2, PruningCallback(density=0.125, frequency=2))  # pruned further by a second schedule
    assert {get_steps(layer) for layer in masked_layers(model)} == {StepState(22, 22, 19)}
    assert (strip(model).get_layer("conv").get_weights()[0] != 0).mean() == pytest.approx(0.125, abs=0.03)


class Stops(keras.callbacks.Callback):
    """Interrupts training when its ninth epoch begins, and keeps the masks of then."""

    masks: list[np.ndarray]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 8:
            self.masks = [get_mask(layer) for layer in masked_layers(self.model)]
            raise KeyboardInterrupt


@pytest.mark.parametrize("way", ["a file of weights", "BackupAndRestore before", "BackupAndRestore after"])
def test_what_was_pruned_to_the_end_stays_as_it_is(way: str, tmp_path: Path) -> None:
    """Training that stops after the schedule's end, and goes on by the script that began it."""
    weights = tmp_path / "model.weights.h5"

    def run(more: keras.callbacks.Callback) -> keras.Model:
        model, prune, begin = cnn(), PruningCallback(density=0.25, frequency=2), 0
        save = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        if way == "a file of weights":
            save = keras.callbacks.ModelCheckpoint(weights, save_weights_only=True)
        if weights.exists():
            prune.set_model(model)
            model.load_weights(weights)
            begin = 8
        fit(model, 10, *((save, prune) if way.endswith("before") else (prune, save)), more, initial_epoch=begin)
        return model

    stops, densities = Stops(), []
    with pytest.raises(KeyboardInterrupt):
        run(stops)
    model = run(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: densities.append(logs["density"])))
    for layer, mask in zip(masked_layers(model), stops.masks, strict=True):
        np.testing.assert_array_equal(get_mask(layer), mask)
        assert (get_steps(layer).count, get_steps(layer).end) == (40, 24)
    assert densities == [pytest.approx(0.25, abs=0.03)] * 2


def test_batches_whose_gradients_are_added_up_count(tmp_path: Path):
    model, callback = small_cnn(), new()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.02, gradient_accumulation_steps=3), loss)
    fit(model, 2, callback)
    model.train_on_batch(*BATCH)
    model.save(tmp_path / "model.keras")
    model, callback = keras.models.load_model(tmp_path / "model.keras"), new()
    fit(model, 1, callback)
    assert callback.pruner.step_count == 13


def test_a_schedule_that_is_over_is_refused():
    model = cnn()
    fit(model, 5, new())
    fit(model, 1, new())  # the same again has nothing to do
    message = (
        r"^The model has been pruned for 24 steps, so that this schedule \(end_step 13\) is over, but layer 'conv' "
        "keeps 0.2.. of its weights instead of 0.1: give a larger end_step, or strip the model to begin anew.$"
    )
    with pytest.raises(ValueError, match=message):
        fit(model, 1, PruningCallback(density=0.1, end_step=13))
    fit(model, 1, PruningCallback(density=0.1, end_step=26))
    assert (strip(model).get_layer("conv").get_weights()[0] != 0).mean() == pytest.approx(0.1, abs=0.03)


def test_weights_of_an_earlier_step_are_at_that_step():
    """As `EarlyStopping` restores them: the optimizer's counter does not go back with them."""
    model, callback = cnn(), new()
    fit(model, 1, callback)
    early = model.get_weights()
    fit(model, 1, callback)
    model.set_weights(early)
    with pytest.warns(UserWarning, match="^Training ended after step 4, before"):
        callback.on_train_end()
    fit(model, 4, callback)
    assert callback.pruner.step_count == 20


def test_a_model_that_the_first_batch_builds():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([layers.Conv2D(8, 3, name="conv"), layers.Flatten(), layers.Dense(3, name="fc")])
    callback = new()
    fit(compiled(model), 5, callback)
    assert callback.pruner.step_count == 20
    assert (strip(model).layers[0].get_weights()[0] != 0).mean() == pytest.approx(0.25, abs=0.03)
