"""Prune a Keras 3 model in one call, and make a plain model of one that was pruned.

The Keras side of the mask stages: it finds layers and densities, turns Keras' kernels into OHWI and back, and leaves
the choice of masks to `mask`. Training along a schedule is `callback`'s.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np

from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency
from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.mask.reorder import filter_permutation, group_by_saliency
from mcpruner.converter.progress import track
from mcpruner.converter.target import Target, get_target
from mcpruner.converter.training.copying import Copier
from mcpruner.converter.training.masked_layers import shadow
from mcpruner.converter.training.prunable import check_model, find_layers, kernel_from_ohwi, kernel_to_ohwi
from mcpruner.converter.training.scope import Share, assign_density, resolve_density


@dataclass(frozen=True)
class MaskOptions:
    """How masks are chosen, the same for all layers of a model.

    Attributes
    ----------
    group_size
        Filters that share patterns.
    pattern_size
        Positions that a kept 3x3 kernel keeps, 1..9; kernels of other sizes keep as large a part. None: any number.
    num_patterns
        Most patterns in a layer, at least 1.
    balance
        Keep the same number of kernels in every filter group.
    search
        Search for the filter groups that keep most.
    """

    group_size: int
    pattern_size: int | None
    num_patterns: int
    balance: bool
    search: bool = False

    @classmethod
    def of(
        cls,
        target: Target,
        pattern_size: int | Literal["auto", "any"],
        num_patterns: int,
        balance: bool,
        search: bool = False,
    ) -> "MaskOptions":
        """Check the user's options; "auto" is the target's pattern size."""
        size = target.pattern_size if pattern_size == "auto" else pattern_size
        if size != "any" and (not _is_int(size) or not 1 <= size <= 9):
            raise ValueError(
                f"Expected a pattern_size of 1 to 9 positions (of a 3x3 kernel), 'auto' or 'any', got {size!r}."
            )
        size = None if size == "any" else size
        if size is None and balance:
            raise ValueError("balance keeps equally many kernels in each group, which pattern_size 'any' cannot.")
        if not _is_int(num_patterns) or num_patterns < 1:
            raise ValueError(f"Expected num_patterns as an integer of at least 1, got {num_patterns!r}.")
        return cls(target.group_size, size, int(num_patterns), bool(balance), bool(search))

    def kernel_size(self, weights: np.ndarray, density: float) -> int | None:
        """Positions that each kept kernel of a layer (``[O, H, W, I]``) keeps; None: any number."""
        if self.pattern_size is None:
            return None
        return kernel_pattern_size(weights.shape[1] * weights.shape[2], density, self.pattern_size)

    def choose(self, kernel: np.ndarray, density: float, worth: np.ndarray | None = None) -> np.ndarray:
        """Mask of a Keras kernel (``[H, W, I, O]`` or ``[I, O]``) by what weights are worth, or by their magnitude."""
        if density == 1.0:
            return np.ones(kernel.shape, bool)
        saliency = magnitude_saliency(kernel_to_ohwi(kernel)) if worth is None else _scaled(kernel_to_ohwi(worth))
        return kernel_from_ohwi(self._choose(saliency, density, self.search, None), kernel.ndim)

    def choose_again(self, kernel: np.ndarray, density: float, final: float, mask: np.ndarray | None) -> np.ndarray:
        """Mask of a kernel on its way to the density `final`, by magnitude.

        Filters stay in the groups of `mask`, which was chosen before; None groups them for the final density.
        """
        if density == 1.0:
            return np.ones(kernel.shape, bool)
        saliency = magnitude_saliency(kernel_to_ohwi(kernel))
        if mask is None:
            groups = group_by_saliency(saliency, self.group_size, final)
        else:
            groups = filter_permutation(np.ascontiguousarray(mask.reshape(-1, mask.shape[-1]).T), self.group_size)
        return kernel_from_ohwi(self._choose(saliency, density, self.search and mask is None, groups), kernel.ndim)

    def _choose(self, saliency: np.ndarray, density: float, search: bool, permutation: np.ndarray | None) -> np.ndarray:
        size = self.kernel_size(saliency, density)
        return choose_mask(
            saliency, density, self.group_size, size, self.num_patterns, self.balance, search, permutation
        )


def prune(
    model: keras.Model,
    target: str | Target = "generic",
    density: Share | None = None,
    sparsity: Share | None = None,
    pattern_size: int | Literal["auto", "any"] = "auto",
    num_patterns: int = 8,
    scope: str | Iterable[str] | None = None,
    balance: bool = False,
    search: bool = False,
    saliency: Mapping[str, np.ndarray] | None = None,
) -> keras.Model:
    """Prune a model in one shot, by the magnitude of its weights or by what else they are worth.

    Parameters
    ----------
    model
        Keras 3 model with weights, of any kind. Not changed.
    target
        Hardware it is for, by name (`mcpruner.converter.target.TARGETS`).
    density
        Share of weights kept in each prunable layer, above 0 and at most 1: a number, or a mapping of layer-name
        globs to numbers of which the first that matches counts (no match: the layer is left as it is). Met to the
        nearest kernel of pattern size x group size weights; 1 leaves a layer as it is.
    sparsity
        1 - density, given instead of it.
    pattern_size
        Positions that a kept 3x3 kernel keeps, 1..9; other kernel sizes keep as large a part. "auto": what the target
        prefers (4), more where the density is above 4/9. "any": each kernel as many as they are worth; take more
        `num_patterns` (32) with it. An integer is an upper bound for the density too.
    num_patterns
        Most patterns in a layer's library.
    scope
        Globs; only layers that one of them matches are pruned.
    balance
        Keep the same number of kernels in every filter group, for equal work per thread at some loss of magnitude.
    search
        Search for the filter groups that keep most (`mcpruner.converter.mask.permute`), for some seconds per million
        weights.
    saliency
        What weights are worth, at least 0, for layers by label (`mcpruner.first_order_saliency` measures it); other
        layers go by magnitude.

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
    Prunable are Conv2D (groups=1, more than 3 input channels) and Dense, but not the classifier. See docs/pruning.md.
    """
    options = MaskOptions.of(get_target(target), pattern_size, num_patterns, balance, search)
    densities = select_layers(model, density, sparsity, scope)
    if not isinstance(saliency, Mapping | None):
        raise ValueError(f"Expected saliency as a mapping of labels to arrays, got {saliency!r}.")
    worth = dict(saliency or {})
    _check_saliency(model, worth)
    check_pattern_size(model, densities, pattern_size)
    check_finite(model)
    layers, _ = find_layers(model)
    copier = copy_plain(model)
    for label in track(densities, "pruning"):
        variable = shadow(copier.twin(layers[label]))
        kernel = keras.ops.convert_to_numpy(variable)
        mask = options.choose(kernel, densities[label], worth.get(label))
        variable.assign(np.where(mask, kernel, np.zeros((), kernel.dtype)))
    return copier.copy


def strip(model: keras.Model) -> keras.Model:
    """Copy a model as a plain one: same layers, names and weights, exact zeros where masks are.

    Nothing of pruning is left in it and no optimizer's state: it can be saved, converted and loaded without mcpruner.
    Adapters (LoRA) of convolutions and dense layers are added to their kernels.
    """
    return copy_plain(model).copy


def copy_plain(model: keras.Model) -> Copier:
    """What `strip` does, with the copy of each layer at hand: ``copy_plain(model).twin(layer)``."""
    check_model(model)
    copier = Copier(model)
    overridden = type(model).compile is not keras.Model.compile
    if model.compiled and not overridden:  # a `compile` of the model's own has arguments that only the user knows
        arguments = dict(model._compile_config.config)
        # Keras takes the optimizer out of these where it writes an HDF5 file.
        optimizer = arguments.get("optimizer", model.optimizer)
        arguments.update((name, copier.of(arguments[name])) for name in ("metrics", "weighted_metrics"))
        try:
            arguments["optimizer"] = _anew(optimizer, model, copier)
        except Exception as error:  # whatever a constructor of the user's own raises
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
    if callable(rate := getattr(optimizer, "_learning_rate", None)):  # a schedule or a function, which has no state
        config["learning_rate"] = rate
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        config["inner_optimizer"] = _anew(optimizer.inner_optimizer, model, copier)
        return type(optimizer)(**config)
    anew = type(optimizer).from_config(config)
    if hasattr(optimizer, "_exclude_from_weight_decay"):  # which configurations do not tell
        variables = [v for layer in model._flatten_layers() for v in layer._trainable_variables]
        anew.exclude_from_weight_decay([copier.of(v) for v in variables if not optimizer._use_weight_decay(v)])
    return anew


def select_layers(
    model: keras.Model, density: Share | None, sparsity: Share | None, scope: str | Iterable[str] | None
) -> dict[str, float]:
    """Labels of the layers to prune (as `find_layers` gives them) to their densities; ValueError if there are none."""
    globs = resolve_density(density, sparsity)
    layers, left_out = find_layers(model)
    if not layers:
        raise ValueError(f"Nothing to prune in model {model.name!r}: {_why_none(left_out)}.")
    return assign_density(list(layers), globs, scope, left_out)


def check_pattern_size(model: keras.Model, densities: dict[str, float], pattern_size: int | str) -> None:
    """Refuse densities that patterns of the size the user asked for cannot reach; "auto" and "any" reach all."""
    if isinstance(pattern_size, str):
        return
    layers, _ = find_layers(model)
    for path, density in densities.items():
        positions = int(np.prod(layers[path].kernel.shape[:-2]))
        size = kernel_pattern_size(positions, 0.0, pattern_size)
        if density < 1.0 and kernel_pattern_size(positions, density, pattern_size) > size:
            raise ValueError(
                f"Layer {path!r}: pattern_size {pattern_size} keeps at most {size} of {positions} weights, got density "
                f"{density:.4g}: lower it, or use pattern_size='auto'."
            )


def check_finite(model: keras.Model) -> None:
    """Refuse weights that are NaN or infinite, naming the layer."""
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype) and not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(f"Weight {weight.path!r} of model {model.name!r} holds NaN or infinite values.")


def _check_saliency(model: keras.Model, saliency: dict[str, np.ndarray]) -> None:
    """Refuse what is not of a prunable layer, of its kernel's shape, finite and at least 0."""
    layers, _ = find_layers(model)
    for path, worth in saliency.items():
        if path not in layers:
            raise ValueError(
                f"There is a saliency for {path!r}, which is no prunable layer of {model.name!r}: they are "
                f"{', '.join(layers)}."
            )
        shape = tuple(layers[path].kernel.shape)
        if not isinstance(worth, np.ndarray):
            raise ValueError(f"Layer {path!r}: expected a saliency as a NumPy array, got {type(worth).__name__}.")
        if worth.shape != shape or not (np.isfinite(worth) & (worth >= 0)).all():
            raise ValueError(f"Layer {path!r}: expected a finite saliency of at least 0 and shape {list(shape)}.")


def _scaled(worth: np.ndarray) -> np.ndarray:
    """float32, the largest 1."""
    return (worth / max(float(worth.max()), np.finfo(np.float32).tiny)).astype(np.float32)


def _why_none(left_out: dict[str, str]) -> str:
    if not left_out:
        return "it has no Conv2D and no Dense layer"
    reasons: dict[str, list[str]] = {}
    for path, reason in left_out.items():
        reasons.setdefault(reason, []).append(path)
    return "; ".join(
        f"{', '.join(paths[:4])}{', ...' * (len(paths) > 4)}: {reason}" for reason, paths in reasons.items()
    )


def _is_int(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
