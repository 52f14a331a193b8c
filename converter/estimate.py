"""How fast a layer will run packed, against dense, before anything is packed: choose ``group_size`` by it.

An analytic model in units of one vector multiply-add, from counts that follow from the mask alone. A group pays for the
union of its filters' masks, so a larger group shares loads between filters but multiplies more explicit zeros:

    convolution, for each vector of pixels of an output row
        values  x (1 + LOAD * (s / g + g / s) / 2)   s: the target's group size, where loads of pixels (shared by the
                                                     g filters) and of weights (shared by the row's vectors) balance
        kernels x KERNEL + runs x RUN                an index to read, a loop to start
    dense convolution: DENSE for each multiply-add   XNNPACK packs along output channels, so row ends cost it nothing
    fully connected, for each row of inputs
        kernels x (KERNEL + vectors that hold g)     a dense one multiplies full vectors
    both: bytes of weights / BYTES                   each inference reads all weights once

The constants were fitted by eye to a prototype of the CPU kernels. `predict_speedup` is the only place where time is
estimated: a measured model replaces this one function.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mcpruner.converter.reorder import filter_permutation
from mcpruner.converter.target import Target

GROUP_SIZES = (1, 2, 4, 8, 16)
MAX_PATTERNS = 65535  # of the format

_LOAD = 0.6  # of a multiply-add, at the target's own group size
_KERNEL = 1.0
_RUN = 2.0
_DENSE = 1.3
_STORE = 1.0  # for each filter, dense or sparse
_CACHE_BYTES = 1 << 20  # dense weights below this stay in a core's second-level cache
_BYTES_NEAR, _BYTES_FAR = 16.0, 4.0  # read in the time of one vector multiply-add


class Choice(NamedTuple):
    """How to pack a layer; speed-up 0 if no group size fits the format."""

    group_size: int
    permutation: np.ndarray  # uint16 [O]
    predicted_speedup: float


@dataclass(frozen=True)
class Work:
    """What surrounds the weights.

    Attributes
    ----------
    kind
        ``"Conv2D"`` or ``"FullyConnected"``.
    height, width
        Output positions; of a fully-connected layer the rows of its input are ``height``.
    """

    kind: str = "Conv2D"
    height: int = 32
    width: int = 32


@dataclass(frozen=True)
class Counts:
    """What a packed layer holds: stored values (explicit zeros included), kernels, runs and patterns."""

    values: int
    kernels: int
    runs: int
    patterns: int


def choose(weights: np.ndarray, target: Target, work: Work | None = None) -> Choice:
    """The group size and permutation that are predicted to run fastest; every one of them loses nothing.

    Parameters
    ----------
    weights
        float32 OHWI ``[O, H, W, I]``.
    target
        The hardware.
    work
        Kind and output size; a 32x32 convolution by default.

    Returns
    -------
    Choice
        ``predicted_speedup`` is dense time over sparse time; at most 1 where it is not worth it.
    """
    work = work or Work()
    mask = weights != 0
    identity = Choice(target.group_size, np.arange(weights.shape[0], dtype=np.uint16), 0.0)
    nonzero = int(np.count_nonzero(mask))
    bound = predict_speedup(Counts(nonzero, 0, 0, 0), weights.shape, target.group_size, target, work)
    if nonzero == mask.size or (work.kind == "Conv2D" and bound <= 1):
        return identity._replace(predicted_speedup=min(1.0, bound))  # even a mask without fill-in is too dense
    best = identity
    for group_size in GROUP_SIZES:
        permutation = filter_permutation(mask, group_size)
        counts = count(mask, permutation, group_size)
        if counts.patterns > MAX_PATTERNS:
            continue
        speedup = predict_speedup(counts, weights.shape, group_size, target, work)
        if speedup > best.predicted_speedup:
            best = Choice(group_size, permutation, speedup)
    return best


def count(mask: np.ndarray, permutation: np.ndarray, group_size: int) -> Counts:
    """What packing `mask` (bool OHWI) in groups of `group_size` will store."""
    filters, height, width, channels = mask.shape
    groups = -(-filters // group_size)
    shared = np.zeros((groups * group_size, height * width, channels), bool)
    shared[:filters] = mask.reshape(filters, height * width, channels)[permutation]
    shared = shared.reshape(groups, group_size, height * width, channels).any(axis=1)
    codes = _pattern_codes(shared)
    ordered = np.sort(codes, axis=1, kind="stable")
    starts = (ordered[:, :1] != 0).sum() + ((ordered[:, 1:] != ordered[:, :-1]) & (ordered[:, 1:] != 0)).sum()
    return Counts(
        values=int(np.count_nonzero(shared)) * group_size,
        kernels=int(np.count_nonzero(codes)),
        runs=int(starts),
        patterns=int(np.count_nonzero(np.unique(codes))),
    )


def _pattern_codes(shared: np.ndarray) -> np.ndarray:
    """Bool [groups, positions, channels] as one integer per kernel, in the smallest type that holds it."""
    positions = shared.shape[1]
    dtype = next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if positions <= np.dtype(t).itemsize * 8)
    codes = np.zeros((shared.shape[0], shared.shape[2]), dtype)
    for position in range(positions):
        codes |= shared[:, position].astype(dtype) << dtype(position)
    return codes


def predict_speedup(counts: Counts, shape: tuple[int, ...], group_size: int, target: Target, work: Work) -> float:
    """Dense time over sparse time of a layer of `shape` (OHWI), positive."""
    weights, filters = int(np.prod(shape)), shape[0]
    height, width = max(1, work.height), max(1, work.width)
    if work.kind == "FullyConnected":
        sparse = height * counts.kernels * (_KERNEL + -(-group_size // target.vector_width))
        dense = height * weights / target.vector_width
        stores = height * filters / target.vector_width
    else:
        balance = (target.group_size / group_size + group_size / target.group_size) / 2
        sparse = counts.values * (1 + _LOAD * balance) + counts.kernels * _KERNEL + counts.runs * _RUN
        sparse *= height * -(-width // target.vector_width)
        dense = weights * _DENSE * height * width / target.vector_width
        stores = filters * height * width / target.vector_width
    packed = 4 * counts.values + counts.kernels + 4 * counts.runs
    rate = _BYTES_NEAR if 4 * weights <= _CACHE_BYTES else _BYTES_FAR
    stores *= _STORE
    return (dense + stores + 4 * weights / rate) / (sparse + stores + packed / rate)
