"""Packed layers and operator options to bytes and back: the one writer of the sparse-pattern format.

`format/sparse_pattern.fbs` is the contract, `format/README.md` an example in bytes. Reading checks everything the
schema says with "must", as the delegate's reader (`delegate/graph/weights/blob_reader.cc`) does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import flatbuffers
import numpy as np

from mcpruner.converter.format import sparse_pattern_generated as schema
from mcpruner.converter.format.check_layer import DAMAGED, check_layer, expect
from mcpruner.converter.format.flex_map import read_map, write_map
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.limits_generated import MAX_CHANNELS, MAX_ELEMENTS, MAX_PAD, MAX_STEP
from mcpruner.converter.format.units import take_units_apart

VERSION = 1  # of the options; blobs have 1 or 2
VERSIONS = (1, 2)
IDENTIFIER = b"MCP1"
VALUE_TYPES = ("float32", "float16", "int8")
_TENSOR_TYPES = ("float32", "int8")
_KINDS = ("Conv2D", "FullyConnected", "TransposeConv2D")
_DTYPES = {"float32": "<f4", "float16": "<f2", "int8": "i1"}
_MAX_SCALE = np.nextafter(np.finfo(np.float32).max / np.float32(127), np.float32(0))
_PADDINGS = ("Same", "Valid", "Explicit")
_ACTIVATIONS = ("None", "Relu", "ReluN1To1", "Relu6")


@dataclass
class SparseOptions:
    """What surrounds the weights of a custom operator; the fields of `SparseOptions` in the schema.

    Attributes
    ----------
    padding
        ``"Same"``, ``"Valid"`` or ``"Explicit"``.
    pad_top, pad_bottom, pad_left, pad_right
        Rows and columns of zeros, 0..255, where padding is explicit.
    stride_h, stride_w, dilation_h_factor, dilation_w_factor
        Steps and dilation in rows and columns, 1..255.
    fused_activation
        ``"None"``, ``"Relu"``, ``"ReluN1To1"`` or ``"Relu6"``.
    keep_num_dims
        Fully connected only: the output keeps the input's rank.
    groups
        Convolutions only: how many groups the convolution had, 1..65535, before it was packed for all input channels.
    output_height, output_width
        Transposed convolutions only: rows and columns of the output, at most 2^30; 0 for others.
    """

    padding: str = "Valid"
    pad_top: int = 0
    pad_bottom: int = 0
    pad_left: int = 0
    pad_right: int = 0
    stride_h: int = 1
    stride_w: int = 1
    dilation_h_factor: int = 1
    dilation_w_factor: int = 1
    fused_activation: str = "None"
    keep_num_dims: bool = False
    groups: int = 1
    output_height: int = 0
    output_width: int = 0


# Written for every layer, so that tools show them; the others only where they are not the default.
_SHOWN = ("padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "fused_activation")


def serialize_options(options: SparseOptions, shown: Mapping[str, float | str] | None = None) -> bytes:
    """Options as the custom_options of an operator, a FlexBuffers map; ValueError where one is out of range.

    Parameters
    ----------
    options
        The options.
    shown
        Further fields of the map, for tools that show it; no reader of ours looks at them.
    """
    _check_options(options, "keep the layer dense")
    given = {field.name: getattr(options, field.name) for field in fields(SparseOptions)}
    kept = {name: value for name, value in given.items() if name in _SHOWN or value != getattr(SparseOptions, name)}
    return write_map({"version": VERSION, **kept, **(shown or {})})


def _check_options(options: SparseOptions, advice: str) -> None:
    def check_one_of(name: str, known: tuple[str, ...]) -> None:
        expect(getattr(options, name) in known, f"{name} is one of {', '.join(known)}", getattr(options, name), advice)

    def check_range(name: str, least: int, most: int) -> None:
        came = getattr(options, name)
        expect(least <= came <= most, f"{name} is {least}..{most}", came, advice)

    check_one_of("padding", _PADDINGS)
    check_one_of("fused_activation", _ACTIVATIONS)
    for name in ("pad_top", "pad_bottom", "pad_left", "pad_right"):
        check_range(name, 0, MAX_PAD)
    for name in ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor"):
        check_range(name, 1, MAX_STEP)
    check_range("groups", 1, MAX_CHANNELS)
    for name in ("output_height", "output_width"):
        check_range(name, 0, MAX_ELEMENTS)


def deserialize_options(data: bytes) -> SparseOptions:
    """Options back from bytes, a map or the flatbuffer of before; ValueError where they are damaged."""
    defaults = {"version": 0, **{field.name: getattr(SparseOptions, field.name) for field in fields(SparseOptions)}}
    try:
        # A flatbuffer begins with the place of its table, a map with the letters of a name, which would be far outside.
        flat = int.from_bytes(data[:4], "little") < len(data)
        values = _flat_options(data, list(defaults)) if flat else read_map(data, defaults)
    except Exception as error:  # whatever damaged offsets lead to
        raise ValueError("expected the options of a sparse operator, got damaged bytes; convert again") from error
    version = values.pop("version")
    expect(version == VERSION, f"options are of version {VERSION}", version)
    options = SparseOptions(**values)
    _check_options(options, DAMAGED)
    return options


def _flat_options(data: bytes, names: list[str]) -> dict[str, Any]:
    """The fields of the flatbuffer that was written before there were maps, enumerations by their names."""
    table = schema.SparseOptions.GetRootAs(bytearray(data), 0)
    values = {name: getattr(table, "".join(part.capitalize() for part in name.split("_")))() for name in names}
    values["padding"] = _name_of(_PADDINGS, values["padding"])
    values["fused_activation"] = _name_of(_ACTIVATIONS, values["fused_activation"])
    return values


def _name_of(known: tuple[str, ...], number: int) -> str:
    return known[number] if number < len(known) else f"number {number}"


def _int8_scales(largest: np.ndarray) -> np.ndarray:
    """One scale per filter so that its largest magnitude becomes 127; 0 for an empty filter.

    Kept so small that 127 times the scale, as a reader computes it, does not round up to infinity.
    """
    return np.minimum(largest / np.float32(127), _MAX_SCALE).astype(np.float32)


def _to_int8(values: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Round half to even, so that no bias creeps in; a filter whose scale underflows to 0 is all zeros."""
    with np.errstate(over="ignore"):  # a damaged plan may have any scale
        quotient = np.divide(values, scales, out=np.zeros_like(values), where=scales > 0)
    return np.clip(np.rint(quotient), -127, 127).astype(np.int8)


def _check_value_type(values: np.ndarray, value_type: str) -> None:
    known = ", ".join(VALUE_TYPES)
    expect(value_type in VALUE_TYPES, f"values is one of {known}", repr(value_type), "choose one of them")
    largest = float(max(values.max(initial=0), -values.min(initial=0)))
    expect(
        value_type != "float16" or largest < 65520,
        "float16 weights are at most 65504 in magnitude",
        f"{largest:g}",
        "use float32",
    )


def filter_scales(weights: np.ndarray) -> np.ndarray:
    """The scales of int8 for weights float32 OHWI: float32 ``[O]``, in the order of the filters."""
    return _int8_scales(np.abs(weights).max(axis=(1, 2, 3), initial=0))


def round_values(weights: np.ndarray, value_type: str) -> np.ndarray:
    """Weights as a reader expands them: float32 OHWI ``[O, H, W, I]`` rounded to `value_type`, filter by filter."""
    weights = np.asarray(weights, np.float32)
    _check_value_type(weights, value_type)
    if value_type == "float16":
        return weights.astype(np.float16).astype(np.float32)
    if value_type == "int8":
        scales = filter_scales(weights)[:, None, None, None]
        return _to_int8(weights, np.broadcast_to(scales, weights.shape)).astype(np.float32) * scales
    return weights


def _encode_values(layer: SparseLayer, value_type: str) -> tuple[bytes, np.ndarray | None]:
    """The bytes of `values`, and the scales of int8: the layer's own, with which its values come out as they were."""
    _check_value_type(layer.values, value_type)
    if value_type != "int8":
        return layer.values.astype(_DTYPES[value_type]).tobytes(), None
    filters = layer.value_filters()
    scales = np.zeros(layer.num_groups * layer.group_size, np.float32)
    if layer.scales is None:
        np.maximum.at(scales, filters, np.abs(layer.values))
        scales = _int8_scales(scales)
    else:
        scales[: layer.out_channels] = layer.scales
    return _to_int8(layer.values, scales[filters]).tobytes(), scales[: layer.out_channels]


def _encode_gaps(layer: SparseLayer) -> np.ndarray:
    """Channels as bytes: a gap below 255 is one byte, 255 stands for "add 255 and read on"."""
    channels = layer.channels.astype(np.int64)
    previous = np.roll(channels, 1)
    previous[np.cumsum(layer.run_counts, dtype=np.int64) - layer.run_counts] = -1
    gaps = channels - previous - 1
    ends = np.cumsum(gaps // 255 + 1)
    encoded = np.full(ends[-1] if len(ends) else 0, 255, np.uint8)
    encoded[ends - 1] = gaps % 255
    return encoded


def _decode_gaps(encoded: np.ndarray, run_counts: np.ndarray) -> np.ndarray:
    """Channels of all kernels, int64; ValueError where the bytes are not those of the runs' kernels."""
    kernels = int(run_counts.sum(dtype=np.int64))
    ends = np.flatnonzero(encoded != 255)
    expect(len(ends) == kernels, f"channel_gaps hold {kernels} channels", len(ends))
    expect(len(encoded) == 0 or encoded[-1] != 255, "channel_gaps end with a byte below 255", 255)
    totals = np.concatenate([[0], np.cumsum(encoded, dtype=np.int64)[ends] + np.arange(1, kernels + 1)])
    first = np.cumsum(run_counts, dtype=np.int64) - run_counts
    return totals[1:] - np.repeat(totals[first], run_counts) - 1


def _least_version(layer: SparseLayer) -> int:
    """The lowest version that has all that a layer needs: readers of before read version 1."""
    return 1 if layer.plain and layer.tensor_type == "float32" and layer.int_bias is None else 2


def serialize(layer: SparseLayer, value_type: str = "float32") -> bytes:
    """Write a packed layer as an MCP1 blob, of version 1 where that has all that the layer needs.

    Parameters
    ----------
    layer
        The layer, as `pack` makes it.
    value_type
        How values are stored: ``"float32"``, ``"float16"``, or ``"int8"`` with one scale per filter.

    Raises
    ------
    ValueError
        The value type is unknown, or float16 cannot hold a weight.
    """
    values, scales = _encode_values(layer, value_type)
    builder = flatbuffers.Builder(len(values) + 4096)
    # Each value at its alignment, whatever the builder does with `force_align`: it packs from the end, so pad there.
    vectors: dict[str, int] = {"Values": _aligned_bytes(builder, values)}
    arrays = {
        "Patterns": layer.patterns,
        "GroupRuns": layer.group_runs,
        "RunPatterns": layer.run_patterns,
        "RunCounts": layer.run_counts,
        "ChannelGaps": _encode_gaps(layer),
        "Scales": scales,
        "Permutation": None if np.array_equal(layer.permutation, np.arange(layer.out_channels)) else layer.permutation,
        "Bias": layer.bias,
        "IntBias": layer.int_bias,
    }
    vectors |= {name: builder.CreateNumpyVector(array) for name, array in arrays.items() if array is not None}
    scalars = {
        "Version": _least_version(layer),
        "Kind": _KINDS.index(layer.kind),
        "KernelHeight": layer.kernel_size[0],
        "KernelWidth": layer.kernel_size[1],
        "InChannels": layer.in_channels,
        "OutChannels": layer.out_channels,
        "GroupSize": layer.group_size,
        "ValueType": VALUE_TYPES.index(value_type),
        "TensorType": _TENSOR_TYPES.index(layer.tensor_type),
        "UnitChannels": layer.unit_channels,
        "Groups": layer.groups,
    }
    schema.SparseLayerStart(builder)
    for name, value in (scalars | vectors).items():
        getattr(schema, f"SparseLayerAdd{name}")(builder, value)
    builder.Finish(schema.SparseLayerEnd(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _aligned_bytes(builder: flatbuffers.Builder, data: bytes) -> int:
    """A byte vector that starts at a multiple of 16, as the schema's `force_align` says."""
    builder.StartVector(1, len(data), 16)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return builder.EndVector()


def _vector(table: schema.SparseLayer, name: str, dtype: str) -> np.ndarray | None:
    """A vector of the table as an array, or None where it is absent."""
    array = getattr(table, f"{name}AsNumpy")()
    return None if isinstance(array, int) else np.asarray(array, dtype)


def _read_table(blob: bytes) -> tuple[schema.SparseLayer, dict[str, Any]]:
    data = bytearray(blob)
    table = schema.SparseLayer.GetRootAs(data, 0)
    types = {"Patterns": "u8", "GroupRuns": "u4", "RunPatterns": "u2", "RunCounts": "u2", "ChannelGaps": "u1"}
    types |= {"Values": "u1", "Scales": "f4", "Permutation": "u2", "Bias": "f4", "IntBias": "i4"}
    vectors: dict[str, Any] = {name: _vector(table, name, dtype) for name, dtype in types.items()}
    scalars = ("Version", "Kind", "KernelHeight", "KernelWidth", "InChannels", "OutChannels", "GroupSize", "ValueType")
    scalars += ("TensorType", "UnitChannels", "Groups")
    return table, vectors | {name: getattr(table, name)() for name in scalars}


def deserialize(blob: bytes) -> SparseLayer:
    """Read a packed layer back from an MCP1 blob, its values expanded to float32, its units and groups to channels.

    Raises
    ------
    ValueError
        One sentence: what the format says, and what the blob holds; or what of it is not converted yet.
    """
    layer = read_blob(blob)
    if layer.tensor_type == "int8":
        raise ValueError("its activations are int8, which this version of mcpruner does not convert yet")
    return take_units_apart(layer)


def read_blob(blob: bytes) -> SparseLayer:
    """Do as `deserialize`, with units, groups and int8 tensors as the blob has them."""
    expect(len(blob) >= 8 and bytes(blob[4:8]) == IDENTIFIER, "a blob begins with MCP1", repr(bytes(blob[4:8])))
    try:
        _, t = _read_table(blob)
    except Exception as error:  # whatever damaged offsets lead to
        raise ValueError("expected an MCP1 blob, got damaged bytes; convert the model again") from error
    expect(t["Version"] in VERSIONS, "version is 1 or 2", t["Version"])
    expect(t["TensorType"] < len(_TENSOR_TYPES), f"tensor_type is below {len(_TENSOR_TYPES)}", t["TensorType"])
    expect(t["Kind"] < len(_KINDS), f"kind is below {len(_KINDS)}", t["Kind"])
    expect(t["ValueType"] < len(VALUE_TYPES), f"value_type is below {len(VALUE_TYPES)}", t["ValueType"])
    value_type = VALUE_TYPES[t["ValueType"]]
    size = np.dtype(_DTYPES[value_type]).itemsize
    empty = {name: np.zeros(0, dtype) for name, dtype in (("Patterns", "u8"), ("ChannelGaps", "u1"), ("Values", "u1"))}
    empty |= {"GroupRuns": np.zeros(0, "u4"), "RunPatterns": np.zeros(0, "u2"), "RunCounts": np.zeros(0, "u2")}
    t |= {name: array for name, array in empty.items() if t[name] is None}
    expect(len(t["Values"]) % size == 0, f"values are whole {value_type} numbers", f"{len(t['Values'])} bytes")
    layer = SparseLayer(
        kind=_KINDS[t["Kind"]],
        kernel_size=(t["KernelHeight"], t["KernelWidth"]),
        in_channels=t["InChannels"],
        out_channels=t["OutChannels"],
        group_size=t["GroupSize"],
        patterns=t["Patterns"],
        group_runs=t["GroupRuns"],
        run_patterns=t["RunPatterns"],
        run_counts=t["RunCounts"],
        channels=_decode_gaps(t["ChannelGaps"], t["RunCounts"]),
        values=np.frombuffer(t["Values"].tobytes(), _DTYPES[value_type]).astype(np.float32),
        permutation=np.arange(t["OutChannels"]) if t["Permutation"] is None else t["Permutation"],
        bias=t["Bias"],
        value_type=value_type,
        scales=t["Scales"],
        tensor_type=_TENSOR_TYPES[t["TensorType"]],
        unit_channels=t["UnitChannels"],
        groups=t["Groups"],
        int_bias=t["IntBias"],
    )
    newer = t["Version"] == 1 and _least_version(layer) > 1
    expect(not newer, "a layer of version 1 has nothing of version 2", "unit_channels, groups, tensor_type or int_bias")
    check_layer(layer, t["Values"])
    if layer.scales is not None:
        lanes = np.zeros(layer.num_groups * layer.group_size, np.float32)
        lanes[: layer.out_channels] = layer.scales
        with np.errstate(over="ignore"):  # found by the check
            layer.values = layer.values * lanes[layer.value_filters()]
        expect(bool(np.isfinite(layer.values).all()), "int8 values times their scales are finite", "infinity")
    layer.channels = layer.channels.astype(np.uint16)
    layer.permutation = layer.permutation.astype(np.uint16)
    return layer
