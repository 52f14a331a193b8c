"""Rows that exist, rows that were written in this inference, and sizes whose products need 64 bits.

Each network is compared with LiteRT without the plugin on poisoned memory, behind frames of NaN and of 3e30.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from small_network import prunable
from tflite_builder import TfliteBuilder

import mcpruner
import mcpruner._native as native

TOLERANCE = 1e-5  # of the output's largest magnitude


def _frames(interpreter: Interpreter, *frames: np.ndarray) -> np.ndarray:
    """The output of the last frame."""
    interpreter.allocate_tensors()
    for frame in frames:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], frame)
        interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _check(model: bytes, x: np.ndarray, dense: bytes | None = None, **options: object) -> dict[str, object]:
    """Compare a model with itself, or with its dense form, without the plugin; returns the plugin's report."""
    want = _frames(Interpreter(model_content=dense or model), x)
    for poison in (np.nan, 1e30):
        interpreter = mcpruner.Interpreter(model_content=model, poison_memory=poison, **options)
        got = _frames(interpreter, x, np.full_like(x, np.nan), x, np.full_like(x, 3e30), x)
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    return interpreter.report()


def _weights(rng: np.random.Generator, filters: int, kernel: int, channels: int, density: float = 1.0) -> np.ndarray:
    shape = (filters, kernel, kernel, channels)
    weights = prunable(rng, shape, density) if density < 1 else rng.standard_normal(shape).astype(np.float32)
    return weights / np.float32(np.sqrt(kernel * kernel * channels * density))


@pytest.mark.parametrize("threads", [1, 3, 4])
@pytest.mark.parametrize("shape", [(210, 224, 32), (112, 112, 128)])
def test_dense_layers_in_a_stream(shape: tuple[int, int, int], threads: int) -> None:
    rng = np.random.default_rng(0)
    net = TfliteBuilder()
    y = net.input((1, *shape))
    for _ in range(2):
        y = net.conv(y, _weights(rng, shape[2], 3, shape[2]))
    _check(net.build([y]), rng.standard_normal((1, *shape)).astype(np.float32), backend="cpu", num_threads=threads)


@pytest.mark.parametrize("size", [(9, 16), (13, 28), (14, 14), (32, 32)])
def test_dense_layers_between_pruned_ones(size: tuple[int, int], tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    net = TfliteBuilder()
    y = net.input((1, *size, 32))
    for filters, density in ((64, 0.2), (32, 1.0), (64, 0.2), (32, 1.0), (128, 0.2), (32, 1.0)):
        weights = _weights(rng, filters, 3, net.shape(y)[3], density)
        y = net.conv(y, weights, np.full(filters, 2, np.float32), activation="RELU")
    path = tmp_path / "dense.tflite"
    path.write_bytes(net.build([y]))
    packed, _ = mcpruner.convert(path, target="x86-64")
    x = rng.standard_normal((1, *size, 32)).astype(np.float32)
    for threads in (1, 2, 3, 4):
        _check(packed, x, path.read_bytes(), num_threads=threads)


# To 0 in 32 bits, to a negative number, to 0 in 64 bits.
@pytest.mark.parametrize("strides", [(512, 512, 16384), (46341, 46341), (65535,) * 9, (32768, 2, 65535, 65535)])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_strides_whose_product_is_large(strides: tuple[int, ...], backend: str) -> None:
    net = TfliteBuilder()
    y = net.conv(net.input((1, 1, 1, 1)), np.ones((1, 1, 1, 1), np.float32))
    for stride in strides:
        options = schema.Pool2DOptionsT(
            padding=schema.Padding.SAME, strideH=stride, strideW=stride, filterHeight=1, filterWidth=1
        )
        y = net.operator("MAX_POOL_2D", [y], (1, 1, 1, 1), options)
    report = _check(net.build([y]), np.full((1, 1, 1, 1), 3, np.float32), backend=backend)
    assert all(node["taken"] for node in report["nodes"])


@pytest.mark.parametrize("size", [(384, 384), (1080, 1920)])
@pytest.mark.parametrize("simd", native.simd_targets())
def test_large_images(simd: str, size: tuple[int, int], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = TfliteBuilder()
    y = net.conv(net.input((1, *size, 4)), _weights(rng, 4, 3, 4, 0.2))
    path = tmp_path / "dense.tflite"
    path.write_bytes(net.build([y]))
    packed, _ = mcpruner.convert(path, target="x86-64")
    x = rng.standard_normal((1, *size, 4)).astype(np.float32)
    _check(packed, x, path.read_bytes(), simd=simd, backend="cpu")
