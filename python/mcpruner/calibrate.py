"""Measure this machine for the converter's cost model: its limits, and a small grid of layers in both runtimes.

Each layer of the grid is a ``.tflite`` of its own, made here. It runs in the plugin, where the delegate's profile times
it without the conversions at its ends, and dense in the same runtime without the plugin, in turns. Nothing is timed
before both gave the same output. Before each turn L2 is filled with something else, and the input is written anew: so
a layer of a network finds its weights and its input. The best of many turns counts: on a shared machine it is what
repeats.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mcpruner import barriers, compare, inputs, one_layer
from mcpruner.converter.cost import cost_model, plain_ops
from mcpruner.converter.cost.cost_model import Amounts, Geometry
from mcpruner.converter.cost.estimate import count
from mcpruner.converter.format.pack import GROUP_SIZES
from mcpruner.converter.tflite.densify import densify
from mcpruner.cost_fit import Sample, fit, relative_errors
from mcpruner.machine import birth_certificate
from mcpruner.runtime import Interpreter, find_runtime, native

# The two runtimes' outputs may differ by this share of the largest magnitude; a layer whose outputs differ more is not
# timed.
_TOLERANCE = 1e-4
_SECONDS = 0.12  # Each layer is timed for so long.
# Reading so many floats, 4 MB, drives everything else out of an L2 of up to that size.
_OTHER_FLOATS = 1 << 20
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# Density 1 is left out: layers whose patterns are all full take fewer products (delegate/cpu/kernels/winograd), so that
# their time would not grow with their weights.
_DENSITIES = (0.1, 0.2, 0.5, 0.9)
# Each row is (filters, input channels, kernel, output size, stride). It is measured in all group sizes, each with the
# next of the densities.
_CONVS = (
    (64, 64, 3, 56, 1),
    (128, 128, 3, 28, 1),
    (256, 256, 3, 14, 1),
    (512, 512, 3, 7, 1),
    (256, 256, 3, 4, 1),
    (512, 512, 3, 2, 1),
    (32, 16, 3, 112, 1),
    (16, 16, 3, 8, 1),
    (8, 8, 3, 5, 1),
    (48, 48, 5, 20, 1),
    (128, 64, 3, 28, 2),
    (512, 256, 3, 7, 2),
    (64, 64, 1, 56, 1),
    (256, 64, 1, 56, 1),
    (24, 144, 1, 56, 1),
    (192, 32, 1, 28, 1),
    (512, 512, 1, 14, 1),
    (64, 384, 1, 14, 1),
    (960, 160, 1, 7, 1),
    (512, 2048, 1, 7, 1),
    (512, 256, 1, 14, 2),
    (16, 16, 1, 8, 1),
    (64, 32, 1, 4, 1),
)
# Each pair is (filters, channels).
_FULLY_CONNECTED = ((16, 64), (128, 128), (512, 512), (1000, 1280), (2048, 1024), (4096, 1024))
# Each row is (channels, kernel, output size, stride).
_DEPTHWISE = (
    (32, 3, 112, 1),
    (96, 3, 56, 2),
    (144, 3, 56, 1),
    (192, 3, 28, 1),
    (384, 3, 14, 1),
    (960, 3, 7, 1),
    (240, 5, 14, 1),
    (16, 3, 8, 1),
)


# Each pair is (channels, size) of what operators without weights read, one of each kind of `plain_ops.KINDS`.
_PLAIN = ((16, 8), (64, 7), (32, 56), (64, 28), (256, 14), (512, 8), (24, 112))


@dataclass(frozen=True)
class Layer:
    """A layer of the grid: OHWI shape (depthwise 1HWC), group size (0: dense), density, and geometry."""

    shape: tuple[int, int, int, int]
    geometry: Geometry
    group_size: int = 0
    density: float = 1.0

    def __str__(self) -> str:
        packed = f" g{self.group_size} d{self.density}" if self.group_size else ""
        size = f" -> {self.geometry.height}x{self.geometry.width} stride {self.geometry.stride}"
        return f"{self.geometry.kind} {'x'.join(map(str, self.shape))}{size}{packed}"


def grid() -> Iterator[Layer]:
    """All layers that are measured."""
    for i, (filters, channels, kernel, size, stride) in enumerate(_CONVS):
        shape = (filters, kernel, kernel, channels)
        for j, group_size in enumerate(GROUP_SIZES):
            density = _DENSITIES[(i + j) % len(_DENSITIES)]
            yield Layer(shape, Geometry("Conv2D", size, size, stride), group_size, density)
    for i, (filters, channels) in enumerate(_FULLY_CONNECTED):
        for j, group_size in enumerate(GROUP_SIZES):
            density = _DENSITIES[(i + j) % len(_DENSITIES)]
            yield Layer((filters, 1, 1, channels), Geometry("FullyConnected", 1, 1), group_size, density)
    for channels, kernel, size, stride in _DEPTHWISE:
        yield Layer((1, kernel, kernel, channels), Geometry("DepthwiseConv2D", size, size, stride))


def count_measurements() -> int:
    """How often `calibrate` calls its `tick`."""
    return len(list(grid())) + len(plain_ops.KINDS) * len(_PLAIN) + 1


def calibrate(simd: str | None = None, tick: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Measure and fit; about a minute.

    Parameters
    ----------
    simd
        Instruction set of the plugin, by default the best. The runtime's own kernels always take the best.
    tick
        Called after each layer and operator, and after the barriers, for a progress bar.

    Returns
    -------
    What `cost_model.load_costs` reads from a file: ``format``, ``origin``, ``nanoseconds``; and beside it ``machine``,
    ``date``, ``commit``, ``version``, ``runtime``, ``simd``, ``limits``, ``fit``, ``samples`` and ``barriers``.

    Raises
    ------
    RuntimeError
        The plugin and the runtime disagree about a layer.
    ValueError
        The CPU does not have the instruction set.
    """
    targets = native().simd_targets()
    if simd is not None and simd not in targets:
        raise ValueError(f"Expected an instruction set that this CPU has ({', '.join(targets)}), got {simd!r}.")
    simd = simd or targets[0]
    limits = measure_limits(simd)
    named = list(_measure_grid(simd, tick))
    samples = [sample for _, sample in named]
    costs = fit(samples)
    shared = barriers.measure(costs, lambda content, name, threads: _checked_pair(content, simd, name, threads))
    tick()
    runtime = find_runtime()
    return {
        "format": cost_model.FORMAT,
        "origin": "measured by `mcpruner calibrate`",
        **birth_certificate(),
        "version": metadata.version("mcpruner"),
        "runtime": f"{runtime.name} {runtime.version}",
        "simd": simd,
        "limits": limits,
        "nanoseconds": costs | shared.costs,
        "fit": relative_errors(samples, costs),
        "samples": [
            {
                "layer": name,
                "kernel": s.amounts.entry,
                "nanoseconds": round(s.nanoseconds),
                "amounts": _round(s.amounts),
            }
            for name, s in named
        ],
        "barriers": {"reason": shared.reason, "samples": shared.samples},
    }


def measure_limits(simd: str) -> dict[str, Any]:
    """Measure the limits of one core.

    Parameters
    ----------
    simd
        Instruction set to measure with.

    Returns
    -------
    dict
        ``peak_gflops`` (float32, two operations to a multiply-add), ``cache_bytes`` by level, and
        ``read_gigabytes_per_second`` of a buffer that half fills each level, and of one that none holds.
    """
    sizes = cache_bytes()
    buffers = {level: size // 2 for level, size in sizes.items()} | {"memory": 4 * max([*sizes.values(), 1 << 25])}
    measure = native().read_gigabytes
    rates = {level: round(measure(simd, min(size, 1 << 30)), 1) for level, size in buffers.items()}
    return {
        "peak_gflops": round(native().peak_gflops(simd), 1),
        "cache_bytes": sizes,
        "read_gigabytes_per_second": rates,
    }


def cache_bytes() -> dict[str, int]:
    """Sizes of the first core's data caches as Linux tells them, ``{"L1": 32768, ...}``; empty where it does not."""
    sizes = {}
    for index in sorted(_CACHES.glob("index*")):
        kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size.rstrip("KM")) << {"K": 10, "M": 20}[size[-1]]
    return sizes


def to_json(table: dict[str, Any]) -> str:
    """A table as JSON, with a line for each sample."""
    rows = ",\n".join(f"    {json.dumps(sample)}" for sample in table["samples"])
    text = json.dumps({**table, "samples": []}, indent=2)
    return text.replace('"samples": []', f'"samples": [\n{rows}\n  ]') + "\n"


def _round(amounts: Amounts) -> dict[str, int]:
    return {term: round(amount) for term, amount in amounts.terms.items() if amount}


def _measure_grid(simd: str, tick: Callable[[], None]) -> Iterator[tuple[str, Sample]]:
    """Name and sample of all that was measured: packed layers, conversions at the edges, dense ones in the runtime."""
    dense: dict[tuple, tuple[str, Amounts, float]] = {}
    edges: dict[int, float] = {}
    partition = np.inf
    rng = np.random.default_rng(0)
    # Nearly all that an operator on one number takes is what calling an interpreter costs.
    inference = _time_plain(one_layer.plain_operator("exponential", 1, 1, False))
    yield "an operator on one number", Sample(cost_model.inference_amounts(), inference)
    yield from _measure_plain(simd, inference, tick)
    for layer in grid():
        content, amounts = _make(layer, simd, rng)
        ops, around, plain = _time(content, simd, str(layer))
        plain = _without(inference, plain)
        partition = min(partition, _without(inference, around))
        for op in ops:
            elements = int(np.prod(op["input"]))
            if op["type"] in ("Pack", "Unpack"):
                edges[elements] = min(op["nanoseconds"], edges.get(elements, np.inf))
            else:
                yield str(layer), Sample(amounts, op["nanoseconds"])
        key = (layer.shape, layer.geometry)
        known = dense[key][2] if key in dense else np.inf
        same = Layer(layer.shape, layer.geometry)
        dense[key] = (str(same), cost_model.tflite_amounts(*key, simd), min(known, plain))
        tick()
    for name, amounts, nanoseconds in dense.values():
        yield name, Sample(amounts, nanoseconds)
    yield "a partition", Sample(cost_model.partition_amounts(), partition)
    for elements, nanoseconds in edges.items():
        yield f"conversion of {elements}", Sample(cost_model.edge_amounts(elements), nanoseconds)


def _measure_plain(simd: str, inference: float, tick: Callable[[], None]) -> Iterator[tuple[str, Sample]]:
    """Name and sample of each operator without weights, in the plugin and in the runtime."""
    for kind in plain_ops.KINDS:
        for channels, size in _PLAIN:
            name, image = f"{kind} {channels}x{size}x{size}", (1, size, size, channels)
            written = one_layer.plain_output(kind, channels, size)
            mine, theirs = plain_ops.plain_amounts(kind, [image], [written], (2, 2), simd)
            ops, _, _ = _time(one_layer.plain_operator(kind, channels, size, True), simd, name)
            *_, last = (op for op in ops if op["type"] not in ("Pack", "Unpack"))
            yield name, Sample(mine, last["nanoseconds"])
            plain = _time_plain(one_layer.plain_operator(kind, channels, size, False))
            yield name, Sample(theirs, _without(inference, plain))
            tick()


def _time_plain(content: bytes) -> float:
    """Nanoseconds of a model in the runtime alone, the best of many."""
    plain = find_runtime().interpreter(model_content=content, num_threads=1)
    plain.allocate_tensors()
    detail, *_ = plain.get_input_details()
    x = np.ones(detail["shape"], np.float32)
    return min(_run_plain(plain, detail["index"], x, other) for other in _turns())


def _turns() -> Iterator[np.ndarray]:
    """Turns of a measurement, at least one, until its time is over: each has what to fill L2 with before a run."""
    other, end = np.ones(_OTHER_FLOATS, np.float32), time.perf_counter() + _SECONDS
    yield other
    while time.perf_counter() < end:
        yield other


def _run_plain(plain: Any, index: int, x: np.ndarray, other: np.ndarray) -> int:
    """Nanoseconds of one run in the runtime alone, of which input `index` is written anew and L2 holds `other`."""
    other.sum()
    plain.set_tensor(index, x)
    begin = time.perf_counter_ns()
    plain.invoke()
    return time.perf_counter_ns() - begin


def _without(inference: float, nanoseconds: float) -> float:
    """What was measured of an operator less the call of the interpreter; a clock's tick is left at least."""
    return max(nanoseconds - inference, 50.0)


def _make(layer: Layer, simd: str, rng: np.random.Generator) -> tuple[bytes, Amounts]:
    """The layer as a file, packed unless it is depthwise, and its amounts of work in the plugin."""
    weights = rng.uniform(0.5, 1, layer.shape).astype(np.float32)
    if layer.geometry.kind == "DepthwiseConv2D":
        content = one_layer.depthwise_conv(weights, layer.geometry.height, layer.geometry.stride)
        return content, cost_model.unpacked_amounts(layer.shape, layer.geometry, simd)
    weights *= make_mask(layer, rng)
    counts = count(weights != 0, np.arange(layer.shape[0]), layer.group_size)
    amounts = cost_model.packed_amounts(counts, layer.shape, layer.group_size, layer.geometry, simd)
    if layer.geometry.kind == "FullyConnected":
        return one_layer.packed_fully_connected(weights, layer.group_size), amounts
    return one_layer.packed_conv(weights, layer.group_size, layer.geometry.height, layer.geometry.stride), amounts


def make_mask(layer: Layer, rng: np.random.Generator) -> np.ndarray:
    """Bool OHWI: zeros anywhere for groups below 4, as foreign ones are; else whole kernels and patterns, as ours."""
    filters, height, width, channels = layer.shape
    groups, positions = -(-filters // layer.group_size), height * width
    if layer.group_size < 4:
        mask = rng.random((groups, positions, channels)) < layer.density
    else:
        kept = max(-(-positions * 4 // 9), math.ceil(positions * layer.density))
        library = rng.random((8, positions)).argsort(axis=1) < kept
        mask = library[rng.integers(8, size=(groups, channels))].transpose(0, 2, 1)
        mask = mask & (rng.random((groups, 1, channels)) < layer.density * positions / kept)
    return np.repeat(mask, layer.group_size, axis=0)[:filters].reshape(layer.shape)


def _time(content: bytes, simd: str, name: str) -> tuple[list[dict[str, Any]], float, float]:
    """Profile of the plugin's ops, the plugin's nanoseconds beside them, and those of the runtime's dense model.

    Each is the best of turns; outputs are compared first.
    """
    plugin, plain = _checked_pair(content, simd, name, 1)
    (detail,) = plain.get_input_details()
    x = plain.get_tensor(detail["index"])
    best: list[dict[str, Any]] = []
    best_plain, best_around = np.inf, np.inf
    for other in _turns():
        other.sum()
        plugin.set_profiling(True)  # This sets the times of all ops to zero.
        begin = time.perf_counter_ns()
        plugin.invoke()
        whole = time.perf_counter_ns() - begin
        ops = plugin.profile()
        best_around = min(best_around, whole - sum(op["nanoseconds"] for op in ops))
        best = [min(pair, key=lambda op: op["nanoseconds"]) for pair in zip(best or ops, ops, strict=True)]
        best_plain = min(best_plain, _run_plain(plain, detail["index"], x, other))
    return best, best_around, best_plain


def _checked_pair(content: bytes, simd: str, name: str, num_threads: int) -> tuple[Interpreter, Any]:
    """A file in the plugin, and dense in the runtime alone; RuntimeError unless their outputs agree."""
    plugin = Interpreter(model_content=content, num_threads=num_threads, backend="cpu", simd=simd, verbosity=0)
    plain = find_runtime().interpreter(model_content=densify(content), num_threads=num_threads)
    ((error,),) = compare.output_errors([plugin], [plain], inputs.random_inputs(plain, samples=1))
    if not error.relative <= _TOLERANCE:
        raise RuntimeError(f"{name}: the plugin's output is off by {error.relative:.1e}; nothing was timed.")
    return plugin, plain
