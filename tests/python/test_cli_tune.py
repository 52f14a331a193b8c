"""``mcpruner tune``: what wins is not asserted, but that what won is kept and followed, and what is refused.

Times are made up here, so that the tests do the same on a busy machine.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opencl_device import needs_opencl
from small_network import Files, prunable
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner import tuning
from mcpruner.cli import main
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.tuning_file import Decision, read_decisions, write_decisions

SHAPE = (1, 20, 20, 32)
COSTS = SHIPPED / "avx512.json"  # so that predictions are the same on every machine


def two_parts(path: Path, density: float = 0.25, twins: bool = False) -> Path:
    """A file with two pruned convolutions, twins or not, and SIN between them, which the plugin does not run."""
    rng, net = np.random.default_rng(0), TfliteBuilder()
    first = prunable(rng, (32, 3, 3, 32), density)
    second = first if twins else prunable(rng, (32, 3, 3, 32), density)
    x = net.operator("SIN", [net.conv(net.input(SHAPE), first, name="first")], SHAPE, name="sin")
    path.write_bytes(net.build([net.conv(x, second, name="second")]))
    return path


class Times:
    """Stands in for `take_turns`: the model without the plugin takes 10 ms, and each choice 10 over its speed-up."""

    def __init__(self, *speedups: float, spread: float = 1.0) -> None:
        self.speedups, self.spread, self.runs = list(speedups), spread, []

    def __call__(self, blocks: Sequence[Any], runs: int) -> np.ndarray:
        for block in blocks:
            assert block(1).shape == (2, 1)  # it can be run
        self.runs.append(runs)
        times = np.full((2, 8, 2, 3), 10.0)
        times[0] /= self.speedups.pop(0)
        times[0, ::2] *= self.spread
        return times


def tune(monkeypatch: pytest.MonkeyPatch, times: Times, *arguments: Any) -> int:
    """The exit status; speed-ups are those of nothing taken, of each partition alone, and of what is asked for then."""
    monkeypatch.setattr(tuning, "take_turns", times)
    return main(["tune", *map(str, arguments), "--costs", str(COSTS)])


def taken(file: Path, folder: Path, **options: Any) -> list[str]:
    """The convolutions that the plugin takes."""
    interpreter = mcpruner.Interpreter(model_path=file, cache_dir=folder, costs=COSTS, **options)
    interpreter.allocate_tensors()
    report = interpreter.report()
    assert report["tuning"]["reason"] == ""
    return [node["name"] for node in report["nodes"] if node["taken"]]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_fastest_choice_is_kept(
    threads: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file, cache = two_parts(tmp_path / "two.tflite"), tmp_path / "cache"
    cache.mkdir()
    times = Times(1.0, 0.8, 1.5, 1.2)  # nothing, the first, the second; then both, as auto predicts
    assert tune(monkeypatch, times, file, "--cache-dir", cache, "--threads", threads, "--runs", 7) == 0
    assert times.runs == [7] * 4 and not times.speedups
    origin, headers, first, second, together, kept, start = capsys.readouterr().out.splitlines()
    assert headers.split()[:2] == ["partition", "first"]
    assert first.split()[:2] == ["0", "first"] and first.split()[5:] == ["0.80", "leave", "other", "than", "predicted"]
    assert second.split()[:2] == ["1", "second"] and second.split()[5:] == ["1.50", "take"]
    named = "1 thread, processor's clock" if threads == 1 else "2 threads, wall's clock"
    assert together == (
        f"without the plugin 10.000 ms ({named}); as auto predicts 1.20 times as fast, as measured 1.50 times"
    )
    assert kept == f"kept in {next(cache.iterdir())}"
    assert start == f"start with backend=auto, cache_dir={cache}, num_threads={threads}, costs={COSTS}"
    assert taken(file, cache, num_threads=threads) == ["second"]
    assert taken(file, cache, num_threads=3 - threads) == ["first", "second"]
    assert taken(file, cache, num_threads=threads, backend="cpu") == ["first", "second"]
    interpreter = mcpruner.Interpreter(model_path=file, cache_dir=cache, num_threads=threads, costs=COSTS)
    interpreter.allocate_tensors()
    reasons = [decision["reason"].rsplit(",", 1)[0] for decision in interpreter.report()["decisions"]]
    assert reasons == [f"mcpruner tune measured the model {x} times as fast with it" for x in ("0.80", "1.50")]


@pytest.mark.parametrize(
    ("speedups", "expected"),
    [
        ([1.0, 1.3, 1.5, 1.9], ["first", "second"]),
        ([1.0, 1.3, 1.5, 1.4], ["second"]),  # alone it is faster than both
        ([1.0, 0.9, 0.8, 1.1], ["first", "second"]),  # as predicted, though each alone is slower
        ([1.0, 0.9, 0.8, 0.7], []),
    ],
)
def test_each_choice_has_its_chance(
    speedups: list[float], expected: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = two_parts(tmp_path / "two.tflite")
    assert tune(monkeypatch, Times(*speedups), file, "--cache-dir", tmp_path) == 0
    assert taken(file, tmp_path, num_threads=1) == expected


def test_a_dense_model_is_measured_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = two_parts(tmp_path / "dense.tflite", density=1)
    assert taken(file, tmp_path, num_threads=1) == []
    assert tune(monkeypatch, Times(1.0, 0.8, 1.5), file, "--cache-dir", tmp_path) == 0
    assert "as auto predicts 1.00 times as fast, as measured 1.50 times" in capsys.readouterr().out
    assert taken(file, tmp_path, num_threads=1) == ["second"]
    assert tune(monkeypatch, Times(1.0, 0.8, 0.9), file, "--cache-dir", tmp_path) == 0
    assert taken(file, tmp_path, num_threads=1) == []


def test_equal_partitions_are_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = two_parts(tmp_path / "twins.tflite", twins=True)
    interpreter = mcpruner.Interpreter(model_path=file, num_threads=1, costs=COSTS)
    interpreter.allocate_tensors()
    report = interpreter.report()
    saved = sum(d["tflite_nanoseconds"] - d["plugin_nanoseconds"] for d in report["decisions"])
    total = sum(node["tflite_nanoseconds"] for node in report["nodes"])
    assert tune(monkeypatch, Times(1.0, 1.5), file, "--cache-dir", tmp_path) == 0
    *_, row, _, _, _ = capsys.readouterr().out.splitlines()
    assert row.split() == ["0", "first", "2", "2", f"{total / (total - saved):.2f}", "1.50", "take"]
    assert taken(file, tmp_path, num_threads=1) == ["first", "second"]


def test_models_share_a_folder(files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = two_parts(tmp_path / "two.tflite")
    assert tune(monkeypatch, Times(1.0, 0.9, 0.8, 0.7), file, "--cache-dir", tmp_path) == 0
    assert tune(monkeypatch, Times(1.0, 0.5), files.dense, "--cache-dir", tmp_path) == 0
    assert len(list(tmp_path.glob("mcpruner-*.bin"))) == 1
    assert taken(file, tmp_path, num_threads=1) == taken(files.dense, tmp_path, num_threads=1) == []
    # Tuned again, what was decided before does not come into it.
    assert tune(monkeypatch, Times(1.0, 2.0), files.dense, "--cache-dir", tmp_path) == 0
    assert len(taken(files.dense, tmp_path, num_threads=1)) == 7
    assert taken(file, tmp_path, num_threads=1) == []


def test_packed_layers_run_nowhere_else(
    files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert tune(monkeypatch, Times(0.7), files.sparse, "--cache-dir", tmp_path) == 0
    origin, nothing, together = capsys.readouterr().out.splitlines()
    assert nothing.startswith("nothing to decide: there is no partition of convolutions or dense layers that TFLite ")
    assert "as auto predicts 0.70 times as fast, as measured 0.70 times" in together
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_on_a_busy_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = two_parts(tmp_path / "two.tflite")
    assert tune(monkeypatch, Times(1.0, spread=2.5), file, "--cache-dir", tmp_path) == 2
    message = "mcpruner: The machine was busy: turns disagree by more than 2x. Nothing was kept, try again.\n"
    assert capsys.readouterr().err.endswith(message)
    assert not list(tmp_path.glob("*.bin"))


def test_nothing_is_kept_where_outputs_differ(
    files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    nans = tmp_path / "nan.npy"
    np.save(nans, np.full((1, 13, 11, 16), np.nan, np.float32))
    assert tune(monkeypatch, Times(1.0, 1.0), files.dense, "--cache-dir", tmp_path, "--inputs", nans) == 2
    assert "nothing was kept, mcpruner verify says more." in capsys.readouterr().err
    assert not list(tmp_path.glob("*.bin"))


def test_real_times_come_to_a_decision_or_to_a_refusal(files: Files, tmp_path: Path, capsys: Any) -> None:
    status = main(["tune", str(files.dense), "--cache-dir", str(tmp_path), "--runs", "30"])
    assert (status == 0 and len(list(tmp_path.iterdir())) == 1) or (
        status == 2 and "The machine was busy" in capsys.readouterr().err
    )


def test_options_that_mean_nothing_are_refused(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = ["--cache-dir", str(tmp_path)]
    assert main(["tune", str(files.dense), *folder, "--backend", "opencl", "--threads", "2"]) == 2
    expected = "mcpruner: Option --threads means nothing with backend opencl: leave it out.\n"
    assert capsys.readouterr().err == expected
    assert main(["tune", str(files.dense), *folder, "--backend", "auto", "--precision", "float16"]) == 2
    assert "Option --precision means nothing with backend auto" in capsys.readouterr().err
    assert main(["tune", str(files.dense), "--cache-dir", str(tmp_path / "absent")]) == 2
    assert "option cache_dir: expected an existing folder" in capsys.readouterr().err
    assert main(["tune", str(files.dense), "--cache-dir", ""]) == 2  # the plugin refuses it from apps, too
    assert "option cache_dir: expected an existing folder" in capsys.readouterr().err


def test_files_of_decisions_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "decisions.bin"
    assert read_decisions(file, "machine") == {}
    decisions = {
        "00000000000000010123456789abcdef": Decision(True, 1, (1 << 64) - 1, "2026-12-01"),
        "f" * 32: Decision(False, 2, 3, "0001-01-01"),
    }
    write_decisions(file, "machine", decisions)
    assert read_decisions(file, "machine") == decisions
    assert read_decisions(file, "other") == {}
    whole = file.read_bytes()
    for i in range(len(whole)):
        file.write_bytes(whole[:i] + bytes([whole[i] ^ 16]) + whole[i + 1 :])
        assert read_decisions(file, "machine") == {}
        file.write_bytes(whole[:i])
        assert read_decisions(file, "machine") == {}


@needs_opencl
def test_tiles_are_measured_once(files: Files, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    tiles = ["tune", str(files.sparse), "--cache-dir", str(tmp_path), "--backend", "opencl"]
    assert main(tiles) == 0
    first = capfd.readouterr()
    assert first.out == f"tuned; start with backend=opencl and cache_dir={tmp_path}\n"
    tuned = [line for line in first.err.splitlines() if line.startswith("mcpruner: tuned ")]
    assert tuned and all(" us, by the table " in line for line in tuned)
    assert main([*tiles[:-2], "--precision", "float32"]) == 0
    assert "mcpruner: tuned " not in capfd.readouterr().err


def test_without_a_device_it_is_one_sentence(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--cache-dir", str(tmp_path), "--opencl-library", "libabsent.so"]
    assert main(["tune", str(files.sparse), *options]) == 2
    assert capsys.readouterr().err.startswith("mcpruner: nothing was tuned: the opencl backend cannot be made (option ")
