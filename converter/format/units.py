"""Take the units of a version 2 layer apart, as `delegate/graph/weights/units.h` draws it: one kernel for each channel.

Of a grouped convolution the channels become those of the whole input, as version 1 has them.
"""

from dataclasses import replace

import numpy as np

from mcpruner.converter.format.layer import SparseLayer


def take_units_apart(layer: SparseLayer) -> SparseLayer:
    """The same layer with `unit_channels` and `groups` of 1; the layer itself where it has these.

    Parameters
    ----------
    layer
        A layer that holds together (`check_layer`); values beyond its last channel are dropped.
    """
    if layer.plain:
        return layer
    of_kernels = np.repeat(np.arange(len(layer.channels)), layer.unit_channels)
    channels = np.asarray(layer.channels, np.int64)[of_kernels] * layer.unit_channels
    channels += np.tile(np.arange(layer.unit_channels), len(layer.channels))
    kept = channels < layer.channels_read
    runs = np.repeat(np.arange(len(layer.run_counts)), layer.run_counts)[of_kernels]
    # Filter groups do not reach over the groups of the convolution.
    group_of = layer.kernel_groups()[of_kernels] * layer.group_size // (layer.out_channels // layer.groups)
    return replace(
        layer,
        run_counts=np.bincount(runs[kept], minlength=len(layer.run_counts)).astype(np.uint16),
        channels=(channels + group_of * layer.channels_read)[kept].astype(np.uint16),
        values=layer.values[_order(layer)],
        unit_channels=1,
        groups=1,
    )


def _order(layer: SparseLayer) -> np.ndarray:
    """Where each value of the plain layer stands in the one with units: int64 ``[values]``."""
    sizes, width = layer.kernel_sizes(), layer.unit_channels
    rows = sizes // width  # of a kernel, one for each filter at each position
    begin = np.repeat(np.cumsum(sizes) - sizes, sizes)
    within = np.arange(len(layer.values)) - begin
    channel, row = np.divmod(within, np.repeat(rows, sizes))
    order = begin + row * width + channel
    return order[layer.value_channels()[order] < layer.channels_read]
