"""Rows of the benchmarks, and the tables of the docs that are made from their JSON."""

from typing import Any

import peers
import pytest
import run
import tables


def timed(threads: int, ours: float, theirs: float, backend: str = "auto") -> dict[str, Any]:
    ratio = theirs / ours
    return {
        "threads": threads,
        "backend": backend,
        "median_ms": ours,
        "min_ms": ours - 0.5,
        "against_median_ms": theirs,
        "against_min_ms": theirs - 0.5,
        "speedup": ratio,
        "speedup_low": ratio - 0.1,
        "speedup_high": ratio + 0.1,
    }


def result(network: str, density: float, *results: dict[str, Any]) -> dict[str, Any]:
    cost = {"load_ms": 10.0, "first_ms": 3.0, "steady_ms": 2.0, "peak_mib": 150.0, "start_mib": 50.0}
    return {
        "network": network,
        "density": density,
        "bytes": 10_000_000,
        "against_bytes": 99_000_000,
        "largest_error": 1e-7,
        "footprint": {"litert": cost, "mcpruner": {**cost, "load_ms": 16.0, "arena_bytes": 4_100_000}},
        "results": list(results),
    }


RESNET = [result("resnet18", 0.178, timed(1, 10, ratio * 10), timed(2, 6, 21)) for ratio in (3.9, 4.1)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_rows_of_make_bench() -> None:
    (row, second) = run.speed_rows(RESNET[1])
    assert row == [
        *("resnet18", "0.178", "auto", 1, "40.50", "9.50", "41.00", "10.00", "4.10", "4.00..4.20", 4.0, "1.0e-07")
    ]
    assert len(row) == len(run.SPEED) and second[-2] == "-"
    cost = run.cost_row(RESNET[0])
    assert cost == ["resnet18", "99.0", "10.0", "150", "150", "10", "16", "1.50", "1.50", "4.1"]
    assert len(cost) == len(run.COST)


def test_speed_marks_what_misses_its_bar() -> None:
    header, _, row = tables.speed([[RESNET[0]], [RESNET[1]]]).splitlines()
    assert cells(header)[4:7] == ["ratio, run 1", "ratio, run 2", "bar"]
    assert cells(row) == [
        *("resnet18", "0.178", "41.00", "10.00", "**3.90** (3.80..4.00)", "4.10 (4.00..4.20)", "4.0"),
        *("3.50 (3.40..3.60)", "**1.67** (bar 1.75)"),
    ]


def test_other_densities_have_a_row_for_each_backend() -> None:
    both = result("vgg16", 1, timed(1, 10, 9.6, "cpu"), timed(1, 10, 9.6, "auto"))
    rows = [cells(line) for line in tables.other_densities([[both]]).splitlines()[2:]]
    assert [(row[2], row[5], row[6]) for row in rows] == [
        ("cpu", "0.96 (0.86..1.06)", "0.95"),
        ("auto", "**0.96** (0.86..1.06)", "0.97"),
    ]


def engine_result() -> dict[str, Any]:
    def one(ms: float, name: str) -> dict[str, Any]:
        return {"engine": name, "largest_error": 0.0, **timed(1, 10.0, ms), "median_ms": ms}

    engines = {"litert": one(46, "LiteRT 2"), "mcpruner": one(10, "LiteRT 2"), "ncnn": one(23, "ncnn 1")}
    engines |= {"mnn_sparse": one(12, "MNN 3"), "openvino": {"reason": "it cannot"}}
    return {"network": "resnet18", "density": 0.178, "threads": 1, "engines": engines}


def test_engines_are_held_to_the_fastest_dense_one() -> None:
    assert peers.fastest_dense(engine_result()) == "ncnn"
    table, note = tables.engines([[engine_result()]]).split("\n\n")
    header, _, row = table.splitlines()
    assert cells(header)[2:] == [
        *("LiteRT 2", "ours", "ncnn 1", "MNN sparse", "openvino", "fastest dense", "ours is faster by, run 1", "bar")
    ]
    assert cells(row)[2:] == ["46.00", "10.00", "23.00", "12.00", "-", "ncnn", "**2.30** (2.20..2.40)", "2.4"]
    assert note == "openvino on resnet18: it cannot."


def test_rows_of_make_bench_peers() -> None:
    rows = peers.rows(engine_result())
    assert [row[2] for row in rows] == ["mcpruner", "MNN 3 sparse", "ncnn 1", "LiteRT 2", "openvino"]
    assert [row[7] for row in rows] == ["-", "-", 2.4, "-", "-"]
    assert rows[-1][3:] == ["-", "-", "-", "-", "-", "it cannot"]
    assert {len(row) for row in rows} == {len(peers.HEADERS)}


def test_costs() -> None:
    row = cells(tables.costs([RESNET]).splitlines()[2])
    assert row == ["resnet18", "99.0 / 10.0", "150 / 150", "100 / 100", "10 / **16**", "1.50 / 1.50", "4.1"]


def test_layers_are_held_to_their_share_of_the_peak() -> None:
    def layer(size: int, channels: int, nanoseconds: float, kernel: str = "Conv") -> dict[str, Any]:
        shape = [1, size, size, channels]
        return {
            "type": kernel,
            "density": 0.178,
            "input": shape,
            "output": shape,
            "macs": 500,
            "nanoseconds": nanoseconds,
        }

    ops = [layer(7, 512, 20), layer(7, 512, 30), layer(14, 256, 14), layer(28, 128, 14), layer(56, 64, 16)]
    found = {"network": "resnet18", "limits": {"peak_gflops": 100.0}, "layers": [*ops, layer(7, 512, 1, "MaxPool")]}
    rows = [cells(line) for line in tables.layers([[found]]).splitlines()[2:]]
    assert rows[0] == ["56x56x64", "1", "62%", "62%", "60%"]
    assert rows[3] == ["7x7x512", "2", "**33%**", "50%", "40%"]


def test_limits() -> None:
    found = [{"limits": {"peak_gflops": 118.14, "read_gigabytes_per_second": {"memory": 17.72, "L1": 211.3}}}]
    header, _, row = tables.limits([found]).splitlines()
    assert cells(header) == ["run", "peak, GFLOP/s", "memory read, GB/s", "L1 read, GB/s"]
    assert cells(row) == ["1", "118.1", "17.7", "211.3"]


def test_markers_are_filled_again_and_again() -> None:
    text = "before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n"
    once = tables.fill(text, {"speed": "| new |"})
    assert once == "before\n<!-- speed -->\n| new |\n<!-- /speed -->\nafter\n"
    assert tables.fill(once, {"speed": "| newer |"}).count("new") == 1
    assert tables.fill("<!-- speed -->\n<!-- /speed -->", {"speed": "x"}) == "<!-- speed -->\nx\n<!-- /speed -->"
    with pytest.raises(ValueError, match="Expected one of the tables costs, got the markers of 'speed'"):
        tables.fill(text, {"costs": ""})
