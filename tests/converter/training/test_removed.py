"""What moves weights that are removed on the way, and what stays: gradients by hand, groups. Runs with any backend."""

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.distill import prune_with_teacher
from mcpruner.converter.training.masked_layers import mask_layer, set_mask, shadow
from mcpruner.converter.training.pruner import Pruner
from mcpruner.converter.training.schedule import REMOVED_DECAY, PolynomialSchedule

RNG = np.random.default_rng(0)
X = RNG.random((64, 5, 5, 4), np.float32)
Y = RNG.integers(0, 3, 64)
RATE = 0.5
CHANGES = {"decay": (1, REMOVED_DECAY), "frozen": (0, 0), "straight_through": (1, 0)}


def cnn(filters: int = 8, **options) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((5, 5, 4)),
            layers.Conv2D(filters, 3, name="conv", **options),
            layers.Flatten(),
            layers.Dense(3, name="fc"),
        ]
    )


def compiled(model: keras.Model) -> keras.Model:
    model.compile(keras.optimizers.SGD(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def stored(model: keras.Model) -> np.ndarray:
    return model.get_layer("conv").get_weights()[0]


def gradient(model: keras.Model, mask: np.ndarray) -> np.ndarray:
    """Of the loss by the masked kernel: what one step moves a plain model with exact zeros by."""
    plain = compiled(cnn())
    kernel, bias, *fc = model.get_weights()[:2] + model.get_layer("fc").get_weights()
    plain.set_weights([kernel * mask, bias, *fc])
    before = stored(plain)
    plain.train_on_batch(X, Y)
    return (before - stored(plain)) / RATE


@pytest.mark.parametrize("removed", CHANGES)
def test_one_step_by_hand(removed: str) -> None:
    model = compiled(cnn())
    pruner = Pruner(model, PolynomialSchedule(0, 2, 2, initial_density=0.5), density=0.5, removed=removed)
    for frozen in (False, True):
        through, decay = (0, 0) if frozen else CHANGES[removed]
        before, mask = stored(model), pruner.masks["conv"]
        found = gradient(model, mask)
        expected = np.where(mask, found, through * found + decay * before)
        model.train_on_batch(X, Y)
        np.testing.assert_allclose(before - stored(model), RATE * expected, rtol=1e-3, atol=2e-7)
        pruner.step(2)


def test_the_decay_has_no_value() -> None:
    """Losses that are logged are the user's own: in training, in evaluation, and in `model.losses`."""
    model = compiled(cnn(kernel_regularizer="l2"))
    masked, mask = compiled(cnn(kernel_regularizer="l2")), RNG.random((3, 3, 4, 8)) < 0.5
    kernel = stored(model)
    for each in (model, masked):
        each.get_layer("conv").set_weights([kernel * mask, *each.get_layer("conv").get_weights()[1:]])
    mask_layer(masked.get_layer("conv"))
    set_mask(masked.get_layer("conv"), mask, True, 1e3)
    assert [float(x) for x in masked.losses if float(x)] == [float(x) for x in model.losses]
    np.testing.assert_allclose(masked.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(masked.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=1e-5)


def test_the_decay_counts_in_full_beside_a_teacher() -> None:
    student = cnn()
    mask = np.zeros((3, 3, 4, 8), bool)
    mask_layer(student.get_layer("conv"))
    set_mask(student.get_layer("conv"), mask, False, 0.25)
    before = stored(student)
    compiled(prune_with_teacher(student, share=0.9)).train_on_batch(X, Y)
    np.testing.assert_allclose(stored(student), (1 - RATE * 0.25) * before, rtol=1e-4, atol=1e-7)


def test_a_float16_model_has_finite_losses() -> None:
    """Thousands of weights whose squares sum to more than float16 holds."""
    layer = layers.Dense(64, dtype="float16", kernel_initializer=keras.initializers.Constant(30.0))
    layer.build((None, 64))
    mask_layer(layer)
    set_mask(layer, np.zeros((64, 64), bool), True, REMOVED_DECAY)
    assert [float(x) for x in layer.losses] == [0.0]


def groups(mask: np.ndarray) -> set[frozenset[int]]:
    """Filters of equal masks."""
    flat = mask.reshape(-1, mask.shape[-1]).T
    return {frozenset(np.flatnonzero((flat == row).all(axis=1))) for row in np.unique(flat, axis=0)}


def test_filters_stay_in_their_groups_after_a_quarter_of_the_way() -> None:
    """Kernels are drawn anew before each choice: groups follow them at the first two groupings only."""
    model = cnn(16)
    pruner = Pruner(model, PolynomialSchedule(0, 100, 10, initial_density=0.6), density=0.3)
    found = {0: groups(pruner.masks["conv"])}
    for step in range(10, 101, 10):
        shadow(model.get_layer("conv")).assign(RNG.standard_normal((3, 3, 4, 16)))
        pruner.step(10)
        found[step] = groups(pruner.masks["conv"])
    assert all(len(group) == 4 for each in found.values() for group in each)
    assert found[0] == found[10] == found[20] != found[30]
    assert all(found[step] == found[30] for step in range(30, 101, 10))


def test_a_schedule_regroups_once() -> None:
    assert [s for s in range(0, 1001, 97) if PolynomialSchedule(0, 1000, 97).regroups(s)] == [291]
    assert [s for s in range(120, 601, 40) if PolynomialSchedule(120, 600, 40).regroups(s)] == [280]


class Record(keras.callbacks.Callback):
    """Share of the kernel's weights that the masked network sees after each step."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        kernel = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(self.model.get_layer("conv").kernel))
        self.seen.append(float((kernel != 0).mean()))


@pytest.mark.parametrize(("epochs", "changes"), [(10, [6, 8, 10, 12, 14, 16, 18, 20, 22, 24]), (5, [4, 6, 8, 10, 12])])
def test_defaults_of_the_schedule(epochs: int, changes: list[int]) -> None:
    """From 12 to 60 % of the steps, every half epoch: of 40 steps from 4 to 24, of 20 from 2 to 12."""
    model, record = compiled(cnn(64)), Record()
    model.fit(X, Y, 16, epochs, verbose=0, callbacks=[PruningCallback(density=0.1, power=1), record])
    seen = np.array([1.0, *record.seen])
    assert list(np.flatnonzero(np.diff(seen)) + 1) == changes
    assert seen[-1] == pytest.approx(0.1, abs=0.01)


def test_unknown_words() -> None:
    with pytest.raises(ValueError, match="^Expected removed as one of decay, frozen, straight_through, got 'gone'.$"):
        Pruner(cnn(), PolynomialSchedule(0, 2), density=0.5, removed="gone")
    with pytest.raises(ValueError, match="^Expected schedule as a PolynomialSchedule, got 5.$"):
        Pruner(cnn(), 5, density=0.5)
    with pytest.raises(ValueError, match="^Expected optimizer as the Keras optimizer .* got 'adam'.$"):
        Pruner(cnn(), PolynomialSchedule(0, 2), density=0.5, optimizer="adam")
    pruner = Pruner(cnn(), PolynomialSchedule(0, 2), density=0.5)
    with pytest.raises(ValueError, match="^Expected a count of at least 0 steps, got -1.$"):
        pruner.step(-1)
    with pytest.raises(ValueError, match="^Expected count as a whole number of steps, got 0.5.$"):
        pruner.step(0.5)
