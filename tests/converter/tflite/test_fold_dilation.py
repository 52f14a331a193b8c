"""Dilated convolutions that TensorFlow writes by way of a batch become one operator, with the same sums."""

from __future__ import annotations

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder, run

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.checked_schema import schema
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.drop_unused import Use, drop_unused
from mcpruner.converter.tflite.fold import fold
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import operator_name, read_model, write_model
from mcpruner.verification import verify

RNG = np.random.default_rng(3)


def dilated(
    code: str,
    image: tuple[int, int],
    kernel: tuple[int, int],
    blocks: tuple[int, int],
    pads: list[list[int]],
    crops: list[list[int]],
    before: np.ndarray | None = None,
    **options: int,
) -> bytes:
    """The three operators for 3 channels, as TensorFlow writes them; weights of a convolution before them."""
    net = TfliteBuilder()
    (h, w), (a, b) = image, blocks
    x = net.input((2, h, w, 3))
    x = x if before is None else net.conv(x, before)
    wide = [(size + sum(pad)) // block for size, pad, block in zip(image, pads, blocks, strict=True)]
    left = [size - k + 1 for size, k in zip(wide, kernel, strict=True)]
    ends = [size * block - sum(crop) for size, block, crop in zip(left, blocks, crops, strict=True)]

    def numbers(values: object) -> int:
        return net.constant(np.array(values, np.int32))

    x = net.operator("SPACE_TO_BATCH_ND", [x, numbers(blocks), numbers(pads)], (2 * a * b, *wide, 3))
    channels, table = (
        (3, schema.DepthwiseConv2DOptionsT(depthMultiplier=1))
        if "DEPTH" in code
        else (
            5,
            schema.Conv2DOptionsT(),
        )
    )
    table.padding = schema.Padding.VALID
    table.strideH = table.strideW = table.dilationHFactor = table.dilationWFactor = 1
    table.fusedActivationFunction = schema.ActivationFunctionType.RELU
    vars(table).update(options)
    weights = RNG.standard_normal((1, *kernel, 3)).astype(np.float32)
    weights = weights if channels == 3 else prunable(RNG, (5, *kernel, 3))
    bias = net.constant(RNG.standard_normal(channels).astype(np.float32))
    x = net.operator(code, [x, net.constant(weights), bias], (2 * a * b, *left, channels), table)
    return net.build([net.operator("BATCH_TO_SPACE_ND", [x, numbers(blocks), numbers(crops)], (2, *ends, channels))])


def folded(content: bytes) -> tuple[list[str], bytes]:
    """Names of the operators that are left, and the file."""
    model = read_model(content)
    before, graph = Use.of(model), model.subgraphs[0]
    fold(model, graph, infer_sizes(model, graph, False))
    drop_unused(model, before)
    return [operator_name(model, op) for op in graph.operators], write_model(model)


def same(size: int, kernel: int, block: int) -> tuple[list[int], list[int]]:
    """Pads and crops of an axis, so that the output is as long as the input."""
    total = (kernel - 1) * block
    rest = -(size + total) % block
    return [total // 2, total - total // 2 + rest], [0, rest]


@pytest.mark.parametrize("code", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(
    ("image", "kernel", "blocks"),
    [((12, 12), (3, 3), (2, 2)), ((9, 17), (3, 5), (4, 3)), ((5, 1), (3, 1), (2, 1)), ((21, 8), (2, 2), (6, 5))],
)
def test_same_padding_becomes_one_operator_with_the_same_sums(
    code: str, image: tuple[int, int], kernel: tuple[int, int], blocks: tuple[int, int]
) -> None:
    pads, crops = zip(*map(same, image, kernel, blocks), strict=True)
    dense = dilated(code, image, kernel, blocks, list(pads), list(crops))
    names, content = folded(dense)
    assert names == [code]
    x = RNG.standard_normal((2, *image, 3)).astype(np.float32)
    np.testing.assert_allclose(run(content, x)[0], run(dense, x)[0], rtol=1e-5, atol=1e-5)


def test_valid_padding_becomes_one_operator_with_the_same_sums() -> None:
    dense = dilated("CONV_2D", (12, 9), (3, 2), (4, 3), [[0, 0], [0, 0]], [[0, 0], [0, 0]])
    names, content = folded(dense)
    assert names == ["CONV_2D"]
    x = RNG.standard_normal((2, 12, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(run(content, x)[0], run(dense, x)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("pads", "crops", "options"),
    [
        ([[4, 4], [4, 4]], [[0, 0], [0, 0]], {}),  # more than SAME has
        ([[2, 2], [2, 2]], [[1, 0], [0, 0]], {}),  # an odd cut at the beginning
        ([[2, 2], [2, 2]], [[0, 0], [0, 0]], {"strideW": 2, "strideH": 2}),
        ([[2, 2], [2, 2]], [[0, 0], [0, 0]], {"padding": schema.Padding.SAME}),
    ],
)
def test_what_no_dilated_convolution_is_stays(pads: list, crops: list, options: dict[str, int]) -> None:
    assert len(folded(dilated("CONV_2D", (12, 12), (3, 3), (2, 2), pads, crops, **options))[0]) == 3


def test_a_tensor_that_others_read_stays() -> None:
    model = read_model(dilated("CONV_2D", (12, 12), (3, 3), (2, 2), [[2, 2], [2, 2]], [[0, 0], [0, 0]]))
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, graph.operators[1].outputs[0]]
    assert len(folded(write_model(model))[0]) == 3


@pytest.mark.parametrize("code", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_a_converted_file_computes_the_same(code: str) -> None:
    """The convolution is packed as the dilated one that it has become, or stays as that."""
    pads, crops = zip(*(same(size, 3, 2) for size in (12, 9)), strict=True)
    dense = dilated(code, (12, 9), (3, 3), (2, 2), list(pads), list(crops), before=prunable(RNG, (3, 1, 1, 3)))
    with pack_every_layer():
        content, report = convert(dense)
    assert report.num_accelerated == (2 if code == "CONV_2D" else 1)
    x = RNG.standard_normal((2, 12, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(run(densify(content), x)[0], run(dense, x)[0], rtol=1e-5, atol=1e-5)
    assert verify(content, dense, all_layers=True, num_threads=(1, 3)).ok
