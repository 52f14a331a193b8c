"""One pruned layer in the sparse-pattern format's own terms: what `pack` makes and `serialize` writes.

`format/sparse_pattern.fbs` is the contract; the fields here are its fields, with channel gaps resolved to channels.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class SparseLayer:
    """A convolution, transposed or not, or a fully-connected layer as filter groups, runs and kernels.

    Attributes
    ----------
    kind
        ``"Conv2D"``, ``"FullyConnected"`` or ``"TransposeConv2D"``.
    kernel_size
        Height and width in positions.
    in_channels, out_channels
        Input channels and filters, 1 to 65535 each.
    group_size
        Filters per group: 1, 2, 4, 8 or 16.
    patterns
        uint64 ``[patterns]``; bit ``ky * width + kx`` is kernel position (ky, kx).
    group_runs
        uint32 ``[groups]``: how many runs each group has.
    run_patterns, run_counts
        uint16 ``[runs]``: index into `patterns`, and how many kernels of the run have that pattern.
    channels
        uint16 ``[kernels]``: input channel of each kernel, ascending within a run.
    values
        float32 ``[values]``: kernel after kernel, for each its positions from bit 0 up, for each `group_size` filters.
    permutation
        uint16 ``[out_channels]``: ``permutation[packed] = original``.
    bias
        float32 ``[out_channels]`` in the original order, or None for zeros.
    value_type
        How a file stored the values: ``"float32"``, ``"float16"`` or ``"int8"``.
    scales
        float32 ``[out_channels]`` by packed filter, where a file stored int8; else None.
    """

    kind: str
    kernel_size: tuple[int, int]
    in_channels: int
    out_channels: int
    group_size: int
    patterns: np.ndarray
    group_runs: np.ndarray
    run_patterns: np.ndarray
    run_counts: np.ndarray
    channels: np.ndarray
    values: np.ndarray
    permutation: np.ndarray
    bias: np.ndarray | None = None
    value_type: str = "float32"
    scales: np.ndarray | None = None

    @property
    def num_groups(self) -> int:
        """How many filter groups there are; the last one may have zero lanes."""
        return -(-self.out_channels // self.group_size)

    @property
    def nnz(self) -> int:
        """How many weights are stored for real filters, explicit zeros among them."""
        return int((self.value_filters() < self.out_channels).sum())

    @property
    def density(self) -> float:
        """`nnz` over the weights of the dense layer, 0..1."""
        height, width = self.kernel_size
        return self.nnz / (self.out_channels * height * width * self.in_channels)

    def kernel_groups(self) -> np.ndarray:
        """Filter group of each kernel: int64 ``[kernels]``."""
        run_groups = np.repeat(np.arange(self.num_groups), self.group_runs)
        return np.repeat(run_groups, self.run_counts)

    def kernel_patterns(self) -> np.ndarray:
        """Pattern of each kernel, as its bits: uint64 ``[kernels]``."""
        return np.repeat(self.patterns[self.run_patterns], self.run_counts)

    def value_filters(self) -> np.ndarray:
        """Packed filter of each value: int64 ``[values]``; at or beyond `out_channels` for zero lanes."""
        lanes = np.tile(np.arange(self.group_size), len(self.values) // self.group_size)
        taps = np.bitwise_count(self.kernel_patterns()).astype(np.int64)
        return np.repeat(self.kernel_groups() * self.group_size, taps * self.group_size) + lanes
