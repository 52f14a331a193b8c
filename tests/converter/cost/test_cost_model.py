"""Amounts of work are exact counts; a table is checked when it is read; what is predicted grows with the work."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mcpruner.converter.cost import cost_model
from mcpruner.converter.cost.cost_model import (
    TERMS,
    Amounts,
    Counts,
    Geometry,
    edge_amounts,
    inference_amounts,
    load_costs,
    packed_amounts,
    partition_amounts,
    rows_geometry,
    tflite_amounts,
    unpacked_amounts,
)
from mcpruner.converter.cost.plain_ops import KINDS, plain_amounts
from mcpruner.converter.target import TARGETS

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted(path.stem for path in cost_model.SHIPPED.glob("*.json"))
TABLE_OF_THREADS = {
    "packed conv": {"multiply_adds": 1.0, "layer": 100.0},
    "tflite conv": {"multiply_adds": 1.0, "layer": 100.0},
    "cpu edge": {"output_bytes": 1.0, "layer": 100.0},
    "cpu partition": {"layer": 500.0},
    "cpu barrier": {"layer": 30.0},
    "tflite barrier": {"layer": 60.0},
}
SHAPES = [((64, 3, 3, 32), "Conv2D"), ((64, 1, 1, 32), "Conv2D"), ((64, 1, 1, 32), "FullyConnected")]


def test_amounts_of_a_packed_convolution() -> None:
    """7 columns are 8 lanes of 16, so a tile is 6 vectors of 8: 56 pixels are two tiles."""
    entry, terms = packed_amounts(Counts(900, 100, 20, 8), (32, 3, 3, 16), 8, Geometry("Conv2D", 7, 7, 2), "avx512")
    assert entry == "packed conv"
    assert terms == {
        "multiply_adds": 900 * 56,
        "loads": 900 * 56 / 4,
        "kernels": 100 * 2 * 2,
        "output_bytes": 4 * 32 * 49,
        "strided_bytes": 4 * 16 * 49 * 4,
        "weight_bytes": 4 * (900 + 100),
        "layer": 1,
    }


def test_amounts_of_dense_layers() -> None:
    entry, terms = tflite_amounts((20, 3, 3, 16), Geometry("Conv2D", 7, 8), "avx512")
    assert entry == "tflite conv" and terms["multiply_adds"] == 32 * 9 * 16 * 56
    entry, terms = tflite_amounts((1000, 1, 1, 2048), Geometry("FullyConnected", 3, 1), "avx2")
    assert entry == "tflite fully_connected" and terms["multiply_adds"] == 3 * 2048000
    assert terms["weight_bytes"] == 4 * 2048000
    depthwise = ((1, 3, 3, 24), Geometry("DepthwiseConv2D", 10, 10))
    assert unpacked_amounts(*depthwise, "avx2").terms["multiply_adds"] == 24 * 9 * 10 * 16
    assert tflite_amounts(*depthwise, "avx2").terms["multiply_adds"] == 24 * 9 * 100
    assert unpacked_amounts((10, 1, 1, 8), Geometry(), "neon").terms["multiply_adds"] == 12 * 8 * 32 * 32


@pytest.mark.parametrize(
    ("sizes", "height", "width"),
    [([5], 5, 1), ([], 1, 1), ([0], 0, 1), ([1, 7, 9], 7, 9), ([2, 7, 9], 14, 9), ([1, 40], 1, 40), ([1, 1, 2], 2, 1),
     ([1, 1, 3], 1, 3), ([4, 3, 1], 4, 3), ([1, 2, 3, 4], 24, 1), ([8, 1, 1], 8, 1)],
)  # fmt: skip
def test_a_fully_connected_layer_over_a_map_costs_as_a_convolution(sizes: list[int], height: int, width: int) -> None:
    geometry = rows_geometry(sizes)
    assert geometry == Geometry("FullyConnected", height, width)
    counts, shape = Counts(90, 30, 20, 1), (32, 1, 1, 16)
    packed, dense = packed_amounts(counts, shape, 4, geometry, "avx512"), tflite_amounts(shape, geometry, "avx512")
    if width == 1:
        assert packed.entry == "packed fully_connected" and packed.terms["multiply_adds"] == 90 * max(1, height)
        assert dense.entry == "tflite fully_connected" and dense.terms["multiply_adds"] == 32 * 16 * max(1, height)
    else:
        convolution = Geometry("Conv2D", height, width)
        assert packed == packed_amounts(counts, shape, 4, convolution, "avx512")
        assert dense == tflite_amounts(shape, convolution, "avx512")


@pytest.mark.parametrize(
    ("filters", "kind", "values", "kernels"),
    [
        (1, "FullyConnected", 4 * 7, 7),
        (15, "FullyConnected", 16 * 7, 4 * 7),
        (16, "FullyConnected", 16 * 7, 7),
        (17, "FullyConnected", 32 * 7, 2 * 7),
        (1000, "FullyConnected", 1008 * 7, 63 * 7),
        (17, "Conv2D", 20 * 7, 5 * 7),
    ],
)
def test_groups_of_dense_layers_in_the_plugin(filters: int, kind: str, values: int, kernels: int) -> None:
    terms = unpacked_amounts((filters, 1, 1, 7), Geometry(kind, 3, 1), "avx2").terms
    assert terms["weight_bytes"] == 4 * (values + kernels)
    assert terms["kernels"] == 3 * kernels if kind == "FullyConnected" else kernels


def test_amounts_of_grouped_convolutions() -> None:
    """Each group fills XNNPACK's tiles for itself; ours is a sparse layer of all input channels."""
    geometry = Geometry("Conv2D", 7, 8, 2, groups=3)
    entry, terms = tflite_amounts((60, 1, 1, 16), geometry, "avx512")
    assert entry == "tflite conv" and terms["multiply_adds"] == 3 * 32 * (16 + cost_model.GROUP_CALL) * 56
    assert terms["weight_bytes"] == 4 * 60 * 16 and terms["strided_bytes"] == 4 * 48 * 56 * 4
    entry, terms = packed_amounts(Counts(900, 100, 20, 8), (60, 1, 1, 16), 4, geometry, "avx512")
    assert entry == "packed pointwise" and terms["strided_bytes"] == 4 * 48 * 56 * 4


def test_amounts_of_transposed_convolutions() -> None:
    """An ordinary one of the input's pixels, whose results are stored as channels and once more as pixels."""
    geometry = Geometry("TransposeConv2D", 7, 8, 2)
    entry, terms = packed_amounts(Counts(900, 100, 20, 8), (20, 3, 3, 16), 4, geometry, "avx512")
    assert entry == "packed conv" and terms["multiply_adds"] == 900 * 7 * 8
    assert terms["output_bytes"] == 2 * 4 * 20 * 4 * 7 * 8 and terms["strided_bytes"] == 0
    assert packed_amounts(Counts(900, 100, 20, 8), (20, 2, 2, 16), 4, geometry, "avx512").entry == "packed pointwise"
    assert tflite_amounts((20, 3, 3, 16), geometry, "avx512") == tflite_amounts(
        (20, 3, 3, 16), Geometry("Conv2D", 7, 8), "avx512"
    )


@pytest.mark.parametrize(("filters", "groups", "size"), [(60, 3, 4), (18, 3, 2), (12, 4, 1), (12, 12, 1)])
def test_no_group_of_the_plugin_reaches_over_two_of_a_grouped_convolution(filters: int, groups: int, size: int) -> None:
    terms = unpacked_amounts((filters, 1, 1, 7), Geometry("Conv2D", 1, 4, groups=groups), "avx2").terms
    assert terms["kernels"] == 7 * filters / size
    assert terms["weight_bytes"] == 4 * (7 * filters + 7 * filters / size)


def test_groups_of_dense_layers_are_those_of_the_plugin() -> None:
    parser = (ROOT / "delegate/tflite/parse/parse_conv.cc").read_text()
    least, wide, other = map(
        int, re.search(r"single_pixels && out_channels >= (\d+) \? (\d+) : (\d+);", parser).groups()
    )
    assert least == wide == cost_model.DENSE_GROUP_OF_PIXELS
    assert other == cost_model.DENSE_GROUP
    assert "return std::gcd(out_channels / groups, 4);" in parser


@pytest.mark.parametrize("simd", cost_model.VECTORS)
def test_amounts_name_the_terms_of_their_kernel(simd: str) -> None:
    made = [edge_amounts(10), partition_amounts(), inference_amounts()]
    for kind in KINDS:
        made += plain_amounts(kind, [(1, 5, 7, 3)], [(1, 5, 7, 3)], (2, 3), simd)
    for shape, kind in SHAPES:
        geometry = Geometry(kind, width=1)
        made.append(packed_amounts(Counts(9, 3, 2, 1), shape, 2, geometry, simd))
        made += [unpacked_amounts(shape, geometry, simd), tflite_amounts(shape, geometry, simd)]
    for measure in (unpacked_amounts, tflite_amounts):
        made.append(measure((1, 3, 3, 8), Geometry("DepthwiseConv2D"), simd))
    assert {amounts.entry for amounts in made} == set(TERMS) - set(cost_model.BARRIERS)
    for amounts in made:
        assert set(amounts.terms) == set(TERMS[amounts.entry])
        assert all(amount >= 0 for amount in amounts.terms.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_tables_grow_with_the_work(name: str) -> None:
    costs = load_costs(name)
    for shape, kind in SHAPES:
        counts, geometry = Counts(4000, 1000, 60, 8), Geometry(kind, 14, 14)
        for group_size in (1, 2, 4, 8, 16):
            time = costs.time(packed_amounts(counts, shape, group_size, geometry, costs.simd))
            more = replace(counts, values=4400, kernels=1100)
            assert 0 < time < costs.time(packed_amounts(more, shape, group_size, geometry, costs.simd))
            assert time < costs.time(
                packed_amounts(counts, shape, group_size, replace(geometry, height=28), costs.simd)
            )
        dense = costs.time(tflite_amounts(shape, geometry, costs.simd))
        assert 0 < dense < costs.time(tflite_amounts((128, *shape[1:]), geometry, costs.simd))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_tables_share_loads_between_filters(name: str) -> None:
    costs = load_costs(name)
    times = [
        costs.time(packed_amounts(Counts(4000, 1000, 60, 8), (64, 3, 3, 32), group_size, Geometry(), costs.simd))
        for group_size in (1, 2, 4)
    ]
    assert times == sorted(times, reverse=True)


def test_weights_beyond_the_last_cache_come_from_memory(tmp_path: Path) -> None:
    table = json.loads((cost_model.SHIPPED / "a73.json").read_text())
    rates = {"L1": 100.0, "L2": 50.0, "memory": 10.0}
    table["limits"] = {"cache_bytes": {"L1": 1000, "L2": 9000}, "read_gigabytes_per_second": rates}
    (tmp_path / "table.json").write_text(json.dumps(table))
    costs = load_costs(tmp_path / "table.json")
    assert costs.for_model(9000) is costs
    amounts = tflite_amounts((64, 3, 3, 32), Geometry(), "neon")
    more = costs.for_model(9001).time(amounts) - costs.time(amounts)
    assert more == pytest.approx(amounts.terms["weight_bytes"] * (1 / 10 - 1 / 50))
    depthwise = tflite_amounts((1, 3, 3, 8), Geometry("DepthwiseConv2D"), "neon")
    assert costs.for_model(9001).time(depthwise) == costs.time(depthwise)


def test_threads_share_all_but_the_start_of_an_operator() -> None:
    """The same numbers as in delegate/cost/read_table_test.cc."""
    costs = replace(load_costs("a73"), nanoseconds=TABLE_OF_THREADS)

    def time(entry: str, amount: float, num_threads: int) -> float:
        terms = {term: amount for term in TABLE_OF_THREADS[entry] if term != "layer"}
        return costs.for_threads(num_threads).time(Amounts(entry, {**terms, "layer": 1}))

    assert time("packed conv", 400, 1) == 500
    assert time("packed conv", 400, 2) == 100 + 200 + 30
    assert time("packed conv", 400, 4) == 100 + 100 + 30
    assert time("tflite conv", 400, 4) == 100 + 100 + 60
    assert time("cpu edge", 400, 4) == 100 + 100 + 30
    assert time("tflite conv", 100, 2) == 200  # what is small is left to one thread
    assert costs.for_threads(8).time(partition_amounts()) == 500


@pytest.mark.parametrize("name", SHIPPED)
def test_more_threads_are_never_predicted_slower(name: str) -> None:
    costs = load_costs(name)
    for shape, kind in SHAPES:
        amounts = tflite_amounts(shape, Geometry(kind, 14, 14), costs.simd)
        times = [costs.for_threads(num_threads).time(amounts) for num_threads in (1, 2, 3, 8)]
        assert times == sorted(times, reverse=True) and times[-1] > 0
    for call in (partition_amounts(), inference_amounts()):
        assert costs.for_threads(4).time(call) == costs.time(call)


def test_files_of_older_versions_have_no_barriers(tmp_path: Path) -> None:
    table = json.loads((cost_model.SHIPPED / "a73.json").read_text())
    for entry in cost_model.BARRIERS:
        assert table["nanoseconds"].pop(entry)["layer"] > 0
    (tmp_path / "old.json").write_text(json.dumps(table))
    old, now = load_costs(tmp_path / "old.json"), load_costs("a73")
    assert [old.nanoseconds[entry] for entry in cost_model.BARRIERS] == [{"layer": 0.0}] * 2
    amounts = tflite_amounts((64, 3, 3, 32), Geometry(), "neon")
    assert old.time(amounts) == now.time(amounts)
    assert old.for_threads(2).time(amounts) < now.for_threads(2).time(amounts)


def test_a_table_without_limits_knows_no_memory(tmp_path: Path) -> None:
    table = json.loads((cost_model.SHIPPED / "a73.json").read_text())
    for limits in ({}, {"limits": {"cache_bytes": {}, "read_gigabytes_per_second": {"memory": 10.0}}}):
        (tmp_path / "table.json").write_text(json.dumps({**table, **limits}))
        costs = load_costs(tmp_path / "table.json")
        assert costs.for_model(1e12) is costs


def test_every_target_has_a_table() -> None:
    for target in TARGETS.values():
        assert load_costs(target.costs).name == target.costs


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_tables_say_where_they_come_from(name: str) -> None:
    table = json.loads((cost_model.SHIPPED / f"{name}.json").read_text())
    assert table["origin"].startswith(("measured by `mcpruner calibrate", "argued, not measured"))
    assert table["machine"] and table["date"]


def _without(table: dict, *path: str) -> dict:
    copy = json.loads(json.dumps(table))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


def test_bad_calibrations_are_one_sentence(tmp_path: Path) -> None:
    table = json.loads((cost_model.SHIPPED / "a73.json").read_text())
    negative = json.loads(json.dumps(table))
    negative["nanoseconds"]["cpu edge"]["layer"] = -1
    barrier = json.loads(json.dumps(table))
    barrier["nanoseconds"]["tflite barrier"]["layer"] = -1
    not_a_number = json.loads(json.dumps(table))
    not_a_number["nanoseconds"]["cpu barrier"]["layer"] = float("nan")
    cases = [
        ("[1, 2]", "list indices"),
        ("no json", "Expecting value"),
        (json.dumps({**table, "format": 1}), "its format is 1, this version reads 2"),
        (json.dumps({**table, "simd": "mmx"}), "its simd is 'mmx', known are avx512"),
        (json.dumps(_without(table, "nanoseconds", "cpu edge")), "'cpu edge' is missing"),
        (json.dumps(_without(table, "nanoseconds", "cpu edge", "layer")), "'layer' is missing"),
        (json.dumps(negative), "the costs of 'cpu edge' must be at least 0"),
        (json.dumps(barrier), "the costs of 'tflite barrier' must be at least 0 and finite"),
        (json.dumps(not_a_number), "the costs of 'cpu barrier' must be at least 0 and finite"),
    ]
    path = tmp_path / "bad.json"
    for text, reason in cases:
        path.write_text(text)
        with pytest.raises(ValueError, match=r"bad\.json is no calibration") as caught:
            load_costs(path)
        assert reason in str(caught.value) and str(caught.value).endswith("write one with `mcpruner calibrate`.")
    with pytest.raises(FileNotFoundError):
        load_costs(tmp_path / "absent.json")
