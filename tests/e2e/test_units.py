"""Version 2 of the format: both readers take units and groups apart alike, and what does not run yet is said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from golden import make_golden
from small_network import small_network
from unit_layers import random_units

import mcpruner
from mcpruner import _native as native
from mcpruner.converter.format.serialize import (
    VALUE_TYPES,
    SparseOptions,
    deserialize,
    read_blob,
    serialize,
    serialize_options,
)
from mcpruner.converter.tflite.densify import packed_layers
from mcpruner.converter.tflite.model import read_model, write_model

FIELDS = ("kind", "kernel_size", "in_channels", "out_channels", "group_size", "value_type")
ARRAYS = ("patterns", "group_runs", "run_patterns", "run_counts", "channels", "values", "permutation")


@pytest.mark.parametrize("value_type", VALUE_TYPES)
@pytest.mark.parametrize("kind", ["Conv2D", "FullyConnected", "TransposeConv2D"])
def test_both_readers_make_the_same_layer(kind: str, value_type: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        blob = serialize(random_units(rng, kind)[1], value_type)
        ours, theirs = deserialize(blob), native.read_layer(blob)
        for field in FIELDS:
            assert getattr(ours, field) == theirs[field], field
        for field in ARRAYS:
            np.testing.assert_array_equal(getattr(ours, field), theirs[field], field)


@pytest.mark.parametrize("value_type", VALUE_TYPES)
@pytest.mark.parametrize("kind", ["Conv2D", "FullyConnected"])
def test_a_layer_with_units_computes_as_in_version_1(kind: str, value_type: str) -> None:
    rng = np.random.default_rng(4)
    options = serialize_options(SparseOptions(padding="Same" if kind == "Conv2D" else "Valid"))
    for _ in range(10):
        blob = serialize(random_units(rng, kind)[1], value_type)
        plain = deserialize(blob)
        x = rng.standard_normal((1, 5, 6, plain.in_channels)).astype(np.float32)
        first = native.run_layer(serialize(plain, value_type), options, x)
        np.testing.assert_array_equal(native.run_layer(blob, options, x), first)


def test_int8_tensors_are_left_with_a_sentence() -> None:
    blob = (make_golden.FOLDER / "int8_tensors.mcp").read_bytes()
    with pytest.raises(
        ValueError, match="^its activations are int8, which this version of the plugin does not run yet$"
    ):
        native.read_layer(blob)


def test_a_file_with_int8_tensors_is_refused_by_plugin_and_converter() -> None:
    model = read_model(mcpruner.convert(small_network(), target="x86-64", values="int8")[0])
    (graph,) = model.subgraphs
    op = packed_layers(model, graph)[0]
    buffer = model.buffers[graph.tensors[op.inputs[1]].buffer]
    layer = read_blob(bytes(buffer.data))
    scales = np.maximum(layer.scales, np.float32(1e-3))
    newer = dataclasses.replace(layer, tensor_type="int8", bias=None, scales=scales)
    buffer.data = np.frombuffer(serialize(newer, "int8"), np.uint8)
    graph.tensors[op.inputs[1]].shape = [buffer.data.size]
    content = write_model(model)
    with pytest.raises(ValueError, match="^Layer conv1: its activations are int8, which this version of mcpruner does"):
        mcpruner.convert(content)
    with pytest.raises(
        RuntimeError, match="its activations are int8, which this version of the plugin does not run yet"
    ):
        mcpruner.Interpreter(model_content=content, verbosity=0).allocate_tensors()
