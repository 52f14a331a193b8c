"""What the converter packs, the plugin runs; what the plugin claims, it can prepare, at every size.

Each model of `odd_models` runs dense and packed, in every runtime and backend, through all of its steps in one
interpreter. Wherever the runtime runs the dense file without the plugin, the plugin must run both files, and what
TFLite's own kernels compute must come out.
"""

from __future__ import annotations

import functools

import numpy as np
import odd_models
import pytest
from op_runner import RUNTIMES
from packing import pack_every_layer
from step_runner import DIED, StepJob, StepResult, run_step_jobs

import mcpruner

TOLERANCE = 1e-5  # of the output's largest magnitude
BACKENDS = ("auto", "cpu", "reference")


@functools.cache
def _models(name: str) -> dict[str, bytes]:
    dense, _ = odd_models.build(name)
    with pack_every_layer():
        packed, _ = mcpruner.convert(dense)
    return {"dense": dense, "packed": packed}


def _jobs() -> dict[str, StepJob]:
    jobs = {}
    for name in odd_models.CASES:
        _, steps = odd_models.build(name)
        files = _models(name)
        jobs[f"{name}.plain"] = StepJob(files["dense"], steps, None)
        jobs[f"{name}.kernels"] = StepJob(files["dense"], steps, None, kernels=True)
        for kind, content in files.items():
            for backend in BACKENDS:
                options = {"backend": backend, "verbosity": 0}
                jobs[f"{name}.{kind}.{backend}"] = StepJob(content, steps, options)
    return jobs


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory):
    """Results of all jobs of a runtime, run once."""
    return functools.cache(lambda runtime: run_step_jobs(runtime, _jobs(), tmp_path_factory.mktemp(runtime)))


def _close(got: np.ndarray, expected: np.ndarray) -> bool:
    limit = TOLERANCE * np.abs(np.nan_to_num(expected)).max(initial=0)
    return got.shape == expected.shape and np.allclose(got, expected, rtol=0, atol=limit, equal_nan=True)


def _error(got: np.ndarray, expected: np.ndarray) -> str:
    if got.shape != expected.shape:
        return f"shape, expected {expected.shape}"
    return str(np.abs(got - expected).max())


def _differences(plain: StepResult, kernels: StepResult, plugin: StepResult) -> list[str]:
    if plugin.errors == [DIED]:
        return [DIED]
    taken = any(node["taken"] for node in plugin.report["nodes"])
    found = []
    for step, error in enumerate(plain.errors):
        if error:
            continue  # whatever the plugin does with it
        if plugin.errors[step]:
            found.append(f"step {step}: {plugin.errors[step]}")
            continue
        want = plain if kernels.errors == [DIED] or (not taken and kernels.errors[step]) else kernels
        if want.errors[step]:
            continue  # XNNPACK computes something where TFLite's kernels refuse
        for k, (got, expected) in enumerate(zip(plugin.outputs[step], want.outputs[step], strict=True)):
            # XNNPACK reads beyond a depthwise layer's input that has fewer channels than at load; a model that the
            # plugin leaves alone is then as wrong, by whatever lies there, as it is without the plugin.
            if not _close(got, expected) and (taken or _close(plain.outputs[step][k], expected)):
                found.append(f"step {step}, output {k} of shape {got.shape}: off by {_error(got, expected)}")
    return found


@pytest.mark.parametrize("name", odd_models.CASES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_plugin_runs_what_the_runtime_runs(results, runtime: str, name: str) -> None:
    done = results(runtime)
    plain, kernels = done[f"{name}.plain"], done[f"{name}.kernels"]
    assert plain.errors[0] == "", "the first step must run without the plugin"
    found = {
        f"{kind}, {backend}": differences
        for kind in ("dense", "packed")
        for backend in BACKENDS
        if (differences := _differences(plain, kernels, done[f"{name}.{kind}.{backend}"]))
    }
    assert found == {}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_rows_are_counted_as_by_tflites_own_kernel(results, runtime: str) -> None:
    """XNNPACK refuses what is no whole number of rows, so that the test above does not ask for it."""
    done, name = results(runtime), "dense_drops_what_is_no_whole_row"
    kernels = done[f"{name}.kernels"]
    assert not any(kernels.errors)
    for job in ("dense.cpu", "dense.reference", "packed.auto", "packed.cpu", "packed.reference"):
        assert _differences(kernels, kernels, done[f"{name}.{job}"]) == [], job


@pytest.mark.parametrize("name", odd_models.CASES)
def test_every_packed_layer_is_run_by_the_plugin(results, name: str) -> None:
    nodes = results("ai_edge_litert")[f"{name}.packed.cpu"].report["nodes"]
    assert all(node["taken"] for node in nodes if node["op"].startswith("McprunerSparse"))


def test_most_models_are_packed() -> None:
    """The cases would say nothing if the converter left them alone."""
    packed = [name for name in odd_models.CASES if len(set(_models(name).values())) == 2]
    assert len(odd_models.CASES) - len(packed) <= 3
