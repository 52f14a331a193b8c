"""Grouped convolutions: each group has filters and input channels of its own, so its mask is chosen as a layer's is.

kernel [H, W, I / groups, O]   | group 0 | group 1 | group 2 |     each keeps whole kernels of its filter groups
weights beyond the density     |  + 0.3  |  - 0.2  |  + 0.1  |     what rounding keeps too much, the next one gives
"""

from collections.abc import Callable, Sequence

import numpy as np

# The share of a group that has to give all it has. It keeps a kernel nevertheless, as every layer does.
_LEAST = 1e-6


def choose_each(sizes: Sequence[int], density: float, choose: Callable[[int, float], np.ndarray]) -> list[np.ndarray]:
    """Choose the masks of all groups of a layer so that together they meet its density to the nearest kernel.

    Parameters
    ----------
    sizes
        Weights of each group.
    density
        Share of the layer's weights to keep, above 0 and at most 1.
    choose
        Chooses a group's mask (bool, of any shape) by its number and its density.
    """
    masks: list[np.ndarray] = []
    ahead = 0.0
    for number, size in enumerate(sizes):
        share = density - ahead / size
        masks.append(choose(number, min(1.0, max(_LEAST, share))))
        ahead += np.count_nonzero(masks[-1]) - density * size
    return masks
