"""In which order a group of filters gives up its inputs: one after the other, the rest making up for each.

Optimal Brain Compression (Frantar and Alistarh, arXiv 2208.11580) for filters that share their mask. H are the moments
of a layer's inputs, A its inverse, W a group's weights; what is left is always the least-squares solution:

    cost of input c     sum over the group of W[:, c]^2 / A[c, c]
    the cheapest go     W -= W[:, R] A[R, R]^-1 A[R, :]        A -= A[:, R] A[R, R]^-1 A[R, :]

The costs, in the order of removal, are what the layer's mask is cut from and what its error is at every density.
A kernel of one pixel is one input; for larger kernels masks have patterns, and `mask` chooses them.
"""

import numpy as np

from mcpruner.converter.mask.mask import choose_aligned, scaled_saliency
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.post_training.reconstruct import Moments, removal_error

# In so many steps a group would lose all of its inputs, several at a time, whose costs are joint. At density 0.5 the
# squared error of four 1x1 layers of MobileNetV1 (48 images) is 3.8 % larger with 6 steps and 1.2 % with 12, and 0.7 %
# and 1.0 % smaller with 48 and 96, which take 1.4 and 3 times as long (2026-11-30, 20b7a11).
_STEPS = 24
_RISE = 1 + 1e-6  # costs rise by this factor from step to step at least, so that they keep the order of removal
# No group falls below this share of the layer's density, which saves the last and dearest steps. In the same layers the
# error is 0.1 % larger than with 0.2, and 0.7 % with 0.8.
_LEAST = 0.6


def choose_in_order(weights: np.ndarray, moments: Moments, density: float, options: PruningOptions) -> np.ndarray:
    """Mask of one layer: in the order of removal for kernels of one pixel, else by what removing one weight costs.

    Parameters
    ----------
    weights
        float ``[O, H, W, I]``.
    moments
        Moments of the layer's inputs, K in order H, W, I.
    density
        Share of the weights to keep, above 0 and below 1.
    options
        How masks are chosen; equal work (`balance`) has no order of removal.

    Returns
    -------
    numpy.ndarray
        bool ``[O, K]``, true where a weight is kept.
    """
    filters, height, width, _ = weights.shape
    flat = weights.reshape(filters, -1)
    ranked = rank_mask(removal_error(flat, moments).reshape(weights.shape), density, options)
    if height * width > 1 or options.balance:
        return ranked
    groups = _groups(ranked, options.group_size)
    solution = np.linalg.solve(moments.pruned, moments.cross @ flat.T).T
    return cut(removal_costs(solution, moments.pruned, groups, _LEAST * density), groups, density)


def rank_mask(error: np.ndarray, density: float, options: PruningOptions) -> np.ndarray:
    """Mask (bool ``[O, K]``) by what removing each weight alone costs (float32 ``[O, H, W, I]``)."""
    return choose_aligned(scaled_saliency(error), density, options).reshape(len(error), -1)


def _groups(mask: np.ndarray, group_size: int) -> list[np.ndarray]:
    """Filters of equal masks (bool ``[O, K]``), at most `group_size` together: int arrays."""
    supports, of = np.unique(mask, axis=0, return_inverse=True)
    alike = [np.flatnonzero(of.ravel() == index) for index in range(len(supports))]
    return [filters[i : i + group_size] for filters in alike for i in range(0, len(filters), group_size)]


def removal_costs(weights: np.ndarray, moments: np.ndarray, groups: list[np.ndarray], least: float) -> np.ndarray:
    """What removing each input from each group adds to the squared error, when removed in the order of these costs.

    Parameters
    ----------
    weights
        float ``[O, K]``: the least-squares solution when nothing is removed.
    moments
        float ``[K, K]``: mean of z'z of the layer's inputs, positive definite.
    groups
        Filters that share a mask, int each.
    least
        Share of the inputs at which a group stops, 0..1.

    Returns
    -------
    numpy.ndarray
        float64 ``[G, K]``; infinite for what is left when the group stops.
    """
    scale = float(np.trace(moments)) / len(moments)
    inverse = np.linalg.inv(moments / scale).astype(np.float32)
    return scale * np.stack([_group_costs(weights[group].astype(np.float32), inverse, least) for group in groups])


def _group_costs(weights: np.ndarray, inverse: np.ndarray, least: float) -> np.ndarray:
    """Costs of one group (float32 ``[filters, K]``) by the moments' inverse, rising step by step: float64 ``[K]``."""
    size = weights.shape[1]
    costs, alive, highest = np.full(size, np.inf), np.arange(size), 0.0
    step = -(-size // _STEPS)
    while len(alive) > max(least * size, step):
        alone = np.square(weights).sum(axis=0) / np.diag(inverse)
        go = np.argpartition(alone, step - 1)[:step]
        stay = np.delete(np.arange(len(alive)), go)
        corner = inverse[np.ix_(go, go)]
        rows = np.linalg.solve(corner, np.concatenate([inverse[np.ix_(go, stay)], weights[:, go].T], axis=1))
        joint = float(np.sum(weights[:, go].T * rows[:, len(stay) :]))
        shares = alone[go].astype(np.float64)
        shares *= joint / max(float(shares.sum()), np.finfo(np.float64).tiny)
        costs[alive[go]] = np.maximum(shares, highest * _RISE)
        highest = float(costs[alive[go]].max())
        rows = rows[:, : len(stay)]
        weights = weights[:, stay] - weights[:, go] @ rows
        inverse = inverse[np.ix_(stay, stay)] - inverse[np.ix_(stay, go)] @ rows
        alive = alive[stay]
    return costs


def cut(costs: np.ndarray, groups: list[np.ndarray], density: float) -> np.ndarray:
    """Cut the mask of a layer from what removing each input from each group costs.

    Parameters
    ----------
    costs
        float ``[G, K]``; what is infinite stays.
    groups
        Filters that share a mask, int each.
    density
        Share of the weights to keep: the costliest. Every input stays in a group while that leaves a choice.

    Returns
    -------
    numpy.ndarray
        bool ``[O, K]``; keeps more than `density` only where more is infinite.
    """
    stays = np.isinf(costs)
    if density * (1.0 - _LEAST) * len(groups) >= 1.0:
        stays[costs.argmax(axis=0), np.arange(costs.shape[1])] = True
    sizes = np.repeat([len(group) for group in groups], costs.shape[1])
    order = np.argsort(np.where(stays, np.inf, costs), axis=None, kind="stable")
    removed = order[np.cumsum(sizes[order]) <= round((1.0 - density) * sizes.sum())]
    kept = np.ones(costs.size, bool)
    kept[removed] = False
    kept |= stays.ravel()
    mask = np.empty((sum(map(len, groups)), costs.shape[1]), bool)
    for group, row in zip(groups, kept.reshape(costs.shape), strict=True):
        mask[group] = row
    return mask
