"""Least squares for the weights that a mask keeps, so that a layer's outputs change least on real inputs.

With X the layer's inputs (a row for each output pixel: the patch it reads) and w the weights of a filter, the error of
removing the weights R and moving the kept ones S is a quadratic form of the Gram matrix G = X'X / rows:

    |X (v - w)|^2 / rows = (v - w)' G (v - w),  v = 0 on R      ──>      v_S = w_S + G_SS^-1 G_SR w_R

So one pass over the images gathers G for each layer, and no outputs need to be kept. The filters of a group share S,
hence one factorisation. In the spirit of AdaPrune (Hubara et al., arXiv 2102.08124) and Optimal Brain Compression
(Frantar and Alistarh, arXiv 2208.11580).
"""

import numpy as np

# Added to the diagonal, as a share of its mean: channels that few images excite must not decide anything.
_DAMPING = 0.01


def damped(gram: np.ndarray) -> np.ndarray:
    """The Gram matrix with its diagonal raised a little, float64 ``[K, K]``, positive definite."""
    gram = np.asarray(gram, np.float64)
    mean = max(float(np.trace(gram)) / len(gram), np.finfo(np.float32).tiny)
    return gram + _DAMPING * mean * np.eye(len(gram))


def removal_error(weights: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Error of removing each weight alone while all others make up for it (Optimal Brain Surgeon).

    Parameters
    ----------
    weights
        float ``[O, K]``.
    gram
        float64 ``[K, K]``, positive definite.

    Returns
    -------
    numpy.ndarray
        float32 ``[O, K]``: squared weight over the diagonal of the inverse; at least 0.
    """
    return (np.square(weights) / np.diag(np.linalg.inv(gram))).astype(np.float32)


def reconstruct(weights: np.ndarray, mask: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Move the kept weights so that they make up for the removed ones.

    Parameters
    ----------
    weights
        float ``[O, K]``, one row for each filter.
    mask
        bool ``[O, K]``, True where kept.
    gram
        float64 ``[K, K]``, positive definite.

    Returns
    -------
    numpy.ndarray
        float32 ``[O, K]``, exact zeros where `mask` is False.
    """
    moved = np.zeros(weights.shape, np.float32)
    supports, filters = np.unique(mask, axis=0, return_inverse=True)
    for index, support in enumerate(supports):
        rows = np.flatnonzero(filters.ravel() == index)
        kept, removed = np.flatnonzero(support), np.flatnonzero(~support)
        lost = gram[np.ix_(kept, removed)] @ weights[np.ix_(rows, removed)].T.astype(np.float64)
        gained = np.linalg.solve(gram[np.ix_(kept, kept)], lost).T
        moved[np.ix_(rows, kept)] = weights[np.ix_(rows, kept)] + gained
    return moved
