"""A masked model with blocks of a user's own survives whatever the plain one survives; strip gives the user's again."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import block_kinds
import h5py
import keras
import numpy as np
import pytest
from block_kinds import KINDS, Called, Net, Ready
from keras import layers
from keras_kinds import conv, functional, images

from mcpruner import PruningCallback
from mcpruner.converter.training.masked_blocks import MaskedBlock, mark_blocks, plain_class
from mcpruner.converter.training.masked_layers import (
    StepState,
    get_mask,
    get_steps,
    mask_layer,
    masked_layers,
    set_mask,
    set_steps,
    shadow,
)
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import strip

HERE = Path(__file__).parent
BUILD = "ignore:`build\\(\\)` was called on layer"  # Keras builds a block without a `build` so, from a file


def masked(model: keras.Model, mark: bool = True) -> keras.Model:
    rng = np.random.default_rng(4)
    for index, layer in enumerate(find_layers(model)[0].values()):
        mask_layer(layer)
        set_mask(layer, rng.random(layer.kernel.shape) < 0.4, learns=index == 0)
        set_steps(layer, StepState(12 + index, 9, 40))
    if mark:
        mark_blocks(model)
    return model


def made(kind: str) -> keras.Model:
    keras.utils.set_random_seed(2)
    return KINDS[kind]()


def from_file(suffix: str) -> Callable[[keras.Model, Path], keras.Model]:
    def through(model: keras.Model, folder: Path) -> keras.Model:
        model.save(folder / f"model{suffix}")
        return keras.models.load_model(folder / f"model{suffix}")

    return through


def cloned(model: keras.Model, folder: Path) -> keras.Model:
    clone = block_kinds.called(keras.models.clone_model(model))
    clone.set_weights(model.get_weights())
    return clone


def with_weights(model: keras.Model, folder: Path) -> keras.Model:
    model.save_weights(folder / "model.weights.h5")
    clone = block_kinds.called(keras.models.clone_model(model))
    clone.load_weights(folder / "model.weights.h5")
    return clone


def from_json(model: keras.Model, folder: Path) -> keras.Model:
    again = block_kinds.called(keras.models.model_from_json(model.to_json()))
    again.set_weights(model.get_weights())
    return again


WAYS: dict[str, Callable[[keras.Model, Path], keras.Model]] = {
    ".keras": from_file(".keras"),
    ".h5": from_file(".h5"),
    "weights": with_weights,
    "clone_model": cloned,
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
}


@cache
def shared(kind: str) -> tuple[keras.Model, np.ndarray]:
    """A masked model that several tests read, and what it computes."""
    model = masked(made(kind))
    return model, computed(model)


def computed(model: keras.Model) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images()))


def assert_same(again: keras.Model, model: keras.Model) -> None:
    np.testing.assert_array_equal(computed(again), computed(model))
    found, expected = masked_layers(again), masked_layers(model)
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours) is type(theirs)
        np.testing.assert_array_equal(get_mask(ours), get_mask(theirs))
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(shadow(layer)) for layer in (ours, theirs)))
        assert get_steps(ours) == get_steps(theirs)
        assert float(ours.pruning_through) == float(theirs.pruning_through)


# Where the plain model does not survive: the older format holds functional and sequential models only, and
# `clone_model` makes a functional one of what has a class of its own.
SUBCLASSED = [kind for kind in KINDS if kind.startswith(("a subclassed", "a functional model made"))]
LOST = {(kind, ".h5") for kind in SUBCLASSED}
LOSES_ITS_CLASS = {("a functional model made by its constructor", way) for way in ("clone_model", "weights")}


@pytest.mark.parametrize(("kind", "way"), [(kind, way) for kind in KINDS for way in WAYS if (kind, way) not in LOST])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file", "ignore:.*legacy", BUILD)
def test_survives(kind: str, way: str, tmp_path: Path) -> None:
    model, _ = shared(kind)
    again = WAYS[way](model, tmp_path)
    assert again is not model
    assert_same(again, model)
    first = (kind, way) in LOSES_ITS_CLASS
    assert list(map(type, again._flatten_layers()))[first:] == list(map(type, model._flatten_layers()))[first:]


class Listed:
    """Of classes that want an argument of their subclasses, and keep a list of them."""

    names: list[str] = []

    def __init_subclass__(cls, *, listed: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Listed.names.append(listed)


class ListedConv(Listed, layers.Conv2D, listed="conv"):
    pass


class ListedBlock(Listed, layers.Layer, listed="block"):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.conv = ListedConv(8, 3)

    def call(self, x: Any) -> Any:
        return self.conv(x)


def test_classes_that_keep_a_list_of_their_subclasses_are_told_of_none() -> None:
    inputs = keras.Input((6, 6, 4))
    model = masked(keras.Model(inputs, ListedBlock()(inputs)))
    assert [layer.plain for layer in masked_layers(model)] == [ListedConv]
    assert isinstance(model.layers[1], MaskedBlock)
    assert Listed.names == ["conv", "block"]
    assert type(strip(model).layers[1]) is ListedBlock


@pytest.mark.parametrize("kind", KINDS)
def test_strip_gives_the_users_classes(kind: str) -> None:
    classes = list(map(type, made(kind)._flatten_layers()))
    model, expected = shared(kind)
    plain = strip(model)
    assert list(map(type, plain._flatten_layers())) == list(map(plain_class, model._flatten_layers())) == classes
    np.testing.assert_array_equal(computed(plain), expected)
    assert any(isinstance(layer, MaskedBlock) for layer in model._flatten_layers())


def test_places_of_each_kind_of_holder() -> None:
    """As a file has them: by attributes and positions, and no layer that nobody can reach any more."""
    model = masked(made("lists and dictionaries"))
    written = model.layers[1].get_config()["masked_inside"]
    assert written["kind"] == {
        "module": "block_kinds",
        "class_name": "Many",
        "registered_name": "mcpruner_blocks>Many",
    }
    places = [["by_name", 0], ["by_name", 1, 0], ["last"], ["steps", 0], ["steps", 2, 0, "first"], ["steps", 2, 1]]
    assert written["places"] == places
    holder = masked(made("a subclassed model with others inside"))
    assert holder.get_config()["masked_inside"]["places"] == [
        *(["body", "layers", 1], ["body", "layers", 2, "layers", 1], ["body", "layers", 2, "layers", 2]),
        *(["tail", "layers", 0], ["tail", "layers", 1, "first"]),
    ]


class Makes(Ready):
    """A property makes another block each time that it is asked."""

    @property
    def another(self) -> layers.Layer:
        return Makes()

    @property
    def all_layers(self) -> list[Any]:
        return [self.another, [self.first, self.second]]


def test_layers_that_a_property_makes_are_no_part_of_a_block() -> None:
    model = masked(functional(Makes()))
    assert model.layers[1].get_config()["masked_inside"]["places"] == [["first"], ["second"]]


def test_what_is_not_made_yet_is_waited_for() -> None:
    """A copy that is not built can be written again, and is masked when it is built."""
    model = masked(made("blocks made by build"))
    first = model.layers[1]
    config = first.get_config()
    assert len(config["masked_inside"]["places"]) == 4
    copies = [type(first).from_config(config)]
    copies.append(type(first).from_config(copies[0].get_config()))
    for block in copies:
        assert block.get_config() == config
        block.build((None, 6, 6, 8))
        block.set_weights(first.get_weights())
        np.testing.assert_array_equal(block(images()), first(images()))
        assert block.get_config() == config


def test_only_a_users_blocks_with_masked_layers_are_exchanged() -> None:
    """Neither Keras' own models and wrappers, which write their layers, nor a block without a masked layer."""
    inside = keras.Sequential([keras.Input((6, 6, 8)), conv(), layers.TimeDistributed(layers.Dense(8))])
    model = functional(lambda x: Called(name="free")(Ready(name="pruned")(inside(x))))
    for layer in (*inside.layers[:1], inside.layers[1].layer, model.get_layer("pruned").first):
        assert mask_layer(layer)
    before = list(map(type, model._flatten_layers()))
    mark_blocks(model)
    mark_blocks(model)  # again changes nothing
    changed = [layer.name for layer, was in zip(model._flatten_layers(), before, strict=True) if type(layer) is not was]
    assert changed == ["pruned"]
    block = model.get_layer("pruned")
    assert type(block).__name__ == "Ready" and type(block).__bases__ == (MaskedBlock, Ready)
    assert plain_class(block) is Ready and plain_class(block.first) is layers.Conv2D


def names(path: Path) -> list[str]:
    found: list[str] = []
    with h5py.File(path) as file:
        file.visit(found.append)
    return found


@pytest.mark.parametrize("kind", ["lists and dictionaries", "a subclassed model with others inside"])
def test_places_in_files_of_weights_stay(kind: str, tmp_path: Path) -> None:
    """Files from before blocks were marked fit, and those of the plain model."""
    model, before = made(kind), masked(made(kind), mark=False)
    expected = computed(model)
    model.save_weights(tmp_path / "plain.weights.h5")
    before.save_weights(tmp_path / "before.weights.h5")
    masked(model).save_weights(tmp_path / "after.weights.h5")
    assert names(tmp_path / "after.weights.h5") == names(tmp_path / "before.weights.h5")
    model.load_weights(tmp_path / "plain.weights.h5")
    np.testing.assert_array_equal(computed(model), expected)
    model.load_weights(tmp_path / "before.weights.h5")
    assert_same(model, masked(before))


class Unregistered(layers.Layer):
    """What it is given, no configuration can hold."""

    def __init__(self, function: Any, **options: Any) -> None:
        super().__init__(**options)
        self.function, self.inner = function, conv()

    def call(self, x: Any) -> Any:
        return self.function(self.inner(x))


class Given(Net):
    """Nobody registered it."""


def test_custom_objects_find_the_class(tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    model = masked(block_kinds.called(Given()))
    assert_same(cloned(model, tmp_path), model)
    model.save(tmp_path / "model.keras")
    assert_same(keras.models.load_model(tmp_path / "model.keras", custom_objects={"Given": Given}), model)
    with keras.saving.custom_object_scope({"Given": Given}):
        assert_same(from_json(model, tmp_path), model)
    assert type(strip(model)) is Given


def test_what_keras_cannot_write_it_refuses_as_before(tmp_path: Path) -> None:
    model = functional(Unregistered(keras.ops.relu))
    errors = []
    for _ in range(2):
        with pytest.raises(NotImplementedError, match="Object Unregistered was created by passing") as error:
            model.save(tmp_path / "model.keras")
        errors.append(str(error.value))
        masked(model)
    assert errors[0] == errors[1] and type(model.layers[1]) is not Unregistered
    assert type(strip(model).layers[1]) is Unregistered


def test_a_layer_by_itself_is_pickled() -> None:
    layer = masked_layers(masked(made("a block")))[0]
    again = pickle.loads(pickle.dumps(layer))
    assert type(again) is type(layer)
    np.testing.assert_array_equal(again(images()), layer(images()))


READ = """
import pickle, sys
import mcpruner, keras
import block_kinds, keras_kinds
import numpy as np
folder = sys.argv[1]
from_pickle = pickle.load(open(folder + "/model.pickle", "rb"))
from mcpruner.converter.training.masked_layers import get_mask, masked_layers
for name, model in {"pickle": from_pickle, "keras": keras.models.load_model(folder + "/model.keras")}.items():
    outputs = keras_kinds.outputs(model, keras_kinds.images())
    np.savez(f"{folder}/{name}.npz", *outputs, *map(get_mask, masked_layers(model)))
"""


def test_a_fresh_process_reads_it(tmp_path: Path) -> None:
    model, expected = shared("a subclassed model with others inside")
    model.save(tmp_path / "model.keras")
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    places = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", READ, str(tmp_path)]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": places}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    for name in ("keras", "pickle"):
        read = np.load(tmp_path / f"{name}.npz")
        for key, array in zip(read.files, [expected, *map(get_mask, masked_layers(model))], strict=True):
            np.testing.assert_array_equal(read[key], array)


def fit(model: keras.Model, epochs: int) -> PruningCallback:
    callback = PruningCallback(density=0.25, begin_step=2, end_step=9, frequency=2)
    x, y = images(seed=7, batch=64), np.eye(3)[np.random.default_rng(7).integers(0, 3, 64)]
    model.fit(x, y, batch_size=16, epochs=epochs, shuffle=False, verbose=0, callbacks=[callback])
    return callback


@pytest.mark.parametrize(
    ("kind", "way"),
    [("a subclassed model", ".keras"), ("blocks made by build", "deepcopy"), ("lists and dictionaries", "pickle")],
)
@pytest.mark.filterwarnings("ignore:Training ended after step 4, before")
def test_training_goes_on(kind: str, way: str, tmp_path: Path) -> None:
    """The copy in the middle of the schedule learns on as the original does, with the optimizer's state."""
    model = made(kind)
    model.compile("adam", "mse")
    identity = list(map(id, model._flatten_layers()))
    fit(model, 1)
    assert list(map(id, model._flatten_layers())) == identity
    again = WAYS[way](model, tmp_path)
    assert int(again.optimizer.iterations) == 4
    assert_same(again, model)
    for each in (model, again):
        assert fit(each, 3).pruner.step_count == 16
        assert {get_steps(layer) for layer in masked_layers(each)} == {StepState(16, 16, 9)}
    assert getattr(again, "steps_seen", 3) > 0  # a training step of one's own
    assert_same(again, model)
    plain, kernels = strip(again), 0
    assert list(map(type, plain._flatten_layers())) == list(map(plain_class, model._flatten_layers()))
    for layer in find_layers(plain)[0].values():
        kernels += 1
        assert np.mean(layer.get_weights()[0] != 0) == pytest.approx(0.25, abs=0.05)
    assert kernels == len(masked_layers(model))
