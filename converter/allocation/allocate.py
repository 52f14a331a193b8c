"""Where to prune how much: a density for each layer that loses least for what it must gain.

Layers are not equally redundant: of a VGG the late layers hold most weights and little of what matters. Each weight is
bought, over all layers, in the order of its score for each unit of what it costs, until the budget is spent:

    score    squared weight / sum of the squares of its layer's weights that are not smaller (LAMP, Lee et al., ICLR
             2021): what removing it would distort the layer, given that smaller weights have gone before
    cost     1, where the budget is a density of the whole model; nanoseconds by the target's cost model, where it is a
             time: a weight of an early layer is used at many pixels, and costs as much more

    layer A   score ▇▇▆▅▄▃▂▁        one level cuts        A keeps 5 of 8
    layer B   score ▇▄▂▁▁▁▁▁   ──>  all layers      ──>   B keeps 2 of 8

The first layer, depthwise convolutions and the classifier are not pruned (`prunable`), and count in times.

A budget of multiply-adds is spent otherwise, nearly alike in all layers (`flat_allocation`): that is what loses least
where the network is trained on.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import keras
import numpy as np

from mcpruner.converter.allocation.flat_allocation import allocate_flat, flat_floors, kept_work
from mcpruner.converter.allocation.latency import UNKNOWN_SIZE, Latency, layer_geometry
from mcpruner.converter.allocation.plan import Plan, check_goal, out_of_reach
from mcpruner.converter.bisection import bisect
from mcpruner.converter.mask.mask import magnitude_saliency
from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.target import Target
from mcpruner.converter.training.keras_kernel import kernel_size, kernel_values
from mcpruner.converter.training.prunable import find_layers, kernel_to_ohwi
from mcpruner.converter.training.prune import select_layers

# The level is searched between these powers of ten of a score for a unit of cost, which no layer reaches.
_LEVELS = (-40.0, 40.0)
_BISECTIONS = 60


def allocate(
    model: keras.Model,
    target: str | Target = "generic",
    *,
    density: float | None = None,
    multiply_adds: float | None = None,
    speedup: float | None = None,
    latency_ms: float | None = None,
    scope: str | Iterable[str] | None = None,
) -> Plan:
    """Choose a density for each layer so that the model as a whole meets one goal.

    Parameters
    ----------
    model
        Trained Keras 3 model; functional or sequential for all goals but `density`.
    target
        Hardware, whose cost table predicts times.
    density
        Goal: kept share of all prunable weights together.
    multiply_adds
        Goal: kept share of the multiply-adds of all prunable layers together.
    speedup
        Goal: predicted time of all layers with weights, dense in TFLite, over that in our plugin.
    latency_ms
        Goal: that time in our plugin, in milliseconds on one thread.
    scope
        Globs; only layers that one of them matches are pruned.

    Returns
    -------
    Plan
        No layer falls below the density at which each filter and channel keeps a weight.

    Raises
    ------
    ValueError
        Not exactly one goal is given, it is out of reach, or output sizes are not known.
    """
    goals = {"density": density, "multiply_adds": multiply_adds, "speedup": speedup, "latency_ms": latency_ms}
    given = {name: value for name, value in goals.items() if value is not None}
    check_goal(given)
    options = PruningOptions(target, density=1.0, scope=scope)
    hardware, found = options.hardware, find_layers(model)[0]
    layers = {path: found[path] for path in select_layers(model, options)}
    latency, work = Latency.of(model, hardware), _multiply_adds(layers)
    if density is None and (work if multiply_adds else latency) is None:
        raise ValueError(f"The sizes of the layers' outputs of model {model.name!r} are not known: give a density.")
    curves = {path: _curve(layer, hardware) for path, layer in layers.items()}
    floors = {path: curve.floor for path, curve in curves.items()}
    if multiply_adds is not None:
        chosen = allocate_flat(layers, work, floors, multiply_adds)
        limit = kept_work(flat_floors(layers, work, floors), work)
    elif density is not None:
        chosen = _search(curves, dict.fromkeys(layers, 1.0), lambda found: _kept(layers, found), density)
        limit = _kept(layers, floors)
    else:
        costs = {path: latency.per_weight(layer) for path, layer in layers.items()}
        budget = latency.dense_ms / speedup if latency_ms is None else latency_ms
        chosen = _search(curves, costs, lambda found: latency.pruned_ms(layers, found), budget)
        least_ms = latency.pruned_ms(layers, floors)
        limit = least_ms if speedup is None else latency.dense_ms / least_ms
    if chosen is None:
        raise ValueError(out_of_reach(given, limit))
    times = (None, None) if latency is None else (latency.dense_ms, latency.pruned_ms(layers, chosen))
    return Plan(hardware.name, chosen, _kept(layers, chosen), None if work is None else kept_work(chosen, work), *times)


def _multiply_adds(layers: dict[str, keras.layers.Layer]) -> dict[str, float] | None:
    """Multiply-adds of each layer, dense; None where Keras does not know the sizes of outputs."""
    found = {}
    for path, layer in layers.items():
        try:
            shape, geometry = layer_geometry(layer)
        except UNKNOWN_SIZE:
            return None
        found[path] = float(np.prod(shape)) * geometry.height * geometry.width
    return found


class _Curve(NamedTuple):
    """Scores of a layer's weights, the largest first, and the least density that leaves nothing dead."""

    scores: np.ndarray
    floor: float

    def density(self, level: float) -> float:
        """Share of the weights whose score is at least `level`."""
        count = np.searchsorted(-self.scores, -level, side="right")
        return min(1.0, max(self.floor, count / len(self.scores)))


def _curve(layer: keras.layers.Layer, target: Target) -> _Curve:
    weights = kernel_to_ohwi(kernel_values(layer))
    squares = np.sort(magnitude_saliency(weights).ravel().astype(np.float64))[::-1]
    scores = squares / np.maximum(np.cumsum(squares), np.finfo(np.float64).tiny)
    filters, height, width, channels = weights.shape
    kernel = kernel_pattern_size(height * width, 0.0, target.pattern_size) * target.group_size
    return _Curve(scores, min(1.0, max(-(-filters // target.group_size), channels) * kernel / weights.size))


def _search(
    curves: dict[str, _Curve],
    costs: dict[str, float],
    spent: Callable[[dict[str, float]], float],
    budget: float,
) -> dict[str, float] | None:
    """Bisect the level of score per cost at which the budget is spent, from below; None if the floors exceed it."""

    def at(level: float) -> dict[str, float]:
        return {path: curve.density(10.0**level * costs[path]) for path, curve in curves.items()}

    low, high = _LEVELS
    if spent(at(high)) > budget:
        return None
    if spent(at(low)) <= budget:
        return at(low)
    return at(bisect(lambda level: spent(at(level)) > budget, low, high, _BISECTIONS)[1])


def _kept(layers: dict[str, keras.layers.Layer], densities: dict[str, float]) -> float:
    sizes = {path: kernel_size(layer) for path, layer in layers.items()}
    return sum(sizes[path] * density for path, density in densities.items()) / sum(sizes.values())
