"""Whole networks, pruned and converted, against the same weights dense, in every runtime there is.

Each network is pruned in one shot at density 0.5, exported dense and converted, and both files run in ai-edge-litert,
TensorFlow Lite and tflite-runtime 2.14 with 1 and 2 threads, in batches of 1 and of 3 (the last batch is smaller, so
each run resizes twice). Variants of the files with every operator's output as an output run beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shared_data
from corruption import change_one_weight
from networks import NETWORKS, export
from op_runner import RUNTIMES, run_script
from opencl_device import needs_opencl

from mcpruner.pairing import paired_outputs
from mcpruner.submodel import expose
from mcpruner.verification import verify

DENSITY = 0.5
TOLERANCE = 1e-4  # of the output's largest magnitude
OPENCL_TOLERANCE = {"float32": 1e-4, "float16_storage": 5e-3}  # the same, by precision
# Images of the half precision's decisions; docs/opencl.md has all 1000 of the MobileNets.
DECISIONS = {
    "resnet20_cifar10": 1000,
    "resnet56_cifar10": 1000,
    "mobilenet_v1_0.75_224": 200,
    "mobilenet_v2_1.0_224_int8": 200,
}
LAYER_IMAGES = 4  # whose inner tensors are compared: batches of 1, and of 3 and 1
CONFIGURATIONS = [(threads, batch) for threads in (1, 2) for batch in (1, 3)]


@dataclass
class Files:
    """One network on disk: dense and converted, with and without inner outputs, and what to feed it."""

    dense: Path
    sparse: Path
    dense_layers: Path
    sparse_layers: Path
    images: Path
    few_images: Path


@pytest.fixture(scope="module")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Write the files of the network that the test names."""
    network = NETWORKS[request.param]
    if network.trained and not shared_data.SHARED.exists():
        pytest.skip(shared_data.MISSING)
    directory = tmp_path_factory.mktemp(network.name)
    dense, sparse = export(network, DENSITY, directory)
    made = Files(
        dense,
        sparse,
        *(directory / name for name in ("dense.layers", "sparse.layers", "images.npy", "few_images.npy")),
    )
    inner = paired_outputs(sparse.read_bytes(), dense.read_bytes())[:-1]  # the last one is the model's own
    made.sparse_layers.write_bytes(expose(sparse.read_bytes(), [ours for _, ours, _ in inner]))
    made.dense_layers.write_bytes(expose(dense.read_bytes(), [theirs for _, _, theirs in inner]))
    images = network.images()
    np.save(made.images, images)
    np.save(made.few_images, images[:LAYER_IMAGES])
    return made


def _run(runtime: str, dense: Path, sparse: Path, images: Path, tmp_path: Path) -> list[dict[str, np.ndarray]]:
    """Outputs of the dense file, then of the converted one in each configuration."""
    jobs = [{"model": str(dense), "threads": 2, "batch": 1, "options": None}]
    jobs += [
        {"model": str(sparse), "threads": t, "batch": b, "options": {"num_threads": t, "poison_memory": "nan"}}
        for t, b in CONFIGURATIONS
    ]
    return _outputs(runtime, jobs, images, tmp_path)


def _outputs(runtime: str, jobs: list[dict[str, Any]], images: Path, tmp_path: Path) -> list[dict[str, np.ndarray]]:
    for i, job in enumerate(jobs):
        job.update(inputs=str(images), output=str(tmp_path / f"{i}.npz"))
    run_script("infer.py", runtime, jobs)
    return [dict(np.load(job["output"])) for job in jobs]


def _relative_error(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("files", NETWORKS, indirect=True, scope="module")
def test_pruned_network_equals_its_dense_self(files: Files, runtime: str, tmp_path: Path) -> None:
    """Logits within the tolerance and equal top-1 decisions on every image."""
    expected, *results = _run(runtime, files.dense, files.sparse, files.images, tmp_path)
    (logits,) = expected.values()
    for (threads, batch), result in zip(CONFIGURATIONS, results, strict=True):
        (actual,) = result.values()
        error = _relative_error(actual, logits)
        print(f"{runtime}, {threads} threads, batch {batch}: largest error {error:.2e}")
        assert error < TOLERANCE
        np.testing.assert_array_equal(actual.argmax(-1), logits.argmax(-1))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("files", NETWORKS, indirect=True, scope="module")
def test_every_layer_equals_its_dense_self(files: Files, runtime: str, tmp_path: Path) -> None:
    """Each operator's output within the tolerance of its own largest magnitude."""
    expected, *results = _run(runtime, files.dense_layers, files.sparse_layers, files.few_images, tmp_path)
    for (threads, batch), result in zip(CONFIGURATIONS, results, strict=True):
        assert len(result) == len(expected) > 10
        pairs = zip(result.values(), expected.values(), strict=True)
        errors = [_relative_error(actual, wanted) for actual, wanted in pairs]
        print(f"{runtime}, {threads} threads, batch {batch}: {len(errors)} tensors, largest error {max(errors):.2e}")
        assert max(errors) < TOLERANCE


def _opencl_jobs(dense: Path, model: Path, precisions: Iterable[str]) -> list[dict[str, Any]]:
    """The dense file in the runtime, then `model` on OpenCL in each of the precisions."""
    jobs: list[dict[str, Any]] = [{"model": str(dense), "threads": 2, "batch": 1, "options": None}]
    for precision in precisions:
        options = {"backend": "opencl", "precision": precision}
        jobs.append({"model": str(model), "threads": 2, "batch": 3, "options": options})
    return jobs


@needs_opencl
@pytest.mark.parametrize("files", NETWORKS, indirect=True, scope="module")
def test_pruned_network_on_opencl(files: Files, tmp_path: Path) -> None:
    """Logits within the bound of each precision; equal top-1 decisions in float32."""
    jobs = _opencl_jobs(files.dense, files.sparse, OPENCL_TOLERANCE)
    expected, *results = _outputs("ai_edge_litert", jobs, files.few_images, tmp_path)
    (logits,) = expected.values()
    for (precision, tolerance), result in zip(OPENCL_TOLERANCE.items(), results, strict=True):
        (actual,) = result.values()
        error = _relative_error(actual, logits)
        print(f"opencl, {precision}: largest error {error:.2e}")
        assert error < tolerance
        assert precision != "float32" or (actual.argmax(-1) == logits.argmax(-1)).all()


@needs_opencl
@pytest.mark.parametrize("name", DECISIONS)
def test_half_storage_decides_alike(name: str, tmp_path: Path) -> None:
    """At least 99.5 % equal top-1 decisions on all images.

    The weights are the trained ones: pruned in one shot, a network may have lost its accuracy, and its decisions
    between nearly equal logits say nothing.
    """
    if not shared_data.SHARED.exists():
        pytest.skip(shared_data.MISSING)
    dense, _ = export(NETWORKS[name], 1.0, tmp_path)
    images = tmp_path / "images.npy"
    load = shared_data.cifar_jpeg_images if "cifar" in name else shared_data.imagenet_images
    np.save(images, shared_data.preprocess(name, load(DECISIONS[name])[0]))
    jobs = _opencl_jobs(dense, dense, ["float16_storage"])
    expected, half = _outputs("ai_edge_litert", jobs, images, tmp_path)
    (logits,), (halves,) = expected.values(), half.values()
    equal = float((halves.argmax(-1) == logits.argmax(-1)).mean())
    print(f"{name}: {len(logits)} images, equal top-1 {equal:.4f}, largest error {_relative_error(halves, logits):.2e}")
    assert equal >= 0.995
    assert _relative_error(halves, logits) < OPENCL_TOLERANCE["float16_storage"]


@pytest.mark.parametrize("files", NETWORKS, indirect=True, scope="module")
def test_verify_passes_and_finds_one_wrong_weight(files: Files) -> None:
    """`verify` says yes to the converted file, and no once one weight of one blob has changed by a thousandth."""
    sparse, dense = files.sparse.read_bytes(), files.dense.read_bytes()
    assert verify(sparse, dense, inputs=np.load(files.few_images)[:1]).ok
    wrong = verify(change_one_weight(sparse, 1, 1.001), dense, inputs=np.load(files.few_images)[:1])
    assert not wrong.ok
    assert sum(weight.different for weight in wrong.weights) == 1
