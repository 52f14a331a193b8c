"""Keras networks whose batch is open: one partition where shapes can be constant, and the same numbers at any batch."""

from __future__ import annotations

import os
from collections.abc import Callable
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as Plain
from keras import layers
from packing import pack_every_layer

import mcpruner
from mcpruner.converter.source import load_source
from mcpruner.converter.tflite import fold
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.verification import verify

COMPUTED = {"SHAPE", "STRIDED_SLICE", "PACK", "GATHER", "REDUCE_PROD", "CONCATENATION"}
IMAGE = (10, 9, 8)


def squeeze_and_excite(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """As in EfficientNet."""
    y = layers.GlobalAveragePooling2D()(x)
    y = layers.Reshape((1, 1, channels))(y)
    y = layers.Conv2D(4, 1, activation="silu")(y)
    return layers.Multiply()([x, layers.Conv2D(channels, 1, activation="sigmoid")(y)])


def excited(x: keras.KerasTensor) -> keras.KerasTensor:
    for filters in (16, 12, 8):
        x = squeeze_and_excite(layers.Conv2D(filters, 3, padding="same", activation="silu")(x), filters)
    return layers.Dense(5)(layers.GlobalAveragePooling2D()(x))


def reshaped(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.Reshape((10, 9, 8))(layers.Reshape((9, 80))(layers.Reshape((90, 8))(x)))
    return layers.Dense(6)(layers.Flatten()(layers.Conv2D(4, 3)(x)))


def dense_of_rows(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Dense(12)(layers.Reshape((90, 8))(layers.Conv2D(8, 1)(x)))
    return layers.Conv2D(4, 3)(layers.Reshape((10, 9, 12))(x))


def shuffled(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((10, 9, 2, 4))(layers.Conv2D(8, 3, padding="same")(x)))
    return layers.Conv2D(4, 3)(layers.Reshape((10, 9, 8))(x))


def normalized(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Conv2D(4, 1)(layers.GroupNormalization(2)(layers.Conv2D(8, 3)(x)))


def upsampled(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Conv2D(4, 3)(layers.UpSampling2D(2)(layers.Conv2D(8, 3)(x)))


def transposed(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2DTranspose(8, 3, 2, padding="same", activation="relu")(layers.Conv2D(8, 3, padding="same")(x))
    return layers.Conv2D(4, 3)(layers.Conv2DTranspose(8, 2, 2)(x))


def rows_of_any_image(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Dense(4)(layers.Reshape((-1, 8))(layers.Conv2D(8, 3, padding="same")(x)))


def export(make: Callable[[keras.KerasTensor], keras.KerasTensor], shape: tuple[int | None, ...] = IMAGE) -> bytes:
    keras.utils.set_random_seed(6)
    x = keras.Input(shape)
    return load_source(keras.Model(x, make(x)))


def packed(dense: bytes) -> bytes:
    with pack_every_layer():
        return mcpruner.convert(dense)[0]


def run(interpreter: Plain, batch: int) -> np.ndarray:
    detail = interpreter.get_input_details()[0]
    x = np.random.default_rng(batch).standard_normal((batch, *IMAGE)).astype(np.float32)
    interpreter.resize_tensor_input(detail["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def computed(content: bytes) -> int:
    """How many operators compute shapes."""
    model = read_model(content)
    return sum(operator_name(model, op) in COMPUTED for op in model.subgraphs[0].operators)


def partitions(content: bytes) -> int:
    return len(mcpruner.Interpreter(model_content=content, verbosity=0).report()["partitions"])


@pytest.mark.parametrize(
    ("make", "before", "after"),
    [
        (excited, 4, 1),
        (reshaped, 3, 1),
        (dense_of_rows, 3, 1),
        (shuffled, None, None),
        (normalized, None, None),
        (upsampled, None, None),
    ],
)
def test_networks_run_with_any_batch(make: Callable, before: int | None, after: int | None) -> None:
    """How many partitions others have depends on the operators that the plugin takes."""
    dense = export(make)
    content = packed(dense)
    with mock.patch.object(fold, "fold", lambda *_: None):
        unfolded = packed(dense)
    assert computed(dense) == computed(unfolded) > computed(content) == 0
    assert (before, after) == (None, None) or (partitions(unfolded), partitions(content)) == (before, after)
    for batch in (1, 2, 5):
        expected = run(Plain(model_content=dense, num_threads=1), batch)
        found = run(Plain(model_content=densify(content), num_threads=1), batch)
        assert found.shape == expected.shape and found.tobytes() == expected.tobytes()
        mine, other = (
            run(mcpruner.Interpreter(model_content=each, num_threads=1, verbosity=0), batch)
            for each in (content, unfolded)
        )
        # Where the file shows whose pixels they are, a dense layer of rows is a convolution and adds in another order.
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_packed_transposed_convolutions_need_no_computed_shape() -> None:
    """The batch is that of their input; as dense operators they are given a shape with it again."""
    dense = export(transposed)
    content = packed(dense)
    assert computed(dense) > computed(content) == 0 and partitions(content) == 1
    assert verify(content, dense, all_layers=True).ok
    again = densify(content)
    assert computed(again) == 4  # SHAPE and CONCATENATION for each, with a SLICE between them
    for batch in (1, 2, 5):
        expected = run(Plain(model_content=dense, num_threads=1), batch)
        assert run(Plain(model_content=again, num_threads=1), batch).tobytes() == expected.tobytes()
        mine = run(mcpruner.Interpreter(model_content=content, num_threads=1, verbosity=0), batch)
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_an_image_of_open_size_keeps_its_transposed_convolutions() -> None:
    with pack_every_layer():
        content, report = mcpruner.convert(export(transposed, (None, None, 8)))
    reasons = [layer.reason for layer in report.layers if layer.op == "TRANSPOSE_CONV"]
    assert reasons == ["dense: the file does not say how many rows and columns it makes"] * 2
    assert computed(content) > 0


def test_shapes_with_two_open_sizes_stay_computed() -> None:
    dense = export(rows_of_any_image, (None, None, 8))
    content = packed(dense)
    assert computed(content) == computed(dense) > 0
    for batch in (1, 2, 5):
        expected = run(Plain(model_content=dense, num_threads=1), batch)
        assert run(Plain(model_content=densify(content), num_threads=1), batch).tobytes() == expected.tobytes()
        mine = run(mcpruner.Interpreter(model_content=content, num_threads=1, verbosity=0), batch)
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [excited, reshaped, dense_of_rows])
def test_every_layer_is_verified_beside_the_dense_file(make: Callable) -> None:
    dense = export(make)
    assert verify(packed(dense), dense, all_layers=True).ok


def test_a_fixed_batch_is_one_partition_as_well() -> None:
    with pack_every_layer():
        content, _ = mcpruner.convert(export(excited), batch=3)
    interpreter = mcpruner.Interpreter(model_content=content, verbosity=0)
    assert interpreter.get_input_details()[0]["shape"].tolist() == [3, *IMAGE] and partitions(content) == 1
    assert verify(content).ok


@pytest.mark.long
def test_efficientnet_is_one_partition() -> None:
    keras.utils.set_random_seed(7)
    dense = load_source(keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10))
    content = packed(dense)
    assert computed(dense) == 48 and computed(content) == 0 and partitions(content) == 1
