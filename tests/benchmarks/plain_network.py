"""Small networks with every operator that a plain graph expresses, and what plain NumPy makes of such a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_builder import TfliteBuilder

VALID, RELU = schema.Padding.VALID, schema.ActivationFunctionType.RELU


def plain_network(seed: int = 3) -> bytes:
    """Strided and padded convolutions, a padded pool, a residual add, and a dense layer over an image."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    net = TfliteBuilder()
    x = net.conv(net.input((1, 17, 14, 3)), normal(8, 3, 3, 3), normal(8), (2, 2), activation="RELU")
    x = net.pad(x, (1, 1, 0, 2))
    pool = schema.Pool2DOptionsT(padding=VALID, strideH=2, strideW=2, filterHeight=3, filterWidth=3)
    x = net.operator("MAX_POOL_2D", [x], (1, 5, 4, 8), pool)
    y = net.conv(net.pad(net.depthwise_conv(x, normal(1, 3, 3, 8)), (0, 1, 1, 0)), normal(8, 2, 2, 8), padding="VALID")
    x = net.operator("ADD", [x, y], net.shape(x), schema.AddOptionsT(fusedActivationFunction=RELU))
    x = net.conv(x, normal(6, 3, 2, 8), normal(6), activation="RELU6")
    x = net.operator("RESHAPE", [x, net.constant(np.array([1, -1], np.int32))], (1, 120), schema.ReshapeOptionsT())
    return net.build([net.fully_connected(x, normal(5, 120), normal(5))])


def mobile_network() -> bytes:
    """A convolution, a mean that keeps its dimensions, and a 1x1 convolution for the logits, as MobileNetV1 has."""
    rng = np.random.default_rng(4)
    net = TfliteBuilder()
    x = net.conv(net.input((1, 6, 6, 4)), rng.standard_normal((8, 3, 3, 4)).astype(np.float32), activation="RELU6")
    axes = net.constant(np.array([1, 2], np.int32))
    x = net.operator("MEAN", [x, axes], (1, 1, 1, 8), schema.ReducerOptionsT(keepDims=True))
    x = net.conv(x, rng.standard_normal((5, 1, 1, 8)).astype(np.float32))
    return net.build(
        [net.operator("RESHAPE", [x, net.constant(np.array([1, 5], np.int32))], (1, 5), schema.ReshapeOptionsT())]
    )


def evaluate(graph: dict[str, Any], arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Output of a plain graph for x, float32 [1, C, H, W], by the plainest loops."""
    tensors = {graph["input"]: x.astype(np.float64)}
    for layer in graph["layers"]:
        y = _OPS[layer["op"]](layer, arrays, *(tensors[name] for name in layer["inputs"]))
        limit = {"relu": np.inf, "relu6": 6.0}.get(layer.get("activation"))
        tensors[layer["name"]] = y if limit is None else np.clip(y, 0, limit)
    return tensors[graph["output"]].ravel()


def _windows(layer: dict[str, Any], x: np.ndarray, kernel: list[int], fill: float) -> np.ndarray:
    """[C, out height, out width, kernel height, kernel width]"""
    top, left, bottom, right = layer["pads"]
    padded = np.pad(x[0], ((0, 0), (top, bottom), (left, right)), constant_values=fill)
    found = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return found[:, :: layer["strides"][0], :: layer["strides"][1]]


def _conv(layer: dict[str, Any], arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    assert layer["dilations"] == [1, 1]
    weight, bias = arrays[layer["weight"]], arrays[layer["bias"]][:, None, None]
    windows = _windows(layer, x, list(weight.shape[2:]), 0.0)
    sums = "ocij,chwij->ohw" if layer["groups"] == 1 else "ocij,ohwij->ohw"
    return (np.einsum(sums, weight, windows) + bias)[None]


def _pool(layer: dict[str, Any], arrays: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    assert layer["kind"] == "max"
    return _windows(layer, x, layer["kernel"], -np.inf).max(axis=(-1, -2))[None]


_OPS = {
    "add": lambda layer, arrays, a, b: a + b,
    "conv": _conv,
    "dense": lambda layer, arrays, x: arrays[layer["weight"]] @ x.ravel() + arrays[layer["bias"]],
    "mean": lambda layer, arrays, x: x.mean(axis=(2, 3), keepdims=True),
    "pool": _pool,
}
