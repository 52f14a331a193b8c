"""Densities under a budget of multiply-adds: nearly the same in all layers.

What a network that is trained on loses depends on the multiply-adds that it keeps, and hardly on which layers keep them
(170 trainings of ResNet-18 and VGG-16; docs/pruning.md). So a layer of n weights keeps

    d = k * n ^ -0.15        k such that kept multiply-adds = share * multiply-adds of all layers that are pruned

and no less than what leaves every filter and channel a weight. A small shortcut, a 1x1 convolution beside the
convolutions of a block, keeps at least 0.8: it costs next to nothing, and all that passes by the block goes through it.

    fork ──┬── 3x3 ── 3x3 ──┬── sum
           └── 1x1 ─────────┘        the shortcut
"""

from collections.abc import Mapping
from typing import Any

import keras

from mcpruner.converter.bisection import bisect
from mcpruner.converter.training.keras_kernel import KINDS, kernel_size

# These three numbers are those of the study of 170 trainings (commit 60d4362), in which exponents of 0 to 0.3 could not
# be told apart.
_EXPONENT = 0.15
_SHORTCUT = 0.8  # A small shortcut gets at least this density.
_SMALL = 0.01  # A shortcut is small with at most this share of the multiply-adds of all layers that are pruned.

_BISECTIONS = 100  # After so many, float64 cannot tell the bounds apart.


def allocate_flat(
    layers: Mapping[str, Any], work: Mapping[str, float], floors: Mapping[str, float], share: float
) -> dict[str, float] | None:
    """Density of each layer.

    Parameters
    ----------
    layers
        Layers to prune, by path.
    work
        Multiply-adds of each, dense.
    floors
        Least density of each.
    share
        Kept share of all multiply-adds, above 0 and at most 1.

    Returns
    -------
    dict or None
        Path to density, above 0 and at most 1; None where the floors exceed the budget.
    """
    sizes = {path: kernel_size(layer) for path, layer in layers.items()}
    floors = flat_floors(layers, work, floors)

    def at(scale: float) -> dict[str, float]:
        return {path: min(1.0, max(floors[path], scale * size**-_EXPONENT)) for path, size in sizes.items()}

    # At one end all layers are at their floors, at the other all are dense.
    low, high = 0.0, max(sizes.values()) ** _EXPONENT
    if kept_work(at(low), work) > share:
        return None
    if share == 1.0:
        return at(high)
    return at(bisect(lambda scale: kept_work(at(scale), work) <= share, low, high, _BISECTIONS)[0])


def flat_floors(layers: Mapping[str, Any], work: Mapping[str, float], floors: Mapping[str, float]) -> dict[str, float]:
    """Least density of each layer where small shortcuts keep their share; arguments as of `allocate_flat`."""
    total = sum(work.values())
    small = {path for path in layers if work[path] <= _SMALL * total and is_shortcut(layers[path])}
    return {path: max(floor, _SHORTCUT if path in small else 0.0) for path, floor in floors.items()}


def kept_work(densities: Mapping[str, float], work: Mapping[str, float]) -> float:
    """Kept share of the layers' multiply-adds."""
    return sum(work[path] * density for path, density in densities.items()) / sum(work.values())


def is_shortcut(layer: Any) -> bool:
    """Whether a layer is a 1x1 convolution alone on a way from a fork to a sum; False where no graph shows it."""
    if not isinstance(layer, keras.layers.Conv2D) or tuple(layer.kernel_size) != (1, 1):
        return False
    nodes = layer._inbound_nodes
    return len(nodes) == 1 and _comes_from_fork(nodes[0].input_tensors[0]) and _goes_into_sum(layer)


def _comes_from_fork(tensor: Any) -> bool:
    """Walk back to a tensor that several operations read, through what has no kernel."""
    operation, node, _ = tensor._keras_history
    readers = [n for n in operation._outbound_nodes if any(x is tensor for x in n.input_tensors)]
    if len(readers) > 1:
        return True
    inputs = operation._inbound_nodes[node].input_tensors
    return (
        len(inputs) == 1
        and not (hasattr(operation, "kernel") or isinstance(operation, KINDS))
        and _comes_from_fork(inputs[0])
    )


def _goes_into_sum(operation: Any) -> bool:
    """Walk on to a sum, through batch norms."""
    following = operation._outbound_nodes
    if len(following) != 1:
        return False
    reader = following[0].operation
    return type(reader).__name__ == "Add" or (
        isinstance(reader, keras.layers.BatchNormalization) and _goes_into_sum(reader)
    )
