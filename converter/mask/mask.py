"""The mask of a layer: which weights are kept, in units that the hardware runs without waste.

The unit is a *kernel* of a filter group: `group_size` filters, one input channel, one pattern. A layer's mask is made
in four steps, all on TFLite's OHWI order:

    saliency [O, H, W, I] ── group ──> [G, I, H*W] ── pattern ──> [G, I] kept by the best pattern of the library
                                                  ── connectivity ──> the largest kernels up to the density
    mask [O, H, W, I]     <── undo the grouping, one pattern for all filters of a group

Filters that keep alike are grouped. The mask stays in the filters' own order: packing finds the groups again.
"""

from typing import NamedTuple

import numpy as np

from mcpruner.converter.mask.any_pattern import assign_priced, choose_priced
from mcpruner.converter.mask.connectivity import choose_kernels
from mcpruner.converter.mask.pattern import assign_patterns, choose_library, kernel_pattern_size
from mcpruner.converter.mask.permute import search_groups
from mcpruner.converter.mask.reorder import group_by_saliency
from mcpruner.converter.options import PruningOptions

# Searches for groups, each with the patterns that suit the groups of the one before. At density 0.25, one, two and
# three keep 0.6147, 0.6160 and 0.6164 of the squared weights in 16 layers of ResNet-56 and MobileNetV1, and each takes
# as long as the first (2026-11-30, 20b7a11).
_SEARCHES = 2


def magnitude_saliency(weights: np.ndarray) -> np.ndarray:
    """Squared weights, scaled so that the largest is 1: float32 of the same shape, safe for any finite weights.

    Raises
    ------
    ValueError
        A weight is NaN or infinite.
    """
    largest = float(max(weights.max(initial=0.0), -weights.min(initial=0.0)))
    if not np.isfinite(largest):
        raise ValueError("Expected finite weights, got NaN or infinite ones: a training that diverged leaves such.")
    scaled = np.divide(weights, max(largest, np.finfo(np.float32).tiny), dtype=np.float32)
    return np.square(scaled, out=scaled)


def scaled_saliency(worth: np.ndarray) -> np.ndarray:
    """What weights are worth (at least 0, of any type), scaled so that the largest is 1: float32 of the same shape."""
    return (worth / max(float(worth.max()), np.finfo(np.float32).tiny)).astype(np.float32)


def choose_aligned(
    saliency: np.ndarray, density: float, options: PruningOptions, permutation: np.ndarray | None = None
) -> np.ndarray:
    """`choose_mask` for a density and what `PruningOptions` say; pattern sizes grow with the density."""
    size = options.positions
    if size is not None:
        size = kernel_pattern_size(saliency.shape[1] * saliency.shape[2], density, size)
    return choose_mask(
        saliency,
        density,
        options.group_size,
        size,
        options.library_size,
        options.balance,
        options.search,
        permutation,
    )


def choose_mask(
    saliency: np.ndarray,
    density: float,
    group_size: int,
    pattern_size: int | None,
    num_patterns: int,
    balance: bool = False,
    search: bool = False,
    permutation: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the weights that are kept.

    Parameters
    ----------
    saliency
        float32 ``[O, H, W, I]``, what each weight is worth, at least 0.
    density
        Share of the weights to keep, above 0 and at most ``pattern_size / (H * W)``; met to the nearest kernel, of
        ``pattern_size * group_size`` weights if the size is one for all.
    group_size
        Filters that share patterns.
    pattern_size
        Positions that a kept kernel keeps, 1..H*W; None: any number, by what they are worth (`any_pattern`).
    num_patterns
        Most patterns in the layer.
    balance
        Keep the same number of kernels in every group.
    search
        Search for the groups that keep most (`permute`), instead of taking the greedy ones: slower, never worse.
    permutation
        int ``[O]``, ``permutation[grouped filter] = original filter``: groups to take, or to search from; None: greedy
        ones.

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
    largest = positions if pattern_size is None else pattern_size
    if not 0 < density <= largest / positions + 1e-6:  # the tolerance takes 1 - 5/9 for 4/9
        raise ValueError(
            f"Patterns of {largest} of {positions} positions keep up to {largest / positions:.4f} of the "
            f"weights, got density {density:.4f}: lower the density or raise pattern_size."
        )
    if permutation is None:
        permutation = group_by_saliency(saliency, group_size, density)
    flat = saliency.reshape(filters, positions, channels)

    def grouped(permutation: np.ndarray) -> _Choice:
        return _choose_in_groups(flat, permutation, group_size, pattern_size, num_patterns, density, balance)

    best = grouped(permutation)
    for _ in range(_SEARCHES if search else 0):
        permutation = search_groups(flat, permutation, best.library, group_size, best.level)
        found = grouped(permutation)
        if found.kept <= best.kept:
            break
        best = found
    return best.mask.reshape(saliency.shape)


class _Choice(NamedTuple):
    """A mask (bool ``[O, P, I]``), the saliency it keeps, its patterns, and the least kernel of each worth keeping."""

    mask: np.ndarray
    kept: float
    library: np.ndarray
    level: np.ndarray


def _choose_in_groups(
    flat: np.ndarray,
    permutation: np.ndarray,
    group_size: int,
    pattern_size: int | None,
    num_patterns: int,
    density: float,
    balance: bool,
) -> _Choice:
    """Patterns and connectivity for given groups."""
    filters, positions, channels = flat.shape
    starts = np.arange(0, filters, group_size)
    summed = flat[permutation[starts]]
    for members in (permutation[i::group_size] for i in range(1, group_size)):
        summed[: len(members)] += flat[members]
    kernels = np.ascontiguousarray(summed.transpose(0, 2, 1)).reshape(-1, positions)
    sizes = np.minimum(group_size, filters - starts)
    if pattern_size is None:
        each = np.repeat(sizes, channels)
        priced = choose_priced(kernels, each, density, num_patterns)
        library, level = priced.library, priced.price * group_size * priced.library.sum(axis=1)
        chosen, kept = assign_priced(kernels, each, priced)
        costs = library.sum(axis=1)[chosen].reshape(-1, channels) * sizes[:, None]
    else:
        share = density * positions / pattern_size
        library = _choose_for_survivors(kernels, share, pattern_size, num_patterns)
        chosen, kept = assign_patterns(kernels, library)
        level = np.full(len(library), np.quantile(kept, 1.0 - share))
        costs = pattern_size * sizes
    kept = kept.reshape(-1, channels)
    alive = choose_kernels(kept, costs, density * flat.size, balance)
    mask = library[chosen].reshape(-1, channels, positions) & alive[:, :, None]
    mask = np.repeat(mask.transpose(0, 2, 1), sizes, axis=0)[np.argsort(permutation)]
    return _Choice(mask, float(kept[alive].sum(dtype=np.float64)), library, level)


def _choose_for_survivors(kernels: np.ndarray, share: float, pattern_size: int, num_patterns: int) -> np.ndarray:
    """Choose the library twice: on all kernels, then on the `share` of them that connectivity will about keep."""
    library = choose_library(kernels, pattern_size, num_patterns)
    _, kept = assign_patterns(kernels, library)
    return choose_library(kernels[kept >= np.quantile(kept, 1.0 - share)], pattern_size, num_patterns)
