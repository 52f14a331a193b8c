"""A random network of 5 to 40 operators as a ``.tflite`` file: the same bytes for the same seed, no TensorFlow.

inputs (1 to 3) ─ op ─ op ─ op ─┬─ op ─ ... ─ outputs: every tensor that nobody reads, and some that are read
                           └────┴─ an operator reads the newest tensor mostly, an older one now and then
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import left_ops
import numpy as np
import plain_ops
import weighted_ops
from growth import Growth
from tflite_builder import TfliteBuilder

WILD = {
    weighted_ops.conv: 12,
    weighted_ops.depthwise_conv: 3,
    weighted_ops.grouped_conv: 1,
    weighted_ops.transposed_conv: 0.5,
    weighted_ops.fully_connected: 4,
    plain_ops.binary: 6,
    plain_ops.growing_binary: 0.5,
    plain_ops.unary: 3,
    plain_ops.narrow_unary: 0.5,
    plain_ops.prelu: 1.5,
    plain_ops.softmax: 0.5,
    plain_ops.pool: 2,
    plain_ops.resize: 1,
    plain_ops.blocks: 1,
    plain_ops.reduce: 1.5,
    plain_ops.pad: 1.5,
    plain_ops.mirror_pad: 0.5,
    plain_ops.concatenation: 2,
    plain_ops.reshape: 1.5,
    plain_ops.strided_slice: 1.5,
    plain_ops.window: 0.5,
    plain_ops.gather: 0.5,
    plain_ops.unit_length: 0.4,
    plain_ops.transpose: 0.7,
    plain_ops.squeeze: 0.7,
    plain_ops.split: 0.7,
    plain_ops.pack: 0.5,
}
PUBLISHED = {
    weighted_ops.conv: 12,
    weighted_ops.depthwise_conv: 2,
    weighted_ops.grouped_conv: 1,
    weighted_ops.transposed_conv: 0.5,
    plain_ops.binary: 3,
    plain_ops.unary: 1,
    plain_ops.prelu: 0.5,
    plain_ops.pool: 0.7,
    plain_ops.resize: 0.5,
    plain_ops.blocks: 0.5,
    plain_ops.pad: 0.5,
    plain_ops.mirror_pad: 0.2,
    plain_ops.concatenation: 0.7,
}
LEFT = {
    weighted_ops.computed_weights: 1,
    left_ops.unary: 3,
    left_ops.tile: 1,
}


@dataclass(frozen=True)
class Style:
    """A kind of network: how often, operators, multiply-adds, elements of a tensor, how many operators, image sizes."""

    share: float
    operators: dict[Callable, float]
    macs: int
    elements: int
    count: tuple[int, int]
    image: tuple[int, int] | None  # rows and columns of the input; None: anything, images or not


STYLES = (
    Style(0.57, WILD, 6_000_000, 60_000, (5, 40), None),
    Style(0.03, WILD, 30_000_000, 300_000, (5, 40), None),
    Style(0.34, PUBLISHED, 12_000_000, 80_000, (5, 25), (7, 48)),
    Style(0.06, PUBLISHED, 60_000_000, 1_500_000, (5, 10), (48, 256)),  # more than L2 holds: streamed
)


def _image(g: Growth, style: Style, number: int) -> int:
    """An input of a published network."""
    rows, columns = g.whole(*style.image), g.whole(*style.image)
    return g.net.input((g.choice((1, 2, 3), (8, 1, 1)), rows, columns, g.choice((3, 8, 16, 32))), f"x{number}")


def _input(g: Growth, number: int) -> int:
    """Any input: an image mostly; its elements stay below a share of what one tensor may have."""
    rank = g.choice((4, 3, 2), (10, 1, 1)) if g.chance(0.4) else 4
    batch = g.choice((1, 2, 3, 4), (6, 1, 1, 1))
    room = max(1, g.elements // (4 * batch))
    sizes = []
    for _ in range(rank - 1):
        sizes.append(g.size(room))
        room = max(1, room // sizes[-1])
    order = g.rng.permutation(rank - 1)
    return g.net.input((batch, *(sizes[i] for i in order)), f"x{number}")


def random_network(seed: int) -> bytes:
    """The network of a seed."""
    g = Growth(TfliteBuilder(), np.random.default_rng(seed), 0, 0)
    style = g.choice(STYLES, [style.share for style in STYLES])
    g.macs, g.elements, g.wild = style.macs, style.elements, style.image is None
    for number in range(g.choice((1, 2, 3), (8, 1.5, 0.5))):
        g.tensors.append(_input(g, number) if style.image is None else _image(g, style, number))
    wanted = g.whole(*style.count)
    left = g.choice((0.0, 0.05, 0.2), (4, 3, 3))  # share of operators that the plugin leaves
    for _ in range(4 * wanted):
        if len(g.net.graph.operators) >= wanted:
            break
        x = g.tensors[-1] if g.chance(0.7) else g.choice(g.tensors)
        table = LEFT if g.chance(left) else style.operators
        output = g.choice(list(table), list(table.values()))(g, x)
        if output is not None:
            g.read.add(x)
            g.tensors.append(output)
    return g.net.build(_outputs(g))


def _outputs(g: Growth) -> list[int]:
    computed = [t for t in g.tensors if t not in g.net.graph.inputs]
    outputs = [t for t in computed if t not in g.read] or computed[-1:]
    if g.chance(0.5):
        outputs += [t for t in computed if t not in outputs and g.chance(0.15)]
    if len(outputs) > 1 and g.chance(0.1):  # an operator that nobody reads
        outputs.pop(g.whole(0, len(outputs) - 1))
    return outputs
