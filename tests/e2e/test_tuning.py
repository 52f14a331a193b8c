"""Decisions that `mcpruner tune` kept: the plugin follows them on their machine, and computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from op_runner import RUNTIMES, Job, run_jobs
from small_network import prunable
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.tuning_file import Decision, read_decisions, write_decisions

SHAPE = (1, 28, 28, 64)
TOLERANCE = 1e-5  # of the output's largest magnitude


def network(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> bytes:
    """Two pruned partitions and a dense one: SIN, which the plugin does not run, stands between them."""
    rng, net = np.random.default_rng(seed), TfliteBuilder()
    channels = shape[-1]
    x = net.input(shape)
    for name in ("first", "second", "dense"):
        weights = (channels, 3, 3, channels)
        drawn = prunable(rng, weights) if name != "dense" else rng.standard_normal(weights).astype(np.float32)
        x = net.relu(net.conv(x, drawn / 20, name=name), name=f"{name}_relu")
        x = net.operator("SIN", [x], shape, name=f"{name}_sin") if name != "dense" else x
    return net.build([x])


def load(content: bytes, folder: Path | None, num_threads: int = 1, **options: Any) -> mcpruner.Interpreter:
    """The model in the plugin, ready to run; predictions are the same on every machine."""
    options.setdefault("costs", SHIPPED / "avx512.json")
    interpreter = mcpruner.Interpreter(
        model_content=content, cache_dir=folder, num_threads=num_threads, poison_memory=np.nan, **options
    )
    interpreter.allocate_tensors()
    return interpreter


def keys(report: dict[str, Any]) -> dict[str, str]:
    """The key of each partition, by its first layer."""
    names = {node["node"]: node["name"] for node in report["nodes"]}
    return {names[decision["nodes"][0]]: decision["key"] for decision in report["decisions"]}


def taken(report: dict[str, Any]) -> set[str]:
    """The layers that the plugin took."""
    return {node["name"] for node in report["nodes"] if node["taken"] and node["op"] == "CONV_2D"}


def keep(report: dict[str, Any], **takes: bool) -> Path:
    """Write a file of decisions on partitions, by their first layers."""
    found, tuning = keys(report), report["tuning"]
    decisions = {found[name]: Decision(take, 1500, 1000, "2026-12-01") for name, take in takes.items()}
    write_decisions(Path(tuning["file"]), tuning["machine"], decisions)
    return Path(tuning["file"])


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize(
    "takes",
    [
        {"first": False, "second": True, "dense": True},
        {"first": True, "second": False, "dense": False},
        {"first": False, "second": False, "dense": False},
        {"dense": True},  # the others as predicted
    ],
)
def test_decisions_are_followed(takes: dict[str, bool], num_threads: int, tmp_path: Path) -> None:
    content = network()
    predicted = load(content, tmp_path, num_threads).report()
    assert taken(predicted) == {"first", "second"}
    assert not any(decision["tuned"] for decision in predicted["decisions"])
    keep(predicted, **takes)
    interpreter = load(content, tmp_path, num_threads)
    report = interpreter.report()
    assert taken(report) == {name for name in ("first", "second", "dense") if takes.get(name, name != "dense")}
    assert report["tuning"]["reason"] == ""
    assert keys(report) == keys(predicted)
    measured = "mcpruner tune measured the model 1.50 times as fast with it, on 2026-12-01"
    for name, decision in zip(keys(report), report["decisions"], strict=True):
        assert decision["tuned"] == (name in takes)
        assert (decision["reason"] == measured) == decision["tuned"]
        for node in report["nodes"]:
            if node["node"] in decision["nodes"] and not decision["taken"]:
                assert node["reason"] == decision["reason"]
    plain = Interpreter(model_content=content, num_threads=1)
    plain.allocate_tensors()
    x = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    (want,), (got,) = run(plain, [x]), run(interpreter, [x])
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_has_the_same_keys(runtime: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    content = network()
    keep(load(content, cache, 2).report(), first=False, dense=True)
    inputs = [np.random.default_rng(2).standard_normal(shape).astype(np.float32) for shape in (SHAPE, (3, *SHAPE[1:]))]
    options = {"num_threads": 2, "verbosity": 0, "costs": str(SHIPPED / "avx512.json"), "cache_dir": str(cache)}
    jobs = {"plain": Job(content, inputs[:1], None), "tuned": Job(content, inputs[:1], options)}
    jobs["resized"] = Job(content, inputs, options)
    results = run_jobs(runtime, jobs, tmp_path)
    assert {result.error for result in results.values()} == {""}
    assert taken(results["tuned"].report) == {"second", "dense"}
    (want,), (got,) = results["plain"].outputs, results["tuned"].outputs
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    np.testing.assert_array_equal(results["resized"].outputs[0], got)


def test_another_machine_has_another_file(tmp_path: Path) -> None:
    content = network()
    report = load(content, tmp_path).report()
    file = keep(report, first=False, second=False)
    machine = report["tuning"]["machine"]
    assert "\nnum_threads 1\n" in machine and "\nmcpruner " in machine
    for options in ({"num_threads": 2}, {"simd": "scalar"}):
        assert taken(load(content, tmp_path, **options).report()) == {"first", "second"}
    # A file that another machine wrote under this name.
    write_decisions(file, machine.replace("mcpruner", "mcprunes"), read_decisions(file, machine))
    other = load(content, tmp_path).report()
    assert taken(other) == {"first", "second"}
    assert other["tuning"]["reason"].endswith("it is cut or damaged: run mcpruner tune again")


def test_a_damaged_file_is_ignored_with_a_reason(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    content = network()
    file = keep(load(content, tmp_path).report(), first=False, second=False)
    whole = file.read_bytes()
    reason = f"the measurements in {file} are ignored, since it is cut or damaged: run mcpruner tune again"
    for damaged in (b"", whole[:-1], whole + b"\0", whole[:-3] + b"\7" + whole[-2:], b"x" * (1 << 20)):
        file.write_bytes(damaged)
        report = load(content, tmp_path, verbosity=1).report()
        assert taken(report) == {"first", "second"}
        assert report["tuning"]["reason"] == reason
        assert f"mcpruner: {reason}\n" in capfd.readouterr().err
    file.write_bytes(whole)
    assert taken(load(content, tmp_path).report()) == set()


def test_keys_are_of_what_is_computed(tmp_path: Path) -> None:
    model = read_model(network())
    graph = model.subgraphs[0]
    turned = list(range(len(graph.tensors)))[::-1]  # tensor i is now number turned[i]
    graph.tensors = graph.tensors[::-1]
    for tensor in graph.tensors:
        tensor.name = b"other/" + tensor.name
    for of in (graph, *graph.operators):
        of.inputs, of.outputs = ([turned[i] if i >= 0 else i for i in side] for side in (of.inputs, of.outputs))
    expected = list(keys(load(network(), tmp_path).report()).values())
    assert len(set(expected)) == 3
    assert list(keys(load(write_model(model), tmp_path).report()).values()) == expected
    for other in (network(seed=1), network(shape=(1, 28, 30, 64))):
        assert not {*keys(load(other, tmp_path).report()).values()} & {*expected}


def test_without_a_folder_nothing_is_looked_for() -> None:
    report = load(network(), None).report()
    assert report["tuning"] == {"file": "", "machine": "", "model": "", "reason": ""}
    assert set(keys(report).values()) == {""}
