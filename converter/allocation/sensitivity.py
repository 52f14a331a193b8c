"""Densities for pruning without training, by what each layer's error does to the model's output.

Layers bear pruning differently, and outputs bear the errors of layers differently; both are measured on the images:

    error(layer, density)    squared error of the layer's output after least squares, over its square
    influence(layer)         squared error of the model's output over its square, for one unit of the layer's error:
                             that layer alone pruned to half

    sum of influence x error least, for the density of the whole model      one price of a weight for all layers
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mcpruner.converter.allocation.plan import Plan
from mcpruner.converter.bisection import bisect
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.post_training.recipe import (
    check_calls,
    checked_data,
    group_reads,
    has_filter_bias,
    moments_of,
)
from mcpruner.converter.post_training.reconstruct import Moments, reconstruct, removal_error
from mcpruner.converter.post_training.removal import rank_mask
from mcpruner.converter.post_training.streams import Pair, run_streams
from mcpruner.converter.target import Target
from mcpruner.converter.training.keras_kernel import kernel_of, kernel_size, kernel_values, turned
from mcpruner.converter.training.prunable import find_layers, kernel_from_ohwi, kernel_to_ohwi
from mcpruner.converter.training.prune import copy_plain, select_sound_layers

# Densities at which errors are measured; the error at any other density is interpolated between them.
_GRID = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
_HALF = _GRID.index(0.5)
_FINE = np.linspace(_GRID[0], 1.0, 161)  # A layer gets one of these densities; they are 0.005 apart.
# The logarithm of errors is interpolated, so the error at density 1, which is 0, needs a number: this share of the
# error at the densest that is measured. It was chosen and not measured.
_NOTHING = 1e-3
_IMAGES = 64  # The model's outputs are compared on so many of the images at most.
_BISECTIONS = 60  # After so many, float64 cannot tell the bounds apart.


@dataclass(frozen=True)
class Sensitivity:
    """What was measured of a model.

    Attributes
    ----------
    target
        Name of the hardware.
    sizes
        Label of each prunable layer to the number of its weights.
    errors
        Label to the relative squared error of the layer at the densities 0.2, 0.35, 0.5, 0.65, 0.8, 0.9.
    influence
        Label to the relative squared error of the model's output for one unit of the layer's.
    """

    target: str
    sizes: dict[str, int]
    errors: dict[str, list[float]]
    influence: dict[str, float]

    def allocate(self, density: float) -> Plan:
        """Choose the densities that harm the output least.

        Parameters
        ----------
        density
            Kept share of all prunable weights, 0.2 to 1.

        Raises
        ------
        ValueError
            The density is out of range.
        """
        check_density(density)
        total = sum(self.sizes.values())
        harms = {path: self.influence[path] * _interpolated(errors) for path, errors in self.errors.items()}

        def at(price: float) -> dict[str, float]:
            return {p: float(_FINE[np.argmin(h + price * self.sizes[p] * _FINE)]) for p, h in harms.items()}

        def kept(densities: dict[str, float]) -> float:
            return sum(self.sizes[path] * share for path, share in densities.items()) / total

        low, high = bisect(lambda price: kept(at(np.exp(price))) > density, -60.0, 60.0, _BISECTIONS)
        chosen = at(np.exp(high))
        for path, most in at(np.exp(low)).items():  # The same price buys more, as far as the density goes.
            room = (density - kept(chosen)) * total / self.sizes[path]
            chosen[path] = min(max(most, chosen[path]), chosen[path] + room)
        return Plan(self.target, chosen, kept(chosen))


def check_density(density: float) -> None:
    """Raise ValueError unless it is one that can be allocated by what is measured."""
    if not _GRID[0] <= density <= 1:
        raise ValueError(f"Expected a density of {_GRID[0]} to 1, where errors are measured, got {density:g}.")


def _interpolated(errors: list[float]) -> np.ndarray:
    """Interpolate a layer's errors at the densities of `_GRID` to those of `_FINE`."""
    logarithms = np.log(np.maximum([*errors, errors[-1] * _NOTHING], np.finfo(np.float64).tiny))
    return np.exp(np.interp(_FINE, [*_GRID, 1.0], logarithms))


def measure_sensitivity(
    model: keras.Model,
    calibration_data: np.ndarray,
    target: str | Target = "generic",
    *,
    scope: str | Iterable[str] | None = None,
) -> Sensitivity:
    """Measure how much the output of a model suffers from pruning each layer without training.

    Parameters
    ----------
    model, calibration_data, target, scope
        As for `mcpruner.prune_post_training`; the model is not changed.

    Returns
    -------
    Sensitivity
        ``.allocate(density).densities`` are for `prune_post_training`.

    Raises
    ------
    ValueError
        As `prune_post_training` does.
    """
    options = PruningOptions(target, density=1.0, scope=scope)
    labels = select_sound_layers(model, options)
    data = checked_data(model, calibration_data)
    copier = copy_plain(model)
    copy, found = copier.copy, find_layers(model)[0]
    layers = {label: copier.twin(found[label]) for label in labels}
    for label, layer in layers.items():
        check_calls(copy, label, layer)
    wanted = {id(layer): label for label, layer in layers.items()}
    errors: dict[str, list[float]] = {}
    halves: dict[str, list[np.ndarray]] = {}

    def measure(operation: Any, read: Pair) -> bool:
        label = wanted.get(id(operation))
        if label is not None:
            moments = [moments_of(operation, part) for part in group_reads(operation, read)]
            errors[label], halves[label] = _layer_errors(operation, moments, options)
        return False

    run_streams(copy, data, measure)
    changes = _output_errors(copy, layers, halves, data[:_IMAGES])
    influence = {label: changes[label] / max(errors[label][_HALF], np.finfo(np.float32).tiny) for label in labels}
    sizes = {label: kernel_size(layer) for label, layer in layers.items()}
    return Sensitivity(options.hardware.name, sizes, errors, influence)


def _layer_errors(
    layer: Any, moments: Sequence[Moments], options: PruningOptions
) -> tuple[list[float], list[np.ndarray]]:
    """Relative squared errors at the densities of `_GRID`, and the layer's weights at half.

    `moments` are those of the layer, or of each of its groups if it is a grouped convolution.
    """
    kernel = kernel_values(layer)
    weights = kernel_to_ohwi(kernel)
    flat = np.split(weights.reshape(len(weights), -1), len(moments))
    square = max(sum(map(_energy, flat, moments)), np.finfo(np.float32).tiny)
    errors, half = [], []
    removed = [removal_error(*part).reshape(-1, *weights.shape[1:]) for part in zip(flat, moments, strict=True)]
    for density in _GRID:
        masks = [rank_mask(error, density, options) for error in removed]
        moved, biases = zip(*map(reconstruct, flat, masks, moments), strict=True)
        errors.append(sum(map(_energy, map(np.subtract, moved, flat), moments)) / square)
        if density == _GRID[_HALF]:
            half = [turned(layer, kernel_from_ohwi(np.concatenate(moved).reshape(weights.shape), kernel.ndim))]
            half += [keras.ops.convert_to_numpy(layer.bias) + np.concatenate(biases)] if has_filter_bias(layer) else []
    return errors, half


def _energy(weights: np.ndarray, moments: Moments) -> float:
    """Mean square of what weights ``[O, K]`` give, summed over filters."""
    return float(np.sum((weights @ moments.pruned) * weights))


def _output_errors(
    model: keras.Model, layers: dict[str, Any], halves: dict[str, list[np.ndarray]], data: np.ndarray
) -> dict[str, float]:
    """Relative squared error of the model's output when one layer at a time has other weights."""
    dense = model.predict(data, batch_size=_IMAGES, verbose=0)
    found = {}
    for path, half in halves.items():
        layer = layers[path]
        variables = [kernel_of(layer), layer.bias][: len(half)]
        before = list(map(keras.ops.convert_to_numpy, variables))
        _assign(variables, half)
        change = model.predict(data, batch_size=_IMAGES, verbose=0) - dense
        _assign(variables, before)
        found[path] = float(np.square(change).sum() / max(np.square(dense).sum(), np.finfo(np.float32).tiny))
    return found


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
