"""The weights and images beside the project (``../shared/data``), as Keras models and arrays.

They are for tests only and are never copied into the project. A test that needs them skips, with the reason printed,
where they are absent. ``../shared/data/run_graph.py`` documents the graph files that are read here.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
MISSING = f"needs the real weights and images of {SHARED}, which is not there"


@keras.saving.register_keras_serializable("mcpruner_tests")
class SubsamplePad(keras.layers.Layer):
    """ResNet-20's parameter-free shortcut: every second pixel, new channels filled with zeros."""

    def __init__(self, strides: list[int], channel_pad: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strides, self.channel_pad = list(strides), list(channel_pad)

    def call(self, x: Any) -> Any:
        x = x[:, :: self.strides[0], :: self.strides[1], :]
        return keras.ops.pad(x, [[0, 0], [0, 0], [0, 0], self.channel_pad])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strides": self.strides, "channel_pad": self.channel_pad}


def _graph(name: str) -> dict[str, Any]:
    return json.loads((SHARED / "models" / f"{name}.json").read_text())


def _arrays(name: str) -> dict[str, np.ndarray]:
    """Arrays of ``models/<name>.npz`` as float32; integer kernels are expanded: ``(q - zero) * scale``."""
    file = np.load(SHARED / "models" / f"{name}.npz")
    arrays = {}
    for key in (k for k in file.files if "#" not in k):
        array = file[key].astype(np.float32)
        if key + "#scale" in file.files:
            array = (array - file[key + "#zero"].astype(np.float32)) * file[key + "#scale"]
        arrays[key] = array.astype(np.float32)
    return arrays


def _convolution(node: dict, arrays: dict[str, np.ndarray], x: Any) -> Any:
    kernel, padding = arrays[node["kernel"]], node["padding"]
    if isinstance(padding, list):
        top, bottom, left, right = padding
        x = keras.layers.ZeroPadding2D(((top, bottom), (left, right)), name=node["name"] + "_pad")(x)
        padding = "VALID"
    common = {
        "strides": tuple(node.get("strides", [1, 1])),
        "padding": padding.lower(),
        "use_bias": "bias" in node,
        "name": node["name"],
    }
    if node["op"] == "conv2d":
        layer = keras.layers.Conv2D(kernel.shape[3], kernel.shape[:2], **common)
    else:
        layer = keras.layers.DepthwiseConv2D(kernel.shape[:2], **common)
    y = layer(x)
    layer.set_weights([kernel.reshape(layer.kernel.shape)] + ([arrays[node["bias"]]] if "bias" in node else []))
    return y


def _batch_norm(node: dict, arrays: dict[str, np.ndarray], x: Any) -> Any:
    layer = keras.layers.BatchNormalization(epsilon=node["epsilon"], name=node["name"])
    y = layer(x)
    layer.set_weights([arrays[node[k]] for k in ("gamma", "beta", "mean", "variance")])
    return y


def _dense(node: dict, arrays: dict[str, np.ndarray], x: Any) -> Any:
    kernel = arrays[node["kernel"]]
    layer = keras.layers.Dense(kernel.shape[1], name=node["name"])
    y = layer(x)
    layer.set_weights([kernel, arrays[node["bias"]]])
    return y


def _node(node: dict, arrays: dict[str, np.ndarray], inputs: list) -> Any:
    op, name = node["op"], node["name"]
    if op in ("conv2d", "depthwise_conv2d"):
        return _convolution(node, arrays, inputs[0])
    if op == "batchnorm":
        return _batch_norm(node, arrays, inputs[0])
    if op == "dense":
        return _dense(node, arrays, inputs[0])
    if op == "add":
        return keras.layers.Add(name=name)(inputs)
    simple = {
        "relu": lambda: keras.layers.ReLU(name=name),
        "relu6": lambda: keras.layers.ReLU(max_value=6.0, name=name),
        "gap": lambda: keras.layers.GlobalAveragePooling2D(name=name),
        "subsample_pad": lambda: SubsamplePad(node["strides"], node["channel_pad"], name=name),
    }
    return simple[op]()(inputs[0])


def keras_model(name: str) -> keras.Model:
    """The network ``models/<name>`` as a functional Keras model that ends in its logits (no softmax)."""
    graph, arrays = _graph(name), _arrays(name)
    tensors = {"input": keras.Input(graph["input"], name="input")}
    for node in graph["nodes"]:
        if node["op"] == "softmax":
            continue
        last = tensors[node["name"]] = _node(node, arrays, [tensors[k] for k in node["inputs"]])
    return keras.Model(tensors["input"], last, name=name.replace(".", "_"))


def preprocess(name: str, images: np.ndarray) -> np.ndarray:
    """uint8 RGB images as the network ``name`` wants them: centre crop, float32, its scale, mean and deviation."""
    graph = _graph(name)
    p, (height, width, _) = graph["preprocess"], graph["input"]
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    x = images[:, top : top + height, left : left + width].astype(np.float32) * p["scale"]
    return ((x - np.float32(p.get("mean", 0))) / np.float32(p.get("std", 1))).astype(np.float32)


def cifar_images(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """The first lossless CIFAR-10 test images: uint8 [count, 32, 32, 3] and labels."""
    file = np.load(SHARED / "cifar10_test100_lossless.npz")
    return file["x"][:count], file["y"][:count]


def cifar_jpeg_images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10 test images, degraded by JPEG, spread over the classes: uint8 [count, 32, 32, 3] and labels."""
    return _jpeg_images("cifar10_jpeg.npz", "test", count)


def imagenet_images(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """ImageNet validation images, spread over the classes: uint8 [count, 227, 227, 3] and labels 0..999."""
    return _jpeg_images("imagenet_val1000_jpeg.npz", "val", count)


def _jpeg_images(name: str, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    file = np.load(SHARED / name)
    header, offsets = file["jpeg_header"].tobytes(), file[f"{split}_offsets"].astype(np.int64)
    data, labels = file[f"{split}_bytes"].tobytes(), file[f"{split}_labels"].astype(np.int64)
    chosen = np.linspace(0, len(labels) - 1, count).astype(int)
    decoded = [Image.open(io.BytesIO(header + data[offsets[i] : offsets[i + 1]])).convert("RGB") for i in chosen]
    return np.stack([np.asarray(image) for image in decoded]), labels[chosen]
