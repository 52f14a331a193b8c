"""Least squares for the weights that a mask keeps, so that a layer still says what it said when the model was dense.

X are the layer's inputs in the dense model (a row for each output pixel: the patch it reads), Z those in the pruned
one, w the weights of a filter. Kept weights v make Z v as near to X w as they can, so that errors of earlier layers
are made up for as well:

    |Z v - X w|^2 least, v = 0 where removed    ──>    Z'Z_SS v_S = (Z'X w)_S         S: the kept weights

Only Z'Z and Z'X are needed, so a layer's rows are added up batch by batch. With a bias, both are taken about the mean,
and the bias takes up the difference of means. The filters of a group share S, hence one factorisation. In the spirit of
AdaPrune (Hubara et al., arXiv 2102.08124) and Optimal Brain Compression (Frantar and Alistarh, arXiv 2208.11580).
"""

from dataclasses import dataclass

import numpy as np

# This share of the diagonal's mean is added to the diagonal, so that channels that few images excite decide nothing. It
# was 0.01 until masks were chosen in the order of removal (commit 1270432); how much either costs is not recorded.
_DAMPING = 0.001


@dataclass(frozen=True)
class Moments:
    """What least squares needs of a layer's inputs; K is the length of a row.

    Attributes
    ----------
    pruned
        float64 ``[K, K]``: mean of z'z, positive definite; z is a row of the pruned model's inputs.
    cross
        float64 ``[K, K]``: mean of z'x; x is the same row of the dense model's inputs.
    shift
        float64 ``[2, K]``: the means of z and x, which were subtracted first; 0 for a layer without bias.
    """

    pruned: np.ndarray
    cross: np.ndarray
    shift: np.ndarray


class Sums:
    """Adds up rows of both streams to `Moments`."""

    def __init__(self, size: int) -> None:
        self._rows = 0
        self._products = np.zeros((2, size, size))
        self._sums = np.zeros((2, size))

    def add(self, pruned: np.ndarray, dense: np.ndarray) -> None:
        """Add rows, float32 ``[rows, K]`` of each stream."""
        self._rows += len(pruned)
        square = pruned.T @ pruned
        self._products += [square, square if pruned is dense else pruned.T @ dense]
        self._sums += [pruned.sum(axis=0, dtype=np.float64), dense.sum(axis=0, dtype=np.float64)]

    def moments(self, centred: bool) -> Moments:
        """The moments of all rows so far, taken about the mean if `centred`, as layers with a bias need them."""
        pruned, cross = self._products / self._rows
        shift = self._sums / self._rows if centred else np.zeros_like(self._sums)
        pruned, cross = pruned - np.outer(shift[0], shift[0]), cross - np.outer(shift[0], shift[1])
        # Both diagonals get the same: weights then stay as they are where nothing changes.
        least = max(_DAMPING * float(np.trace(pruned)) / len(pruned), np.finfo(np.float32).tiny) * np.eye(len(pruned))
        return Moments(pruned + least, cross + least, shift)


def removal_error(weights: np.ndarray, moments: Moments) -> np.ndarray:
    """Compute what removing each weight alone adds to the squared error while all others make up for it.

    This is Optimal Brain Surgeon's measure: the squared weight over the diagonal of the moments' inverse.

    Parameters
    ----------
    weights
        float ``[O, K]``, one row for each filter.
    moments
        Moments of the layer's inputs.

    Returns
    -------
    numpy.ndarray
        float32 ``[O, K]``, at least 0.
    """
    return (np.square(weights) / np.diag(np.linalg.inv(moments.pruned))).astype(np.float32)


def reconstruct(weights: np.ndarray, mask: np.ndarray, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Solve for the kept weights that come nearest to what the dense layer said.

    Parameters
    ----------
    weights
        float ``[O, K]``, one row for each filter.
    mask
        bool ``[O, K]``, True where a weight is kept.
    moments
        Moments of the layer's inputs.

    Returns
    -------
    tuple of numpy.ndarray
        Weights, float32 ``[O, K]`` with exact zeros where `mask` is False; what to add to the bias, float32 ``[O]``.
    """
    moved = np.zeros(weights.shape)
    wanted = weights @ moments.cross.T
    supports, filters = np.unique(mask, axis=0, return_inverse=True)
    for index, support in enumerate(supports):
        rows, kept = np.flatnonzero(filters.ravel() == index), np.flatnonzero(support)
        moved[np.ix_(rows, kept)] = np.linalg.solve(moments.pruned[np.ix_(kept, kept)], wanted[np.ix_(rows, kept)].T).T
    bias = weights @ moments.shift[1] - moved @ moments.shift[0]
    return moved.astype(np.float32), bias.astype(np.float32)
