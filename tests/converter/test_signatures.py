"""SavedModels with several signatures: each is packed, or a sentence says why not."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_network import prunable

from mcpruner.converter.convert import convert
from mcpruner.converter.source import load_keras, load_source
from mcpruner.converter.tflite.densify import densify

X = tf.TensorSpec((1, 14, 14, 16), name="x")


class TwoFunctions(tf.Module):
    """`short` is the first layer of `long`; `assign` replaces its weights."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.first = tf.Variable(prunable(rng, (32, 3, 3, 16)).transpose(1, 2, 3, 0))
        self.second = tf.Variable(prunable(rng, (32, 3, 3, 32)).transpose(1, 2, 3, 0))

    @tf.function(input_signature=[X])
    def short(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.nn.relu(tf.nn.conv2d(x, self.first, 1, "SAME"))}

    @tf.function(input_signature=[X])
    def long(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"z": tf.nn.conv2d(self.short(x)["y"], self.second, 1, "SAME")}

    @tf.function(input_signature=[tf.TensorSpec((3, 3, 16, 32), name="w")])
    def assign(self, w: tf.Tensor) -> dict[str, tf.Tensor]:
        self.first.assign(w)
        return {"sum": tf.reduce_sum(w)}


def save(folder: Path, *names: str) -> Path:
    module = TwoFunctions()
    tf.saved_model.save(module, str(folder), signatures={name: getattr(module, name) for name in names})
    return folder


def run_signature(content: bytes, name: str, x: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    (y,) = Interpreter(model_content=content).get_signature_runner(name)(x=x).values()
    return y


def test_every_signature_is_packed(tmp_path: Path) -> None:
    source = save(tmp_path, "short", "long")
    dense = load_source(source)
    content, report = convert(source)
    assert [layer.accelerated for layer in report.layers] == [True] * 3
    x = np.random.default_rng(1).standard_normal((1, 14, 14, 16)).astype(np.float32)
    for name in ("short", "long"):
        expected = run_signature(dense, name, x)
        np.testing.assert_allclose(run_signature(densify(content), name, x), expected, atol=1e-4, rtol=0)


def test_weights_that_a_signature_assigns_stay_dense_with_the_reason(tmp_path: Path) -> None:
    content, report = convert(save(tmp_path, "assign", "long"))
    assert [layer.accelerated for layer in report.layers] == [False, True]
    assert report.layers[0].reason.endswith(
        " is a variable, since a signature of the model assigns it; export the signature that predicts alone"
    )
    assert report.predicted_speedup > 1  # of the subgraph that has the layers, not of the first


def test_a_model_without_signatures_is_a_sentence(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(ValueError, match="has no signature, so there is no function to convert"):
        convert(tmp_path)


def test_a_damaged_model_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=r"saved_model.pb is damaged: "):
        convert(tmp_path)


def test_functions_that_tensorflow_would_leave_out_are_a_sentence(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()])
    archive = keras.export.ExportArchive()
    archive.track(model)
    shape = [tf.TensorSpec((None, 8, 8, 4))]
    archive.add_endpoint("serve", model.call, input_signature=shape)
    archive.write_out(tmp_path / "one", verbose=False)
    assert load_source(tmp_path / "one")[4:8] == b"TFL3"
    archive.add_endpoint("embed", lambda x: model.layers[0](x), input_signature=shape)
    archive.write_out(tmp_path / "two", verbose=False)
    with pytest.raises(ValueError, match="the default function of what Keras exported, so embed would be lost from"):
        convert(tmp_path / "two")


def test_pruning_needs_layers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a SavedModel, which holds functions and no layers that could be pruned"):
        load_keras(save(tmp_path, "short"))
