"""The layers and networks whose instructions are counted, with the bar that each is held against.

Weights are random: what a kernel executes depends on where the zeros are, not on values.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
from count import Run
from keras import layers
from models import rescale_filters, resnet18

import mcpruner
from mcpruner.converter.cost.cost_model import FORMAT, load_costs
from mcpruner.converter.source import load_source
from mcpruner.converter.target import get_target

TARGET, GROUP = "hikey970-cpu", 4
DENSITIES = (0.178, 0.25, 0.5, 1.0)
DENSE_BAR = 1.2


@dataclass(frozen=True)
class Layer:
    """One convolution with a bias and a ReLU; `bar` is the allowed share of XNNPACK's instructions at `bar_density`."""

    size: int
    inputs: int
    outputs: int
    kernel: int
    bar_density: float
    bar: float

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.kernel}x{self.kernel} {self.inputs}->{self.outputs} at {self.size}x{self.size}"

    def bar_at(self, density: float) -> float | None:
        """The bar at one density, None where there is none."""
        if density == 1:
            return DENSE_BAR
        return self.bar if density == self.bar_density else None


LAYERS = (
    Layer(56, 64, 64, 3, 0.178, 0.24),
    Layer(28, 128, 128, 3, 0.178, 0.24),
    Layer(14, 256, 256, 3, 0.178, 0.26),
    Layer(7, 512, 512, 3, 0.178, 0.32),
    Layer(56, 256, 64, 1, 0.25, 0.36),
)


def convolution(layer: Layer) -> keras.Model:
    """The layer as a network."""
    keras.utils.set_random_seed(0)
    x = keras.Input((layer.size, layer.size, layer.inputs), batch_size=1)
    conv = layers.Conv2D(layer.outputs, layer.kernel, padding="same", activation="relu", name="conv")
    return keras.Model(x, conv(x))


def prune_pointwise(model: keras.Model, density: float) -> keras.Model:
    """A lone 1x1 convolution, which `mcpruner.prune` would take for a classifier: each group keeps random channels."""
    kernel, bias = model.get_weights()
    rng = np.random.default_rng(0)
    inputs, outputs = kernel.shape[2:]
    kept = np.stack([rng.permutation(inputs) < round(density * inputs) for _ in range(outputs // GROUP)])
    pruned = keras.models.clone_model(model)
    pruned.set_weights([kernel * np.repeat(kept, GROUP, axis=0).T, bias])
    return pruned


def pruned_layer(layer: Layer, density: float) -> keras.Model:
    """The layer's network at a density."""
    model = convolution(layer)
    if density == 1:
        return model
    if layer.kernel == 1:
        return prune_pointwise(model, density)
    return mcpruner.prune(model, target=TARGET, density=density)


def mobilenet_template(size: int) -> keras.Model:
    """MobileNetV1 0.75 as XNNPACK's sparse inference wants it, 1x1 weights with 80 % zeros anywhere.

    Strided convolutions are padded by one on all sides, and the global mean drops its dimensions.
    """
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((size, size, 3), batch_size=1)

    def add(layer: keras.layers.Layer, x: keras.KerasTensor, stride: int = 1) -> keras.KerasTensor:
        x = layers.ZeroPadding2D(1)(x) if stride == 2 else x
        return layers.ReLU(6.0)(layers.BatchNormalization()(layer(x)))

    def arguments(stride: int) -> dict:
        return {"strides": stride, "padding": "valid" if stride == 2 else "same", "use_bias": False}

    x = add(layers.Conv2D(24, 3, **arguments(2)), x, 2)
    blocks = ((48, 1), (96, 2), (96, 1), (192, 2), (192, 1), (384, 2), *[(384, 1)] * 5, (768, 2), (768, 1))
    for filters, stride in blocks:
        x = add(layers.DepthwiseConv2D(3, **arguments(stride)), x, stride)
        x = add(layers.Conv2D(filters, 1, use_bias=False), x)
    x = layers.Dense(1000)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, x)
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D) and layer.kernel_size == (1, 1):
            (kernel,) = layer.get_weights()
            layer.set_weights([kernel * (np.abs(kernel) >= np.quantile(np.abs(kernel), 0.8))])
    return model


def mobilenet_v1(size: int) -> keras.Model:
    """MobileNetV1 0.75 as Keras has it."""
    keras.utils.set_random_seed(0)
    return keras.applications.MobileNet((size, size, 3), alpha=0.75, weights=None, classifier_activation=None)


def runs(
    name: str, model: keras.Model, folder: Path, options: dict[str, str] | None = None, costs: Path | None = None
) -> list[Run]:
    """XNNPACK and ours for a masked network; `options` force the plugin on the dense file instead of converting it."""
    stem = name.replace(" ", "_").replace(">", "")
    dense, ours, image = (folder / f"{stem}{ending}" for ending in (".dense.tflite", ".tflite", ".npy"))
    dense.write_bytes(load_source(model))
    ours.write_bytes(dense.read_bytes() if options else mcpruner.convert(dense, TARGET, calibration=costs)[0])
    np.save(image, np.random.default_rng(0).standard_normal((1, *model.input_shape[1:])).astype(np.float32))
    options = {"verbosity": "0", **(options or {})}
    return [Run(str(dense), str(image), None), Run(str(ours), str(image), options)]


def free_calls(folder: Path) -> Path:
    """The target's costs, but for those of edges and calls, which keep single small layers from being packed."""
    costs = load_costs(get_target(TARGET).costs)
    free = {entry: dict.fromkeys(costs.nanoseconds[entry], 1e-6) for entry in ("cpu edge", "cpu partition")}
    path = folder / "costs.json"
    path.write_text(json.dumps({"format": FORMAT, "simd": costs.simd, "nanoseconds": {**costs.nanoseconds, **free}}))
    return path


def layer_runs(layer: Layer, density: float, folder: Path) -> list[Run]:
    """XNNPACK and ours for one layer; at density 1 ours is forced onto the `cpu` backend."""
    forced = {"backend": "cpu"} if density == 1 else None
    return runs(f"{layer.name} {density:g}", pruned_layer(layer, density), folder, forced, free_calls(folder))


def network_runs(name: str, build: Callable[[], keras.Model], density: float, folder: Path) -> list[Run]:
    """XNNPACK and ours for a network of random weights, pruned in one shot."""
    dense = build()
    pruned = mcpruner.prune(dense, target=TARGET, density=density)
    rescale_filters(pruned, dense)
    return runs(name, pruned, folder)


def template_runs(size: int, folder: Path) -> list[Run]:
    """XNNPACK dense, and ours, for the masked MobileNetV1."""
    return runs(f"template{size}", mobilenet_template(size), folder)


def sparse_template_runs(size: int, folder: Path) -> list[Run]:
    """XNNPACK's own sparse path, and ours, for the same."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(mobilenet_template(size))
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    sparse = folder / f"template{size}.xnnpack.tflite"
    with contextlib.redirect_stdout(io.StringIO()):  # Keras names every weight there
        sparse.write_bytes(converter.convert())
    dense, ours = template_runs(size, folder)
    return [Run(str(sparse), dense.input, None), ours]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    runs
        Writes the two models into a folder, XNNPACK's first.
    bar
        Allowed share of XNNPACK's instructions, None where there is no bar.
    comparable
        Whether XNNPACK's output is right, so that ours must equal it. At 112x112 its sparse path in ai-edge-litert 2.3
        is wrong: a strided depthwise convolution meets a map of odd size (7x7) there.
    """

    runs: Callable[[Path], list[Run]]
    bar: float | None
    comparable: bool = True


def rows() -> dict[str, Row]:
    """Name -> row, in the order of the table."""
    result = {
        f"{layer.name}, {density:g}": Row(partial(layer_runs, layer, density), layer.bar_at(density))
        for layer in LAYERS
        for density in DENSITIES
    }
    resnet, mobilenet = partial(resnet18, 112), partial(mobilenet_v1, 112)
    result["ResNet-18 at 112x112, 0.178"] = Row(partial(network_runs, "resnet18", resnet, 0.178), 0.32)
    result["MobileNetV1 0.75 at 112x112, 0.2"] = Row(partial(network_runs, "mobilenet", mobilenet, 0.2), 0.45)
    for size in (112, 128):
        name = f"MobileNetV1 0.75 at {size}x{size} in XNNPACK's template, 0.2"
        result[name] = Row(partial(template_runs, size), None)
        result[f"{name}, beside its sparse path"] = Row(partial(sparse_template_runs, size), 1.0, size == 128)
    return result
