"""Prune a trained model without training it: a few hundred unlabelled images, minutes on a laptop.

images ── dense model ──> inputs of each prunable layer ──> Gram matrix      one pass
weights, Gram matrix  ──> mask (what costs most to remove stays, `removal`), kept weights by least squares
                          (`reconstruct`)
images ── pruned model ─> means and variances of batch norms                 one pass
"""

from typing import Any

import keras
import numpy as np

from mcpruner.converter.mask.conv_groups import choose_each
from mcpruner.converter.options import PruningOptions, takes_options
from mcpruner.converter.post_training.reconstruct import Moments, Sums, reconstruct
from mcpruner.converter.post_training.removal import choose_in_order
from mcpruner.converter.post_training.streams import BATCH, Pair, graph_nodes, run_streams
from mcpruner.converter.training.keras_kernel import (
    CONVOLUTIONS,
    SEPARABLE,
    TRANSPOSED,
    conv_groups,
    kernel_of,
    kernel_shape,
    kernel_values,
    turned,
)
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
    x = _multiplied(layer, x)
    rows = keras.ops.convert_to_numpy(x).reshape(-1, x.shape[-1])
    return np.ascontiguousarray(rows[:: -(-len(rows) // _PATCHES)], np.float32)


def _multiplied(layer: Any, x: np.ndarray) -> Any:
    """What a layer multiplies with its kernel at each place of its output, ``[..., K]``."""
    if isinstance(layer, SEPARABLE):
        return keras.ops.depthwise_conv(
            x, layer.depthwise_kernel, layer.strides, layer.padding, layer.data_format, layer.dilation_rate
        )
    if isinstance(layer, TRANSPOSED):
        return _transposed_patches(layer, x)
    if not isinstance(layer, CONVOLUTIONS):
        return x
    padding = layer.padding
    if padding == "causal":
        x = np.pad(x, [(0, 0), (layer.dilation_rate[0] * (layer.kernel_size[0] - 1), 0), (0, 0)])
        padding = "valid"
    line = x.ndim == 3  # A 1-D convolution is one over an image of one row.
    size, strides, dilation = ((1,) * line + tuple(v) for v in (layer.kernel_size, layer.strides, layer.dilation_rate))
    return keras.ops.image.extract_patches(
        x[:, None] if line else x, size, strides, dilation, padding, data_format="channels_last"
    )


def _transposed_patches(layer: Any, x: np.ndarray) -> Any:
    """The transposed convolution is one over its input with zeros between the pixels, by the kernel turned around."""
    images, *sizes, channels = x.shape
    spread = [(size - 1) * stride + 1 for size, stride in zip(sizes, layer.strides, strict=True)]
    wide = np.zeros((images, *spread, channels), x.dtype)
    wide[:, :: layer.strides[0], :: layer.strides[1]] = x
    _, *wanted, _ = layer.compute_output_shape(x.shape)
    reach = [(size - 1) * step for size, step in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    # Behind the last pixel a stride larger than the kernel leaves output that no weight reaches.
    missing = [max(0, want - size - r) for want, size, r in zip(wanted, spread, reach, strict=True)]
    wide = np.pad(wide, [(0, 0), *((r, r + more) for r, more in zip(reach, missing, strict=True)), (0, 0)])
    patches = keras.ops.convert_to_numpy(
        keras.ops.image.extract_patches(wide, layer.kernel_size, 1, layer.dilation_rate, "valid", "channels_last")
    )
    top, left = ((have - want) // 2 for have, want in zip(patches.shape[1:3], wanted, strict=True))
    patches = patches[:, top : top + wanted[0], left : left + wanted[1]]
    turned_around = patches.reshape(*patches.shape[:3], *layer.kernel_size, channels)[:, :, :, ::-1, ::-1]
    return turned_around.reshape(patches.shape)


def has_filter_bias(layer: Any) -> bool:
    """Whether a layer adds a bias of one number for each filter."""
    return layer.bias is not None and tuple(layer.bias.shape) == (kernel_shape(layer)[0],)


def group_reads(layer: Any, read: Pair) -> list[Pair]:
    """What each group of a grouped convolution reads; of other layers all that they read."""
    groups = conv_groups(layer)
    if groups == 1:
        return [read]
    dense = np.split(read.dense, groups, axis=-1)
    return list(map(Pair, dense, dense if read.dense is read.pruned else np.split(read.pruned, groups, axis=-1)))


def moments_of(layer: Any, read: Pair) -> Moments:
    """What least squares needs of all that a layer, or one of its groups, reads."""
    sums = Sums(int(np.prod(kernel_shape(layer)[1:])))
    for begin in range(0, len(read.dense), BATCH):
        pruned = dense = _patches(layer, read.pruned[begin : begin + BATCH])
        if read.dense is not read.pruned:
            dense = _patches(layer, read.dense[begin : begin + BATCH])
        sums.add(pruned, dense)
    return sums.moments(centred=has_filter_bias(layer))


def _prune_layer(layer: Any, read: Pair, density: float, options: PruningOptions) -> None:
    """Mask and reconstruct one layer, in place."""
    kernel, moments = kernel_values(layer), [moments_of(layer, part) for part in group_reads(layer, read)]
    weights = kernel_to_ohwi(kernel)
    parts = np.split(weights, len(moments))
    masks = choose_each(
        [part.size for part in parts], density, lambda i, share: choose_in_order(parts[i], moments[i], share, options)
    )
    # [O, H*W*I] is the order of patches.
    flat = [part.reshape(len(part), -1) for part in parts]
    moved, bias = map(np.concatenate, zip(*map(reconstruct, flat, masks, moments), strict=True))
    moved = kernel_from_ohwi(moved.reshape(weights.shape), kernel.ndim)
    kernel_of(layer).assign(turned(layer, moved).astype(kernel.dtype))
    if has_filter_bias(layer):
        layer.bias.assign_add(bias)


def _estimate(norm: Any, read: np.ndarray) -> None:
    """Set a batch norm's moving averages to those of the data."""
    axes = tuple(axis for axis in range(read.ndim) if axis != norm.axis % read.ndim)
    norm.moving_mean.assign(read.mean(axis=axes, dtype=np.float64))
    norm.moving_variance.assign(read.var(axis=axes, dtype=np.float64))
