"""Dense weights into filter groups, runs and kernels, and back, without losing a bit."""

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.limits_generated import MAX_CHANNELS, MAX_GROUP_SIZE, MAX_PATTERNS, MAX_POSITIONS

GROUP_SIZES = tuple(1 << i for i in range(MAX_GROUP_SIZE.bit_length()))
# No layer of more weights (4 GiB of float32) is unpacked: a small damaged blob can claim far more than there are.
MAX_DENSE_WEIGHTS = 2**30


def _check(weights: np.ndarray, permutation: np.ndarray, group_size: int, bias: np.ndarray | None) -> None:
    """Raise ValueError where the format cannot express the layer (weights float32 OHWI)."""
    if weights.ndim != 4 or 0 in weights.shape:
        raise ValueError(f"expected weights of shape [O, H, W, I] with no empty dimension, got {list(weights.shape)}")
    filters, height, width, channels = weights.shape
    if height * width > MAX_POSITIONS:
        raise ValueError(f"expected at most {MAX_POSITIONS} kernel positions, got {height} x {width}; keep it dense")
    if max(filters, channels) > MAX_CHANNELS:
        raise ValueError(
            f"expected at most {MAX_CHANNELS} channels, got {channels} in and {filters} out; keep it dense"
        )
    if group_size not in GROUP_SIZES:
        raise ValueError(f"expected a group_size of {', '.join(map(str, GROUP_SIZES))}, got {group_size}")
    if not np.array_equal(np.sort(permutation), np.arange(filters)):
        raise ValueError(f"expected a permutation of the {filters} filters, got {permutation}")
    if not np.isfinite(weights).all():
        raise ValueError("expected finite weights, got NaN or infinity; train or load the layer again")
    if bias is not None and (bias.shape != (filters,) or not np.isfinite(bias).all()):
        raise ValueError(f"expected a finite bias of shape [{filters}], got shape {list(bias.shape)}; check the layer")


def pack(
    weights: np.ndarray,
    permutation: np.ndarray,
    group_size: int,
    bias: np.ndarray | None = None,
    kind: str = "Conv2D",
) -> SparseLayer:
    """Pack a layer; nothing is lost, whatever its zeros are.

    The pattern of a group's kernel is the union of the non-zero positions of its filters, so filters that do not agree
    cost explicit zeros. Kernels that are zero in the whole group vanish. A weight of -0.0 counts as
    zero: where it is dropped it reads back as +0.0.

    Parameters
    ----------
    weights
        float32 ``[O, H, W, I]``, finite.
    permutation
        Integers ``[O]``: ``permutation[packed] = original``.
    group_size
        Filters per group: 1, 2, 4, 8 or 16.
    bias
        float32 ``[O]`` in the original order, or None.
    kind
        ``"Conv2D"``, ``"FullyConnected"`` or ``"TransposeConv2D"``.

    Returns
    -------
    SparseLayer
        The layer with float32 values, its kernels in the order of the format.

    Raises
    ------
    ValueError
        The bounds of the format do not hold.
    """
    permutation = np.asarray(permutation)
    _check(weights, permutation, group_size, bias)
    filters, height, width, channels = weights.shape
    groups = -(-filters // group_size)
    # [group, channel, position, lane] is the order in which values are stored, but for the order of kernels.
    ordered = np.zeros((groups, channels, height * width, group_size), np.float32)
    flat = weights.reshape(filters, -1, channels)
    for lane in range(min(group_size, filters)):
        members = permutation[lane::group_size]
        ordered[: len(members), ..., lane] = flat[members].transpose(0, 2, 1)
    used = (ordered != 0).any(axis=3)
    bits = pattern_bits(used.transpose(2, 0, 1))
    group_of, channel_of = np.nonzero(bits)
    patterns, pattern_of = np.unique(bits[group_of, channel_of], return_inverse=True)
    if len(patterns) > MAX_PATTERNS:
        raise ValueError(
            f"expected at most {MAX_PATTERNS} different patterns, got {len(patterns)}; use a smaller group"
        )
    order = np.lexsort((channel_of, pattern_of, group_of))
    group_of, channel_of, pattern_of = group_of[order], channel_of[order], pattern_of[order]

    key = group_of * max(1, len(patterns)) + pattern_of
    run_first = np.flatnonzero(np.diff(key, prepend=-1))
    kernels = ordered[group_of, channel_of]
    return SparseLayer(
        kind=kind,
        kernel_size=(height, width),
        in_channels=channels,
        out_channels=filters,
        group_size=group_size,
        patterns=patterns.astype(np.uint64),
        group_runs=np.bincount(group_of[run_first], minlength=groups).astype(np.uint32),
        run_patterns=pattern_of[run_first].astype(np.uint16),
        run_counts=np.diff(run_first, append=len(key)).astype(np.uint16),
        channels=channel_of.astype(np.uint16),
        values=kernels[used[group_of, channel_of]].reshape(-1),
        permutation=permutation.astype(np.uint16),
        bias=None if bias is None else bias.astype(np.float32),
    )


def pattern_bits(used: np.ndarray) -> np.ndarray:
    """The positions of each kernel, bool ``[P, ...]``, as the bits of an integer ``[...]`` of the smallest type."""
    dtype = next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if len(used) <= np.dtype(t).itemsize * 8)
    bits = np.zeros(used.shape[1:], dtype)
    for position, kept in enumerate(used):
        bits |= kept.astype(dtype) << dtype(position)
    return bits


def unpack(layer: SparseLayer) -> np.ndarray:
    """Dense weights of a packed layer, float32 ``[O, H, W, I]``; bit-exact for what was packed as float32.

    Raises
    ------
    ValueError
        The layer says that it has more than 2^30 weights.
    """
    height, width = layer.kernel_size
    filters, size = layer.out_channels, layer.group_size
    count = layer.out_channels * height * width * layer.in_channels
    if count > MAX_DENSE_WEIGHTS:
        raise ValueError(f"expected a layer of at most {MAX_DENSE_WEIGHTS} weights, got {count}; is the file damaged?")
    patterns = layer.kernel_patterns()
    positions = np.arange(height * width, dtype=np.uint64)
    kernel, position = np.nonzero((patterns[:, None] >> positions) & np.uint64(1))
    group, channel, values = layer.kernel_groups()[kernel], layer.channels[kernel], layer.values.reshape(-1, size)
    weights = np.zeros((filters, height * width, layer.in_channels), np.float32)
    for lane in range(size):
        there = group * size + lane < filters  # The last group may have fewer filters.
        members = layer.permutation[group[there] * size + lane]
        weights[members, position[there], channel[there]] = values[there, lane]
    return weights.reshape(filters, height, width, layer.in_channels)
