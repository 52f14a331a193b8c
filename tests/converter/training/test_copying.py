"""Plain copies of every kind of model: same outputs, nothing shared, nothing looked up by a name."""

import functools

import keras
import numpy as np
import pytest
from keras import layers
from keras_kinds import KINDS, conv, functional, images, make, outputs

from mcpruner.converter.training.copying import Copier
from mcpruner.converter.training.keras_kernel import kernel_of
from mcpruner.converter.training.masked_layers import Masked, get_mask, mask_layer, masked_layers, set_mask
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import prune, strip
from mcpruner.converter.training.pruner import begin


def mask_at_random(model: keras.Model, share: float = 0.3) -> dict[str, keras.layers.Layer]:
    rng = np.random.default_rng(7)
    found, _ = find_layers(model)
    begin(model, found, None)
    for layer in found.values():
        set_mask(layer, rng.random(kernel_of(layer).shape) < share, learns=True)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_strip_computes_what_the_masked_model_does(kind):
    model, x = make(kind)
    own = type(model)  # masking exchanges the class of a model that is a block of one's own
    found = mask_at_random(model)
    expected, before = outputs(model, x), [w.copy() for w in model.get_weights()]
    plain = strip(model)
    assert type(plain) is own
    assert found and not masked_layers(plain)
    for ours, theirs in zip(outputs(plain, x), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    kernels = [kernel_of(layer) for layer in find_layers(plain)[0].values()]
    for kernel, layer in zip(kernels, found.values(), strict=True):
        values = keras.ops.convert_to_numpy(kernel)
        assert not values[~get_mask(layer)].any() and not np.signbit(values[values == 0]).any()
    assert not set(map(id, plain.variables)) & set(map(id, model.variables))
    for variable in plain.variables:
        variable.assign(np.zeros(variable.shape, variable.dtype))
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(outputs(model, x)[0], expected[0])


@pytest.mark.parametrize("kind", KINDS)
def test_prune_reaches_the_density_in_every_layer(kind):
    model, x = make(kind)
    expected = outputs(model, x)
    pruned = prune(model, density=0.25)
    found = find_layers(pruned)[0]
    assert list(found) == list(find_layers(model)[0])
    for label, layer in found.items():
        values = keras.ops.convert_to_numpy(kernel_of(layer))
        assert (values != 0).mean() == pytest.approx(0.25, abs=0.05), label
    np.testing.assert_array_equal(outputs(model, x)[0], expected[0])


CLOSURES = ("a block without names or configuration", "a layer inside a function", "a compiled function inside a layer")


@pytest.mark.parametrize("kind", CLOSURES)
def test_a_copy_trains_as_its_model_does(kind):
    model, x = make(kind)
    copy, y = strip(model), outputs(model, x)[0]
    losses = []
    for each in (model, copy):
        each.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
        losses.append([each.train_on_batch(x, y + 1) for _ in range(2)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][0] > losses[0][1]


def test_a_copy_of_a_copy_is_saved_and_loaded(tmp_path):
    for kind in ("submodels of equal names", "operations on tensors", "two inputs and outputs by name"):
        model, x = make(kind)
        copy = strip(strip(model))
        copy.save(tmp_path / "copy.keras")
        loaded = keras.models.load_model(tmp_path / "copy.keras")
        for ours, theirs in zip(outputs(loaded, x), outputs(model, x), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_structure_is_kept():
    """Layers that were one layer stay one, and graphs of other models are not taken along."""
    keras.utils.set_random_seed(1)
    shared, alone = conv(name="shared"), conv(name="alone")
    model = functional(lambda x: shared(shared(x)))
    other = functional(lambda x: alone(shared(x)))
    copier = Copier(model)
    assert copier.twin(shared) is copier.copy.get_layer("shared")
    assert len(copier.copy.weights) == len(model.weights)
    assert [w.path for w in copier.copy.weights] == [w.path for w in model.weights]
    assert [w.trainable for w in copier.copy.weights] == [w.trainable for w in model.weights]
    with pytest.raises(KeyError):
        copier.twin(alone)
    assert other.get_layer("shared") is shared


def test_compiled_alike_without_steps():
    class Falls(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self, start=0.1):
            self.start = start

        def __call__(self, step):
            return self.start / (1.0 + keras.ops.cast(step, "float32"))

        def get_config(self):
            return {"start": self.start}

    model = functional(conv())
    metrics = [keras.metrics.MeanSquaredError()]
    model.compile(keras.optimizers.Adam(Falls(0.2)), lambda y, p: keras.ops.mean((y - p) ** 2), metrics=metrics)
    model.fit(images(), np.zeros((2, 3)), epochs=3, verbose=0)
    copy = strip(model)
    assert copy.loss is model.loss
    assert int(copy.optimizer.iterations) == 0 and int(model.optimizer.iterations) == 3
    assert float(copy.optimizer.learning_rate) == pytest.approx(0.2)
    copy.fit(images(), np.zeros((2, 3)), verbose=0)
    assert int(model.optimizer.iterations) == 3


class Slow(keras.optimizers.SGD):
    """Nobody registered it."""


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        (lambda: keras.optimizers.LossScaleOptimizer(Slow(0.25), initial_scale=4.0), 0.25),
        (lambda: Slow(lambda: 0.5), 0.5),
    ],
    ids=["inside of loss scaling", "a function"],
)
def test_optimizers_that_no_configuration_holds(optimizer, rate):
    model = functional(conv())
    model.compile(optimizer(), "mse")
    model.fit(images(), np.zeros((2, 3)), verbose=0)
    copy = strip(model).optimizer
    assert getattr(copy, "initial_scale", 4.0) == 4.0 and copy is not model.optimizer
    inner = getattr(copy, "inner_optimizer", copy)
    assert type(inner) is Slow and int(inner.iterations) == 0
    assert float(inner.learning_rate) == rate


def test_weights_without_decay_have_none_in_the_copy():
    model = functional(conv())
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([model.layers[1].kernel], ["bias"])
    model.compile(optimizer, "mse")
    copy = strip(model)
    decayed = [v.path for v in copy.trainable_variables if copy.optimizer._use_weight_decay(v)]
    assert decayed == [copy.layers[-1].kernel.path]


def test_an_optimizer_that_cannot_be_made_again_is_said():
    class Must(keras.optimizers.SGD):
        def __init__(self, rate):
            super().__init__(rate)

    model = functional(conv())
    model.compile(Must(0.1), "mse")
    with pytest.warns(
        UserWarning, match="^The copy of .* is not compiled: an optimizer Must cannot be made from its c"
    ):
        copy = strip(model)
    assert not copy.compiled


def test_what_is_frozen_can_be_trained_in_the_copy():
    model = functional(conv())
    model.trainable = False
    copy = strip(model)
    assert copy.trainable_variables == [] and not copy.layers[1].trainable
    copy.trainable = True
    copy.compile(keras.optimizers.SGD(0.1), "mse")
    before = copy.get_weights()
    copy.fit(images(), np.ones((2, 3)), verbose=0)
    assert all((a != b).any() for a, b in zip(before, copy.get_weights(), strict=True))


def test_a_compile_of_its_own_is_left_to_the_user():
    class Own(keras.Model):
        def compile(self, first):
            super().compile(first, "mse")

    inputs = keras.Input((6, 6, 8))
    model = Own(inputs, layers.Flatten()(layers.Dense(4)(conv()(inputs))))
    model.compile("sgd")
    assert not strip(model).compiled


def test_half_precision_becomes_single():
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy("float16")
    try:
        model = functional(lambda x: layers.BatchNormalization()(conv()(x)))
    finally:
        keras.config.set_dtype_policy("float32")
    copy = Copier(model, single=True).copy
    assert {w.dtype for w in copy.weights} == {"float32"} and {w.dtype for w in model.weights} >= {"float16"}
    np.testing.assert_allclose(outputs(copy, images())[0], outputs(model, images())[0], rtol=0.01, atol=0.01)
    for ours, theirs in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_masked_class_keeps_the_users_class():
    layer = conv()
    layer.build((None, 6, 6, 8))
    assert mask_layer(layer) and not mask_layer(layer)
    assert isinstance(layer, Masked) and isinstance(layer, layers.Conv2D)
    assert type(layer).__name__ == "Conv2D"


def test_a_function_that_cannot_be_taken_apart():
    class Caches(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(8)
            self.cached = functools.lru_cache(self.inner)

        def call(self, x):
            return self.inner(x)

    message = "^The model cannot be copied: an object of type _lru_cache_wrapper holds layers of it and cannot be t"
    with pytest.raises(ValueError, match=message):
        strip(functional(Caches()))


def test_a_deep_model():
    """Graphs are not walked by recursion."""
    model = keras.Sequential([keras.Input((4,)), *(layers.Dense(4) for _ in range(120))])
    copy = strip(model)
    x = np.random.default_rng(1).random((2, 4))
    np.testing.assert_array_equal(outputs(copy, x)[0], outputs(model, x)[0])
