"""Where XNNPACK's sparse path might run a model on ARM no weights stand behind DENSIFY."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder

from mcpruner.converter.convert import convert
from mcpruner.converter.tflite.model import operator_name, read_model
from mcpruner.converter.tflite.sparse_hint import why_plain

RNG = np.random.default_rng(2)
WHY = "sparse ones would make XNNPACK run the model on its sparse path, which is wrong for some models on ARM"


def entry(
    net: TfliteBuilder, size: int = 33, padding: str = "SAME", pads: tuple | None = None, channels: int = 3
) -> int:
    x = net.input((1, size, size, channels))
    x = x if pads is None else net.pad(x, pads)
    return net.conv(
        x, RNG.standard_normal((16, 3, 3, channels)).astype(np.float32), None, (2, 2), padding, name="entry"
    )


def mobile(density: float = 0.2, **kwargs: object) -> TfliteBuilder:
    """The beginning, a depthwise convolution, an elementwise operator and a 1x1 convolution."""
    net = TfliteBuilder()
    x = net.relu(net.depthwise_conv(entry(net, **kwargs), RNG.standard_normal((1, 3, 3, 16)).astype(np.float32)))
    net.graph.outputs = [net.conv(x, prunable(RNG, (32, 1, 1, 16), density), name="pointwise")]
    return net


def behind(add: Callable[[TfliteBuilder, int], int]) -> TfliteBuilder:
    net = TfliteBuilder()
    net.graph.outputs = [net.conv(add(net, entry(net)), prunable(RNG, (32, 1, 1, 16), 0.2), name="pointwise")]
    return net


def max_pool(net: TfliteBuilder, x: int) -> int:
    from ai_edge_litert import schema_py_generated as schema

    options = schema.Pool2DOptionsT(strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    return net.operator("MAX_POOL_2D", [x], (1, 9, 9, 16), options)


@pytest.mark.parametrize(
    ("net", "plain"),
    [
        (mobile(), True),
        (mobile(size=32), False),  # SAME pads an even size on one side only
        (mobile(size=32, padding="VALID", pads=(1, 1, 1, 1)), True),
        (mobile(size=32, padding="VALID", pads=(0, 1, 0, 1)), False),
        (mobile(size=33, padding="VALID"), False),
        (mobile(channels=4), False),
        (mobile(density=0.5), False),
        (behind(max_pool), False),
        (behind(lambda net, x: net.add(x, x)), True),
        (behind(lambda net, x: net.conv(x, prunable(RNG, (16, 3, 3, 16)))), False),
    ],
)
def test_which_models_may_have_such_a_part(net: TfliteBuilder, plain: bool) -> None:
    model = read_model(net.build(net.graph.outputs))
    assert why_plain(model, model.subgraphs[0]) == (WHY if plain else "")


def test_a_dense_layer_counts_and_so_do_open_sizes() -> None:
    net = TfliteBuilder()
    x = entry(net, size=32)
    net.graph.tensors[0].shapeSignature = [-1, -1, -1, 3]
    model = read_model(net.build([net.fully_connected(net.mean(x), prunable(RNG, (40, 16), 0.2))]))
    assert why_plain(model, model.subgraphs[0]) == WHY


def test_the_reason_is_in_the_report_and_the_plan_in_the_file() -> None:
    net = mobile()
    source = net.build(net.graph.outputs)
    with pack_every_layer():
        packed, _ = convert(source)
        content, report = convert(source, format="portable")
    model = read_model(content)
    assert "DENSIFY" not in [operator_name(model, op) for op in model.subgraphs[0].operators]
    lines = [line for line in report.layers if line.accelerated]
    assert lines and all(line.reason.endswith(f"; plain weights, since {WHY}") for line in lines)
    assert convert(content)[0] == packed
