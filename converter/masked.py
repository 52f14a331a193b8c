"""Masked layers: a layer whose kernel is seen through a mask, by any Keras backend and in compiled training steps.

    variable `kernel`  (dense: the shadow) ─┐
    variable `mask`    (bool)               ├─>  property `kernel` = shadow where kept, 0 where pruned  ─>  call()
    variable `through` (float32, 1 or 0)   ─┘    gradient of the shadow: 1 where kept, `through` where pruned

While `through` is 1 a pruned weight goes on learning in the shadow from what the masked network says of it (the
straight-through estimator), so that it can come back; with 0 it rests. The optimizer, mixed precision, distribution
and checkpoints need to know nothing of this: mask and `through` are ordinary non-trainable variables of the layer.
JAX's jitted step takes them as inputs, so that new masks need no new trace.

`mask_layer` makes a layer masked in place by exchanging its class, as PyTorch's parametrizations do: the model, its
graph and its optimizer stay the ones the user has. Models hold few such classes, so each is made once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import keras
import numpy as np


class Masked:
    """What a masked layer has in addition to its plain class; see the module."""

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Build the plain layer and keep all of its weights."""
        super().build(*args, **kwargs)
        add_mask(self)

    @property
    def shadow(self) -> keras.Variable:
        """The dense kernel, as the optimizer moves it."""
        return super().kernel

    @property
    def kernel(self) -> Any:
        """The kernel with exact zeros where pruned; straight-through for gradients."""
        shadow = keras.ops.convert_to_tensor(self.shadow)
        through = keras.ops.cast(self.through, shadow.dtype)
        # The value of a pruned weight is 0, its gradient `through`.
        mask = keras.ops.convert_to_tensor(self.mask)
        return keras.ops.where(mask, shadow, through * (shadow - keras.ops.stop_gradient(shadow)))

    def save_own_variables(self, store: Any) -> None:
        """Save shadow and mask, not the masked kernel."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved."""
        keras.layers.Layer.load_own_variables(self, store)


@lru_cache
def masked_class(plain: type) -> type:
    """Subclass of `plain` whose kernel is masked."""
    return type(f"Masked{plain.__name__}", (Masked, plain), {"__module__": __name__, "__doc__": Masked.__doc__})


# These two are known by name, so that a `.keras` file written while a model is pruned can be loaded again.
MaskedConv2D = keras.saving.register_keras_serializable("mcpruner")(masked_class(keras.layers.Conv2D))
MaskedDense = keras.saving.register_keras_serializable("mcpruner")(masked_class(keras.layers.Dense))


def mask_layer(layer: keras.layers.Layer) -> bool:
    """Make a built layer masked, in place, with everything kept; False if it is already."""
    if isinstance(layer, Masked):
        return False
    layer.__class__ = masked_class(type(layer))
    add_mask(layer)
    return True


def add_mask(layer: keras.layers.Layer) -> None:
    """Give a masked layer its variables."""
    layer._tracker.unlock()
    shape = tuple(layer.shadow.shape)
    layer.mask = layer.add_weight(name="mask", shape=shape, initializer="ones", dtype="bool", trainable=False)
    layer.through = layer.add_weight(name="through", shape=(), initializer="ones", dtype="float32", trainable=False)
    layer._tracker.lock()


def masked_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The masked layers of a model, those of nested models too."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, Masked)]


def get_mask(layer: keras.layers.Layer) -> np.ndarray:
    """Mask of a masked layer: bool, in the kernel's own shape."""
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(layer.mask)).astype(bool)


def fold_mask(layer: keras.layers.Layer) -> None:
    """Set the shadow to the masked kernel: exact zeros, positive ones."""
    shadow, mask = map(keras.ops.convert_to_tensor, (layer.shadow, layer.mask))
    layer.shadow.assign(keras.ops.where(mask, shadow, keras.ops.zeros_like(shadow)))


@contextmanager
def plain_layers(model: keras.Model) -> Iterator[None]:
    """Masked layers are plain for as long as the context lasts, with their shadows for kernels."""
    layers = masked_layers(model)
    classes, masks = [type(layer) for layer in layers], [[layer.mask, layer.through] for layer in layers]
    for layer in layers:
        layer._tracker.unlock()
        layer.__class__ = type(layer).__mro__[2]
        layer._non_trainable_variables = [v for v in layer._non_trainable_variables if v.name not in _NAMES]
    try:
        yield
    finally:
        for layer, masked, variables in zip(layers, classes, masks, strict=True):
            layer.__class__ = masked
            layer._non_trainable_variables += variables
            layer._tracker.lock()


_NAMES = ("mask", "through")
