"""How long a Keras model's layers are predicted to run, dense in TFLite and pruned in our plugin, before it is pruned.

The cost model's view (`cost_model`) of layers that are not packed yet. With density d a layer stores d of its weights
in kernels of its pattern size, so its time is a straight line in d:

    time(d) = fixed + slope x d        fixed: reading the input, storing the output, starting the layer
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

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
from mcpruner.converter.training.keras_kernel import (
    DENSE,
    KINDS,
    SEPARABLE,
    TRANSPOSED,
    conv_groups,
    kernel_shape,
    kernel_size,
)

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
    _beside: float  # nanoseconds of the depthwise halves of separable convolutions in our plugin
    _unpacked: dict[int, float]
    _packed: dict[int, _Line]

    @classmethod
    def of(cls, model: keras.Model, target: Target) -> "Latency | None":
        """Predict a model's times; None where Keras does not know the sizes of its layers' outputs."""
        costs = load_costs(target.costs)
        dense, beside, unpacked, packed = 0.0, 0.0, {}, {}
        for layer in model._flatten_layers(include_self=False):
            if not isinstance(layer, (*KINDS, keras.layers.DepthwiseConv2D)):
                continue
            try:
                shape, geometry = layer_geometry(layer)
                before = depthwise_geometry(layer, layer.depthwise_kernel) if isinstance(layer, SEPARABLE) else None
            except UNKNOWN_SIZE:
                return None
            dense += costs.time(tflite_amounts(shape, geometry, costs.simd))
            unpacked[id(layer)] = costs.time(unpacked_amounts(shape, geometry, costs.simd))
            if geometry.kind != "DepthwiseConv2D":
                packed[id(layer)] = _line(shape, geometry, target, costs)
            if before is not None:  # It takes as long whether the other half is packed or not.
                dense += costs.time(tflite_amounts(*before, costs.simd))
                beside += costs.time(unpacked_amounts(*before, costs.simd))
        return cls(dense / 1e6, beside, unpacked, packed)

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
        others = self._beside + sum(time for layer, time in self._unpacked.items() if layer not in lines)
        return (others + sum(line.fixed + line.slope * density for line, density in lines.values())) / 1e6

    def per_weight(self, layer: Any) -> float:
        """Nanoseconds, above 0, that a layer takes longer for each further weight that it keeps."""
        return max(self._packed[id(layer)].slope, 1e-9) / kernel_size(layer)


def layer_geometry(layer: Any) -> tuple[tuple[int, ...], Geometry]:
    """Shape of the weights in TFLite's order, and the layer's geometry.

    Raises
    ------
    AttributeError, TypeError, ValueError
        Keras does not know the size of the output: no graph, several calls, or a free image size.
    """
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return depthwise_geometry(layer, layer.kernel)
    if isinstance(layer, DENSE):  # The output of an einsum may be unknown where its input is known.
        return kernel_shape(layer), rows_geometry([1, *(int(size) for size in layer.input.shape[1:-1])])
    output = [int(size) for size in layer.output.shape[1:]]
    if isinstance(layer, TRANSPOSED):
        size = (int(n) for n in layer.input.shape[1:3])
        return kernel_shape(layer), Geometry("TransposeConv2D", *size, layer.strides[-1])
    height, width = output[:-1] if len(output) == 3 else (1, output[0])
    stride = 1 if isinstance(layer, SEPARABLE) else layer.strides[-1]
    return kernel_shape(layer), Geometry("Conv2D", height, width, stride, conv_groups(layer))


def depthwise_geometry(layer: Any, kernel: Any) -> tuple[tuple[int, ...], Geometry]:
    """Do as `layer_geometry` for a depthwise layer or the depthwise half of a separable one; `kernel` is its kernel."""
    *sizes, inputs, multiplier = kernel.shape
    height, width = (1,) * (2 - len(sizes)) + tuple(sizes)
    output = [1, *(int(size) for size in layer.output.shape[1:-1])][-2:]
    return (1, height, width, inputs * multiplier), Geometry("DepthwiseConv2D", *output, layer.strides[-1])


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
