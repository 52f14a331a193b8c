"""How long a layer runs, packed in our plugin or dense in either runtime: amounts of work times what each costs.

    time = sum over terms of (amount x nanoseconds of the term)        all nanoseconds at least 0, on one thread

    entry                   terms
    ----------------------  --------------------------------------------------------------------------------
    packed conv, pointwise  multiply_adds, loads, kernels, output_bytes, strided_bytes, weight_bytes, layer
    packed fully_connected  multiply_adds, kernels, weight_bytes, layer
    cpu depthwise           multiply_adds, output_bytes, strided_bytes, layer    in our plugin; it is never packed
    cpu edge                output_bytes, layer                      NHWC to rows, or back, at a partition's edge
    cpu partition           layer                                    what calling a partition costs by itself
    tflite inference        layer                                    what calling an interpreter costs by itself
    cpu, tflite barrier     layer                        what an operator that threads share costs more, in each runtime
    ... elementwise, ...    operators without weights, in both runtimes (`plain_ops`)
    tflite ...              multiply_adds, output_bytes, strided_bytes, weight_bytes, layer: XNNPACK, dense

    multiply_adds  stored values (explicit zeros included) x pixels of the output. Our vectors run along a row and are
                   cut down to four lanes at its end, so a row's pixels count in fours (depthwise in whole vectors);
                   XNNPACK fills tiles of pixels and filters (`TFLITE_TILES`).
    loads          of pixels: one for each multiply-add, shared by the up to 4 filters that are summed at once
    kernels        an index to read: kernels x tiles of pixels (`VECTORS`), once for each 4 filters of a group
    strided_bytes  of the input where the stride is above 1: more than the output, and we split its columns first
    weight_bytes   as packed or dense; other layers have driven them out of L2 since the last inference, and where all
                   weights together exceed the last cache, out of that too (`CostModel.for_model`)
    layer          1

Several threads share all of an operator but its layer term, and wait for the last one of them. Both engines leave an
operator to one thread where it is too small to be shared:

    time on T threads = min(time, layer + (time - layer) / T + barrier)

A sum of terms that only grow is monotone: more work is never predicted faster, and it has few numbers to fit (`mcpruner
calibrate` does, docs/cost_model.md). A table has these entries and their terms; `data/` holds those that are shipped.
The entries, and what is counted with, stand in format/costs.inc: the plugin predicts the same when it loads a model
(delegate/cost/).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mcpruner.converter.format.costs_generated import (
    DENSE_GROUP,
    DENSE_GROUP_OF_PIXELS,
    GROUP_CALL,
    LEAST_PIXELS,
    OPEN_SIZE,
    ROW_PIXELS,
    SHARED_FILTERS,
    TERMS,
    TFLITE_TILES,
    VECTORS,
)

SHIPPED = Path(__file__).resolve().parent / "data"
FORMAT = 2  # Tables are written in this version of the JSON.
# Entries that are no operators; no amounts are of them. Files of older versions have none, and then they are 0.
BARRIERS = ("cpu barrier", "tflite barrier")


@dataclass(frozen=True)
class Geometry:
    """What a layer is and how large its output is: with the weights, this decides how much it has to do.

    Attributes
    ----------
    kind
        ``"Conv2D"``, ``"DepthwiseConv2D"``, ``"TransposeConv2D"`` or ``"FullyConnected"``.
    height, width
        Output positions; of a transposed convolution those of its input, each of which meets all weights. Of a
        fully-connected layer these are the rows of its input: those of a map, over which both runtimes take as long as
        for a 1x1 convolution, or rows of a batch, which are the ``height``, of width 1.
    stride
        Stride along the width, taken to be the same along the height; of a transposed convolution that of its output.
    groups
        Groups of a convolution. Where there are several, a filter has the weights of its group's channels only.
    """

    kind: str = "Conv2D"
    height: int = OPEN_SIZE
    width: int = OPEN_SIZE
    stride: int = 1
    groups: int = 1

    @property
    def phases(self) -> int:
        """How many pixels along an axis a pixel of the input becomes, each by weights of its own."""
        return self.stride if self.kind == "TransposeConv2D" else 1


def rows_geometry(sizes: Sequence[int]) -> Geometry:
    """Geometry of a fully-connected layer whose output has these sizes before its channels, the batch first.

    Three sizes, or two, are the batch and a map; of fewer than `LEAST_PIXELS` pixels the plugin makes rows, too.
    """
    rows = int(np.prod(sizes, dtype=np.int64))
    if len(sizes) in (2, 3) and rows >= LEAST_PIXELS * sizes[0]:
        width = sizes[-1] if sizes[-1] > 1 else sizes[-2]
        return Geometry("FullyConnected", rows // width, width)
    return Geometry("FullyConnected", rows, 1)


@dataclass(frozen=True)
class Counts:
    """What a packed layer holds: stored values (explicit zeros included), kernels, runs and patterns."""

    values: int
    kernels: int
    runs: int
    patterns: int


class Amounts(NamedTuple):
    """An entry of `TERMS`, and how much of each of its terms a layer needs."""

    entry: str
    terms: dict[str, float]


@dataclass(frozen=True)
class CostModel:
    """A cost table.

    Attributes
    ----------
    name
        Name of a shipped table, or the file that the table was read from.
    simd
        Instruction set of the plugin, one of `VECTORS`.
    nanoseconds
        For each entry of `TERMS` what one unit of each of its terms costs.
    last_cache_bytes, memory_nanoseconds
        Size of the last cache, and what a byte of weights costs more that comes from memory instead. A table without
        limits has neither: infinite and 0.
    num_threads
        How many threads share each operator.
    """

    name: str
    simd: str
    nanoseconds: dict[str, dict[str, float]]
    last_cache_bytes: float = np.inf
    memory_nanoseconds: float = 0.0
    num_threads: int = 1

    def for_model(self, weight_bytes: float) -> "CostModel":
        """The table for layers of a model whose dense weights have `weight_bytes` together.

        Where the last cache does not hold them, each byte of weights costs what memory is slower than that cache.
        """
        if weight_bytes <= self.last_cache_bytes:
            return self
        costs = {entry: dict(terms) for entry, terms in self.nanoseconds.items()}
        for terms in costs.values():
            if "weight_bytes" in terms:
                terms["weight_bytes"] += self.memory_nanoseconds
        return replace(self, nanoseconds=costs)

    def for_threads(self, num_threads: int) -> "CostModel":
        """The table for so many threads, of which there is at least one."""
        return replace(self, num_threads=num_threads)

    def time(self, amounts: Amounts) -> float:
        """Nanoseconds that amounts of work take on `num_threads` threads."""
        costs = self.nanoseconds[amounts.entry]
        time = sum(costs[term] * amount for term, amount in amounts.terms.items())
        if self.num_threads == 1:
            return time
        # A call (of a partition, of an interpreter) has no other term, so it is not shared.
        alone = costs["layer"] * amounts.terms["layer"]
        barrier = "tflite barrier" if amounts.entry.startswith("tflite ") else "cpu barrier"
        return min(time, alone + (time - alone) / self.num_threads + self.nanoseconds[barrier]["layer"])


def load_costs(name_or_path: str | Path) -> CostModel:
    """Load a shipped table by its name (``"avx512"``), or a file that ``mcpruner calibrate`` wrote.

    Raises
    ------
    ValueError
        The file is not such a table; the message is one sentence.
    """
    shipped = SHIPPED / f"{name_or_path}.json"
    path = shipped if shipped.is_file() else Path(name_or_path)
    try:
        table = json.loads(path.read_text())
        if table["format"] != FORMAT:
            raise ValueError(f"its format is {table['format']}, this version reads {FORMAT}")
        if table["simd"] not in VECTORS:
            raise ValueError(f"its simd is {table['simd']!r}, known are {', '.join(VECTORS)}")
        costs = _checked(table["nanoseconds"])
        return CostModel(str(name_or_path), table["simd"], costs, *_memory(table.get("limits")))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{path} is no calibration ({what}): write one with `mcpruner calibrate`.") from error


def _checked(table: dict[str, Any]) -> dict[str, dict[str, float]]:
    table = {**dict.fromkeys(BARRIERS, {"layer": 0.0}), **table}
    costs = {entry: {term: float(table[entry][term]) for term in terms} for entry, terms in TERMS.items()}
    for entry, terms in costs.items():
        total, may_be_zero = sum(terms.values()), entry in BARRIERS
        if not (min(terms.values()) >= 0 and total < np.inf and (total > 0 or may_be_zero)):
            bounds = "at least 0 and finite" if may_be_zero else "at least 0, finite, and not all 0"
            raise ValueError(f"the costs of {entry!r} must be {bounds}")
    return costs


def _memory(limits: dict[str, Any] | None) -> tuple[float, float]:
    """Last cache's bytes, and nanoseconds that a byte takes longer from memory than from there."""
    if limits is None or not limits["cache_bytes"]:  # Not every system tells its caches.
        return np.inf, 0.0
    caches, rates = limits["cache_bytes"], limits["read_gigabytes_per_second"]
    last = max(caches, key=lambda level: caches[level])
    return float(caches[last]), max(0.0, 1 / float(rates["memory"]) - 1 / float(rates[last]))


def packed_amounts(counts: Counts, shape: tuple[int, ...], group_size: int, geometry: Geometry, simd: str) -> Amounts:
    """Amounts of work of a packed layer.

    Parameters
    ----------
    counts
        What the packed layer stores.
    shape
        Shape of the weights, OHWI.
    group_size
        Filters per group.
    geometry
        What the layer is and how large its output is.
    simd
        Instruction set of the plugin, one of `VECTORS`.
    """
    weight_bytes = 4 * counts.values + 4 * counts.kernels
    if geometry.kind == "FullyConnected" and geometry.width == 1:
        rows = max(1, geometry.height)
        terms = {"multiply_adds": counts.values * rows, "kernels": counts.kernels * rows}
        return Amounts("packed fully_connected", {**terms, "weight_bytes": weight_bytes, "layer": 1})
    pixels, passes = _pixels(geometry, ROW_PIXELS), _tiles(geometry, simd) * -(-group_size // SHARED_FILTERS)
    terms = {
        "multiply_adds": counts.values * pixels,
        "loads": counts.values * pixels / min(group_size, SHARED_FILTERS),
        "kernels": counts.kernels * passes,
    }
    terms["weight_bytes"] = weight_bytes
    # A pixel's phases are channels first, of an ordinary convolution, and are stored once more where they are spread.
    stored = shape[0] * (1 if geometry.phases == 1 else 2 * geometry.phases**2)
    entry = "pointwise" if max(shape[1:3]) <= geometry.phases else "conv"
    return Amounts(f"packed {entry}", {**terms, **_bytes(stored, shape[3] * geometry.groups, geometry)})


def unpacked_amounts(shape: tuple[int, ...], geometry: Geometry, simd: str) -> Amounts:
    """Amounts of work of a dense layer with weights of `shape` (OHWI; depthwise 1HWO) that our plugin runs."""
    if geometry.kind == "DepthwiseConv2D":
        multiply_adds = int(np.prod(shape)) * _pixels(geometry, VECTORS[simd][0])
        return Amounts("cpu depthwise", {"multiply_adds": multiply_adds, **_bytes(shape[3], shape[3], geometry)})
    wide = geometry.kind == "FullyConnected" and shape[0] >= DENSE_GROUP_OF_PIXELS
    group_size = DENSE_GROUP_OF_PIXELS if wide else DENSE_GROUP
    if geometry.groups > 1:
        group_size = math.gcd(group_size, shape[0] // geometry.groups)
    return packed_amounts(full_counts(shape, group_size), shape, group_size, geometry, simd)


def tflite_amounts(shape: tuple[int, ...], geometry: Geometry, simd: str) -> Amounts:
    """Amounts of work of a dense layer with weights of `shape` (OHWI; depthwise 1HWO) that TFLite runs on `simd`."""
    weights = int(np.prod(shape))
    if geometry.kind == "FullyConnected" and geometry.width == 1:
        return Amounts(
            "tflite fully_connected",
            {"multiply_adds": weights * max(1, geometry.height), "weight_bytes": 4 * weights, "layer": 1},
        )
    pixels = max(1, geometry.height) * max(1, geometry.width)
    if geometry.kind == "DepthwiseConv2D":
        return Amounts("tflite depthwise", {"multiply_adds": weights * pixels, **_bytes(shape[3], shape[3], geometry)})
    groups, (tile_pixels, tile_filters) = geometry.groups, TFLITE_TILES[simd]
    filters = groups * -(-shape[0] // groups // tile_filters) * tile_filters
    channels = shape[3] + (0 if groups == 1 else GROUP_CALL)
    multiply_adds = filters * shape[1] * shape[2] * channels * -(-pixels // tile_pixels) * tile_pixels
    terms = {"multiply_adds": multiply_adds, "weight_bytes": 4 * weights}
    entry = _conv(shape) if groups == 1 else "conv"
    return Amounts(f"tflite {entry}", {**terms, **_bytes(shape[0], shape[3] * groups, geometry)})


def partition_amounts() -> Amounts:
    """Amount of work of calling a partition, beside its edges and operators."""
    return Amounts("cpu partition", {"layer": 1})


def inference_amounts() -> Amounts:
    """Amount of work of calling an interpreter, beside all operators."""
    return Amounts("tflite inference", {"layer": 1})


def edge_amounts(elements: int) -> Amounts:
    """Amounts of work of bringing a tensor of `elements` floats into a partition's layout, or out of it."""
    return Amounts("cpu edge", {"output_bytes": 4 * elements, "layer": 1})


def full_counts(shape: tuple[int, ...], group_size: int) -> Counts:
    """Count what a layer without zeros stores when it is packed; `shape` is that of the weights, OHWI."""
    filters, height, width, channels = shape
    groups = -(-filters // group_size)
    return Counts(groups * group_size * height * width * channels, groups * channels, groups, 1)


def _conv(shape: tuple[int, ...]) -> str:
    return "pointwise" if shape[1] * shape[2] == 1 else "conv"


def _pixels(geometry: Geometry, lanes: int) -> int:
    """Pixels of the output when each row is filled up to a multiple of `lanes`."""
    return max(1, geometry.height) * -(-max(1, geometry.width) // lanes) * lanes


def _tiles(geometry: Geometry, simd: str) -> int:
    """Tiles that cover the output, of half as wide vectors where the image is no wider than such a one."""
    lanes, vectors = VECTORS[simd]
    if lanes > 8 and geometry.width <= lanes // 2:
        lanes //= 2
    return -(-_pixels(geometry, ROW_PIXELS) // (lanes * vectors))


def _bytes(filters: int, channels: int, geometry: Geometry) -> dict[str, int]:
    """The terms that every layer with rows has beside its multiply-adds."""
    pixels = 4 * max(1, geometry.height) * max(1, geometry.width)
    strided = 0 if geometry.stride == geometry.phases else channels * pixels * geometry.stride**2
    return {"output_bytes": filters * pixels, "strided_bytes": strided, "layer": 1}
