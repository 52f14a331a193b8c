"""Transposed convolutions that are packed, against LiteRT without the plugin.

Each network is one layer of random sizes. It runs twice on poisoned memory, behind a frame of NaN, with one thread and
with two, and with another batch than the file has.
"""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from op_stage import activation_number
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.pairing import rounded_reference

TOLERANCE = 1e-5  # of the output's largest magnitude


def network(seed: int) -> tuple[bytes, np.ndarray]:
    """A pruned TRANSPOSE_CONV and an input for it: any sizes and filters, kernels below and above the stride."""
    rng = np.random.default_rng(seed)
    filters, channels = (int(n) for n in rng.integers([1, 1], [25, 20]))
    kernel, stride = rng.integers(1, 6, 2), rng.integers(1, 4, 2)
    batch, *size = (int(n) for n in rng.integers([1, 4, 4], [4, 20, 20]))
    same = rng.random() < 0.6
    # With SAME any of `stride` numbers of rows fits an input.
    cut = [int(rng.integers(s)) for s in stride] if same else [0, 0]
    output = [
        int(n * s - less if same else (n - 1) * s + k) for n, s, k, less in zip(size, stride, kernel, cut, strict=True)
    ]
    net = TfliteBuilder()
    shape = (batch, *output, filters)
    inputs = [net.constant(np.array(shape, np.int32)), net.constant(prunable(rng, (filters, *kernel, channels), 0.3))]
    inputs += [net.input((batch, *size, channels))]
    inputs += [net.constant(rng.standard_normal(filters).astype(np.float32))] if rng.random() < 0.7 else []
    options = schema.TransposeConvOptionsT(
        padding=schema.Padding.SAME if same else schema.Padding.VALID,
        strideH=int(stride[0]),
        strideW=int(stride[1]),
        fusedActivationFunction=activation_number(str(rng.choice(["NONE", "RELU", "RELU6"]))),
    )
    y = net.operator("TRANSPOSE_CONV", inputs, shape, options)
    net.model.operatorCodes[-1].version = 4
    return net.build([y]), rng.standard_normal((batch, *size, channels)).astype(np.float32)


def packed(dense: bytes) -> bytes:
    with pack_every_layer():
        content, report = mcpruner.convert(dense)
    assert [(layer.op, layer.accelerated) for layer in report.layers] == [("TRANSPOSE_CONV", True)]
    return content


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("seed", range(24))
def test_layers_of_every_size(seed: int, backend: str) -> None:
    dense, x = network(seed)
    content = packed(dense)
    assert [difference.different for difference in rounded_reference(content, dense)[1]] == [0]
    (want,) = run(Interpreter(model_content=dense, num_threads=1), [x])
    for threads in (1, 2):
        plugin = mcpruner.Interpreter(
            model_content=content, backend=backend, num_threads=threads, poison_memory=np.nan, verbosity=0
        )
        for frame in (x, np.full_like(x, np.nan), x):
            (got,) = run(plugin, [frame])
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max(initial=1e-30))
        assert [node["taken"] for node in plugin.report()["nodes"]] == [True]
        plugin.resize_tensor_input(0, [len(x) + 2, *x.shape[1:]])
        (more,) = run(plugin, [np.concatenate([x, x[:1], x[:1]])])
        np.testing.assert_array_equal(more, np.concatenate([got, got[:1], got[:1]]))


@pytest.mark.parametrize("seed", range(6))
def test_the_dense_file_is_there_again(seed: int) -> None:
    dense, x = network(seed)
    again = densify(packed(dense))
    assert [operator_name(model, op) for model in [read_model(again)] for op in model.subgraphs[0].operators] == [
        "TRANSPOSE_CONV"
    ]
    (got,), (want,) = (run(Interpreter(model_content=content), [x]) for content in (again, dense))
    np.testing.assert_array_equal(got, want)


def test_the_only_input_that_fits_is_named() -> None:
    dense, x = network(0)
    plugin = mcpruner.Interpreter(model_content=packed(dense), backend="cpu", verbosity=0)
    n, height, width, channels = x.shape
    plugin.resize_tensor_input(0, [n, height + 1, width, channels])
    with pytest.raises(RuntimeError, match=rf"expected an input \[{n}, {height}, {width}, {channels}\] for its output"):
        plugin.allocate_tensors()
