"""How fast a layer will run packed, against dense, before anything is packed: choose ``group_size`` by it.

A group pays for the union of its filters' masks, so a larger group shares loads between filters but multiplies more
explicit zeros. What packing will store is counted from the mask alone; `cost_model` says how long that takes.
`predict_speedup` is the only place where the two runtimes are compared.
"""

from typing import NamedTuple

import numpy as np

from mcpruner.converter.cost.cost_model import CostModel, Counts, Geometry, load_costs, packed_amounts, tflite_amounts
from mcpruner.converter.format.costs_generated import MOST_DENSITY
from mcpruner.converter.format.limits_generated import MAX_PATTERNS
from mcpruner.converter.format.pack import GROUP_SIZES, pattern_bits
from mcpruner.converter.mask.reorder import filter_permutation
from mcpruner.converter.target import Target


class Choice(NamedTuple):
    """How to pack a layer.

    Attributes
    ----------
    group_size
        Filters per group.
    permutation
        uint16 ``[O]``: ``permutation[packed] = original``.
    predicted_speedup
        Dense time over packed time; 0 if no group size fits the format.
    """

    group_size: int
    permutation: np.ndarray
    predicted_speedup: float


def choose(
    weights: np.ndarray, target: Target, geometry: Geometry | None = None, costs: CostModel | None = None
) -> Choice:
    """Choose the group size and the permutation that are predicted to run fastest; none of them loses a weight.

    Parameters
    ----------
    weights
        float32 OHWI ``[O, H, W, I]``; of a grouped convolution those of a filter's own channels.
    target
        The hardware that will run the layer.
    geometry
        Kind of the layer and size of its output; by default a convolution with an output of 32x32.
    costs
        What each unit of work costs on that hardware; by default the target's shipped table.

    Returns
    -------
    Choice
        ``predicted_speedup`` is dense time over sparse time; at most 1 where it is not worth it, or where the layer
        keeps more than `MOST_DENSITY` of its weights, whatever the table predicts.
    """
    geometry, costs = geometry or Geometry(), costs or load_costs(target.costs)
    mask, sizes = weights != 0, _group_sizes(len(weights), geometry)
    best = Choice(target.group_size, np.arange(weights.shape[0], dtype=np.uint16), 0.0)
    nonzero = int(np.count_nonzero(mask))
    # This would be stored if filters could be grouped without an explicit zero, so no grouping is faster.
    free = Counts(nonzero, 0, 0, 0)
    bounds = {size: predict_speedup(free, weights.shape, size, costs, geometry) for size in sizes}
    if nonzero > MOST_DENSITY * weights.size or max(bounds.values()) <= 1:
        return best._replace(predicted_speedup=min(1.0, max(bounds.values())))
    for group_size in sorted(sizes, key=lambda size: -bounds[size]):
        if bounds[group_size] <= best.predicted_speedup:
            continue
        permutation = group_permutation(mask, group_size, geometry.groups)
        counts = count(mask, permutation, group_size, geometry.phases)
        if counts.patterns > MAX_PATTERNS:
            continue
        speedup = predict_speedup(counts, weights.shape, group_size, costs, geometry)
        if speedup > best.predicted_speedup:
            best = Choice(group_size, permutation, speedup)
    return best


def _group_sizes(filters: int, geometry: Geometry) -> tuple[int, ...]:
    """Sizes of filter groups; none reaches over two groups of a grouped convolution, or two phases of a transposed."""
    whole = geometry.groups == geometry.phases == 1
    return tuple(size for size in GROUP_SIZES if whole or filters // geometry.groups % size == 0)


def group_permutation(mask: np.ndarray, group_size: int, groups: int) -> np.ndarray:
    """`filter_permutation`, in which the filters of each group of a grouped convolution stay together."""
    parts = np.split(mask, groups)
    found = [filter_permutation(part, group_size) + i * len(part) for i, part in enumerate(parts)]
    return np.concatenate(found).astype(np.uint16)


def phase_bits(kernel_size: tuple[int, int], phases: int) -> list[int]:
    """For each phase of a transposed convolution the positions of its weights, as the bits of a pattern."""
    height, width = kernel_size
    return [
        sum(1 << (y * width + x) for y in range(row, height, phases) for x in range(column, width, phases))
        for row in range(phases)
        for column in range(phases)
    ]


def count(mask: np.ndarray, permutation: np.ndarray, group_size: int, phases: int = 1) -> Counts:
    """Count what packing will store.

    Parameters
    ----------
    mask
        bool OHWI ``[O, H, W, I]``, true where a weight is not zero.
    permutation
        int ``[O]``: ``permutation[packed] = original``.
    group_size
        Filters per group.
    phases
        Phases along an axis of a transposed convolution: a kernel becomes one in each phase that it has weights of.
    """
    filters, height, width, channels = mask.shape
    groups = -(-filters // group_size)
    shared = np.zeros((groups * group_size, height * width, channels), bool)
    shared[:filters] = mask.reshape(filters, height * width, channels)[permutation]
    shared = shared.reshape(groups, group_size, height * width, channels).any(axis=1)
    codes = pattern_bits(shared.transpose(1, 0, 2))
    ordered = np.sort(codes, axis=1, kind="stable")
    starts = (ordered[:, :1] != 0).sum() + ((ordered[:, 1:] != ordered[:, :-1]) & (ordered[:, 1:] != 0)).sum()
    return Counts(
        values=int(np.count_nonzero(shared)) * group_size,
        kernels=sum(
            int(np.count_nonzero(codes & codes.dtype.type(bits))) for bits in phase_bits((height, width), phases)
        ),
        runs=int(starts),
        patterns=int(np.count_nonzero(np.unique(codes))),
    )


def predict_speedup(
    counts: Counts, shape: tuple[int, ...], group_size: int, costs: CostModel, geometry: Geometry
) -> float:
    """Divide a layer's dense time in TFLite by its packed time in our plugin: a number above 0.

    Parameters
    ----------
    counts
        What the packed layer stores.
    shape
        Shape of the weights, OHWI.
    group_size
        Filters per group.
    costs, geometry
        The hardware's table, and the layer's geometry.
    """
    packed = costs.time(packed_amounts(counts, shape, group_size, geometry, costs.simd))
    return costs.time(tflite_amounts(shape, geometry, costs.simd)) / packed
