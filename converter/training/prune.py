"""Prune a Keras 3 model in one call, and make a plain model of one that was pruned.

The Keras side of the mask stages: it finds layers and densities, and leaves the choice of masks to `kernel_mask`.
Training along a schedule is `callback`'s.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.options import PruningOptions, takes_options
from mcpruner.converter.progress import track
from mcpruner.converter.training.copying import Copier
from mcpruner.converter.training.keras_kernel import conv_groups, kernel_of, turned
from mcpruner.converter.training.kernel_mask import choose_kernel_mask
from mcpruner.converter.training.masked_layers import shadow
from mcpruner.converter.training.prunable import check_model, find_layers
from mcpruner.converter.training.scope import assign_density


@takes_options()
def prune(model: keras.Model, **knobs: Any) -> keras.Model:
    """Prune a model in one shot, by the magnitude of its weights or by what else they are worth.

    Parameters
    ----------
    model
        Keras 3 model with weights, of any kind. Not changed.
    **knobs
        `mcpruner.PruningOptions` says what each of them is; one of density and sparsity must be given.

    Returns
    -------
    keras.Model
        A new model with exact zeros where the masks are; if `model` is compiled, compiled alike with a new optimizer.

    Raises
    ------
    ValueError
        An option is out of range, a glob matches nothing, nothing is prunable, or a weight is not finite.

    Notes
    -----
    Prunable are convolutions (more than 3 input channels, in each group if there are several), the pointwise half of
    separable ones, Dense, and EinsumDense where it is a 1x1 convolution, but not the classifier. See docs/pruning.md.
    """
    options = PruningOptions(**knobs)
    densities = select_sound_layers(model, options)
    worth = options.saliency or {}
    layers, _ = find_layers(model)
    copier = copy_plain(model)
    for label in track(densities, "pruning"):
        layer, variable = layers[label], shadow(copier.twin(layers[label]))
        kernel = keras.ops.convert_to_numpy(variable)
        wanted = turned(layer, worth[label]) if label in worth else None
        mask = choose_kernel_mask(
            options, turned(layer, kernel), densities[label], groups=conv_groups(layer), worth=wanted
        )
        variable.assign(np.where(turned(layer, mask), kernel, np.zeros((), kernel.dtype)))
    return copier.copy


def strip(model: keras.Model) -> keras.Model:
    """Copy a model as a plain one: same layers, names and weights, exact zeros where masks are.

    Nothing of pruning is left in it and no optimizer's state: it can be saved, converted and loaded without mcpruner.
    Adapters (LoRA) of convolutions and dense layers are added to their kernels.
    """
    return copy_plain(model).copy


def copy_plain(model: keras.Model) -> Copier:
    """Do as `strip`, and keep the copy of each layer at hand: ``copy_plain(model).twin(layer)``."""
    check_model(model)
    copier = Copier(model)
    overridden = type(model).compile is not keras.Model.compile
    if model.compiled and not overridden:  # Only the user knows the arguments of a `compile` of the model's own.
        arguments = dict(model._compile_config.config)
        # Keras takes the optimizer out of these where it writes an HDF5 file.
        optimizer = arguments.get("optimizer", model.optimizer)
        arguments.update((name, copier.of(arguments[name])) for name in ("metrics", "weighted_metrics"))
        try:
            arguments["optimizer"] = _anew(optimizer, model, copier)
        except Exception as error:  # A constructor of the user's own may raise anything.
            warnings.warn(
                f"The copy of {model.name!r} is not compiled: an optimizer {type(optimizer).__name__} cannot be made "
                f"from its configuration ({error}), so compile the copy before you train it.",
                stacklevel=3,
            )
        else:
            copier.copy.compile(**arguments)
    return copier


def _anew(optimizer: keras.optimizers.Optimizer, model: keras.Model, copier: Copier) -> keras.optimizers.Optimizer:
    """An optimizer of the same settings that has made no step, for the copy of a model."""
    config = optimizer.get_config()
    # A schedule or a function has no state, so that both optimizers may have it.
    if callable(rate := getattr(optimizer, "_learning_rate", None)):
        config["learning_rate"] = rate
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        config["inner_optimizer"] = _anew(optimizer.inner_optimizer, model, copier)
        return type(optimizer)(**config)
    anew = type(optimizer).from_config(config)
    if hasattr(optimizer, "_exclude_from_weight_decay"):  # Configurations do not tell it.
        variables = [v for layer in model._flatten_layers() for v in layer._trainable_variables]
        anew.exclude_from_weight_decay([copier.of(v) for v in variables if not optimizer._use_weight_decay(v)])
    return anew


def select_layers(model: keras.Model, options: PruningOptions) -> dict[str, float]:
    """Labels of the layers to prune (as `find_layers` gives them) to their densities; ValueError if there are none."""
    layers, left_out = find_layers(model)
    if not layers:
        raise ValueError(f"Nothing to prune in model {model.name!r}: {_why_none(left_out)}.")
    return assign_density(list(layers), options.globs, options.scope, left_out)


def select_sound_layers(model: keras.Model, options: PruningOptions) -> dict[str, float]:
    """Do as `select_layers`, and raise ValueError where masks cannot be chosen from the weights or their saliency."""
    densities = select_layers(model, options)
    _check_saliency(model, options.saliency or {})
    _check_pattern_size(model, densities, options.pattern_size)
    _check_finite(model)
    return densities


def _check_pattern_size(model: keras.Model, densities: dict[str, float], pattern_size: int | str) -> None:
    """Refuse densities that patterns of the size the user asked for cannot reach; "auto" and "any" reach all."""
    if isinstance(pattern_size, str):
        return
    layers, _ = find_layers(model)
    for path, density in densities.items():
        positions = int(np.prod(kernel_of(layers[path]).shape[:-2]))
        size = kernel_pattern_size(positions, 0.0, pattern_size)
        if density < 1.0 and kernel_pattern_size(positions, density, pattern_size) > size:
            raise ValueError(
                f"Layer {path!r}: pattern_size {pattern_size} keeps at most {size} of {positions} weights, got density "
                f"{density:.4g}: lower it, or use pattern_size='auto'."
            )


def _check_finite(model: keras.Model) -> None:
    """Refuse weights that are NaN or infinite, naming the layer."""
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype) and not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(f"Weight {weight.path!r} of model {model.name!r} holds NaN or infinite values.")


def _check_saliency(model: keras.Model, saliency: Mapping[str, np.ndarray]) -> None:
    """Refuse what is not of a prunable layer, of its kernel's shape, finite and at least 0."""
    layers, _ = find_layers(model)
    for path, worth in saliency.items():
        if path not in layers:
            raise ValueError(
                f"There is a saliency for {path!r}, which is no prunable layer of {model.name!r}: they are "
                f"{', '.join(layers)}."
            )
        shape = tuple(kernel_of(layers[path]).shape)
        if not isinstance(worth, np.ndarray):
            raise ValueError(f"Layer {path!r}: expected a saliency as a NumPy array, got {type(worth).__name__}.")
        if worth.shape != shape or not (np.isfinite(worth) & (worth >= 0)).all():
            raise ValueError(f"Layer {path!r}: expected a finite saliency of at least 0 and shape {list(shape)}.")


def _why_none(left_out: dict[str, str]) -> str:
    if not left_out:
        return "it has no Conv2D and no Dense layer"
    reasons: dict[str, list[str]] = {}
    for path, reason in left_out.items():
        reasons.setdefault(reason, []).append(path)
    return "; ".join(
        f"{', '.join(paths[:4])}{', ...' * (len(paths) > 4)}: {reason}" for reason, paths in reasons.items()
    )
