"""The plugin in the real aarch64 runtimes: the same models, options and failures as on this machine, the same results.

All jobs of a runtime run in one emulated process, since its start takes longer than most of them.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arm_networks
import emulator
import numpy as np
import op_models
import pytest
import test_options
from op_runner import Job, Result, faults_path, run_jobs, run_script

TOLERANCE = 1e-5  # of the output's largest magnitude
THREADS = (1, 2, 3, 4)
CPU = {"backend": "cpu", "verbosity": 0}  # `auto` leaves to the runtime what has no packed layers, or few


def _run_script(name: str, runtime: str, plugin: Path, tasks: list[dict[str, Any]]) -> None:
    """Run a script of tests/e2e in an emulated runtime."""
    command = [*emulator.python(runtime), str(emulator.ROOT / "tests" / "e2e" / name), runtime, str(plugin)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run(command, input=json.dumps(tasks), text=True, check=True, env=environment)


def _op_jobs() -> dict[str, Job]:
    """Every operator, resized from one image to three."""
    return {
        name: Job(op_models.build(name), [op_models.inputs(name, batch) for batch in op_models.batches(name)[:2]], CPU)
        for name in op_models.CASES
    }


def _option_jobs() -> dict[str, Job]:
    model, x = op_models.build("conv_same"), [test_options.X]
    return {f"refused_{name}": Job(model, x, options) for name, (options, _) in test_options.REFUSED.items()}


def _network_jobs() -> dict[str, Job]:
    jobs = {}
    for name in arm_networks.available():
        model, image = arm_networks.converted(name)
        for threads in THREADS:
            jobs[f"{name}.{threads}"] = Job(model, [image], {"num_threads": threads, **CPU})
    return jobs


@pytest.fixture(scope="module")
def jobs() -> dict[str, Job]:
    """All jobs."""
    return _op_jobs() | _option_jobs() | _network_jobs()


@pytest.fixture(scope="module")
def here(jobs: dict[str, Job], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Results of all jobs on this machine."""
    return run_jobs("ai_edge_litert", jobs, tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def emulated(
    jobs: dict[str, Job], plugin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, Result]]:
    """A function from a runtime to the results of all jobs there, which run at its first call."""

    @functools.cache
    def get(runtime: str) -> dict[str, Result]:
        run = functools.partial(_run_script, plugin=plugin)
        return run_jobs(runtime, jobs, tmp_path_factory.mktemp(runtime), run)

    return get


def _assert_equal(actual: Result, expected: Result) -> float:
    """Outputs agree, and the plugin took the same nodes; the largest error."""
    assert actual.error == expected.error == ""
    assert len(actual.outputs) == len(expected.outputs) > 0
    taken = [[(node["name"], node["taken"]) for node in result.report["nodes"]] for result in (actual, expected)]
    assert taken[0] == taken[1]
    assert any(is_taken for _, is_taken in taken[0])
    errors = []
    for got, want in zip(actual.outputs, expected.outputs, strict=True):
        assert got.shape == want.shape
        errors.append(float(np.abs(got - want).max() / np.abs(want).max()))
    assert max(errors) < TOLERANCE
    return max(errors)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", emulator.RUNTIMES)
def test_every_operator_equals_this_machine(jobs, here, emulated, runtime: str) -> None:
    errors = {name: _assert_equal(emulated(runtime)[name], here[name]) for name in op_models.CASES}
    print(f"{runtime}: {len(errors)} operators, largest error {max(errors.values()):.1e}")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", arm_networks.NAMES)
@pytest.mark.parametrize("runtime", emulator.RUNTIMES)
def test_networks_equal_this_machine(here, emulated, runtime: str, name: str) -> None:
    if name not in arm_networks.available():
        pytest.skip(arm_networks.MISSING)
    for threads in THREADS:
        error = _assert_equal(emulated(runtime)[f"{name}.{threads}"], here[f"{name}.1"])
        print(f"{runtime}, {name}, {threads} threads: largest error {error:.1e}")


def _without_targets(text: str) -> str:
    """A sentence of option `simd` without the instruction sets that the CPU has."""
    return re.sub(r"one of .* \(what this CPU has\)", "one of these", text)


def _assert_same_sentence(actual: Result, expected: Result) -> None:
    sentence = expected.error[expected.error.index("mcpruner: ") :].splitlines()[0]
    assert _without_targets(sentence) in _without_targets(actual.error)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", emulator.RUNTIMES)
def test_bad_options_are_the_same_sentences(jobs, here, emulated, runtime: str) -> None:
    names = [name for name in jobs if name.startswith("refused_")]
    assert len(names) == len(test_options.REFUSED)
    for name in names:
        _assert_same_sentence(emulated(runtime)[name], here[name])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", emulator.RUNTIMES)
def test_faults_end_as_on_this_machine(faults_plugin: Path, runtime: str, tmp_path: Path) -> None:
    jobs = test_options.fault_jobs()
    here = run_jobs("ai_edge_litert", jobs, tmp_path, functools.partial(run_script, plugin=faults_path()))
    emulated = run_jobs(runtime, jobs, tmp_path, functools.partial(_run_script, plugin=faults_plugin))
    for fault in jobs:
        if here[fault].error:
            _assert_same_sentence(emulated[fault], here[fault])
        else:
            _assert_equal(emulated[fault], here[fault])
            backend = "reference" if fault in test_options.MENDED else "cpu"  # no emulated program has a device
            assert emulated[fault].report["partitions"][0]["backend"] == backend
