"""The project's own operators in every runtime: right where the file is sound, one sentence where it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from op_runner import RUNTIMES, Job, results_once
from opencl_device import needs_opencl
from tflite_builder import TfliteBuilder

from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import SparseOptions, serialize, serialize_options

RNG = np.random.default_rng(20261122)
WEIGHTS = RNG.standard_normal((6, 3, 3, 4)).astype(np.float32) * (RNG.random((6, 3, 3, 4)) < 0.4)
MATRIX = RNG.standard_normal((5, 1, 1, 6)).astype(np.float32) * (RNG.random((5, 1, 1, 6)) < 0.5)
BIAS = RNG.standard_normal(6).astype(np.float32)
BATCHES = [RNG.standard_normal((n, 8, 7, 4)).astype(np.float32) for n in (1, 3, 1)]


def _blob(weights: np.ndarray = WEIGHTS, kind: str = "Conv2D") -> bytes:
    order = np.arange(len(weights), dtype=np.uint16)[::-1].copy()
    return serialize(pack(weights, order, 4, bias=BIAS[: len(weights)], kind=kind))


def _sparse(conv_blob: bytes, conv_options: bytes) -> bytes:
    """A sparse convolution, 2x2 steps with ReLU, then a sparse fully-connected layer on its mean."""
    net = TfliteBuilder()
    x = net.input((1, 8, 7, 4))
    blob = net.constant(np.frombuffer(conv_blob, np.uint8), "conv/blob")
    y = net.custom("McprunerSparseConv2D", [x, blob], (1, 4, 4, 6), conv_options, "conv")
    matrix = net.constant(np.frombuffer(_blob(MATRIX, "FullyConnected"), np.uint8), "fc/blob")
    options = serialize_options(SparseOptions())
    return net.build([net.custom("McprunerSparseFullyConnected", [net.mean(y), matrix], (1, 5), options, "fc")])


def _transposed(**options: object) -> bytes:
    """A transposed convolution of an image of 8 x 7 at stride 2, with these options beside its output's 16 x 14."""
    given = SparseOptions(**{"padding": "Same", "stride_h": 2, "stride_w": 2, "output_height": 16} | options)
    net = TfliteBuilder()
    blob = net.constant(np.frombuffer(_blob(kind="TransposeConv2D"), np.uint8), "up/blob")
    inputs = [net.input((1, 8, 7, 4)), blob]
    return net.build(
        [net.custom("McprunerSparseTransposeConv", inputs, (1, 16, 14, 6), serialize_options(given), "up")]
    )


def _dense() -> bytes:
    net = TfliteBuilder()
    y = net.conv(net.input((1, 8, 7, 4)), WEIGHTS, BIAS, stride=(2, 2), activation="RELU")
    return net.build([net.fully_connected(net.mean(y), MATRIX.reshape(5, 6), BIAS[:5])])


def _options() -> bytes:
    return serialize_options(SparseOptions(padding="Same", stride_h=2, stride_w=2, fused_activation="Relu"))


# Files that are refused when tensors are allocated, and pieces of the sentence.
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut_blob": (lambda: _sparse(_blob()[:-8], _options()), "'conv'): its sparse layer cannot be read: "),
    "no_blob": (lambda: _sparse(b"MCP1", _options()), "'conv'): its sparse layer cannot be read: "),
    "no_options": (
        lambda: _sparse(_blob(), b""),
        "its options (0 bytes) are neither a FlexBuffers map nor a SparseOptions flatbuffer",
    ),
    "other_kind": (lambda: _sparse(_blob(MATRIX, "FullyConnected"), _options()), "is one of another operator"),
    "transposed_kind": (lambda: _sparse(_blob(kind="TransposeConv2D"), _options()), "is one of another operator"),
    "transposed_pads": (
        lambda: _transposed(padding="Explicit", pad_left=1, output_width=14),
        "'up'): its options pad or dilate a transposed convolution",
    ),
    "transposed_dilates": (
        lambda: _transposed(dilation_w_factor=2, output_width=14),
        "'up'): its options pad or dilate a transposed convolution",
    ),
    "transposed_no_width": (lambda: _transposed(), "'up'): expected an output of at least 1"),
    "transposed_width": (
        lambda: _transposed(output_width=17),
        "expected an input [1, 8, 9, 4] for its output [1, 16, 17, 6], got [1, 8, 7, 4]",
    ),
    "channels": (lambda: _sparse(_blob(WEIGHTS[..., :3]), _options()), "expect 3 input channels, the input has 4"),
}


def _jobs(folder: Path) -> dict[str, Job]:
    jobs = {"dense": Job(_dense(), BATCHES, None)}
    for backend in ("cpu", "opencl", "reference"):
        jobs[backend] = Job(
            _sparse(_blob(), _options()), BATCHES, {"backend": backend, "verbosity": 0, "poison_memory": "1e30"}
        )
    jobs["auto"] = Job(_sparse(_blob(), _options()), BATCHES, {"cache_dir": str(folder), "verbosity": 0})
    for name, (make, _) in BAD.items():
        jobs[name] = Job(make(), BATCHES[:1], {"verbosity": 0})
    return jobs


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory):
    """Results of all jobs of a runtime, run once."""
    folder = tmp_path_factory.mktemp("programs")
    return results_once(lambda: _jobs(folder), tmp_path_factory)


@pytest.mark.parametrize("backend", ["cpu", pytest.param("opencl", marks=needs_opencl), "reference"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sparse_operators_equal_dense_ones(results, runtime: str, backend: str) -> None:
    want, got = results(runtime)["dense"], results(runtime)[backend]
    assert want.error == got.error == ""
    assert all(node["taken"] and node["backend"] == backend for node in got.report["nodes"])
    for expected, actual in zip(want.outputs, got.outputs, strict=True):
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@needs_opencl
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_auto_says_what_it_chose(results, runtime: str) -> None:
    """With a folder for programs it looks for a GPU; PoCL is none."""
    auto = results(runtime)["auto"]
    assert auto.error == ""
    (partition,) = auto.report["partitions"]
    reason = partition["reason"]
    assert reason.startswith(f"auto chose {partition['backend']}: ")
    assert "is no GPU but of type cpu" in reason or reason.endswith(" ms, measured")


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_bad_files_are_one_sentence(results, runtime: str, name: str) -> None:
    error = results(runtime)[name].error
    assert "mcpruner: " in error and BAD[name][1] in error
    assert ". " in error
