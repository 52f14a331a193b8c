"""The plugin's options and injected failures, as each Python runtime shows them, and what the delegate leaves."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import op_models
import pytest
from ai_edge_litert import schema_py_generated as schema
from op_runner import RUNTIMES, Job, Result, faults_path, results_once, run_script
from opencl_device import needs_opencl
from tflite_builder import TfliteBuilder

X = np.linspace(-1, 1, 9 * 7 * 5, dtype=np.float32).reshape(1, 9, 7, 5)
# Options that are refused, and the sentence that must come.
REFUSED = {
    "unknown_name": ({"threads": 2}, "there is no option 'threads'; the options are num_threads, backend, verbosity"),
    "unknown_backend": ({"backend": "gpu"}, "option backend: expected one of auto, cpu, opencl, reference, got 'gpu'"),
    "too_many_threads": ({"num_threads": 65}, "option num_threads: expected 1 to 64, or 0 for what the runtime"),
    "no_number": ({"num_threads": "many"}, "option num_threads: expected a whole number, got 'many'"),
    "verbosity": ({"verbosity": 9}, "option verbosity: expected 0, 1 or 2, got 9"),
    "unknown_simd": ({"simd": "avx9"}, "option simd: expected one of "),
    "no_faults": ({"fault": "invoke"}, "there is no option 'fault'; the options are num_threads, backend, verbosity"),
    "unknown_precision": (
        {"precision": "int4"},
        "option precision: expected one of float32, float16_storage, float16, got 'int4'",
    ),
    "no_poison": ({"poison_memory": "much"}, "option poison_memory: expected a number such as nan or 1e30, got 'much'"),
    "no_folder": (
        {"cache_dir": "/no/such"},
        "option cache_dir: expected an existing folder that can be written to, got",
    ),
}
# Faults that end the run, and those that the reference backend makes good. The plugin that has them is not the packaged
# one but the same with faulty backends (delegate/tflite/testing/faulty_backends.h).
FATAL = {
    "allocate": "mcpruner: out of memory; free some, or use a smaller batch. ",
    "invoke": "mcpruner: internal error: fault injection: invoke. ",
}
MENDED = ("cpu_create", "cpu_compile")
# Faults that make the cpu backend run where opencl was asked for, and a piece of the reason; some need a device.
WITHOUT_OPENCL = {
    "opencl_create": "the opencl backend cannot be made (fault injection: opencl_create)",
    "opencl_wrong": "the device computes wrong numbers (self-check: off by",
    "opencl_compile": "refuses it (fault injection: opencl_compile)",
    "opencl_run": "the opencl backend failed (fault injection: opencl_run)",
}
NEED_DEVICE = ("opencl_wrong", "opencl_compile", "opencl_run")


SHAPE = (1, 9, 7, 6)
# Nodes that stay with TFLite: name, the node's operator, a piece of the reason, and the node behind a convolution.
LEFT_BEHIND = (
    (
        "sine",
        "SIN",
        "does not run SIN",
        lambda s: s.net.operator("SIN", [s.x], SHAPE),
    ),
    (
        "cube",
        "POW",
        "its exponent is 3",
        lambda s: s.net.operator("POW", [s.x, s.net.constant(np.array(3, np.float32))], SHAPE, schema.PowOptionsT()),
    ),
    (
        "large_kernel",
        "CONV_2D",
        "64",
        lambda s: s.net.conv(s.x, s.random(2, 9, 9, 6)),
    ),
    (
        "nan_weights",
        "CONV_2D",
        "finite",
        lambda s: s.net.conv(s.x, np.full((2, 1, 1, 6), np.nan, np.float32)),
    ),
    (
        "computed_weights",
        "FULLY_CONNECTED",
        "is not a float32 constant of the file",
        lambda s: s.net.fully_connected(
            s.net.mean(s.x),
            s.net.operator("RESHAPE", [s.net.mean(s.x), s.ints(1, 6)], (1, 6), schema.ReshapeOptionsT()),
        ),
    ),
)


def _model_with(make: Callable) -> bytes:
    """A convolution and, behind it, the node that `make` adds."""
    net = TfliteBuilder()
    stage = op_models.Stage(net, np.random.default_rng(1), net.input(X.shape))
    stage.x = stage.conv(stage.x)
    return net.build([make(stage)])


LEFT = {name: (_model_with(make), op, reason) for name, op, reason, make in LEFT_BEHIND}


def _jobs() -> dict[str, Job]:
    model = op_models.build("conv_same")
    jobs = {"plain": Job(model, [X], None), "cpu": Job(model, [X], {"backend": "cpu"})}
    jobs["auto"] = Job(model, [X], {"verbosity": 0})
    jobs |= {name: Job(model, [X], options) for name, (options, _) in REFUSED.items()}
    jobs["opencl"] = Job(model, [X], {"backend": "opencl", "verbosity": 0})
    jobs["no_library"] = Job(model, [X], {"backend": "opencl", "verbosity": 0, "opencl_library": "libabsent.so"})
    for name, (file, _, _) in LEFT.items():
        jobs[f"{name}.plain"] = Job(file, [X], None)
        jobs[f"{name}.plugin"] = Job(file, [X], {"backend": "cpu", "verbosity": 0})
    return jobs


def fault_jobs() -> dict[str, Job]:
    """A job for each fault, and one that names none which there is."""
    model = op_models.build("conv_same")
    backends = {fault: "cpu" for fault in (*FATAL, *MENDED, "fire")} | {fault: "opencl" for fault in WITHOUT_OPENCL}
    return {
        fault: Job(model, [X], {"backend": backend, "fault": fault, "verbosity": 0})
        for fault, backend in backends.items()
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory):
    """Results of all jobs of a runtime, run once."""
    return results_once(_jobs, tmp_path_factory)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory):
    """Results of all faults of a runtime, run once."""
    return results_once(fault_jobs, tmp_path_factory, functools.partial(run_script, plugin=faults_path()))


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_bad_options_are_one_sentence(results, runtime: str, name: str) -> None:
    error = results(runtime)[name].error
    assert f"mcpruner: {REFUSED[name][1]}" in error
    assert error.endswith(". ")


@pytest.mark.parametrize("fault", ["fire", *FATAL])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_failures_are_one_sentence(faulty, runtime: str, fault: str) -> None:
    error = faulty(runtime)[fault].error
    if fault == "fire":
        known = ("none", *WITHOUT_OPENCL, *MENDED, *FATAL)
        assert f"mcpruner: option fault: expected one of {', '.join(known)}, got 'fire'. " in error
    else:
        assert error.startswith(FATAL[fault])


def _assert_another_backend_ran(mended: Result, plain: Result, backend: str, reason: str) -> None:
    """With the same results, and the report says why."""
    assert mended.error == ""
    np.testing.assert_allclose(mended.outputs[0], plain.outputs[0], rtol=0, atol=1e-5 * np.abs(plain.outputs[0]).max())
    (partition,) = mended.report["partitions"]
    assert partition["backend"] == backend
    assert reason in partition["reason"]
    assert partition["reason"].endswith(f"the {backend} backend runs instead")
    assert all(node["reason"] == partition["reason"] for node in mended.report["nodes"])


@pytest.mark.parametrize("fault", MENDED)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_reference_backend_steps_in(results, faulty, runtime: str, fault: str) -> None:
    _assert_another_backend_ran(faulty(runtime)[fault], results(runtime)["plain"], "reference", fault)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_cpu_backend_steps_in_where_there_is_no_opencl(results, runtime: str) -> None:
    reason = "expected a library with OpenCL 1.2 (libabsent.so: cannot open"
    _assert_another_backend_ran(results(runtime)["no_library"], results(runtime)["plain"], "cpu", reason)


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=needs_opencl if name in NEED_DEVICE else ()) for name in WITHOUT_OPENCL]
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_cpu_backend_steps_in_for_opencl(results, faulty, runtime: str, fault: str) -> None:
    _assert_another_backend_ran(faulty(runtime)[fault], results(runtime)["plain"], "cpu", WITHOUT_OPENCL[fault])


@needs_opencl
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_opencl_runs_the_model(results, runtime: str) -> None:
    plain, opencl = results(runtime)["plain"], results(runtime)["opencl"]
    assert opencl.error == ""
    np.testing.assert_allclose(opencl.outputs[0], plain.outputs[0], rtol=0, atol=1e-5 * np.abs(plain.outputs[0]).max())
    (partition,) = opencl.report["partitions"]
    assert (partition["backend"], partition["reason"]) == ("opencl", "")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_auto_leaves_a_dense_model_to_the_runtime(results, runtime: str) -> None:
    plain, auto = results(runtime)["plain"], results(runtime)["auto"]
    assert auto.error == ""
    assert [node["taken"] for node in auto.report["nodes"]] == [False, False]
    assert all("no layer of its partition is packed" in node["reason"] for node in auto.report["nodes"])
    np.testing.assert_array_equal(auto.outputs[0], plain.outputs[0])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_cpu_takes_a_dense_model(results, runtime: str) -> None:
    result = results(runtime)["cpu"]
    assert result.error == ""
    assert [node["taken"] for node in result.report["nodes"]] == [True, True]
    assert result.report["num_threads"] == 1
    assert result.report["weight_bytes"] > 0 and result.report["arena_bytes"] >= 0


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_left_has_a_reason_and_the_results_agree(results, runtime: str, name: str) -> None:
    _, op, reason = LEFT[name]
    plain, plugin = results(runtime)[f"{name}.plain"], results(runtime)[f"{name}.plugin"]
    assert plain.error == plugin.error == ""
    first, *_ = plugin.report["nodes"]
    assert first["taken"]
    (row,) = [node for node in plugin.report["nodes"] if node["op"] == op and not node["taken"]]
    assert reason in row["reason"] and row["partition"] == -1 and row["backend"] == ""
    want = plain.outputs[0]
    np.testing.assert_allclose(plugin.outputs[0], want, rtol=0, atol=1e-5 * np.nan_to_num(np.abs(want)).max())
