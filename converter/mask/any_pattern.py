"""Patterns of any number of positions: what a kernel keeps has a price, and all sizes compete.

A library of one pattern size spends as much on a kernel with one large weight as on one with four. Here each position
costs the same price, the one at which kernels buy as many weights as the density allows:

    value of a pattern in a kernel    kept saliency - price * weights      kernel -> its most valuable pattern, or none
    price                             bisected: bought weights = density

The library is chosen greedily for the sum of values, as in `pattern`, at the price at which kernels that may keep any
positions buy as many weights (each position decides for itself); then the price is found for the library.
"""

from typing import NamedTuple

import numpy as np

from mcpruner.converter.bisection import bisect
from mcpruner.converter.mask.pattern import MAX_CANDIDATES, MAX_KERNELS, choose_greedily, own_patterns

_BISECTIONS = 40


class Priced(NamedTuple):
    """A library (bool ``[n, P]``) and what one weight costs, in saliency."""

    library: np.ndarray
    price: float


def choose_priced(kernels: np.ndarray, sizes: np.ndarray, density: float, num_patterns: int) -> Priced:
    """Choose the patterns of a layer and the price of a weight.

    Parameters
    ----------
    kernels
        float ``[N, P]``: saliency of each position of each kernel, summed over the filters of its group.
    sizes
        int ``[N]``: filters in each kernel's group.
    density
        Share of the weights to keep, above 0 and at most 1.
    num_patterns
        Most patterns in the library, at least 1.
    """
    step = -(-len(kernels) // MAX_KERNELS)
    sample, weights = np.ascontiguousarray(kernels[::step], np.float32), sizes[::step]
    budget = density * weights.sum() * kernels.shape[1]
    library = _candidates(sample)
    if len(library) > num_patterns:
        values = _values(sample, weights, library, _free_price(sample, weights, budget))
        library = library[choose_greedily(values, num_patterns)]
    if library.sum(axis=1).max() * weights.sum() < budget:
        library[-1] = True  # Smaller patterns cannot reach the density.
    return Priced(library, _price(sample, weights, library, budget))


def assign_priced(kernels: np.ndarray, sizes: np.ndarray, priced: Priced) -> tuple[np.ndarray, np.ndarray]:
    """Index of each kernel's most valuable pattern (intp ``[N]``) and the saliency it keeps (float ``[N]``)."""
    best = _values(kernels, sizes, priced.library, priced.price).argmax(axis=0)
    return best, (kernels * priced.library[best]).sum(axis=1)


def _values(kernels: np.ndarray, sizes: np.ndarray, library: np.ndarray, price: float) -> np.ndarray:
    """What each pattern is worth to each kernel, its price paid: float ``[n, N]``."""
    costs = -price * library.sum(axis=1)
    priced = np.concatenate([library, costs[:, None]], axis=1).astype(kernels.dtype)
    return priced @ np.concatenate([kernels.T, sizes[None].astype(kernels.dtype)])


def _free_price(kernels: np.ndarray, sizes: np.ndarray, budget: float) -> float:
    """The price at which the budget is spent where kernels may keep any positions: each position decides for itself."""
    worth = kernels / sizes[:, None].astype(kernels.dtype)
    order = np.argsort(-worth, axis=None)
    bought = np.cumsum(np.repeat(sizes, kernels.shape[1])[order])
    return float(worth.ravel()[order[min(int(np.searchsorted(bought, budget)), len(order) - 1)]])


def _price(kernels: np.ndarray, sizes: np.ndarray, library: np.ndarray, budget: float) -> float:
    """The highest price at which at least `budget` weights are bought, as far as kernels go: what is too much, goes."""
    positions = library.sum(axis=1)
    counts = np.unique(positions)
    kept = library.astype(kernels.dtype) @ kernels.T
    kept = np.stack([kept[positions == count].max(axis=0) for count in counts])  # the best pattern of each size
    costs = (counts[:, None] * sizes).astype(kernels.dtype)

    def suffices(price: float) -> bool:
        values = kept - kernels.dtype.type(price) * costs
        best = values.argmax(axis=0)
        bought = (values.max(axis=0) > 0) * counts[best] * sizes
        return bought.sum() >= budget

    return bisect(suffices, 0.0, float(kernels.max()), _BISECTIONS)[0]


def _candidates(kernels: np.ndarray) -> np.ndarray:
    """All patterns where they are few (511 of 3x3), else the kernels' own best ones of each size, bool ``[n, P]``."""
    positions = kernels.shape[1]
    if 2**positions - 1 <= MAX_CANDIDATES:
        return ((np.arange(1, 2**positions)[:, None] >> np.arange(positions)) & 1).astype(bool)
    each = max(1, MAX_CANDIDATES // positions)
    return np.concatenate([own_patterns(kernels, size)[:each] for size in range(1, positions + 1)])
