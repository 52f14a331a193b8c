"""The limits of format/limits.inc from both sides: a layer at each is packed and runs, one beyond it stays dense."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from odd_net import OddNet
from packing import pack_every_layer
from tflite_builder import run

import mcpruner
from mcpruner import compare
from mcpruner.converter.format import limits_generated as limits


def _positions(height: int, width: int) -> Callable[[OddNet], int]:
    def build(net: OddNet) -> int:
        weights = net.weights(4, height, width, 2)
        return net.conv(net.input((1, 70, 70, 2)), weights, padding="VALID")

    return build


def _channels(channels: int, filters: int) -> Callable[[OddNet], int]:
    return lambda net: net.dense(net.input((2, channels)), filters)


def _steps(stride: int, dilation: int) -> Callable[[OddNet], int]:
    def build(net: OddNet) -> int:
        x = net.input((1, 300, 260, 2))
        return net.conv(x, net.weights(4, 2, 1, 2), stride=(stride, stride), dilation=(dilation, 1))

    return build


def _pads(pad: int) -> Callable[[OddNet], int]:
    def build(net: OddNet) -> int:
        x = net.padded(net.input((1, 5, 6, 2)), [[0, 0], [pad, 0], [0, pad], [0, 0]])
        return net.layer(x, 4, 3, padding="VALID")

    return build


# At the limit, and one beyond it.
CASES = {
    "MAX_POSITIONS": ([_positions(8, 8), _positions(64, 1), _positions(1, 64)], [_positions(65, 1), _positions(5, 13)]),
    "MAX_CHANNELS": ([_channels(65535, 3), _channels(3, 65535)], [_channels(65536, 3), _channels(3, 65536)]),
    "MAX_STEP": ([_steps(255, 1), _steps(1, 255)], [_steps(256, 1), _steps(1, 256)]),
    "MAX_PAD": ([_pads(255)], [_pads(256)]),
}


def _operators(make: Callable[[OddNet], int]) -> list[str]:
    """The operators of the converted model, after it gave what its dense self gives."""
    net = OddNet("limits")
    dense = net.build([make(net)])
    with pack_every_layer():
        packed, _ = mcpruner.convert(dense)
    x = net.random(*net.shape(net.graph.inputs[0]))
    want = run(dense, x)[0]
    for backend in ("cpu", "reference"):
        interpreter = mcpruner.Interpreter(model_content=packed, backend=backend, verbosity=0)
        got = compare.run(interpreter, [x])[0]
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
    return [node["op"] for node in interpreter.report()["nodes"]]


@pytest.mark.parametrize("limit", CASES)
def test_layers_up_to_a_limit_are_packed_and_all_run(limit: str) -> None:
    assert hasattr(limits, limit)
    within, beyond = CASES[limit]
    for make in within:
        operators = _operators(make)
        assert len(operators) == 1 and operators[0].startswith("McprunerSparse"), operators
    for make in beyond:
        operators = _operators(make)
        # A PAD beyond the limit stays in front of its convolution, which is packed.
        assert operators == ["PAD", "McprunerSparseConv2D"] if limit == "MAX_PAD" else len(operators) == 1
        assert limit == "MAX_PAD" or not operators[0].startswith("McprunerSparse")
