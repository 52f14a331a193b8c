"""Which positions of a kernel are kept: a small library of patterns for a layer, and the pattern of each kernel.

A pattern keeps `size` of a kernel's positions; all filters of a group share it for one input channel. A layer has few
patterns, so that a group's kernels fall into few long runs:

    saliency of a kernel    all 4-of-9 patterns -> library of 8      kernel -> its best pattern
    5 1 0
    4 9 1        keeps      x..   .x.   xx.                          x..
    0 7 0                   xx.   xxx   xx.  ...                     xx.
                            .x.   ...   ...                          .x.

The library maximises the saliency that the kernels keep when each takes its best pattern (facility location): a greedy
choice, at least 1 - 1/e of the best (Nemhauser et al., 1978), then refined as k-means is: kernels choose patterns,
each pattern becomes the best one for those that chose it. Neither step can lose saliency.
"""

from itertools import combinations
from math import ceil, comb

import numpy as np

# Above this many possible patterns, candidates come from the kernels themselves. It admits all 511 patterns of a 3x3
# kernel, of which 126 keep four positions.
MAX_CANDIDATES = 512
# The library is chosen on so many kernels at most, evenly spread over the layer. No larger layer has been measured:
# those of ResNet-56 have up to 1024 kernels, and at density 0.25 choosing on 512 keeps 0.0007 less of their squared
# weights (2026-11-30, 20b7a11).
MAX_KERNELS = 8192
# The library is refined so often at most. In the same layers the first refinement gains 0.0001, and the others nothing.
_MAX_REFINEMENTS = 10
_LOOKED_AT = 16  # The gains of so many candidates are computed at a time; this decides nothing but the time.


def kernel_pattern_size(positions: int, density: float, pattern_size: int) -> int:
    """Say how many positions a kept kernel keeps.

    It is as large a part of the kernel as `pattern_size` is of nine positions, rounded. Where `density` needs more, it
    is the fewest that do, so that connectivity pruning has little left to remove.

    Parameters
    ----------
    positions
        Height times width of the kernel; 1 for a 1x1 convolution or a dense layer.
    density
        Share of weights to keep, 0..1.
    pattern_size
        Positions that a pattern of a 3x3 kernel keeps, 1..9.
    """
    size = max(1, round(pattern_size / 9 * positions))
    # The tolerance takes 1 - 5/9 (a sparsity) for 4/9.
    return max(size, ceil(density * positions - 1e-6))


def choose_library(saliency: np.ndarray, size: int, num_patterns: int) -> np.ndarray:
    """Choose the patterns of a layer.

    Parameters
    ----------
    saliency
        float ``[N, P]``: saliency of each position of each kernel, summed over the filters of its group.
    size
        Positions that each pattern keeps, 1..P.
    num_patterns
        Most patterns in the library, at least 1.

    Returns
    -------
    numpy.ndarray
        bool ``[n, P]``, n <= num_patterns different patterns of `size` positions each.

    Raises
    ------
    ValueError
        `size` is not in 1..P or `num_patterns` is below 1.
    """
    positions = saliency.shape[1]
    if not 1 <= size <= positions:
        raise ValueError(f"Expected a pattern size of 1 to {positions}, got {size}.")
    if num_patterns < 1:
        raise ValueError(f"Expected num_patterns of at least 1, got {num_patterns}.")
    if size == positions:
        return np.ones((1, positions), bool)
    step = -(-len(saliency) // MAX_KERNELS)
    sample = np.ascontiguousarray(saliency[::step], np.float32)
    candidates = _candidates(sample, size)
    library = candidates[choose_greedily(candidates.astype(sample.dtype) @ sample.T, num_patterns)]
    for _ in range(_MAX_REFINEMENTS):
        refined = _refine(sample, library)
        if (refined == library).all():
            break
        library = refined
    return np.unique(library, axis=0)[::-1]


def assign_patterns(saliency: np.ndarray, library: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each kernel the pattern that keeps most of its saliency.

    Parameters
    ----------
    saliency
        float ``[N, P]``, as for `choose_library`.
    library
        bool ``[n, P]``.

    Returns
    -------
    tuple of numpy.ndarray
        Index of each kernel's pattern (intp ``[N]``) and the saliency it keeps (float ``[N]``).
    """
    kept = saliency @ library.T.astype(saliency.dtype)
    best = kept.argmax(axis=1)
    return best, np.take_along_axis(kept, best[:, None], axis=1)[:, 0]


def _candidates(saliency: np.ndarray, size: int) -> np.ndarray:
    """All patterns of `size` positions where they are few, else the kernels' own best ones, most frequent first."""
    positions = saliency.shape[1]
    if comb(positions, size) <= MAX_CANDIDATES:
        indices = np.array(list(combinations(range(positions), size)))
        patterns = np.zeros((len(indices), positions), bool)
        np.put_along_axis(patterns, indices, True, axis=1)
        return patterns
    return own_patterns(saliency, size)[:MAX_CANDIDATES]


def own_patterns(saliency: np.ndarray, size: int) -> np.ndarray:
    """The best patterns of `size` positions of the kernels (float ``[N, P]``), most frequent first: bool ``[n, P]``."""
    own, counts = np.unique(_top(saliency, size), axis=0, return_counts=True)
    return own[np.argsort(-counts, kind="stable")]


def _top(saliency: np.ndarray, size: int) -> np.ndarray:
    """Mark the `size` largest positions of each row; equal ones from the left. float ``[N, P]`` -> bool ``[N, P]``."""
    top = np.zeros(saliency.shape, bool)
    np.put_along_axis(top, np.argsort(-saliency, axis=1, kind="stable")[:, :size], True, axis=1)
    return top


def choose_greedily(values: np.ndarray, num_patterns: int) -> list[int]:
    """Add the candidate that gains most, until `num_patterns` are chosen or nothing gains.

    `values` (float ``[n, N]``) is what each candidate is worth to each kernel, which may do without any; at least one
    is chosen. What a candidate gains only falls as others are chosen, so an old gain bounds the new one, and only those
    with the largest bounds need to be looked at again (Minoux, 1978).
    """
    chosen: list[int] = []
    best = np.zeros(values.shape[1], values.dtype)
    bounds = np.maximum(values, 0).sum(axis=1)
    while len(chosen) < num_patterns:
        following = _most_gaining(values, best, bounds)
        if chosen and bounds[following] <= 0:
            break
        chosen.append(following)
        np.maximum(best, values[following], out=best)
    return chosen


def _most_gaining(values: np.ndarray, best: np.ndarray, bounds: np.ndarray) -> int:
    """The candidate that gains most over `best` (float ``[N]``); bounds that are looked at become gains, in place."""
    order = np.argsort(-bounds, kind="stable")
    for begin in range(0, len(order), _LOOKED_AT):
        looked = order[begin : begin + _LOOKED_AT]
        bounds[looked] = np.maximum(values[looked] - best, 0).sum(axis=1)
        most = int(bounds[order[: begin + _LOOKED_AT]].argmax())
        rest = order[begin + _LOOKED_AT :]
        if not len(rest) or bounds[order[most]] >= bounds[rest[0]]:
            break
    return int(order[most])


def _refine(saliency: np.ndarray, library: np.ndarray) -> np.ndarray:
    """One k-means step: each pattern becomes the best one for the kernels that choose it."""
    chosen, _ = assign_patterns(saliency, library)
    sums = np.zeros(library.shape, saliency.dtype)
    np.add.at(sums, chosen, saliency)
    used = np.bincount(chosen, minlength=len(library)) > 0
    size = int(library[0].sum())
    return np.where(used[:, None], _top(sums, size), library)
