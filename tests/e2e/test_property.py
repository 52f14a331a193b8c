"""Random layers through pack, serialize and every kernel agree with TensorFlow's convolution."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from opencl_device import needs_opencl

import mcpruner._native as native
from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import SparseOptions, round_values, serialize, serialize_options
from mcpruner.converter.mask.reorder import filter_permutation

SEED = 20261122
VALUE_TYPES = ("float32", "float16", "int8")
ACTIVATIONS = {
    "None": lambda y: y,
    "Relu": tf.nn.relu,
    "ReluN1To1": lambda y: tf.clip_by_value(y, -1, 1),
    "Relu6": tf.nn.relu6,
}


@st.composite
def layers(draw: st.DrawFn) -> dict:
    """One layer's shape, mask structure and options; the weights follow from ``rng_seed``."""
    size = st.integers(1, 33)
    layer = {
        "kernel": draw(st.tuples(st.integers(1, 7), st.integers(1, 7))),
        "stride": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "padding": draw(st.sampled_from(("Same", "Valid", "Explicit"))),
        "pads": draw(st.tuples(*[st.integers(0, 3)] * 4)),
        "in_channels": draw(st.integers(1, 70)),
        "out_channels": draw(st.integers(1, 70)),
        "image": (draw(st.integers(1, 3)), draw(size), draw(size)),
        "group_size": draw(st.sampled_from((1, 2, 4, 8, 16))),
        "density": draw(st.sampled_from((0.0, 0.05, 0.2, 0.5, 0.9, 1.0))),
        "aligned": draw(st.booleans()),
        "activation": draw(st.sampled_from(sorted(ACTIVATIONS))),
        "value_type": draw(st.sampled_from(VALUE_TYPES)),
        "threads": draw(st.integers(1, 2)),
        "rng_seed": draw(st.integers(0, 2**32 - 1)),
    }
    return layer


def make_weights(layer: dict, rng: np.random.Generator) -> np.ndarray:
    """OHWI weights with the layer's density; aligned ones share their mask in each filter group."""
    o, i, (kh, kw), g = layer["out_channels"], layer["in_channels"], layer["kernel"], layer["group_size"]
    if layer["aligned"]:
        mask = np.repeat(rng.random((-(-o // g), kh, kw, i)) < layer["density"], g, axis=0)[:o]
    else:
        mask = rng.random((o, kh, kw, i)) < layer["density"]
    if o > 1:
        mask[rng.integers(o)] = False  # an empty filter always
    return (rng.standard_normal(mask.shape) * mask).astype(np.float32)


def resolve_padding(layer: dict) -> list[int]:
    """Top, bottom, left, right zeros."""
    if layer["padding"] == "Explicit":
        return list(layer["pads"])
    if layer["padding"] == "Valid":
        return [0, 0, 0, 0]
    pads = []
    sizes = zip(layer["image"][1:], layer["kernel"], layer["stride"], layer["dilation"], strict=True)
    for size, kernel, stride, dilation in sizes:
        total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
        pads += [total // 2, total - total // 2]
    return pads


def tensorflow_convolution(layer: dict, x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray | None:
    """TensorFlow's result in float64, or None where the window does not fit into the image.

    TensorFlow has no convolution with stride and dilation both above 1, so the kernel is dilated here.
    """
    (kh, kw), (dh, dw) = layer["kernel"], layer["dilation"]
    dilated = np.zeros((weights.shape[0], (kh - 1) * dh + 1, (kw - 1) * dw + 1, weights.shape[3]))
    dilated[:, ::dh, ::dw] = weights
    top, bottom, left, right = resolve_padding(layer)
    padded = np.pad(x.astype(np.float64), ((0, 0), (top, bottom), (left, right), (0, 0)))
    if padded.shape[1] < dilated.shape[1] or padded.shape[2] < dilated.shape[2]:
        return None
    return tf.nn.conv2d(padded, dilated.transpose(1, 2, 3, 0), layer["stride"], "VALID").numpy() + bias


# Backend, instruction set, examples: plain loops take long, and a device's driver compiles kernels for each layer anew.
KERNELS = [
    ("reference", "", 300),
    *(("cpu", simd, 600) for simd in native.simd_targets()),
    pytest.param("opencl", "", 30, marks=needs_opencl),
]


@pytest.mark.parametrize(("backend", "simd", "examples"), KERNELS)
def test_every_kernel_agrees_with_tensorflow(backend: str, simd: str, examples: int) -> None:
    """Error at most 1e-5 of the largest sum of ``|w * x|``, the rounding bound of a float32 accumulation."""
    print(f"hypothesis seed {SEED}")

    @seed(SEED)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(layers())
    def check(layer: dict) -> None:
        note(f"{backend} {simd}: {layer}")
        rng = np.random.default_rng(layer["rng_seed"])
        weights = make_weights(layer, rng)
        bias = rng.standard_normal(layer["out_channels"]).astype(np.float32)
        x = rng.standard_normal((*layer["image"], layer["in_channels"])).astype(np.float32)
        permutation = filter_permutation(weights != 0, layer["group_size"])
        blob = serialize(pack(weights, permutation, layer["group_size"], bias), layer["value_type"])
        rounded = round_values(weights, layer["value_type"])
        expected = tensorflow_convolution(layer, x, rounded, bias)
        if expected is None:
            return
        top, bottom, left, right = layer["pads"] if layer["padding"] == "Explicit" else (0, 0, 0, 0)
        options = SparseOptions(
            padding=layer["padding"], pad_top=top, pad_bottom=bottom, pad_left=left, pad_right=right,
            stride_h=layer["stride"][0], stride_w=layer["stride"][1],
            dilation_h_factor=layer["dilation"][0], dilation_w_factor=layer["dilation"][1],
            fused_activation=layer["activation"],
        )  # fmt: skip
        result = native.run_layer(
            blob, serialize_options(options), x, backend=backend, simd=simd, num_threads=layer["threads"]
        )
        magnitude = tensorflow_convolution(layer, np.abs(x), np.abs(rounded), np.abs(bias)).max()
        np.testing.assert_equal(result.shape, expected.shape)
        assert np.abs(result - np.asarray(ACTIVATIONS[layer["activation"]](expected))).max() <= 1e-5 * magnitude

    check()
