"""How long a Keras model's layers are predicted to run, dense in TFLite and pruned in our plugin, before it is pruned.

The cost model's view (`cost_model`) of layers that are not packed yet. With density d a layer stores d of its weights
in kernels of its pattern size, so its time is a straight line in d:

    time(d) = fixed + slope x d        fixed: reading the input, storing the output, starting the layer
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from mcpruner.converter.cost.cost_model import (
    CostModel,
    Counts,
    Geometry,
    full_counts,
    load_costs,
    packed_amounts,
    rows_geometry,
    tflite_amounts,
    unpacked_amounts,
)
from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.target import Target

# `layer_geometry` raises one of these where a size is not known.
UNKNOWN_SIZE = (AttributeError, TypeError, ValueError)


class _Line(NamedTuple):
    """Nanoseconds of a packed layer: ``fixed + slope x density``."""

    fixed: float
    slope: float


@dataclass(frozen=True)
class Latency:
    """Predicted times of a model's layers, by the layers' identity.

    Attributes
    ----------
    dense_ms
        Milliseconds of all convolutions and dense layers in TFLite, on one thread.
    """

    dense_ms: float
    _unpacked: dict[int, float]
    _packed: dict[int, _Line]

    @classmethod
    def of(cls, model: keras.Model, target: Target) -> "Latency | None":
        """Predict a model's times; None where Keras does not know the sizes of its layers' outputs."""
        costs = load_costs(target.costs)
        dense, unpacked, packed = 0.0, {}, {}
        for layer in model._flatten_layers(include_self=False):
            if not isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense):
                continue
            try:
                shape, geometry = layer_geometry(layer)
            except UNKNOWN_SIZE:
                return None
            dense += costs.time(tflite_amounts(shape, geometry, costs.simd))
            unpacked[id(layer)] = costs.time(unpacked_amounts(shape, geometry, costs.simd))
            if geometry.kind != "DepthwiseConv2D":
                packed[id(layer)] = _line(shape, geometry, target, costs)
        return cls(dense / 1e6, unpacked, packed)

    def pruned_ms(self, layers: dict[str, Any], densities: dict[str, float]) -> float:
        """Milliseconds of all layers in our plugin, on one thread.

        Parameters
        ----------
        layers
            Label to prunable layer.
        densities
            Label to density, of the layers that are packed; all others run dense.
        """
        lines = {id(layers[path]): (self._packed[id(layers[path])], density) for path, density in densities.items()}
        others = sum(time for layer, time in self._unpacked.items() if layer not in lines)
        return (others + sum(line.fixed + line.slope * density for line, density in lines.values())) / 1e6

    def per_weight(self, layer: Any) -> float:
        """Nanoseconds, above 0, that a layer takes longer for each further weight that it keeps."""
        return max(self._packed[id(layer)].slope, 1e-9) / int(np.prod(layer.kernel.shape))


def layer_geometry(layer: Any) -> tuple[tuple[int, ...], Geometry]:
    """Shape of the weights in TFLite's order, and the layer's geometry.

    Raises
    ------
    AttributeError, TypeError, ValueError
        Keras does not know the size of the output: no graph, several calls, or a free image size.
    """
    output = [int(size) for size in layer.output.shape[1:]]
    if isinstance(layer, keras.layers.Dense):
        inputs, filters = layer.kernel.shape
        return (filters, 1, 1, inputs), rows_geometry([1, *output[:-1]])
    height, width, inputs, filters = layer.kernel.shape
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return (1, height, width, inputs * filters), Geometry("DepthwiseConv2D", *output[:2], layer.strides[0])
    return (filters, height, width, inputs), Geometry("Conv2D", *output[:2], layer.strides[0])


def _line(shape: tuple[int, ...], geometry: Geometry, target: Target, costs: CostModel) -> _Line:
    """Two points make the line: no weight, and all of them, in kernels of the target's pattern size."""
    full = full_counts(shape, target.group_size)
    positions = shape[1] * shape[2]
    kernels = full.kernels * positions / kernel_pattern_size(positions, 0.0, target.pattern_size)
    fixed, whole = (
        costs.time(packed_amounts(counts, shape, target.group_size, geometry, costs.simd))
        for counts in (Counts(0, 0, 0, 0), Counts(full.values, kernels, 0, 0))
    )
    return _Line(fixed, whole - fixed)
