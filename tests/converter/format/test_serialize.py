"""Blobs: bytes that never change, values as stored, and damaged bytes that are refused with a sentence."""

import dataclasses
import random

import flatbuffers
import numpy as np
import pytest
from flatbuffers import flexbuffers
from golden import make_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_layers import random_units

from mcpruner.converter.format import serialize as serialize_module
from mcpruner.converter.format import sparse_pattern_generated as schema
from mcpruner.converter.format.check_layer import check_layer
from mcpruner.converter.format.flex_map import write_map
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import pack, unpack
from mcpruner.converter.format.serialize import (
    VALUE_TYPES,
    SparseOptions,
    deserialize,
    deserialize_options,
    read_blob,
    round_values,
    serialize,
    serialize_options,
)
from mcpruner.converter.format.units import take_units_apart

GOLDEN = make_golden.layers()


def random_layer(seed: int, density: float = 0.3) -> tuple[np.ndarray, SparseLayer]:
    """Weights and their packed layer."""
    rng = np.random.default_rng(seed)
    shape = (rng.integers(1, 20), *rng.integers(1, 5, 2), rng.integers(1, 600))
    weights = np.where(rng.random(shape) < density, rng.standard_normal(shape), 0).astype(np.float32)
    bias = rng.standard_normal(shape[0]).astype(np.float32)
    return weights, pack(weights, rng.permutation(shape[0]), int(rng.choice([1, 2, 4, 8, 16])), bias)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_files_are_written_again(name: str) -> None:
    assert (make_golden.FOLDER / name).read_bytes() == GOLDEN[name]


@pytest.mark.parametrize("name", [name.removesuffix(".mcp") for name in GOLDEN if name.endswith(".mcp")])
def test_golden_files_read_to_their_weights(name: str) -> None:
    layer = take_units_apart(read_blob((make_golden.FOLDER / f"{name}.mcp").read_bytes()))
    check_layer(layer, layer.values.view(np.uint8))
    assert unpack(layer).astype("<f4").tobytes() == (make_golden.FOLDER / f"{name}.f32").read_bytes()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0, 1), st.sampled_from(VALUE_TYPES))
def test_a_blob_reads_back_as_it_was_rounded(seed: int, density: float, value_type: str) -> None:
    weights, layer = random_layer(seed, density)
    read = deserialize(serialize(layer, value_type))
    np.testing.assert_array_equal(unpack(read), round_values(weights, value_type))
    for field in ("kind", "kernel_size", "in_channels", "out_channels", "group_size"):
        assert getattr(read, field) == getattr(layer, field)
    for field in ("patterns", "group_runs", "run_patterns", "run_counts", "channels", "permutation", "bias"):
        np.testing.assert_array_equal(getattr(read, field), getattr(layer, field))
    assert read.value_type == value_type


def test_rounding_is_that_of_the_value_type() -> None:
    weights = np.array([[[[1.0, 1 / 3, -127.0]]], [[[0.0, 0.0, 0.0]]]], np.float32)
    np.testing.assert_array_equal(round_values(weights, "float16")[0, 0, 0], np.float16([1, 1 / 3, -127]))
    np.testing.assert_array_equal(round_values(weights, "int8"), [[[[1, 0, -127]]], [[[0, 0, 0]]]])


@pytest.mark.parametrize(("value_type", "weight", "sentence"), [("float16", 7e4, "65504"), ("bfloat16", 1, "one of")])
def test_value_types_that_do_not_fit_are_refused(value_type: str, weight: float, sentence: str) -> None:
    layer = pack(np.full((1, 1, 1, 1), weight, np.float32), np.arange(1), 1)
    with pytest.raises(ValueError, match=sentence) as error:
        serialize(layer, value_type)
    assert "damaged" not in str(error.value)


def test_the_largest_weights_stay_finite_in_int8() -> None:
    """127 * (max / 127) rounds up to infinity in float32; readers refuse that."""
    weights = np.full((1, 1, 1, 1), np.finfo(np.float32).max, np.float32)
    read = deserialize(serialize(pack(weights, np.arange(1), 1), "int8"))
    np.testing.assert_array_equal(unpack(read), round_values(weights, "int8"))
    np.testing.assert_allclose(unpack(read), weights, rtol=1e-6)


def test_scales_that_overflow_are_refused() -> None:
    blob = bytearray(GOLDEN["readme_int8.mcp"])
    scale = deserialize(bytes(blob)).scales[0].tobytes()
    at = blob.index(scale)
    blob[at : at + 4] = np.finfo(np.float32).max.astype("<f4").tobytes()
    with pytest.raises(ValueError, match="times their scales are finite"):
        deserialize(bytes(blob))


def _changed(**fields: object) -> SparseLayer:
    weights, permutation, bias = make_golden.readme_layer()
    return dataclasses.replace(pack(weights, permutation, 4, bias), **fields)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (_changed(in_channels=2), "channels are below 2"),
        (_changed(out_channels=0), "out_channels is at least 1"),
        (_changed(group_size=3), "group_size is"),
        (_changed(kind="FullyConnected"), "fully connected is 1 x 1"),
        (_changed(kernel_size=(8, 9)), "1 to 64 positions"),
        (_changed(kernel_size=(1, 1)), "positions below 1"),
        (_changed(patterns=np.array([9, 9], np.uint64)), "all patterns differ"),
        (_changed(patterns=np.array([9, 0], np.uint64)), "no pattern is empty"),
        (_changed(patterns=np.array([9], np.uint64)), "run_patterns are below 1"),
        (_changed(group_runs=np.array([1], np.uint32)), "group_runs has 2 groups"),
        (_changed(group_runs=np.array([1, 2], np.uint32)), "there are 3 run_patterns"),
        (_changed(run_counts=np.array([2], np.uint16)), "there are 2 run_counts"),
        (_changed(values=np.ones(20, np.float32)), "beyond the last filter"),
        (_changed(values=np.ones(21, np.float32)), "there are 20 values"),
        (_changed(values=np.full(20, np.nan, np.float32)), "values are finite"),
        (_changed(permutation=np.array([0, 1, 2, 3, 3])), "permutation is one"),
        (_changed(bias=np.ones(4, np.float32)), "there are 5 biases"),
        (_changed(bias=np.full(5, np.inf, np.float32)), "biases are finite"),
    ],
)
def test_each_broken_statement_is_named(layer: SparseLayer, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        deserialize(serialize(layer))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.sampled_from(VALUE_TYPES))
def test_units_and_groups_read_back_as_channels(seed: int, value_type: str) -> None:
    weights, layer = random_units(np.random.default_rng(seed))
    blob = serialize(layer, value_type)
    read, plain = read_blob(blob), deserialize(blob)
    assert (read.unit_channels, read.groups) == (layer.unit_channels, layer.groups)
    np.testing.assert_array_equal(read.channels, layer.channels)
    assert plain.plain and plain.value_type == value_type
    np.testing.assert_array_equal(unpack(plain), round_values(weights, value_type))
    check_layer(dataclasses.replace(plain, value_type="float32", scales=None), plain.values.view(np.uint8))
    assert plain.nnz == read.nnz and plain.density == read.density <= 1
    again = deserialize(serialize(plain, value_type))  # in version 1, which readers of before read
    np.testing.assert_array_equal(unpack(again), unpack(plain))


def test_values_of_a_unit_stand_together() -> None:
    weights = np.arange(1, 17, dtype=np.float32).reshape(2, 1, 2, 4)  # [filter, row, position, channel]
    layer = pack(weights, np.arange(2), 2, unit_channels=4)
    np.testing.assert_array_equal(layer.values, [1, 2, 3, 4, 9, 10, 11, 12, 5, 6, 7, 8, 13, 14, 15, 16])
    np.testing.assert_array_equal(
        take_units_apart(layer).values, [1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15, 4, 12, 8, 16]
    )


def test_a_layer_that_needs_nothing_of_version_2_is_written_as_version_1() -> None:
    version = {name: schema.SparseLayer.GetRootAs(GOLDEN[name], 0).Version() for name in GOLDEN if name[-4:] == ".mcp"}
    newer = {name for name, number in version.items() if number == 2}
    assert newer == {"units.mcp", "units_float16.mcp", "units_grouped.mcp", "int8_tensors.mcp"}
    assert set(version.values()) == {1, 2}


def test_int8_tensors_are_read_but_not_converted_yet() -> None:
    with pytest.raises(ValueError, match="^its activations are int8, which this version of mcpruner does not convert"):
        deserialize(GOLDEN["int8_tensors.mcp"])
    layer = read_blob(GOLDEN["int8_tensors.mcp"])
    assert (layer.tensor_type, layer.unit_channels, layer.bias) == ("int8", 4, None)
    np.testing.assert_array_equal(layer.int_bias, [7, -(2**31), 0, 2**31 - 1, 1, -1])


PLAIN = {"value_type": "float32", "scales": None}


def _of_version_2(name: str, **fields: object) -> bytes:
    layer = read_blob(GOLDEN[f"{name}.mcp"])
    return serialize(dataclasses.replace(layer, **fields), str(fields.get("value_type", layer.value_type)))


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("units", {"unit_channels": 3}, "unit_channels is a power of two, 1 to 16, got 3"),
        ("units", {"unit_channels": 32}, "unit_channels is a power of two, 1 to 16, got 32"),
        ("units", {"unit_channels": 8}, "channels are below 2, got 2"),
        ("units", {"in_channels": 9}, "values beyond the last channel are \\+0"),
        ("units", {"groups": 2}, "groups divide the channels and the filters, got 2"),
        ("units", {"groups": 0}, "groups divide the channels and the filters, got 0"),
        ("units", {"int_bias": np.zeros(5, np.int32)}, "only layers of int8 tensors have int_bias"),
        ("units_float16", {"groups": 3, "in_channels": 6}, "only convolutions have groups"),
        ("units_grouped", PLAIN | {"group_size": 8}, "group_size divides the filters of a group, got 8"),
        (
            "units_grouped",
            PLAIN | {"permutation": np.arange(8, dtype=np.uint16)[::-1]},
            "permutation leaves every filter in its group",
        ),
        ("int8_tensors", PLAIN, "int8 tensors have int8 values, got float32"),
        ("int8_tensors", {"bias": np.zeros(6, np.float32)}, "the bias of a layer of int8 tensors is int_bias"),
        ("int8_tensors", {"int_bias": np.zeros(5, np.int32)}, "there are 6 of int_bias, got 5"),
        ("int8_tensors", {"scales": np.zeros(6, np.float32)}, "scales of a layer of int8 tensors are above 0"),
    ],
)
def test_each_broken_statement_of_version_2_is_named(name: str, fields: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_blob(_of_version_2(name, **fields))


@pytest.mark.parametrize("name", ["units", "units_grouped", "int8_tensors"])
def test_version_1_has_nothing_of_version_2(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = read_blob(GOLDEN[f"{name}.mcp"])
    with monkeypatch.context() as patched:
        patched.setattr(serialize_module, "_least_version", lambda _: 1)
        blob = serialize(layer, layer.value_type)
    with pytest.raises(ValueError, match="a layer of version 1 has nothing of version 2"):
        read_blob(blob)


def test_other_versions_and_files_are_refused() -> None:
    blob = bytearray(GOLDEN["readme.mcp"])
    with pytest.raises(ValueError, match="MCP1"):
        deserialize(bytes(blob[:4] + b"TFL3" + blob[8:]))
    with pytest.raises(ValueError, match="MCP1"):
        deserialize(b"")
    builder = flatbuffers.Builder(16)
    builder.StartObject(13)
    builder.PrependUint32Slot(0, 3, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"MCP1")
    with pytest.raises(ValueError, match="version is 1 or 2, got 3"):
        deserialize(bytes(builder.Output()))


@pytest.mark.parametrize(
    "name", [f"{each}.mcp" for each in ("readme", "readme_int8", "long_gaps", "units", "units_grouped")]
)
def test_damaged_blobs_are_refused_or_read(name: str) -> None:
    """2,000 mutations of each: a layer, or a ValueError of one sentence."""
    rng = random.Random(7)
    for _ in range(2000):
        blob = bytearray(GOLDEN[name])
        for _ in range(rng.randint(1, 3)):
            blob[rng.randrange(len(blob))] ^= 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(256)
        if rng.random() < 0.2:
            blob = blob[: rng.randrange(len(blob))]
        try:
            unpack(deserialize(bytes(blob)))
        except ValueError as error:
            assert str(error).startswith("expected") and "\n" not in str(error)


OPTIONS = SparseOptions("Explicit", 1, 2, 3, 4, 5, 6, 7, 8, "Relu6", True, 9, 10, 11)


def flat_options(padding: int = 2, activation: int = 3, version: int = 1) -> bytes:
    """`OPTIONS` as the flatbuffer that was written before there were maps."""
    builder = flatbuffers.Builder(64)
    schema.SparseOptionsStart(builder)
    schema.SparseOptionsAddVersion(builder, version)
    schema.SparseOptionsAddPadding(builder, padding)
    schema.SparseOptionsAddFusedActivation(builder, activation)
    names = ("PadTop", "PadBottom", "PadLeft", "PadRight", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
    for number, name in enumerate(names, start=1):
        getattr(schema, f"SparseOptionsAdd{name}")(builder, number)
    schema.SparseOptionsAddKeepNumDims(builder, True)
    schema.SparseOptionsAddGroups(builder, 9)
    schema.SparseOptionsAddOutputHeight(builder, 10)
    schema.SparseOptionsAddOutputWidth(builder, 11)
    builder.Finish(schema.SparseOptionsEnd(builder))
    return bytes(builder.Output())


def test_options_read_back() -> None:
    assert deserialize_options(serialize_options(OPTIONS)) == OPTIONS
    assert deserialize_options(serialize_options(SparseOptions())) == SparseOptions()
    assert deserialize_options(flat_options()) == OPTIONS


def test_options_are_a_map_that_tools_show() -> None:
    shown = {"density": 0.178, "group_size": 4, "value_type": "float16"}
    data = serialize_options(SparseOptions(stride_h=2, fused_activation="Relu", groups=3), shown)
    usual = {"padding": "Valid", "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
    assert (
        flexbuffers.Loads(data)
        == {"version": 1, "stride_h": 2, "fused_activation": "Relu", "groups": 3} | usual | shown
    )
    assert deserialize_options(data) == SparseOptions(stride_h=2, fused_activation="Relu", groups=3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (flat_options(version=2), "expected that options are of version 1, got 2"),
        (flat_options(padding=3), "expected that padding is one of Same, Valid, Explicit, got number 3"),
        (flat_options(activation=4), "expected that fused_activation is one of .*, got number 4"),
        (write_map({"version": 2}), "expected that options are of version 1, got 2"),
        (write_map({"padding": "Same"}), "expected that options are of version 1, got 0"),
        (write_map({"version": 1, "padding": "Some"}), "expected that padding is one of"),
        (write_map({"version": 1, "stride_h": 256}), "expected that stride_h is 1..255, got 256"),
        (write_map({"version": 1, "stride_h": 2.0}), "got damaged bytes"),
        (write_map({"version": 1, "keep_num_dims": 1}), "got damaged bytes"),
        (flexbuffers.Dumps([1, 2, 3]), "got damaged bytes"),
        (b"", "got damaged bytes"),
    ],
)
def test_options_that_are_none_are_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        deserialize_options(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"padding": "FULL"},
        {"fused_activation": "Tanh"},
        {"pad_left": 256},
        {"stride_h": 0},
        {"stride_w": 300},
        {"groups": 0},
    ],
)
def test_options_out_of_range_are_refused(fields: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(fields))}.*keep the layer dense"):
        serialize_options(SparseOptions(**fields))


@pytest.mark.parametrize("good", [serialize_options(OPTIONS, {"density": 0.25}), flat_options()])
def test_damaged_options_are_refused_or_read(good: bytes) -> None:
    rng = random.Random(8)
    for _ in range(2000):
        data = bytearray(good)
        data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            deserialize_options(bytes(data[: rng.randrange(1, len(data) + 1)]))
        except ValueError as error:
            assert str(error).startswith("expected") and "\n" not in str(error)


def test_the_readme_shows_the_golden_bytes() -> None:
    readme = (make_golden.FOLDER.parents[1] / "format" / "README.md").read_text()
    dump = [line.split(": ")[1][:35] for line in readme.splitlines() if line[:5] == "00000" and line[8:10] == ": "]
    assert bytes.fromhex("".join(dump)) == GOLDEN["readme.mcp"]


def test_gaps_of_255_and_more_take_further_bytes() -> None:
    layer = deserialize(GOLDEN["long_gaps.mcp"])
    np.testing.assert_array_equal(layer.channels, [0, 255, 256, 699, 600])
