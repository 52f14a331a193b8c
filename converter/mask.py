"""The mask of a layer: which weights are kept, in units that the hardware runs without waste.

The unit is a *kernel* of a filter group: `group_size` filters, one input channel, one pattern. A layer's mask is made
in four steps, all on TFLite's OHWI order:

    saliency [O, H, W, I] ── group ──> [G, I, H*W] ── pattern ──> [G, I] kept by the best pattern of the library
                                                  ── connectivity ──> the largest kernels up to the density
    mask [O, H, W, I]     <── undo the grouping, one pattern for all filters of a group

Filters that keep alike are grouped. The mask stays in the filters' own order: packing finds the groups again.
"""

import numpy as np

from mcpruner.converter.connectivity import choose_kernels
from mcpruner.converter.pattern import assign_patterns, choose_library
from mcpruner.converter.reorder import group_by_saliency


def magnitude_saliency(weights: np.ndarray) -> np.ndarray:
    """Squared weights, scaled so that the largest is 1: float32 of the same shape, safe for any finite weights.

    Raises
    ------
    ValueError
        A weight is NaN or infinite.
    """
    largest = float(np.abs(weights).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("Expected finite weights, got NaN or infinite ones: a training that diverged leaves such.")
    return np.square(weights / max(largest, np.finfo(np.float32).tiny), dtype=np.float32)


def choose_mask(
    saliency: np.ndarray, density: float, group_size: int, pattern_size: int, num_patterns: int, balance: bool = False
) -> np.ndarray:
    """Choose the weights that are kept.

    Parameters
    ----------
    saliency
        float32 ``[O, H, W, I]``, what each weight is worth, at least 0.
    density
        Share of the weights to keep, above 0 and at most ``pattern_size / (H * W)``; met to the nearest kernel of
        ``pattern_size * group_size`` weights.
    group_size
        Filters that share patterns.
    pattern_size
        Positions that a kept kernel keeps, 1..H*W.
    num_patterns
        Most patterns in the layer.
    balance
        Keep the same number of kernels in every group.

    Returns
    -------
    numpy.ndarray
        bool ``[O, H, W, I]``. Each filter and each input channel keeps a weight if the density allows.

    Raises
    ------
    ValueError
        The saliency is not four-dimensional, or the density is more than the patterns can keep.
    """
    if saliency.ndim != 4 or 0 in saliency.shape:
        raise ValueError(f"Expected weights of [O, H, W, I] without empty dimensions, got {list(saliency.shape)}.")
    filters, height, width, channels = saliency.shape
    positions = height * width
    if not 0 < density <= pattern_size / positions + 1e-6:  # the tolerance takes 1 - 5/9 for 4/9
        raise ValueError(
            f"Patterns of {pattern_size} of {positions} positions keep up to {pattern_size / positions:.4f} of the "
            f"weights, got density {density:.4f}: lower the density or raise pattern_size."
        )
    permutation = group_by_saliency(saliency, group_size, density)
    flat = saliency.reshape(filters, positions, channels)[permutation]
    grouped = np.add.reduceat(flat, np.arange(0, filters, group_size), axis=0).transpose(0, 2, 1)
    kernels = np.ascontiguousarray(grouped).reshape(-1, positions)
    sizes = np.minimum(group_size, filters - np.arange(0, filters, group_size))
    library = _choose_for_survivors(kernels, density * positions / pattern_size, pattern_size, num_patterns)
    chosen, kept = assign_patterns(kernels, library)
    budget = density * filters * positions * channels / pattern_size
    alive = choose_kernels(kept.reshape(-1, channels), sizes, budget, balance)
    mask = library[chosen].reshape(-1, channels, positions) & alive[:, :, None]
    mask = np.repeat(mask.transpose(0, 2, 1), sizes, axis=0)[np.argsort(permutation)]
    return mask.reshape(saliency.shape)


def _choose_for_survivors(kernels: np.ndarray, share: float, pattern_size: int, num_patterns: int) -> np.ndarray:
    """Choose the library twice: on all kernels, then on the `share` of them that connectivity will about keep."""
    library = choose_library(kernels, pattern_size, num_patterns)
    _, kept = assign_patterns(kernels, library)
    return choose_library(kernels[kept >= np.quantile(kept, 1.0 - share)], pattern_size, num_patterns)
