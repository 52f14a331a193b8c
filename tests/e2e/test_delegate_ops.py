"""Every operator that the delegate takes, against the same runtime without it, in every runtime there is.

Each model runs in batches of 1, 3 and 1 in one interpreter, so it is resized twice where its shapes allow it.
"""

from __future__ import annotations

import numpy as np
import op_models
import pytest
from op_runner import RUNTIMES, Job, results_once

TOLERANCE = 1e-5  # of the output's largest magnitude
BACKENDS = ("cpu", "reference")


def _jobs() -> dict[str, Job]:
    jobs = {}
    for name in op_models.CASES:
        model, inputs = op_models.build(name), [op_models.inputs(name, batch) for batch in op_models.batches(name)]
        jobs[f"{name}.plain"] = Job(model, inputs, None)
        for backend in BACKENDS:
            jobs[f"{name}.{backend}"] = Job(model, inputs, {"backend": backend, "verbosity": 0, "poison_memory": "nan"})
    return jobs


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory):
    """Results of all jobs of a runtime, run once."""
    return results_once(_jobs, tmp_path_factory)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", op_models.CASES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_operator_equals_the_runtime_without_the_plugin(results, runtime: str, name: str, backend: str) -> None:
    expected, actual = results(runtime)[f"{name}.plain"], results(runtime)[f"{name}.{backend}"]
    assert expected.error == actual.error == ""
    left = [(node["op"], node["reason"]) for node in actual.report["nodes"] if not node["taken"]]
    assert [op for op, _ in left if op != "DEQUANTIZE"] == [], left
    assert {node["backend"] for node in actual.report["nodes"] if node["taken"]} == {backend}
    for want, got in zip(expected.outputs, actual.outputs, strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
