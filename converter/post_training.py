"""Prune a trained model without training it: a few hundred unlabelled images, minutes on a laptop.

images ── dense model ──> inputs of each prunable layer ──> Gram matrix      one pass
weights, Gram matrix  ──> mask (what costs most to remove stays), kept weights by least squares (`reconstruct`)
images ── pruned model ─> means and variances of batch norms                 one pass
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import keras
import numpy as np

from mcpruner.converter.mask import choose_mask
from mcpruner.converter.pattern import kernel_pattern_size
from mcpruner.converter.progress import track
from mcpruner.converter.prunable import find_layers, kernel_from_ohwi, kernel_to_ohwi
from mcpruner.converter.prune import MaskOptions, check_finite, check_pattern_size, select_layers, strip
from mcpruner.converter.reconstruct import damped, reconstruct, removal_error
from mcpruner.converter.scope import Share
from mcpruner.converter.target import Target, get_target

_BATCH = 50
# Patches that a layer's Gram matrix takes from a batch; early layers have many more, of little use.
_PATCHES = 8192


def prune_post_training(
    model: keras.Model,
    calibration_data: np.ndarray,
    target: str | Target = "generic",
    density: Share | None = None,
    sparsity: Share | None = None,
    pattern_size: int | Literal["auto"] = "auto",
    num_patterns: int = 8,
    scope: str | Iterable[str] | None = None,
    balance: bool = False,
) -> keras.Model:
    """Prune a trained model so that each layer says as nearly as possible what it said before.

    Parameters
    ----------
    model
        Functional or sequential Keras 3 model with one input. Not changed.
    calibration_data
        ``[N, ...]`` inputs as the model takes them, preprocessed alike; a few hundred, no labels.
    target, density, sparsity, pattern_size, num_patterns, scope, balance
        As for `mcpruner.prune`.

    Returns
    -------
    keras.Model
        A plain copy with exact zeros, kept weights and batch norms' statistics adapted.

    Raises
    ------
    ValueError
        As `mcpruner.prune` does; the model's graph is not known; the data does not fit the input or is not finite.
    """
    options = MaskOptions.of(get_target(target), pattern_size, num_patterns, balance)
    densities = select_layers(model, density, sparsity, scope)
    if pattern_size != "auto":
        check_pattern_size(model, densities, options.pattern_size)
    check_finite(model)
    data = _checked(model, calibration_data)
    pruned = strip(model)
    layers, _ = find_layers(pruned)
    grams = _grams(pruned, {path: layers[path] for path in densities}, data)
    for path in track(densities, "reconstructing"):
        _prune_layer(layers[path], grams.pop(path), densities[path], options)
    _estimate_batch_norms(pruned, data)
    return pruned


def _checked(model: keras.Model, data: np.ndarray) -> np.ndarray:
    if len(getattr(model, "inputs", None) or []) != 1:
        raise ValueError(f"Post-training pruning needs a functional model with one input, got {model.name!r}.")
    data, shape = np.asarray(data, np.float32), model.inputs[0].shape
    fits = data.ndim == len(shape) and all(e in (None, d) for d, e in zip(data.shape[1:], shape[1:], strict=True))
    if not fits or len(data) == 0:
        raise ValueError(f"Expected calibration data of shape {list(shape)}, got {list(data.shape)}.")
    if not np.isfinite(data).all():
        raise ValueError("Expected finite calibration data, got NaN or infinite values.")
    return data


def _batches(data: np.ndarray) -> Iterator[np.ndarray]:
    for begin in range(0, len(data), _BATCH):
        yield data[begin : begin + _BATCH]


def _grams(model: keras.Model, layers: dict[str, Any], data: np.ndarray) -> dict[str, np.ndarray]:
    """Mean of x'x over the patches that each layer reads: float64 ``[K, K]``, K in Keras' order (H, W, I)."""
    extractor = keras.Model(model.inputs[0], [_input(path, layer) for path, layer in layers.items()])
    grams: dict[str, np.ndarray] = {}
    for batch in track([*_batches(data)], "reading the images"):
        outputs = extractor(batch, training=False)
        for (path, layer), x in zip(layers.items(), outputs if len(layers) > 1 else [outputs], strict=True):
            patches = _patches(layer, x)
            gram = (patches.T @ patches).astype(np.float64) / len(patches)
            grams[path] = grams.get(path, 0.0) + gram * (len(batch) / len(data))
    return grams


def _input(path: str, layer: Any) -> Any:
    """The tensor that a layer reads, in the model's own graph."""
    if len(layer._inbound_nodes) != 1 or "/" in path:
        raise ValueError(
            f"Post-training pruning needs layers that are called once in the model's own graph, and {path!r} is shared "
            "or in a nested model: leave it out by scope, or prune while training."
        )
    return layer.input


def _patches(layer: Any, x: Any) -> np.ndarray:
    """Rows that a layer multiplies with its kernel, at most about `_PATCHES`: float32 ``[rows, K]``."""
    if isinstance(layer, keras.layers.Conv2D):
        x = keras.ops.image.extract_patches(
            x, layer.kernel_size, layer.strides, layer.dilation_rate, layer.padding, data_format="channels_last"
        )
    rows = keras.ops.convert_to_numpy(x).reshape(-1, x.shape[-1])
    return np.ascontiguousarray(rows[:: -(-len(rows) // _PATCHES)], np.float32)


def _prune_layer(layer: Any, gram: np.ndarray, density: float, options: MaskOptions) -> None:
    """Mask and reconstruct one layer, in place."""
    if density == 1.0:
        return
    kernel = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(layer.kernel))
    weights, gram = kernel_to_ohwi(kernel), damped(gram)
    filters, height, width, _ = weights.shape
    flat = weights.reshape(filters, -1)  # [O, H*W*I]: the order of patches
    size = kernel_pattern_size(height * width, density, options.pattern_size)
    error = removal_error(flat, gram).reshape(weights.shape)
    error /= max(float(error.max()), np.finfo(np.float32).tiny)
    mask = choose_mask(error, density, options.group_size, size, options.num_patterns, options.balance)
    moved = reconstruct(flat, mask.reshape(filters, -1), gram).reshape(weights.shape)
    layer.kernel.assign(kernel_from_ohwi(moved, kernel.ndim).astype(kernel.dtype))


def _estimate_batch_norms(model: keras.Model, data: np.ndarray) -> None:
    """Set the moving averages of all batch norms to those of the data, each batch counting alike."""
    norms = [x for x in model._flatten_layers() if isinstance(x, keras.layers.BatchNormalization) and x.trainable]
    paces = [norm.momentum for norm in norms]
    for index, batch in enumerate(_batches(data) if norms else ()):
        for norm in norms:
            norm.momentum = index / (index + 1)
        model(batch, training=True)
    for norm, pace in zip(norms, paces, strict=True):
        norm.momentum = pace
