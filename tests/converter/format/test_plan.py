"""Plans to bytes and back; what is damaged is one sentence, and what fits no layer is left out."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest

from mcpruner.converter.format import model_plan_generated as schema
from mcpruner.converter.format.pack import pack, unpack
from mcpruner.converter.format.plan import LayerPlan, ModelPlan, deserialize_plan, serialize_plan
from mcpruner.converter.format.serialize import deserialize, filter_scales, round_values, serialize

RNG = np.random.default_rng(3)


def weights() -> np.ndarray:
    dense = RNG.standard_normal((13, 3, 2, 5)).astype(np.float16).astype(np.float32)
    return dense * (RNG.random(dense.shape) < 0.3)


def plan(key: int, value_type: str = "float32", group_size: int = 4) -> LayerPlan:
    scales = RNG.random(13).astype(np.float32) if value_type == "int8" else None
    return LayerPlan(key, group_size, RNG.permutation(13).astype(np.uint16), value_type, scales, key % 2 == 1)


def assert_same(found: tuple[LayerPlan, ...], expected: list[LayerPlan]) -> None:
    assert len(found) == len(expected)
    assert all(a.same_as(b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("version", [None, "2.3.0"])
def test_there_and_back(version: str | None) -> None:
    layers = [plan(2**64 - 1, "int8", 16), plan(7, "float16", 1), LayerPlan(0, 8, None, "float32")]
    found = deserialize_plan(serialize_plan(ModelPlan("dense", tuple(layers), version)))
    assert (found.file_format, found.min_runtime_version) == ("dense", version)
    assert_same(found.layers, layers)


def test_equal_plans_of_equal_weights_are_written_once_and_others_in_order() -> None:
    one, other, third = plan(1), plan(1), plan(2)
    found = deserialize_plan(serialize_plan(ModelPlan("portable", (one, third, one, third))))
    assert_same(found.layers, [one, third])
    found = deserialize_plan(serialize_plan(ModelPlan("portable", (one, third, one, other))))
    assert_same(found.layers, [one, one, other, third])
    assert {key: len(of_key) for key, of_key in found.by_key().items()} == {1: 3, 2: 1}


@pytest.mark.parametrize("value_type", ["float32", "float16", "int8"])
@pytest.mark.parametrize("bias", [None, np.arange(13, dtype=np.float32)])
def test_a_blob_is_made_again(value_type: str, bias: np.ndarray | None) -> None:
    exact, permutation = weights(), RNG.permutation(13)
    packed = pack(round_values(exact, value_type), permutation, 4, bias)
    packed.scales = filter_scales(exact)[permutation] if value_type == "int8" else None
    blob = serialize(packed, value_type)
    layer = deserialize(blob)
    written = np.zeros(13, np.float32) if bias is None else bias
    again, read = LayerPlan.of(layer, 0, bias is None).make_blob(unpack(layer), written, "Conv2D")
    assert again == blob and read.value_type == value_type


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"permutation": np.arange(12, dtype=np.uint16)}, "expected a permutation of the 13 filters"),
        ({"permutation": np.zeros(13, np.uint16)}, "expected a permutation of the 13 filters"),
        ({"value_type": "int8", "scales": np.ones(12, np.float32)}, "expected 13 scales, got 12"),
        ({"value_type": "int8", "scales": np.ones(13, np.float32)}, "expected weights that int8 values stand for"),
        ({"value_type": "int8", "scales": np.full(13, np.nan, np.float32)}, "scales are finite"),
    ],
)
def test_a_plan_that_does_not_fit_says_why(change: dict, words: str) -> None:
    fields = {"key": 0, "group_size": 4, "permutation": None, "value_type": "float32", **change}
    with pytest.raises(ValueError, match=words):
        LayerPlan(**fields).make_blob(weights(), None, "Conv2D")


def test_plans_that_no_layer_could_have_are_left_out() -> None:
    good = plan(5)
    bad = [
        LayerPlan(1, 3, None, "float32"),
        LayerPlan(2, 4, None, "int8"),
        LayerPlan(3, 4, None, "float32", np.ones(1)),
    ]
    assert_same(deserialize_plan(serialize_plan(ModelPlan("portable", (*bad, good)))).layers, [good])


def of_version(version: int, number: int) -> bytes:
    builder = flatbuffers.Builder(64)
    schema.ModelPlanStart(builder)
    schema.ModelPlanAddVersion(builder, version)
    schema.ModelPlanAddFormat(builder, number)
    builder.Finish(schema.ModelPlanEnd(builder), file_identifier=b"MCPP")
    return bytes(builder.Output())


def test_without_layers() -> None:
    assert deserialize_plan(of_version(1, 0)).layers == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "plans begin with MCPP"),
        (b"\x10\0\0\0MCP1" + bytes(16), "plans begin with MCPP"),
        (b"\xff\xff\xff\x7fMCPP" + bytes(8), "got damaged bytes"),
        (of_version(2, 0), "plans are of version 1, got 2; update mcpruner"),
        (of_version(1, 9), "the format is below 2, got 9"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        deserialize_plan(data)
    assert "\n" not in str(caught.value)


def test_damage_anywhere_is_a_sentence_or_does_not_matter() -> None:
    content = serialize_plan(ModelPlan("portable", tuple(plan(i, "int8") for i in range(4)), "2.2.0"))
    dense = weights()
    for position in range(0, len(content), 5):
        for value in (0, 0xFF, content[position] ^ 0x80):
            damaged = content[:position] + bytes([value]) + content[position + 1 :]
            for cut in (damaged, damaged[:position]):
                try:
                    layers = deserialize_plan(cut).layers
                except ValueError as error:
                    assert "\n" not in str(error)
                    continue
                for layer in layers:
                    try:
                        layer.make_blob(dense, None, "Conv2D")
                    except ValueError:
                        continue
