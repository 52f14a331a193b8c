"""Grouped convolutions as sparse ones: each filter has zeros for the channels that other groups read.

    weights in a file [O, H, W, I / groups]     for all channels [O, H, W, I]
    filters 0, 1      x x x                     x x x . . .
    filters 2, 3      x x x                     . . . x x x

The sparse-pattern format stores no zeros, so a packed grouped convolution is no larger for them.
"""

import numpy as np


def expand_groups(weights: np.ndarray, groups: int) -> np.ndarray:
    """Weights for all input channels.

    Parameters
    ----------
    weights
        Of any dtype, ``[O, H, W, I / groups]``; `groups` divides O.
    groups
        How many groups the convolution has, at least 1; 1 returns the weights themselves.

    Returns
    -------
    numpy.ndarray
        ``[O, H, W, I]``, zero where a filter does not read.
    """
    if groups == 1:
        return weights
    filters, height, width, channels = weights.shape
    blocks = np.zeros((groups, filters // groups, height, width, groups, channels), weights.dtype)
    each = np.arange(groups)
    blocks[each, :, :, :, each] = weights.reshape(groups, -1, height, width, channels)
    return blocks.reshape(filters, height, width, groups * channels)


def collapse_groups(weights: np.ndarray, groups: int) -> np.ndarray:
    """The inverse of `expand_groups`; `groups` divides filters and channels.

    Raises
    ------
    ValueError
        A filter has weights for channels that its group does not read.
    """
    filters, height, width, channels = weights.shape
    blocks = weights.reshape(groups, filters // groups, height, width, groups, channels // groups)
    each = np.arange(groups)
    collapsed = np.ascontiguousarray(blocks[each, :, :, :, each]).reshape(filters, height, width, channels // groups)
    if np.count_nonzero(collapsed) != np.count_nonzero(weights):
        raise ValueError(f"expected no weights outside of its {groups} groups, got some; is the file damaged?")
    return collapsed
