"""Whole networks, pruned and converted, against the same weights dense, in every runtime there is.

Each network is pruned in one shot at density 0.5, exported dense and converted, and both files run in ai-edge-litert,
TensorFlow Lite and tflite-runtime 2.14 with 1 and 2 threads, in batches of 1 and of 3 (the last batch is smaller, so
each run resizes twice).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shared_data
from networks import NETWORKS, export

import mcpruner

DENSITY = 0.5
TOLERANCE = 1e-4  # of the output's largest magnitude
OLD_RUNTIME = Path(__file__).resolve().parents[2] / ".venv-tflite-runtime" / "bin" / "python"
RUNTIMES = {"ai_edge_litert": Path(sys.executable), "tensorflow": Path(sys.executable), "tflite_runtime": OLD_RUNTIME}
CONFIGURATIONS = [(threads, batch) for threads in (1, 2) for batch in (1, 3)]


@pytest.fixture(scope="module")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Dense file, converted file and inputs of one network."""
    network = NETWORKS[request.param]
    if network.trained and not shared_data.SHARED.exists():
        pytest.skip(shared_data.MISSING)
    directory = tmp_path_factory.mktemp(network.name)
    inputs = directory / "inputs.npy"
    np.save(inputs, network.images())
    return (*export(network, DENSITY, directory), inputs)


def _run(runtime: str, jobs: list[dict]) -> list[dict[str, np.ndarray]]:
    python = RUNTIMES[runtime]
    if not python.exists():
        pytest.skip(f"{runtime} needs its own environment, which `make setup` puts at {python}")
    subprocess.run(
        [python, Path(__file__).with_name("infer.py"), runtime, mcpruner.delegate_path()],
        input=json.dumps(jobs),
        text=True,
        check=True,
    )
    return [dict(np.load(job["output"])) for job in jobs]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("files", NETWORKS, indirect=True, scope="module")
def test_pruned_network_equals_its_dense_self(files: tuple[Path, Path, Path], runtime: str, tmp_path: Path) -> None:
    """Logits within the tolerance and equal top-1 decisions on every image."""
    dense, sparse, inputs = map(str, files)
    jobs = [{"model": dense, "threads": 2, "batch": 1, "plugin": False}]
    jobs += [{"model": sparse, "threads": t, "batch": b, "plugin": True} for t, b in CONFIGURATIONS]
    for i, job in enumerate(jobs):
        job.update(inputs=inputs, output=str(tmp_path / f"{i}.npz"))
    expected, *results = _run(runtime, jobs)
    (logits,) = expected.values()
    for (threads, batch), result in zip(CONFIGURATIONS, results, strict=True):
        (actual,) = result.values()
        error = np.abs(actual - logits).max() / np.abs(logits).max()
        print(f"{runtime}, {threads} threads, batch {batch}: largest error {error:.2e}")
        assert error < TOLERANCE
        np.testing.assert_array_equal(actual.argmax(-1), logits.argmax(-1))
