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
        uint16 ``[kernels]``: input channel of each kernel, or its unit, ascending within a run.
    values
        float32 ``[values]``: kernel after kernel, for each its positions from bit 0 up, for each `group_size` filters,
        for each the channels of the unit.
    permutation
        uint16 ``[out_channels]``: ``permutation[packed] = original``.
    bias
        float32 ``[out_channels]`` in the original order, or None for zeros.
    value_type
        How a file stored the values: ``"float32"``, ``"float16"`` or ``"int8"``.
    scales
        float32 ``[out_channels]`` by packed filter, where a file stored int8; else None.
    tensor_type
        Type of the layer's input and output: ``"float32"`` or ``"int8"``.
    unit_channels
        Neighbouring input channels that a kernel covers: 1, 2, 4, 8 or 16. `channels` are channels where it is 1.
    groups
        Groups of a grouped convolution, within which `channels` count; 1: they count all input channels.
    int_bias
        int32 ``[out_channels]`` in the original order, where tensors are int8, or None for zeros.
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
    tensor_type: str = "float32"
    unit_channels: int = 1
    groups: int = 1
    int_bias: np.ndarray | None = None

    @property
    def num_groups(self) -> int:
        """How many filter groups there are; the last one may have zero lanes."""
        return -(-self.out_channels // self.group_size)

    @property
    def channels_read(self) -> int:
        """How many input channels a filter reads."""
        return self.in_channels // self.groups

    @property
    def num_units(self) -> int:
        """How many units these channels are; the last one may reach beyond them."""
        return -(-self.channels_read // self.unit_channels)

    @property
    def plain(self) -> bool:
        """Whether its channels are those of the whole input."""
        return self.unit_channels == self.groups == 1

    @property
    def nnz(self) -> int:
        """How many weights are stored for real filters and channels, explicit zeros among them."""
        real = self.value_filters() < self.out_channels
        return int((real if self.plain else real & (self.value_channels() < self.channels_read)).sum())

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
        lanes = np.repeat(np.arange(self.group_size), self.unit_channels)
        of_kernels = np.repeat(self.kernel_groups() * self.group_size, self.kernel_sizes())
        return of_kernels + np.tile(lanes, len(self.values) // len(lanes))

    def value_channels(self) -> np.ndarray:
        """Channel of each value, as filters count them: int64 ``[values]``; at or beyond `channels_read` for none."""
        first = np.asarray(self.channels, np.int64) * self.unit_channels
        of_unit = np.tile(np.arange(self.unit_channels), len(self.values) // self.unit_channels)
        return np.repeat(first, self.kernel_sizes()) + of_unit

    def kernel_sizes(self) -> np.ndarray:
        """How many values each kernel has: int64 ``[kernels]``."""
        taps = np.bitwise_count(self.kernel_patterns()).astype(np.int64)
        return taps * (self.group_size * self.unit_channels)
