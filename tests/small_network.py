"""A small network, dense and converted, for the tests of the runtime and the command line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tflite_builder import TfliteBuilder


@dataclass(frozen=True)
class Files:
    """The same network twice."""

    dense: Path
    sparse: Path


def prunable(rng: np.random.Generator, shape: tuple[int, ...], density: float = 0.25) -> np.ndarray:
    """Normal weights, OHWI or [out, in], of which filters in fours keep the same share."""
    weights = rng.standard_normal(shape).astype(np.float32)
    keep = rng.random((-(-shape[0] // 4), *shape[1:])) < density
    return weights * np.repeat(keep, 4, axis=0)[: shape[0]]


def small_network() -> bytes:
    """Pad, 3x3 convolution at stride 2, 1x1 convolution, 3x3 convolution and a residual add, mean, dense layer."""
    rng = np.random.default_rng(7)
    net = TfliteBuilder()
    x = net.pad(net.input((1, 13, 11, 16)), (1, 1, 1, 1), name="pad")
    bias = rng.standard_normal(32).astype(np.float32)
    x = net.conv(x, prunable(rng, (32, 3, 3, 16)), bias, (2, 2), "VALID", activation="RELU", name="conv1")
    y = net.conv(x, prunable(rng, (32, 1, 1, 32)), bias, activation="RELU6", name="conv2")
    y = net.conv(y, prunable(rng, (32, 3, 3, 32)), name="conv3")
    x = net.mean(net.add(x, y, name="add"), name="mean")
    return net.build([net.fully_connected(x, prunable(rng, (10, 32)), bias[:10], name="classifier")])


def export(folder: Path) -> Files:
    """The small network as files in `folder`."""
    import mcpruner

    files = Files(folder / "dense.tflite", folder / "sparse.tflite")
    files.dense.write_bytes(small_network())
    files.sparse.write_bytes(mcpruner.convert(files.dense, target="x86-64")[0])
    return files
