"""The plain graph means what the ``.tflite`` means, and ncnn's files say the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import plain_file
import plain_graph
import pytest
from ncnn_model import write_ncnn
from plain_network import evaluate, mobile_network, plain_network
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.tflite.model import read_model, write_model


@pytest.mark.parametrize("make", [plain_network, mobile_network])
def test_same_output_as_litert(make: Callable[[], bytes], tmp_path: Path) -> None:
    plain_graph.save(make(), tmp_path / "plain.npz")
    graph, arrays = plain_file.load(tmp_path / "plain.npz")
    x = np.random.default_rng(0).standard_normal(graph["input_shape"]).astype(np.float32)
    (expected,) = run(make(), x.transpose(0, 2, 3, 1).copy())
    np.testing.assert_allclose(evaluate(graph, arrays, x), expected.ravel(), rtol=1e-4, atol=1e-4)


def test_unknown_operator_is_named(tmp_path: Path) -> None:
    net = TfliteBuilder()
    content = net.build([net.relu(net.input((1, 4, 4, 2)))])
    with pytest.raises(ValueError, match="Expected a plain convolutional network, got operator RELU"):
        plain_graph.save(content, tmp_path / "plain.npz")


def test_zeros_before_a_maximum_must_be_its_least(tmp_path: Path) -> None:
    model = read_model(plain_network())
    model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 0
    with pytest.raises(ValueError, match="this PAD cannot be folded"):
        plain_graph.save(write_model(model), tmp_path / "plain.npz")


def test_ncnn_files(tmp_path: Path) -> None:
    plain_graph.save(plain_network(), tmp_path / "plain.npz")
    graph, arrays = plain_file.load(tmp_path / "plain.npz")
    write_ncnn(graph, arrays, tmp_path / "n.param", tmp_path / "n.bin")
    magic, counts, *lines = (tmp_path / "n.param").read_text().splitlines()
    assert magic == "7767517"
    kinds = [line.split()[0] for line in lines]
    assert kinds == [
        *("Input", "Convolution", "Pooling", "Split", "ConvolutionDepthWise", "Convolution", "BinaryOp", "ReLU"),
        *("Convolution", "InnerProduct"),
    ]
    blobs: set[str] = set()
    for line in lines:  # every blob is made once, before it is read once
        _, _, inputs, outputs, *rest = line.split()
        read, made = rest[: int(inputs)], rest[int(inputs) : int(inputs) + int(outputs)]
        assert all(f"<{blob}" in blobs and f">{blob}" not in blobs for blob in read)
        assert not any(f"<{blob}" in blobs for blob in made)
        blobs |= {f">{blob}" for blob in read} | {f"<{blob}" for blob in made}
    assert counts == f"{len(lines)} {sum(blob.startswith('<') for blob in blobs)}"
    assert "<output" in blobs and "<input" in blobs
    values = sum(arrays[layer[key]].size for layer in graph["layers"] for key in ("weight", "bias") if key in layer)
    weighted = sum("weight" in layer for layer in graph["layers"])
    assert (tmp_path / "n.bin").stat().st_size == 4 * (values + weighted)
    assert lines[2].endswith("0=0 1=3 11=3 2=2 12=2 3=0 13=1 14=2 15=1 5=1")
