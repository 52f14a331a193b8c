"""Prune a trained model without training it: a few hundred unlabelled images, minutes on a laptop.

images ── dense model ──> inputs of each prunable layer ──> Gram matrix      one pass
weights, Gram matrix  ──> mask (what costs most to remove stays, `removal`), kept weights by least squares
                          (`reconstruct`)
images ── pruned model ─> means and variances of batch norms                 one pass
"""

from typing import Any

import keras
import numpy as np

from mcpruner.converter.options import PruningOptions, takes_options
from mcpruner.converter.post_training.reconstruct import Moments, Sums, reconstruct
from mcpruner.converter.post_training.removal import choose_in_order
from mcpruner.converter.post_training.streams import BATCH, Pair, graph_nodes, run_streams
from mcpruner.converter.training.prunable import find_layers, kernel_from_ohwi, kernel_to_ohwi
from mcpruner.converter.training.prune import copy_plain, select_sound_layers

# A layer takes so many rows of its input from a batch at most. Early layers have many more, but those of one image are
# alike. How many are enough was not measured.
_PATCHES = 8192


@takes_options(without=["saliency"])
def prune_post_training(model: keras.Model, calibration_data: np.ndarray, **knobs: Any) -> keras.Model:
    """Prune a trained model so that each layer says as nearly as possible what it said before.

    Parameters
    ----------
    model
        Functional or sequential Keras 3 model with one input. Not changed.
    calibration_data
        ``[N, ...]`` inputs as the model takes them, preprocessed alike; a few hundred, no labels.
    **knobs
        As for `mcpruner.prune`, but for a saliency: the images tell what weights are worth.

    Returns
    -------
    keras.Model
        A plain copy with exact zeros, kept weights and batch norms' statistics adapted.

    Raises
    ------
    ValueError
        As `mcpruner.prune` does; the model's graph is not known; the data does not fit the input or is not finite.
    """
    options = PruningOptions(**knobs)
    densities = select_sound_layers(model, options)
    data = checked_data(model, calibration_data)
    copier = copy_plain(model)
    pruned = copier.copy
    layers = {label: copier.twin(layer) for label, layer in find_layers(model)[0].items()}
    wanted = {id(layers[label]): density for label, density in densities.items() if density < 1.0}
    for label in densities:
        check_calls(pruned, label, layers[label])

    def adapt(operation: Any, read: Pair) -> bool:
        if id(operation) in wanted:
            _prune_layer(operation, read, wanted[id(operation)], options)
            return True
        if isinstance(operation, keras.layers.BatchNormalization) and wanted:
            _estimate(operation, read.pruned)
            return True
        return False

    run_streams(pruned, data, adapt)
    return pruned


def estimate_norms(model: keras.Model, data: np.ndarray) -> None:
    """Set the moving averages of all batch norms to what `data` (inputs, ``[N, ...]``) gives, in place."""

    def adapt(operation: Any, read: Pair) -> bool:
        if isinstance(operation, keras.layers.BatchNormalization):
            _estimate(operation, read.pruned)
            return True
        return False

    run_streams(model, checked_data(model, data), adapt)


def checked_data(model: keras.Model, data: np.ndarray) -> np.ndarray:
    """Inputs as float32; ValueError where they do not fit the model or are not finite."""
    if len(getattr(model, "inputs", None) or []) != 1:
        raise ValueError(f"Post-training pruning needs a functional model with one input, got {model.name!r}.")
    data, shape = np.asarray(data), model.inputs[0].shape
    if data.dtype.kind in "cOSUmM":
        raise ValueError(f"Expected calibration data of real numbers, got {data.dtype}.")
    data = data.astype(np.float32, copy=False)
    fits = data.ndim == len(shape) and all(e in (None, d) for d, e in zip(data.shape[1:], shape[1:], strict=True))
    if not fits or len(data) == 0:
        raise ValueError(f"Expected calibration data of shape {list(shape)}, got {list(data.shape)}.")
    if not np.isfinite(data).all():
        raise ValueError("Expected finite calibration data, got NaN or infinite values.")
    return data


def check_calls(model: keras.Model, label: str, layer: Any) -> None:
    """ValueError where the model's own graph does not show what a layer reads."""
    if [node.operation for node in graph_nodes(model)].count(layer) != 1:
        raise ValueError(
            f"Post-training pruning needs layers that are called once in the model's own graph, and {label!r} is "
            "shared or in a nested model: leave it out by scope, or prune while training."
        )


def _patches(layer: Any, x: np.ndarray) -> np.ndarray:
    """Rows that a layer multiplies with its kernel, at most `_PATCHES`: float32 ``[rows, K]``, K in order H, W, I."""
    if isinstance(layer, keras.layers.Conv2D):
        x = keras.ops.image.extract_patches(
            x, layer.kernel_size, layer.strides, layer.dilation_rate, layer.padding, data_format="channels_last"
        )
    rows = keras.ops.convert_to_numpy(x).reshape(-1, x.shape[-1])
    return np.ascontiguousarray(rows[:: -(-len(rows) // _PATCHES)], np.float32)


def moments_of(layer: Any, read: Pair) -> Moments:
    """What least squares needs of all that a layer reads."""
    sums = Sums(int(np.prod(layer.kernel.shape[:-1])))
    for begin in range(0, len(read.dense), BATCH):
        pruned = dense = _patches(layer, read.pruned[begin : begin + BATCH])
        if read.dense is not read.pruned:
            dense = _patches(layer, read.dense[begin : begin + BATCH])
        sums.add(pruned, dense)
    return sums.moments(centred=layer.use_bias)


def _prune_layer(layer: Any, read: Pair, density: float, options: PruningOptions) -> None:
    """Mask and reconstruct one layer, in place."""
    kernel = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(layer.kernel))
    weights, moments = kernel_to_ohwi(kernel), moments_of(layer, read)
    flat = weights.reshape(len(weights), -1)  # [O, H*W*I] is the order of patches.
    mask = choose_in_order(weights, moments, density, options)
    moved, bias = reconstruct(flat, mask, moments)
    layer.kernel.assign(kernel_from_ohwi(moved.reshape(weights.shape), kernel.ndim).astype(kernel.dtype))
    if layer.use_bias:
        layer.bias.assign_add(bias)


def _estimate(norm: Any, read: np.ndarray) -> None:
    """Set a batch norm's moving averages to those of the data."""
    axes = tuple(axis for axis in range(read.ndim) if axis != norm.axis % read.ndim)
    norm.moving_mean.assign(read.mean(axis=axes, dtype=np.float64))
    norm.moving_variance.assign(read.var(axis=axes, dtype=np.float64))
