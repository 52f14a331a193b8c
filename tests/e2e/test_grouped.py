"""Grouped convolutions, packed and as they come, against LiteRT without the plugin.

Each network is one layer of random sizes. It runs twice on poisoned memory, behind a frame of NaN, with one thread and
with two.
"""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from packing import pack_every_layer
from small_network import prunable
from tflite_builder import TfliteBuilder

import mcpruner
from mcpruner.compare import run
from mcpruner.pairing import rounded_reference

TOLERANCE = 1e-5  # of the output's largest magnitude


def network(seed: int, density: float) -> tuple[bytes, np.ndarray]:
    """A grouped convolution and an input for it: odd sizes, steps, and groups of any number of filters."""
    rng = np.random.default_rng(seed)
    groups, filters, channels = (int(n) for n in rng.integers([2, 1, 2], [7, 10, 9]))
    kernel = rng.integers(1, 6, 2)
    stride = rng.integers(1, 4, 2)
    # TFLite does not run stride and dilation together.
    dilation = rng.integers(1, 3, 2) if stride.max() == 1 else np.ones(2, int)
    batch, *size = (int(n) for n in rng.integers([1, 9, 9], [4, 34, 34]))
    weights = prunable(rng, (groups * filters, *map(int, kernel), channels), density)
    net = TfliteBuilder()
    y = net.conv(
        net.input((batch, *size, groups * channels)),
        weights,
        rng.standard_normal(len(weights)).astype(np.float32),
        tuple(map(int, stride)),
        str(rng.choice(["SAME", "VALID"])),
        tuple(map(int, dilation)),
        str(rng.choice(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])),
    )
    x = rng.standard_normal((batch, *size, groups * channels)).astype(np.float32)
    return net.build([y]), x


def check(content: bytes, dense: bytes, x: np.ndarray) -> None:
    (want,) = run(Interpreter(model_content=dense, num_threads=1), [x])
    for threads in (1, 2):
        plugin = mcpruner.Interpreter(
            model_content=content, backend="cpu", num_threads=threads, poison_memory=np.nan, verbosity=0
        )
        for frame in (x, np.full_like(x, np.nan), x):
            (got,) = run(plugin, [frame])
        np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
        assert [node["taken"] for node in plugin.report()["nodes"]] == [True]


@pytest.mark.parametrize("seed", range(24))
def test_packed_layers(seed: int) -> None:
    dense, x = network(seed, density=0.3)
    with pack_every_layer():
        packed, report = mcpruner.convert(dense)
    assert [layer.accelerated for layer in report.layers] == [True]
    assert [difference.different for difference in rounded_reference(packed, dense)[1]] == [0]
    check(packed, dense, x)


@pytest.mark.parametrize("seed", range(100, 116))
def test_layers_as_they_come(seed: int) -> None:
    dense, x = network(seed, density=1.0)
    check(dense, dense, x)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("filters", [1, 3, 6, 8])
def test_what_one_group_reads_is_nothing_to_the_others(filters: int, packed: bool) -> None:
    """A channel of NaN and one of infinity; an explicit zero times them would be NaN."""
    net = TfliteBuilder()
    rng = np.random.default_rng(filters)
    content = dense = net.build([net.conv(net.input((1, 5, 6, 9)), prunable(rng, (3 * filters, 3, 3, 3), 0.6))])
    if packed:
        with pack_every_layer():
            content, _ = mcpruner.convert(dense)
    x = rng.standard_normal((1, 5, 6, 9)).astype(np.float32)
    x[..., 4], x[..., 5] = np.nan, np.inf
    (got,) = run(mcpruner.Interpreter(model_content=content, backend="cpu", verbosity=0), [x])
    (want,) = run(Interpreter(model_content=dense), [x])
    others = np.r_[:filters, 2 * filters : 3 * filters]
    assert np.isfinite(want[..., others]).all()
    np.testing.assert_allclose(got[..., others], want[..., others], rtol=0, atol=1e-5)
