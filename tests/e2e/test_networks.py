"""Whole networks, pruned and converted, against the same weights dense, in every runtime there is.

Each network is pruned in one shot at density 0.5, exported dense and converted, and both files run in ai-edge-litert,
TensorFlow Lite and tflite-runtime 2.14 with 1 and 2 threads, in batches of 1 and of 3 (the last batch is smaller, so
each run resizes twice). Variants of the files with every operator's output as an output run beside them. A long run
(``--long``) takes all images, and VGG-16 and ResNet-50 as they were published.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shared_data
from corruption import change_one_weight
from networks import LONG, NETWORKS, export, write_dense
from op_runner import RUNTIMES, run_script
from opencl_device import needs_opencl

from mcpruner.pairing import paired_outputs
from mcpruner.submodel import expose
from mcpruner.verification import verify

DENSITY = 0.5
TOLERANCE = 1e-4  # of the output's largest magnitude
OPENCL_TOLERANCE = {"float32": 1e-4, "float16_storage": 5e-3}  # the same, by precision
# Images of the half precision's decisions: of those that tell most in a short run, of each network in a long one.
# docs/opencl.md has all 1000 of the MobileNets.
DECISIONS = {"resnet20_cifar10": 400, "mobilenet_v2_1.0_224_int8": 60}
LONG_DECISIONS = {
    "resnet20_cifar10": 1000,
    "resnet56_cifar10": 1000,
    "mobilenet_v1_0.75_224": 200,
    "mobilenet_v2_1.0_224_int8": 200,
}
LAYER_IMAGES = 4  # whose inner tensors are compared: batches of 1, and of 3 and 1
CONFIGURATIONS = [(threads, batch) for threads in (1, 2) for batch in (1, 3)]
networks = pytest.mark.parametrize(
    "files",
    [*NETWORKS, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)],
    indirect=True,
    scope="module",
)


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
    network = (NETWORKS | LONG)[request.param]
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
    np.save(made.images, images if request.config.getoption("--long") else images[: network.sample])
    np.save(made.few_images, images[:LAYER_IMAGES])
    return made


def _comparison(dense: Path, sparse: Path, images: Path) -> list[dict[str, Any]]:
    """Jobs for the dense file, then for the converted one in each configuration."""
    jobs: list[dict[str, Any]] = [{"model": str(dense), "threads": 2, "batch": 1, "options": None}]
    for threads, batch in CONFIGURATIONS:
        options = {"num_threads": threads, "poison_memory": "nan"}
        jobs.append({"model": str(sparse), "threads": threads, "batch": batch, "options": options})
    return [{**job, "inputs": str(images)} for job in jobs]


def _run(runtime: str, jobs: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Run the jobs in one process; the file of each one's outputs."""
    for i, job in enumerate(jobs):
        job["output"] = str(folder / f"{runtime}.{i}.npz")
    run_script("infer.py", runtime, jobs)
    return [Path(job["output"]) for job in jobs]


def _take(path: Path) -> dict[str, np.ndarray]:
    """Outputs by name; the file goes."""
    outputs = dict(np.load(path))
    path.unlink()
    return outputs


@pytest.fixture(scope="module")
def outputs(files: Files) -> Callable[[str], tuple[list[Path], list[Path]]]:
    """A function from a runtime to the outputs of the network's files, and of those with inner outputs: run once."""

    @functools.cache
    def get(runtime: str) -> tuple[list[Path], list[Path]]:
        jobs = _comparison(files.dense, files.sparse, files.images)
        jobs += _comparison(files.dense_layers, files.sparse_layers, files.few_images)
        paths = _run(runtime, jobs, files.dense.parent)
        return paths[: len(paths) // 2], paths[len(paths) // 2 :]

    return get


def _relative_error(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("runtime", RUNTIMES)
@networks
def test_pruned_network_equals_its_dense_self(outputs: Callable, runtime: str) -> None:
    """Logits within the tolerance and equal top-1 decisions on every image."""
    expected, *results = map(_take, outputs(runtime)[0])
    (logits,) = expected.values()
    for (threads, batch), result in zip(CONFIGURATIONS, results, strict=True):
        (actual,) = result.values()
        error = _relative_error(actual, logits)
        print(f"{runtime}, {threads} threads, batch {batch}: largest error {error:.2e}")
        assert error < TOLERANCE
        np.testing.assert_array_equal(actual.argmax(-1), logits.argmax(-1))


@pytest.mark.parametrize("runtime", RUNTIMES)
@networks
def test_every_layer_equals_its_dense_self(outputs: Callable, runtime: str) -> None:
    """Each operator's output within the tolerance of its own largest magnitude."""
    expected, *results = map(_take, outputs(runtime)[1])
    for (threads, batch), result in zip(CONFIGURATIONS, results, strict=True):
        assert len(result) == len(expected) > 10
        pairs = zip(result.values(), expected.values(), strict=True)
        errors = [_relative_error(actual, wanted) for actual, wanted in pairs]
        print(f"{runtime}, {threads} threads, batch {batch}: {len(errors)} tensors, largest error {max(errors):.2e}")
        assert max(errors) < TOLERANCE


def _opencl_jobs(dense: Path, model: Path, images: Path, precisions: Iterable[str]) -> list[dict[str, Any]]:
    """The dense file in the runtime, then `model` on OpenCL in each of the precisions."""
    jobs: list[dict[str, Any]] = [{"model": str(dense), "threads": 2, "batch": 1, "options": None}]
    for precision in precisions:
        options = {"backend": "opencl", "precision": precision}
        jobs.append({"model": str(model), "threads": 2, "batch": 3, "options": options})
    return [{**job, "inputs": str(images)} for job in jobs]


@needs_opencl
@networks
def test_pruned_network_on_opencl(files: Files, tmp_path: Path) -> None:
    """Logits within the bound of each precision; equal top-1 decisions in float32."""
    jobs = _opencl_jobs(files.dense, files.sparse, files.few_images, OPENCL_TOLERANCE)
    expected, *results = map(_take, _run("ai_edge_litert", jobs, tmp_path))
    (logits,) = expected.values()
    for (precision, tolerance), result in zip(OPENCL_TOLERANCE.items(), results, strict=True):
        (actual,) = result.values()
        error = _relative_error(actual, logits)
        print(f"opencl, {precision}: largest error {error:.2e}")
        assert error < tolerance
        assert precision != "float32" or (actual.argmax(-1) == logits.argmax(-1)).all()


@needs_opencl
@pytest.mark.parametrize(
    ("name", "count"),
    [*DECISIONS.items(), *(pytest.param(*case, marks=pytest.mark.long) for case in LONG_DECISIONS.items())],
)
def test_half_storage_decides_alike(name: str, count: int, tmp_path: Path) -> None:
    """At least 99.5 % equal top-1 decisions on all images.

    The weights are the trained ones: pruned in one shot, a network may have lost its accuracy, and its decisions
    between nearly equal logits say nothing.
    """
    if not shared_data.SHARED.exists():
        pytest.skip(shared_data.MISSING)
    dense, images = write_dense((NETWORKS | LONG)[name].build(), tmp_path / "dense.tflite"), tmp_path / "images.npy"
    load = shared_data.cifar_jpeg_images if "cifar" in name else shared_data.imagenet_images
    np.save(images, shared_data.preprocess(name, load(count)[0]))
    jobs = _opencl_jobs(dense, dense, images, ["float16_storage"])
    expected, half = map(_take, _run("ai_edge_litert", jobs, tmp_path))
    (logits,), (halves,) = expected.values(), half.values()
    equal = float((halves.argmax(-1) == logits.argmax(-1)).mean())
    print(f"{name}: {len(logits)} images, equal top-1 {equal:.4f}, largest error {_relative_error(halves, logits):.2e}")
    assert equal >= 0.995
    assert _relative_error(halves, logits) < OPENCL_TOLERANCE["float16_storage"]


@networks
def test_verify_passes_and_finds_one_wrong_weight(files: Files) -> None:
    """`verify` says yes to the converted file, and no once one weight of one blob has changed by a thousandth."""
    sparse, dense = files.sparse.read_bytes(), files.dense.read_bytes()
    assert verify(sparse, dense, inputs=np.load(files.few_images)[:1]).ok
    wrong = verify(change_one_weight(sparse, 1, 1.001), dense, inputs=np.load(files.few_images)[:1], num_threads=2)
    assert not wrong.ok
    assert sum(weight.different for weight in wrong.weights) == 1
