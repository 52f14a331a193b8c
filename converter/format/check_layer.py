"""What a reader checks of a sparse-pattern layer: everything that the schema says with "must"."""

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.limits_generated import MAX_GROUP_SIZE, MAX_PATTERNS, MAX_POSITIONS, MAX_UNIT_CHANNELS
from mcpruner.converter.format.pack import GROUP_SIZES, UNIT_SIZES

DAMAGED = "the file is damaged or not from this converter"


def expect(holds: bool, statement: str, came: object, advice: str = DAMAGED) -> None:
    """Raise ValueError where a statement of the format does not hold."""
    if not holds:
        raise ValueError(f"expected that {statement}, got {came}; {advice}")


def _all_differ(array: np.ndarray) -> bool:
    """Whether no value is there twice. NumPy's `unique` takes twenty times as long on a dense layer's kernels."""
    ordered = np.sort(array)
    return bool((ordered[1:] != ordered[:-1]).all())


def _check_shape(layer: SparseLayer) -> None:
    height, width = layer.kernel_size
    positions = height * width if min(height, width) >= 1 else 0
    expect(1 <= positions <= MAX_POSITIONS, f"a kernel has 1 to {MAX_POSITIONS} positions", f"{height} x {width}")
    expect(layer.kind != "FullyConnected" or height * width == 1, "fully connected is 1 x 1", f"{height} x {width}")
    expect(layer.in_channels >= 1, "in_channels is at least 1", layer.in_channels)
    expect(layer.out_channels >= 1, "out_channels is at least 1", layer.out_channels)
    expect(layer.group_size in GROUP_SIZES, f"group_size is a power of two, 1 to {MAX_GROUP_SIZE}", layer.group_size)


def _check_units(layer: SparseLayer) -> None:
    expect(
        layer.unit_channels in UNIT_SIZES,
        f"unit_channels is a power of two, 1 to {MAX_UNIT_CHANNELS}",
        layer.unit_channels,
    )
    groups = layer.groups
    expect(
        groups >= 1 and layer.in_channels % groups == layer.out_channels % groups == 0,
        "groups divide the channels and the filters",
        groups,
    )
    if groups > 1:
        expect(layer.kind == "Conv2D", "only convolutions have groups", groups)
        whole = layer.out_channels // groups % layer.group_size == 0
        expect(whole, "group_size divides the filters of a group", layer.group_size)


def _check_tensors(layer: SparseLayer) -> None:
    if layer.tensor_type == "float32":
        expect(layer.int_bias is None, "only layers of int8 tensors have int_bias", "int_bias")
        return
    expect(layer.value_type == "int8", "int8 tensors have int8 values", layer.value_type)
    expect(layer.bias is None, "the bias of a layer of int8 tensors is int_bias", "bias")
    if layer.int_bias is not None:
        expect(
            len(layer.int_bias) == layer.out_channels,
            f"there are {layer.out_channels} of int_bias",
            len(layer.int_bias),
        )


def _check_runs(layer: SparseLayer) -> None:
    height, width = layer.kernel_size
    patterns, runs = layer.patterns, len(layer.run_patterns)
    expect(len(patterns) <= MAX_PATTERNS, f"there are at most {MAX_PATTERNS} patterns", len(patterns))
    expect((patterns != 0).all(), "no pattern is empty", 0)
    if height * width < MAX_POSITIONS:
        beyond = patterns >> np.uint64(height * width)
        expect(
            (beyond == 0).all(), f"patterns have positions below {height * width} only", hex(int(beyond.max(initial=0)))
        )
    expect(_all_differ(patterns), "all patterns differ", "one twice")
    expect(
        len(layer.group_runs) == layer.num_groups, f"group_runs has {layer.num_groups} groups", len(layer.group_runs)
    )
    total = int(layer.group_runs.sum(dtype=np.int64))
    expect(total == runs, f"there are {total} run_patterns", runs)
    expect(len(layer.run_counts) == runs, f"there are {runs} run_counts", len(layer.run_counts))
    largest = layer.run_patterns.max(initial=0)
    expect(runs == 0 or largest < len(patterns), f"run_patterns are below {len(patterns)}", largest)
    expect((layer.run_counts > 0).all(), "each run has a kernel", 0)


def _check_kernels(layer: SparseLayer) -> None:
    channels = np.asarray(layer.channels, np.int64)
    expect((channels < layer.num_units).all(), f"channels are below {layer.num_units}", channels.max(initial=0))
    keys = layer.kernel_groups() * layer.num_units + channels
    expect(_all_differ(keys), "a group has each channel at most once", "one twice")
    values = int(layer.kernel_sizes().sum())
    expect(len(layer.values) == values, f"there are {values} values", len(layer.values))


def _check_values(layer: SparseLayer, stored: np.ndarray) -> None:
    filters = layer.out_channels
    expect(bool(np.isfinite(layer.values).all()), "values are finite", "NaN or infinity")
    if len(layer.values):
        lanes = stored.reshape(len(layer.values), -1)[layer.value_filters() >= filters]
        expect(not lanes.any(), "lanes beyond the last filter are +0", "something else")
    if len(layer.values) and layer.unit_channels > 1:
        beyond = stored.reshape(len(layer.values), -1)[layer.value_channels() >= layer.channels_read]
        expect(not beyond.any(), "values beyond the last channel are +0", "something else")
    if layer.value_type == "int8":
        expect(bool((layer.values >= -127).all()), "int8 values are -127..127", -128)
        scales = 0 if layer.scales is None else len(layer.scales)
        expect(scales == filters, f"int8 has {filters} scales", scales)
        expect(
            bool((np.isfinite(layer.scales) & (layer.scales >= 0)).all()), "scales are finite and not negative", "one"
        )
        above = layer.tensor_type == "float32" or bool((layer.scales > 0).all())
        expect(above, "scales of a layer of int8 tensors are above 0", 0)
    else:
        expect(layer.scales is None, f"{layer.value_type} has no scales", "some")


def check_layer(layer: SparseLayer, stored: np.ndarray) -> None:
    """Check a layer as read, its values not yet scaled.

    Parameters
    ----------
    layer
        The layer, whose integers are wide enough that nothing was cut off.
    stored
        uint8: the bytes of the values in the file.

    Raises
    ------
    ValueError
        One sentence that names the statement.
    """
    _check_shape(layer)
    _check_tensors(layer)
    _check_units(layer)
    _check_runs(layer)
    _check_kernels(layer)
    _check_values(layer, stored)
    filters = layer.out_channels
    came = np.sort(np.asarray(layer.permutation, np.int64))
    expect(np.array_equal(came, np.arange(filters)), f"permutation is one of the {filters} filters", "something else")
    if layer.groups > 1:
        of_group = filters // layer.groups
        stays = np.array_equal(layer.permutation // of_group, np.arange(filters) // of_group)
        expect(stays, "permutation leaves every filter in its group", "another")
    if layer.bias is not None:
        expect(len(layer.bias) == filters, f"there are {filters} biases", len(layer.bias))
        expect(bool(np.isfinite(layer.bias).all()), "biases are finite", "NaN or infinity")
