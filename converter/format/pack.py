"""Dense weights into filter groups, runs and kernels, and back, without losing a bit."""

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.limits_generated import (
    MAX_CHANNELS,
    MAX_GROUP_SIZE,
    MAX_PATTERNS,
    MAX_POSITIONS,
    MAX_UNIT_CHANNELS,
)

GROUP_SIZES = tuple(1 << i for i in range(MAX_GROUP_SIZE.bit_length()))
UNIT_SIZES = tuple(1 << i for i in range(MAX_UNIT_CHANNELS.bit_length()))
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
    unit_channels: int = 1,
    groups: int = 1,
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
    unit_channels
        Input channels that are kept or dropped together, the position of a kernel's values innermost: 1, 2, 4, 8 or 16.
    groups
        Groups of a grouped convolution whose filters read the I channels of their own group each. (One that is packed
        with the weights of all input channels needs none.)

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
    if unit_channels not in UNIT_SIZES:
        raise ValueError(f"expected unit_channels of {', '.join(map(str, UNIT_SIZES))}, got {unit_channels}")
    filters, height, width, channels = weights.shape
    if groups > 1 and (filters % groups or filters // groups % group_size):
        raise ValueError(f"expected a group_size that divides the filters of each of {groups} groups, got {group_size}")
    num_groups = -(-filters // group_size)
    ordered = _in_units(_in_groups(weights, permutation, group_size), unit_channels)
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
        in_channels=channels * groups,
        out_channels=filters,
        group_size=group_size,
        patterns=patterns.astype(np.uint64),
        group_runs=np.bincount(group_of[run_first], minlength=num_groups).astype(np.uint32),
        run_patterns=pattern_of[run_first].astype(np.uint16),
        run_counts=np.diff(run_first, append=len(key)).astype(np.uint16),
        channels=channel_of.astype(np.uint16),
        values=kernels[used[group_of, channel_of]].reshape(-1),
        permutation=permutation.astype(np.uint16),
        bias=None if bias is None else bias.astype(np.float32),
        unit_channels=unit_channels,
        groups=groups,
    )


def _in_groups(weights: np.ndarray, permutation: np.ndarray, group_size: int) -> np.ndarray:
    """Weights ``[O, H, W, I]`` as ``[group, channel, position, lane]``: as stored, but for the order of kernels."""
    filters, height, width, channels = weights.shape
    ordered = np.zeros((-(-filters // group_size), channels, height * width, group_size), np.float32)
    flat = weights.reshape(filters, -1, channels)
    for lane in range(min(group_size, filters)):
        members = permutation[lane::group_size]
        ordered[: len(members), ..., lane] = flat[members].transpose(0, 2, 1)
    return ordered


def _in_units(ordered: np.ndarray, unit_channels: int) -> np.ndarray:
    """``[group, channel, position, lane]`` as ``[group, unit, position, lane and channel]``."""
    if unit_channels == 1:
        return ordered
    groups, channels, positions, lanes = ordered.shape
    units = -(-channels // unit_channels)
    padded = np.pad(ordered, ((0, 0), (0, units * unit_channels - channels), (0, 0), (0, 0)))
    apart = padded.reshape(groups, units, unit_channels, positions, lanes)
    return apart.transpose(0, 1, 3, 4, 2).reshape(groups, units, positions, lanes * unit_channels)


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
