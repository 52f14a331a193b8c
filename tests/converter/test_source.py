"""Every kind of source becomes a .tflite, and everything else one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.source import load_source
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.converter.tflite.weights import read_weights


@pytest.fixture(scope="module")
def content() -> bytes:
    net = TfliteBuilder()
    return net.build([net.relu(net.input((1, 4)))])


@pytest.fixture(scope="module")
def model() -> Any:
    """A convolution with zeros, batch norm with trained-looking statistics, and a dense layer."""
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(8)
    inputs = keras.Input((6, 6, 4))
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="norm")(x))
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(keras.layers.GlobalAveragePooling2D()(x)))
    kernel = rng.standard_normal((3, 3, 4, 8)) * (rng.random((3, 3, 4, 8)) < 0.2)
    model.get_layer("conv").set_weights([kernel])
    model.get_layer("norm").set_weights([rng.uniform(0.5, 1.5, 8) for _ in range(4)])
    return model


def test_bytes_and_tflite_files_come_as_they_are(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    for source in (content, bytearray(content), memoryview(content), path, str(path)):
        assert load_source(source) == content


@pytest.mark.parametrize("kind", ["model", "keras", "h5", "saved_model"])
def test_keras_models_keep_their_zeros(model: Any, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Batch norm is folded by a factor for each filter: the zeros of the kernel stay zeros."""
    source = model
    if kind in ("keras", "h5"):
        source = tmp_path / f"model.{kind}"
        model.save(source)
    elif kind == "saved_model":
        source = tmp_path / "saved"
        model.export(source, verbose=False)
    capfd.readouterr()
    converted = load_source(source)
    assert capfd.readouterr().out == ""
    graph = (tables := read_model(converted)).subgraphs[0]
    conv = next(op for op in graph.operators if operator_name(tables, op) == "CONV_2D")
    weights = read_weights(tables, graph, conv)
    kernel = model.get_layer("conv").get_weights()[0].transpose(3, 0, 1, 2)
    np.testing.assert_array_equal(weights != 0, kernel != 0)
    x = np.random.default_rng(9).standard_normal((2, 6, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(run(converted, x)[0], np.asarray(model(x)), atol=1e-5)


def test_missing_and_foreign_files_are_said(tmp_path: Path) -> None:
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF")
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        file["kernel"] = np.zeros(3)
    (tmp_path / "note.txt").write_text("hello world")
    (tmp_path / "broken.keras").write_bytes(b"PK\x03\x04 not a zip")
    (tmp_path / "empty").mkdir()
    sentences = {
        "absent.tflite": "There is no .*absent.tflite: expected a Keras 3 model",
        "broken.h5": ".*broken.h5 is no HDF5 file: save the model again, as .keras.",
        "weights.hdf5": "Keras cannot load .*weights.hdf5: ",
        "note.txt": "note.txt is no model file: expected",
        "broken.keras": ".*broken.keras is no .keras file, which is a zip archive: save the model again.",
        "empty": r"is no SavedModel \(it has no saved_model.pb\): expected",
    }
    for name, sentence in sentences.items():
        with pytest.raises(ValueError, match=sentence) as info:
            load_source(tmp_path / name)
        assert "\n" not in str(info.value)


@pytest.mark.parametrize("thing", [None, 3, [1, 2], {"a": 1}, np.zeros(3)])
def test_other_objects_are_refused_by_type(thing: Any) -> None:
    with pytest.raises(ValueError, match=f"Cannot convert an object of type {type(thing).__name__}: expected"):
        load_source(thing)


def test_models_without_inputs_are_refused() -> None:
    keras = pytest.importorskip("keras")
    with pytest.raises(ValueError, match="has no inputs yet: call or build it before converting"):
        load_source(keras.Sequential([keras.layers.Dense(3)]))
    with pytest.raises(ValueError, match="has no inputs yet"):

        class Subclassed(keras.Model):
            def call(self, x: Any) -> Any:
                return x

        load_source(Subclassed())


def test_a_model_with_masked_layers_is_stripped_first(model: Any) -> None:
    """What training leaves behind converts as its plain copy does."""
    import keras

    from mcpruner.converter.training.masked_layers import mask_layer
    from mcpruner.converter.training.prune import strip

    masked = keras.models.clone_model(model)
    mask_layer(masked.get_layer("conv"))
    masked.get_layer("conv").pruning_mask.assign(np.arange(288).reshape(3, 3, 4, 8) % 3 == 0)
    x = np.random.default_rng(1).random((1, 6, 6, 4), np.float32)
    assert np.count_nonzero(strip(masked).get_layer("conv").get_weights()[0]) == 96
    np.testing.assert_allclose(run(load_source(masked), x)[0], masked.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


POLICIES = {"mixed_float16": 1e-2, "float16": 1e-2, "mixed_bfloat16": 5e-2, "bfloat16": 5e-2, "float64": 1e-5}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_becomes_float32(policy: str) -> None:
    """The file holds and computes float32; predictions are those of the policy within its rounding."""
    import keras
    from keras import layers

    from mcpruner.converter.training.prune import prune

    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input((6, 6, 4))
        x = layers.BatchNormalization()(layers.Conv2D(8, 3, activation="relu")(inputs))
        x = layers.Dense(8)(layers.GlobalAveragePooling2D()(layers.Rescaling(0.5)(x)))
        model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
        pruned = prune(model, density=0.25)
    finally:
        keras.config.set_dtype_policy("float32")
    content = load_source(pruned)
    tables = read_model(content)
    assert {tensor.type for tensor in tables.subgraphs[0].tensors} <= {0, 2}  # float32, and int32 for shapes
    images = np.random.default_rng(9).standard_normal((2, 6, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(run(content, images)[0], np.asarray(pruned(images), np.float32), atol=POLICIES[policy])
    assert pruned.layers[1].kernel.dtype == model.layers[1].kernel.dtype != "int8"


@pytest.mark.parametrize(
    "kind",
    [
        "a subclassed model without configuration",
        "a block without names or configuration",
        "submodels of equal names",
        "lambda layers",
        "adapters",
        "two inputs and outputs by name",
        "layers for each time step",
    ],
)
def test_every_kind_of_model(kind: str) -> None:
    from keras_kinds import make, outputs

    from mcpruner.converter.training.prune import prune

    model, x = make(kind)
    pruned = prune(model, density=0.25)
    feeds = [x["b"], x["a"]] if isinstance(x, dict) else [x]  # as TensorFlow orders them
    for source in (model, pruned):
        ours = sorted((y.shape, y.ravel().tolist()) for y in run(load_source(source), *feeds))
        theirs = sorted((y.shape, y.ravel().tolist()) for y in outputs(source, x))
        for (shape, values), (wanted, expected) in zip(ours, theirs, strict=True):
            assert shape == wanted
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_quantized_models_are_refused() -> None:
    import keras

    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="dense")], name="small")
    model.quantize("int8")
    message = "^Layer 'dense' of model 'small' is quantized to int8, expected float weights: convert the model as it "
    with pytest.raises(ValueError, match=message):
        load_source(model)
