"""A masked model survives whatever a plain one survives: copies, files, configurations, submodels, own classes."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from keras_kinds import Extra, branch, conv, functional, images, outputs, stack

from mcpruner.converter.training.keras_kernel import kernel_of
from mcpruner.converter.training.masked_layers import (
    StepState,
    fold_mask,
    get_mask,
    get_steps,
    mask_layer,
    masked_layers,
    plain_view,
    set_mask,
    set_steps,
    shadow,
)
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import strip


@keras.saving.register_keras_serializable("mcpruner_tests")
class Named(layers.Conv2D):
    """A registered layer with an argument of its own, and state that it writes itself."""

    def __init__(self, gain: float, **options: Any) -> None:
        super().__init__(8, 3, **options)
        self.gain = gain

    def call(self, x: Any) -> Any:
        return super().call(x) * self.gain

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {"gain": self.gain, "name": config["name"], "dtype": config["dtype"], "trainable": config["trainable"]}


@keras.saving.register_keras_serializable("mcpruner_tests")
class Keeps(layers.Dense):
    """A registered layer that reads and writes its weights in a way of its own."""

    def save_own_variables(self, store: Any) -> None:
        store["both"] = np.concatenate([np.asarray(self.kernel), np.asarray(self.bias)[None]])

    def load_own_variables(self, store: Any) -> None:
        self._kernel.assign(store["both"][:-1])
        self.bias.assign(store["both"][-1])


class Own(layers.Conv2D):
    """Nobody registered it."""


def tower() -> keras.Model:
    return functional(lambda x: branch("right")(stack(conv(), branch("left"))(x)))


OWN = {"Own": Own, "Extra": Extra}
MODELS: dict[str, Callable[[], keras.Model]] = {
    "functional": lambda: functional(lambda x: layers.Dense(8)(conv()(x))),
    "sequential": lambda: stack(conv(), layers.Flatten(), layers.Dense(4), layers.ReLU(), layers.Dense(3)),
    "submodels of equal names": tower,
    "separable": lambda: functional(lambda x: layers.SeparableConv2D(8, 3)(layers.SeparableConv2D(8, 1)(x))),
    "transposed": lambda: functional(layers.Conv2DTranspose(12, 3, strides=2)),
    "einsum": lambda: functional(layers.EinsumDense("abcd,de->abce", (None, None, 12), bias_axes="e")),
    "an own class": lambda: functional(Own(8, 3)),
    "an own class with variables": lambda: functional(Extra(8, 3)),
    "a registered class": lambda: functional(Named(0.5)),
    "a class that writes its weights itself": lambda: functional(lambda x: Keeps(8)(conv()(x))),
    "a wrapped layer": lambda: functional(layers.TimeDistributed(layers.Dense(8))),
}


def from_file(suffix: str) -> Callable[[keras.Model, Path], keras.Model]:
    def through(model: keras.Model, folder: Path) -> keras.Model:
        model.save(folder / f"model{suffix}")
        return keras.models.load_model(folder / f"model{suffix}", custom_objects=OWN)

    return through


def with_weights(make: Callable[[keras.Model], keras.Model]) -> Callable[[keras.Model, Path], keras.Model]:
    def through(model: keras.Model, folder: Path) -> keras.Model:
        made = make(model)
        made.set_weights(model.get_weights())
        return made

    return through


def weights_file(model: keras.Model, folder: Path) -> keras.Model:
    model.save_weights(folder / "model.weights.h5")
    made = keras.models.clone_model(model)
    made.load_weights(folder / "model.weights.h5")
    return made


def from_json(model: keras.Model) -> keras.Model:
    return keras.models.model_from_json(model.to_json(), custom_objects=OWN)


WAYS: dict[str, Callable[[keras.Model, Path], keras.Model]] = {
    "clone_model": with_weights(keras.models.clone_model),
    "from_config": with_weights(lambda model: type(model).from_config(model.get_config(), OWN)),
    "json": with_weights(from_json),
    ".keras": from_file(".keras"),
    ".h5": from_file(".h5"),
    "weights": weights_file,
    "copy": lambda model, folder: copy.copy(model),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
}


def masked(name: str) -> keras.Model:
    keras.utils.set_random_seed(2)
    model = MODELS[name]()
    rng = np.random.default_rng(4)
    for index, layer in enumerate(find_layers(model)[0].values()):
        assert mask_layer(layer)
        set_mask(layer, rng.random(kernel_of(layer).shape) < 0.4, learns=index == 0)
        set_steps(layer, StepState(12 + index, 9, 40))
    return model


# Where the plain model does not survive: Keras takes no class by reference here, no variables beyond a convolution's
# own here, and here no way of writing them.
LOST = {
    *(("an own class", way) for way in ("copy", "deepcopy", "pickle")),
    *(("an own class with variables", way) for way in (".keras", "weights", "copy", "deepcopy", "pickle")),
    ("a class that writes its weights itself", ".h5"),
}


@pytest.mark.parametrize(("name", "way"), [(name, way) for name in MODELS for way in WAYS if (name, way) not in LOST])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file", "ignore:.*legacy")
def test_survives(name, way, tmp_path):
    model = masked(name)
    again = WAYS[way](model, tmp_path)
    assert again is not model
    np.testing.assert_array_equal(outputs(again, images())[0], outputs(model, images())[0])
    found = masked_layers(again)
    assert len(found) == len(masked_layers(model)) > 0
    for ours, theirs in zip(found, masked_layers(model), strict=True):
        assert type(ours) is type(theirs)
        np.testing.assert_array_equal(get_mask(ours), get_mask(theirs))
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(shadow(layer)) for layer in (ours, theirs)))
        assert float(ours.pruning_through) == float(theirs.pruning_through)
        assert get_steps(ours) == get_steps(theirs)
    np.testing.assert_array_equal(outputs(strip(again), images())[0], outputs(model, images())[0])


def test_plain_weights_make_a_masked_model_dense_again(tmp_path):
    """A file of the plain layers fits into the masked ones, and says that nothing is pruned."""
    keras.utils.set_random_seed(2)
    model = tower()
    expected = outputs(model, images())[0]
    model.save_weights(tmp_path / "plain.weights.h5")
    for layer in find_layers(model)[0].values():
        mask_layer(layer)
        set_mask(layer, np.zeros(layer.kernel.shape, bool), learns=False)
        set_steps(layer, StepState(3, 3, 9))
    assert not np.array_equal(outputs(model, images())[0], expected)
    model.load_weights(tmp_path / "plain.weights.h5")
    np.testing.assert_array_equal(outputs(model, images())[0], expected)
    assert {get_steps(layer) for layer in masked_layers(model)} == {StepState()}
    assert {float(layer.pruning_through) for layer in masked_layers(model)} == {1.0}


def test_a_users_own_variables_stay():
    model = masked("an own class with variables")
    layer = masked_layers(model)[0]
    names = [variable.name for variable in plain_view(layer)._non_trainable_variables]
    assert names == ["mask"]
    layer.mask.assign([0, 1] * 4)
    plain = strip(model)
    assert [w.name for w in plain.layers[1].weights] == ["kernel", "bias", "through", "mask"]
    np.testing.assert_array_equal(plain.layers[1].mask, [0, 1] * 4)
    np.testing.assert_array_equal(outputs(plain, images())[0], outputs(model, images())[0])


def test_the_view_leaves_the_layer_as_it_is():
    layer = masked_layers(masked("functional"))[0]
    before = dict(vars(layer))
    view = plain_view(layer)
    assert type(view) is layer.plain and view.kernel is shadow(layer)
    assert plain_view(view) is view
    assert vars(layer) == before and len(layer.weights) == 6


def test_a_configuration_may_be_read_and_changed():
    layer = masked_layers(masked("functional"))[0]
    config = layer.get_config()
    assert {**config, "masked_layer": None} == {**plain_view(layer).get_config(), "masked_layer": None}
    other = type(layer).from_config({**config, "name": "other", "filters": 5})
    other.build((None, 6, 6, 8))
    assert (other.name, get_mask(other).shape, get_mask(other).all()) == ("other", (3, 3, 8, 5), True)


def test_fold_writes_positive_zeros():
    layer = masked_layers(masked("functional"))[0]
    fold_mask(layer)
    values = keras.ops.convert_to_numpy(shadow(layer))
    assert ((values != 0) == get_mask(layer)).all() and not np.signbit(values[values == 0]).any()


def test_adapters_enabled_while_masked_are_masked():
    model = masked("functional")
    layer = masked_layers(model)[0]
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones(layer.lora_kernel_b.shape))
    assert ((keras.ops.convert_to_numpy(kernel_of(layer)) != 0) <= get_mask(layer)).all()
    plain = strip(model)
    assert [w.name for w in plain.layers[1].weights] == ["kernel", "bias"]
    np.testing.assert_allclose(outputs(plain, images())[0], outputs(model, images())[0], rtol=1e-5, atol=1e-6)
