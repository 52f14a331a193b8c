"""The demo's picture: the patterns of one layer, and the time of every layer beside its dense self."""

from pathlib import Path

import matplotlib
import numpy as np
from layer_times import LayerTime

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.densify import CONV, read_packed
from mcpruner.converter.tflite.model import operator_name, read_model

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_SHOWN = 8


def draw(content: bytes, layers: list[LayerTime], path: Path) -> None:
    """Write a PNG.

    Parameters
    ----------
    content
        The converted ``.tflite``; its middle convolution with a kernel larger than 1x1 shows its patterns.
    layers
        Times of its layers.
    path
        File to write.
    """
    name, layer = _middle_layer(content)
    figure = plt.figure(figsize=(12, 8), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 2])
    _draw_patterns(top, name, layer)
    _draw_times(bottom.subplots(), layers)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _middle_layer(content: bytes) -> tuple[str, SparseLayer]:
    model = read_model(content)
    graph = model.subgraphs[0]
    found = []
    for op in graph.operators:
        if operator_name(model, op) == CONV:
            layer, _ = read_packed(model, graph, op)
            if layer.kernel_size != (1, 1):
                found.append((short_name(graph, op), layer))
    return found[len(found) // 2]


def _draw_patterns(figure: plt.Figure, name: str, layer: SparseLayer) -> None:
    """The most used patterns as small grids, each with its share of the kernels."""
    kernels = np.bincount(layer.run_patterns, weights=layer.run_counts, minlength=len(layer.patterns))
    order = np.argsort(-kernels)[:_SHOWN]
    height, width = layer.kernel_size
    figure.suptitle(f"{name}: {len(layer.patterns)} patterns, density {layer.density:.3f}")
    for axes, index in zip(np.atleast_1d(figure.subplots(1, len(order))), order, strict=True):
        bits = [int(layer.patterns[index]) >> i & 1 for i in range(height * width)]
        axes.imshow(np.reshape(bits, (height, width)), cmap="Blues", vmin=0, vmax=1.3)
        axes.set(xticks=np.arange(-0.5, width), yticks=np.arange(-0.5, height), xticklabels=[], yticklabels=[])
        axes.grid(color="grey")
        axes.set_title(f"{kernels[index] / kernels.sum():.0%} of kernels", fontsize=9)


def _draw_times(axes: plt.Axes, layers: list[LayerTime]) -> None:
    """Two bars for each layer."""
    places = np.arange(len(layers))
    axes.bar(places - 0.2, [layer.dense_ms for layer in layers], 0.4, label="dense, without the plugin", color="silver")
    axes.bar(places + 0.2, [layer.sparse_ms for layer in layers], 0.4, label="pruned, in the plugin", color="tab:blue")
    axes.set_xticks(places, [layer.name for layer in layers], rotation=60, ha="right", fontsize=8)
    axes.set_ylabel("milliseconds, one thread")
    axes.legend()
