"""CIFAR-10 (``../shared/data/cifar10_jpeg.npz``) on the device: its scale, its augmentation as part of a JAX step."""

import jax
import jax.numpy as jnp
import numpy as np
from cifar10 import Images, load

__all__ = ["Images", "augment", "load", "normalise"]

_MEAN = np.array([125.3, 123.0, 113.9], np.float32)
_DEVIATION = np.array([63.0, 62.1, 66.7], np.float32)
_PAD = 4


def normalise(images: jax.Array) -> jax.Array:
    """uint8 to float32 with mean 0 and deviation 1 in each channel."""
    return (images.astype(jnp.float32) - _MEAN) / _DEVIATION


def augment(key: jax.Array, images: jax.Array) -> jax.Array:
    """Shift each image by up to 4 pixels (mirrored at the edge) and mirror it or not: uint8 ``[N, 32, 32, 3]``."""
    shift_key, mirror_key = jax.random.split(key)
    size = images.shape[1]
    padded = jnp.pad(images, ((0, 0), (_PAD, _PAD), (_PAD, _PAD), (0, 0)), mode="reflect")
    shifts = jax.random.randint(shift_key, (len(images), 2), 0, 2 * _PAD + 1)
    rows = shifts[:, :1] + jnp.arange(size)
    columns = shifts[:, 1:] + jnp.arange(size)
    mirrored = jax.random.bernoulli(mirror_key, shape=(len(images), 1))
    columns = jnp.where(mirrored, columns[:, ::-1], columns)
    index = jnp.arange(len(images))[:, None, None]
    return padded[index, rows[:, :, None], columns[:, None, :]]
