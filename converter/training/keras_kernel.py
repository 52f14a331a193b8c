"""The kernel of a Keras layer that is masked: which of the layer's variables it is, and in which order it lies.

    Conv2D            kernel            [H, W, I, O]
    Conv1D            kernel            [W, I, O]
    Dense             kernel            [I, O]
    EinsumDense       kernel            [I, O], where it is a 1x1 convolution
    SeparableConv2D   pointwise_kernel  [1, 1, I, O]
    SeparableConv1D   pointwise_kernel  [1, I, O]
    Conv2DTranspose   kernel            [H, W, O, I]

Masks are chosen for input channels before filters, as all but the last have them: `turned` is the way there and back.
"""

from typing import Any

import keras
import numpy as np

DENSE = (keras.layers.Dense, keras.layers.EinsumDense)
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv1D)
SEPARABLE = (keras.layers.SeparableConv2D, keras.layers.SeparableConv1D)
TRANSPOSED = (keras.layers.Conv2DTranspose,)
KINDS = (*DENSE, *CONVOLUTIONS, *SEPARABLE, *TRANSPOSED)


def kernel_name(plain: type) -> str:
    """Name of the attribute that is the kernel, for a layer's plain class."""
    return "pointwise_kernel" if issubclass(plain, SEPARABLE) else "kernel"


def kernel_of(layer: Any) -> Any:
    """The kernel as the layer uses it: its variable, or a tensor where masks or adapters change that."""
    return getattr(layer, kernel_name(type(layer)))


def kernel_values(layer: Any) -> np.ndarray:
    """The kernel as the layer uses it, input channels before filters."""
    return turned(layer, keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(kernel_of(layer))))


def turned(layer: Any, array: np.ndarray) -> np.ndarray:
    """An array in the kernel's own order with input channels before filters, or one of those in the kernel's order."""
    return np.swapaxes(array, -1, -2) if isinstance(layer, TRANSPOSED) else array


def kernel_shape(layer: Any) -> tuple[int, int, int, int]:
    """Shape of the kernel in TFLite's order: filters, rows, columns, input channels (of a filter's group)."""
    *sizes, inputs, filters = turned(layer, np.empty(kernel_of(layer).shape, np.bool_)).shape
    height, width = (1,) * (2 - len(sizes)) + tuple(sizes)
    return filters, height, width, inputs


def conv_groups(layer: Any) -> int:
    """How many groups a layer's filters fall into: more than 1 in a grouped convolution alone."""
    return getattr(layer, "groups", 1)


def kernel_size(layer: Any) -> int:
    """How many weights the kernel has."""
    return int(np.prod(kernel_of(layer).shape))
