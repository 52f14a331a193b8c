"""`make zoo`: two small networks through all of it, its tables, and what its networks are made of."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "zoo"


def _load_table():
    specification = importlib.util.spec_from_file_location("zoo_models_table", FOLDER / "models_table.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


TABLE = _load_table()


def run_zoo(out: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(FOLDER / "make_zoo.py"), "--out", str(out), "--seconds", "0.1", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    return subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True)


def records(out: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in (out / "records").glob("*.json")}


def test_a_sample_goes_through_all_of_it_and_nothing_is_done_twice(tmp_path: Path) -> None:
    """A tiny network, one of open height and width, and one that does not exist."""
    networks = ("dynamic_batch", "dynamic_size", "no_such_network")
    first = run_zoo(tmp_path, "--networks", *networks)
    assert first.returncode == 0, first.stderr[-4000:]
    found = records(tmp_path)
    for name in networks[:2]:
        record = found[name]
        assert record["ok"] and record["packed"] > 0 and record["density"] == 0.25
        assert record["output_error"] <= record["tolerance"] >= record["layer_error"]
        assert [times["threads"] for times in record["times"]] == [1, 2]
        assert all(times[clock]["speedup"] > 0 for times in record["times"] for clock in ("wall", "cpu"))
        assert record["command"] == "make zoo" and record["commit"] and record["machine"] and record["date"]
        assert f"| {name} |" in first.stdout
    assert found["dynamic_size"]["shape"] == [1, 120, 152, 3]
    assert "KeyError: 'no_such_network'" in found["no_such_network"]["reason"]
    assert "- no_such_network: files.py failed" in first.stdout
    again = run_zoo(tmp_path, "--networks", *networks)
    assert again.returncode == 0 and again.stdout == first.stdout
    assert records(tmp_path) == found


def timed(
    name: str, predicted: float, cpu: float, wall: float = 1.0, left: dict | None = None, waits: float = 1.0
) -> dict:
    clocks = {"cpu": {"speedup": cpu, "against_median_ms": 8.0}}
    clocks["wall"] = {"speedup": wall, "against_median_ms": 8.0 * waits}
    return {
        "network": name,
        "date": "2026-11-30T01:02:03Z",
        "command": "make zoo",
        "commit": "abc",
        "machine": "here",
        "runtime": "litert 1",
        "packed": 3,
        "layers": 5,
        "predicted": predicted,
        "partitions": 1,
        "left": left or {},
        "output_error": 2e-7,
        "layer_error": 4e-6,
        "wrong": [],
        "times": [{"threads": threads, **clocks} for threads in (1, 2)],
    }


def test_rows_have_the_ratios_and_mark_what_is_slower() -> None:
    rows = TABLE.networks(
        [timed("fast", 2.0, 1.5) | {"predicted_here": 1.75}, timed("slow", 2.0, 0.5, wall=0.6)]
    ).splitlines()
    assert rows[2:] == [
        "| fast | 3 of 5 | 2.00 | 1.75 | 1.50 | 1.50 | 1.00 | 1.00 | 8.00 | 1 | 0 | 4e-06 |",
        "| slow | 3 of 5 | 2.00 |  | **0.50** | 0.50 | 0.60 | 0.60 | 8.00 | 1 | 0 | 4e-06 |",
    ]


def test_the_prediction_error_is_that_of_logarithms() -> None:
    """log 1, log 2 and log 4: the median is log 2, and nine of ten are at most 0.2 log 2 + 0.8 log 4."""
    text = TABLE.summary([timed("a", 1.0, 1.0), timed("b", 2.0, 1.0), timed("c", 1.0, 4.0)])
    assert text.startswith("Of 3 networks 3 were timed, and 0 of them are below 0.97")
    assert text.endswith("median 0.69; nine of ten are at most 1.25.")
    text = TABLE.summary([timed("a", 1.0, 1.0), timed("b", 2.0, 1.0) | {"predicted_here": 1.0}])
    assert "By costs of the same machine (1 networks) it has the median 0.00; nine of ten are at most 0.00." in text


def test_a_busy_machine_is_told() -> None:
    quiet, busy = timed("quiet", 1, 1, waits=1.05), timed("busy", 1, 1, waits=3)
    assert "busy" not in TABLE.summary([quiet])
    assert "dense networks took 2.0 times their CPU time (median)" in TABLE.summary([quiet, busy])


def test_what_was_not_timed_has_its_reason() -> None:
    refused = {key: timed("refused", 1, 1)[key] for key in ("network", "date", "command", "commit", "machine")}
    refused["reason"] = "files.py was ended by SIGSEGV"
    wrong = {**timed("wrong", 1, 1), "times": [], "wrong": [["logits", 0.25]]}
    assert TABLE.failed([refused, timed("right", 1, 1), wrong]).splitlines() == [
        "- refused: files.py was ended by SIGSEGV",
        "- wrong: outputs or layers differ from the dense network's: logits by 2.5e-01",
    ]
    assert TABLE.failed([timed("right", 1, 1)]) == "None."
    assert TABLE.summary([refused]) == "No network was timed."
    assert TABLE.origin([refused, wrong]) == "`make zoo`, 2026-11-30, commit abc; litert 1; here."


def test_left_operators_are_counted_over_networks_with_partitions() -> None:
    tile = {"TILE": {"count": 2, "reasons": ["no op for it"]}}
    both = {**tile, "TANH": {"count": 1, "reasons": ["no op for it", "another"]}}
    alone = {**timed("alone", 1, 1, left=both), "partitions": 0}
    rows = TABLE.left([timed("a", 1, 1, left=tile), timed("b", 1, 1, left=both), alone]).splitlines()
    assert rows[2:] == ["| TILE | 4 | a, b | no op for it |", "| TANH | 1 | b | no op for it; another |"]


def test_the_docs_hold_the_tables_of_the_results() -> None:
    page = (ROOT / "docs/models.md").read_text()
    for name, table in TABLE.all_tables(TABLE.read(TABLE.RESULTS)).items():
        assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in page


def test_each_operator_of_tflite_is_in_one_row() -> None:
    taken = re.findall(r"^\| ([A-Z0-9_]+) \|", TABLE.taken(), re.MULTILINE)
    left = [name for row in TABLE.untaken().splitlines()[2:] for name in row.split(" | ")[1].strip(" |").split(", ")]
    names = re.findall(r'^"(\w+)",', (ROOT / "delegate/tflite/abi/builtin_names.inc").read_text(), re.MULTILINE)
    assert sorted(taken + left) == sorted(names)


def test_results_are_of_networks_of_the_zoo() -> None:
    """A run with ``--networks`` may have left some out, but none is of a network that is gone."""
    from zoo import ZOO

    assert {record["network"] for record in TABLE.read(TABLE.RESULTS)} <= set(ZOO)


@pytest.mark.parametrize("name", ["squeeze_excite_dense", "landmarks", "siamese"])
def test_weights_are_drawn_and_always_the_same(name: str) -> None:
    """No variable is left at the zeros and ones of a new model, in which an error would not show."""
    from zoo import ZOO

    model, again = ZOO[name].build(), ZOO[name].build()
    for one, other in zip(model.variables, again.variables, strict=True):
        values = one.numpy()
        assert (values == other.numpy()).all()
        assert values.size == 1 or values.std() > 0
