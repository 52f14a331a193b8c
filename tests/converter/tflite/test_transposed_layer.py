"""What a TRANSPOSE_CONV says of its sizes, and when its layer is packed."""

from __future__ import annotations

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert
from mcpruner.converter.cost.cost_model import load_costs
from mcpruner.converter.format.serialize import deserialize_options
from mcpruner.converter.target import get_target
from mcpruner.converter.tflite.decide import decide
from mcpruner.converter.tflite.model import operator_name, read_model, schema
from mcpruner.converter.tflite.transposed_layer import input_size, why_too_large


def network(
    weights: np.ndarray, stride: int = 2, output: tuple[int, int] = (16, 14), computed: bool = False, **options: int
) -> bytes:
    """A TRANSPOSE_CONV with SAME padding of an image of 8 x 7; its shape may be computed, for any batch."""
    net = TfliteBuilder()
    x = net.input((1, 8, 7, weights.shape[3]))
    shape = net.constant(np.array([1, *output, len(weights)], np.int32))
    if computed:
        net.graph.tensors[x].shapeSignature = [-1, 8, 7, weights.shape[3]]
        sizes = net.tensor((4,), "sizes", "int32")
        net.operator("SHAPE", [x], (4,), schema.ShapeOptionsT(outType=schema.TensorType.INT32))
        net.graph.operators[-1].outputs = [sizes]
        bounds = [net.constant(np.array([n], np.int32)) for n in (0, 1)]
        net.operator("SLICE", [sizes, *bounds], (1,), schema.SliceOptionsT())
        net.graph.tensors[net.graph.operators[-1].outputs[0]].type = schema.TensorType.INT32
        parts = [net.graph.operators[-1].outputs[0], net.constant(np.array([*output, len(weights)], np.int32))]
        shape = net.operator("CONCATENATION", parts, (4,), schema.ConcatenationOptionsT(axis=0))
        net.graph.tensors[shape].type = schema.TensorType.INT32
    given = schema.TransposeConvOptionsT(padding=schema.Padding.SAME, strideH=stride, strideW=stride, **options)
    y = net.operator("TRANSPOSE_CONV", [shape, net.constant(weights), x], (1, *output, len(weights)), given, "up")
    if computed:
        net.graph.tensors[y].shapeSignature = [-1, -1, -1, len(weights)]
    return net.build([y])


def pruned(*shape: int) -> np.ndarray:
    return prunable(np.random.default_rng(1), shape, 0.2)


@pytest.mark.parametrize("computed", [False, True])
def test_rows_and_columns_stand_in_the_options(computed: bool) -> None:
    with pack_every_layer():
        content, report = convert(network(pruned(8, 3, 3, 4), computed=computed))
    model = read_model(content)
    (op,) = model.subgraphs[0].operators
    assert operator_name(model, op) == "McprunerSparseTransposeConv" and len(op.inputs) == 2
    options = deserialize_options(bytes(op.customOptions))
    assert (options.padding, options.stride_h, options.stride_w) == ("Same", 2, 2)
    assert (options.output_height, options.output_width) == (16, 14)
    assert report.layers[0].op == "TRANSPOSE_CONV" and report.layers[0].shape == [8, 3, 3, 4]
    assert report.layers[0].bytes_after < report.layers[0].bytes_before


def test_a_second_conversion_says_the_same_of_it() -> None:
    with pack_every_layer():
        once, first = convert(network(pruned(8, 3, 3, 4)))
    _, second = convert(once)
    assert second.layers[0].op == "McprunerSparseTransposeConv"
    assert (second.layers[0].shape, second.layers[0].density) == (first.layers[0].shape, first.layers[0].density)
    assert second.layers[0].reason.startswith("sparse: packed by an earlier conversion")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (network(pruned(8, 3, 3, 4), output=(16, 17)), "its input does not fit the 16 x 17 pixels that it makes"),
        (network(pruned(8, 9, 8, 4)), "its 9x8 kernel has more than 64 positions"),
        (network(pruned(8, 3, 3, 4), stride=256, output=(2048, 1792)), "one of its strides [256, 256] exceeds 255"),
        (
            network(pruned(8, 1, 1, 4), stride=100, output=(800, 700)),
            "it is a convolution of 80000 filters with 1 kernel positions, which is too large",
        ),
        (
            network(pruned(8, 3, 3, 4), fusedActivationFunction=schema.ActivationFunctionType.TANH),
            "its fused activation is TANH; taken are none, RELU, RELU6 and RELU_N1_TO_1",
        ),
    ],
)
def test_what_cannot_be_packed_says_why(content: bytes, reason: str) -> None:
    with pack_every_layer():
        same, report = convert(content)
    assert report.layers[0].reason == f"dense: {reason}"
    assert same == content


@pytest.mark.parametrize(("computed", "taken"), [(False, True), (True, False)])
def test_without_zeros_the_plugin_takes_it_where_its_shape_is_constant(computed: bool, taken: bool) -> None:
    model = read_model(network(np.ones((8, 3, 3, 4), np.float32), computed=computed))
    (layer,) = decide(model, get_target("x86-64"), load_costs("avx512")).graphs[0].layers
    assert not layer.packed and layer.taken == taken
    assert layer.tflite_ns > 0 and layer.plugin_ns > 0


@pytest.mark.parametrize(
    ("output", "kernel", "stride", "same", "size"),
    [(16, 3, 2, True, 8), (15, 3, 2, True, 8), (17, 3, 2, False, 8), (18, 3, 2, False, 8), (5, 2, 3, False, 2)],
)
def test_the_input_that_fits(output: int, kernel: int, stride: int, same: bool, size: int) -> None:
    assert input_size(output, kernel, stride, same) == size


def test_positions_of_the_convolution_that_it_is_run_as() -> None:
    """A 7x7 kernel at stride 1 stays one; at stride 2 it has 4x4 positions."""
    words = r"it is a convolution of 80000 filters with {} kernel positions, which is too large"
    assert why_too_large((80000, 7, 7, 1), (9, 9), (1, 1), True) == words.format(49)
    assert why_too_large((20000, 7, 7, 1), (18, 18), (2, 2), True) == words.format(16)
    assert why_too_large((20, 7, 7, 1), (18, 18), (2, 2), True) == ""
