"""Calibration: layers of the grid compute the same in both runtimes, and the fit finds costs that it was given."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mcpruner import barriers, calibrate, cost_fit
from mcpruner.cli import main
from mcpruner.converter.cost import cost_model
from mcpruner.converter.cost.cost_model import BARRIERS, Amounts, Geometry, load_costs
from mcpruner.cost_fit import ENTRIES, Sample
from mcpruner.runtime import native

FEW = [
    calibrate.Layer((16, 3, 3, 8), Geometry("Conv2D", 6, 6, 2), 2, 0.5),
    calibrate.Layer((16, 1, 1, 8), Geometry("Conv2D", 5, 5), 4, 0.5),
    calibrate.Layer((24, 1, 1, 16), Geometry("FullyConnected", 1, 1), 8, 0.25),
    calibrate.Layer((1, 3, 3, 8), Geometry("DepthwiseConv2D", 7, 7, 2)),
]


@pytest.fixture
def small_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "grid", lambda: iter(FEW))
    monkeypatch.setattr(calibrate, "_PLAIN", ((8, 6),))
    monkeypatch.setattr(calibrate, "_SECONDS", 0.0)
    monkeypatch.setattr(barriers, "_CHAINS", ((8, 6), (8, 9)))
    monkeypatch.setattr(barriers, "_RUNS", 3)
    monkeypatch.setattr(barriers, "_ROUNDS", 2)
    monkeypatch.setattr(calibrate, "cache_bytes", lambda: {"L1": 1 << 15, "L2": 1 << 20})


def test_writes_a_table_that_convert_reads(small_grid: None, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "here.json"
    assert main(["calibrate", "--output", str(path), "--simd", "scalar"]) == 0
    table = json.loads(path.read_text())
    assert load_costs(path).simd == "scalar" == table["simd"]
    assert {sample["kernel"] for sample in table["samples"]} == set(ENTRIES)
    assert all(sample["nanoseconds"] >= 0 for sample in table["samples"])
    assert [table["nanoseconds"][entry]["layer"] >= 0 for entry in BARRIERS] == [True, True]
    for sample in table["barriers"]["samples"]:
        assert sample["chain"].startswith("8 of Conv2D 8x3x3x8 -> ")
        assert all(one > 0 and two > 0 for one, two in sample["nanoseconds"].values())
    for key in ("machine", "date", "commit", "version", "runtime"):
        assert table[key]
    assert table["limits"]["peak_gflops"] > 0 and min(table["limits"]["read_gigabytes_per_second"].values()) > 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("barriers, ns: cpu ")
    assert lines[1].startswith("one core, scalar: ") and lines[4].split()[:2] == ["entry", "layers"]
    assert len(lines) == 5 + len(ENTRIES)


def test_a_barrier_is_what_two_threads_take_beyond_their_half() -> None:
    """Starts of 200 ns are not shared, of the other 800 each has 400: 650 are 50 more, of 5 operators."""
    assert barriers.barrier(1000, 650, 200, 5) == 10
    assert barriers.barrier(1000, 500, 200, 5) == 0  # caches of two cores may hold what one does not


def test_barriers_are_those_of_the_middle_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {entry: {"layer": 10.0} for entry in ("packed conv", "cpu edge", "cpu partition")}
    costs |= {entry: {"layer": 20.0} for entry in ("tflite conv", "tflite inference")}
    samples = [
        {"chain": name, "nanoseconds": {"cpu barrier": [1110, 610 + cpu], "tflite barrier": [2180, 1180 + tflite]}}
        for name, cpu, tflite in (("a", 100, 80), ("b", 50, 160), ("c", 9000, 8000))
    ]
    monkeypatch.setattr(barriers, "_measure_chains", lambda pair: iter(samples))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    found = barriers.measure(costs, lambda content, name, num_threads: pytest.fail("nothing is timed here"))
    assert found.costs == {"cpu barrier": {"layer": 10.0}, "tflite barrier": {"layer": 20.0}}
    assert found.samples == samples and found.reason == ""


def test_one_cpu_has_no_barriers_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    found = barriers.measure({}, lambda content, name, num_threads: pytest.fail("nothing can be timed"))
    assert found.costs == {"cpu barrier": {"layer": 0.0}, "tflite barrier": {"layer": 0.0}}
    assert found.reason == "this process may use one CPU, on which threads cannot be timed" and found.samples == []


def test_a_wrong_result_is_not_timed(small_grid: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "_TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match=r"^elementwise 8x6x6: .* nothing was timed\.$"):
        calibrate.calibrate()


def test_unknown_instruction_set_is_one_sentence(capsys: pytest.CaptureFixture) -> None:
    assert main(["calibrate", "--simd", "mmx"]) == 2
    assert "an instruction set that this CPU has (" in capsys.readouterr().err


def test_the_grid_has_every_kind_group_size_and_density() -> None:
    layers = list(calibrate.grid())
    kinds = Counter(layer.geometry.kind for layer in layers)
    assert min(kinds["Conv2D"], kinds["FullyConnected"]) >= 30 and kinds["DepthwiseConv2D"] >= 8
    packed = [layer for layer in layers if layer.group_size]
    assert {(layer.group_size, layer.density) for layer in packed} == {
        (group_size, density) for group_size in (1, 2, 4, 8, 16) for density in (0.1, 0.2, 0.5, 0.9)
    }
    assert len(set(layers)) == len(layers)


@pytest.mark.parametrize("group_size", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_masks_have_their_density_and_groups(group_size: int, density: float) -> None:
    layer = calibrate.Layer((64, 3, 3, 64), Geometry(), group_size, density)
    mask = calibrate.make_mask(layer, np.random.default_rng(1))
    assert mask.shape == layer.shape
    assert mask.mean() == pytest.approx(density, abs=0.05)
    groups = mask.reshape(-1, group_size, 9 * 64)
    assert (groups == groups[:, :1]).all()


def test_limits_refuse_what_the_cpu_has_not() -> None:
    with pytest.raises(ValueError, match="got 'mmx'"):
        native().peak_gflops("mmx")
    with pytest.raises(ValueError, match="expected 4096 to 2\\^30 bytes, got 100"):
        native().read_gigabytes("scalar", 100)


def test_cache_sizes_are_read_from_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i, (kind, level, size) in enumerate([("Data", 1, "32K"), ("Instruction", 1, "64K"), ("Unified", 2, "4M")]):
        folder = tmp_path / f"index{i}"
        folder.mkdir()
        for name, text in (("type", kind), ("level", level), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    monkeypatch.setattr(calibrate, "_CACHES", tmp_path)
    assert calibrate.cache_bytes() == {"L1": 32768, "L2": 4 << 20}
    monkeypatch.setattr(calibrate, "_CACHES", tmp_path / "absent")
    assert calibrate.cache_bytes() == {}


def _samples(costs: dict[str, dict[str, float]], rng: np.random.Generator) -> list[Sample]:
    samples = []
    for entry, terms in ENTRIES.items():
        for _ in range(30):
            amounts = {term: float(rng.integers(1, 1000)) for term in terms}
            samples.append(Sample(Amounts(entry, amounts), sum(costs[entry][t] * n for t, n in amounts.items())))
    return samples


def test_fit_finds_the_costs_in_spite_of_outliers() -> None:
    rng = np.random.default_rng(2)
    costs = {entry: {term: float(rng.integers(0, 5)) + 1 for term in terms} for entry, terms in ENTRIES.items()}
    samples = _samples(costs, rng)
    samples[::10] = [Sample(sample.amounts, 3 * sample.nanoseconds) for sample in samples[::10]]  # a busy machine
    found = cost_fit.fit(samples)
    for entry, terms in costs.items():
        assert found[entry] == pytest.approx(terms, rel=0.1)
    errors = cost_fit.relative_errors(samples, found)
    assert all(error["points"] == 30 and error["median_error"] < 0.05 for error in errors.values())


def test_fit_needs_every_entry() -> None:
    with pytest.raises(ValueError, match="got none of 'packed conv'"):
        cost_fit.fit([])


def test_nonnegative_least_squares() -> None:
    a = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 2.0, 0.0]])
    np.testing.assert_allclose(cost_fit.nonnegative_least_squares(a, np.array([1.0, 3.0, 5.0])), [1, 2, 0], atol=1e-6)
    np.testing.assert_allclose(cost_fit.nonnegative_least_squares(a, np.array([5.0, 3.0, 1.0])), [3, 0, 0], atol=1e-6)


@pytest.mark.parametrize("name", sorted(path.stem for path in cost_model.SHIPPED.glob("*.json")))
def test_shipped_costs_are_those_of_their_samples(name: str) -> None:
    """A table that was measured carries its samples; fitting them again gives its costs."""
    table = json.loads((cost_model.SHIPPED / f"{name}.json").read_text())
    if "samples" not in table:
        assert table["origin"].startswith("argued")
        return
    samples = [Sample(Amounts(s["kernel"], s["amounts"]), max(1, s["nanoseconds"])) for s in table["samples"]]
    costs = cost_fit.fit(samples)
    shared = barriers.median_costs(table["nanoseconds"], table["barriers"]["samples"])
    assert shared == {entry: table["nanoseconds"][entry] for entry in BARRIERS}
    for entry in ENTRIES:
        terms = table["nanoseconds"][entry]
        assert terms == pytest.approx(costs[entry], rel=0.05, abs=1e-3 * max(terms.values()))
