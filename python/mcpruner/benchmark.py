"""Speed of a converted file in the plugin, beside its dense self in the same runtime without it.

Nothing is timed before it was checked, and both models are timed in turns (`mcpruner.timing`) in one process.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcpruner.compare import run
from mcpruner.converter.tflite.dense_layer import shorten
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.pack_by_plan import packed_content
from mcpruner.inputs import Feed, Shapes
from mcpruner.machine import birth_certificate
from mcpruner.runtime import Interpreter, find_runtime
from mcpruner.text import table
from mcpruner.timing import milliseconds, runs_for, speedup, take_turns, twice_timed_block
from mcpruner.verification import Verification, verify


def benchmark(
    content: bytes,
    against: bytes | None = None,
    *,
    threads: Sequence[int] = (1,),
    backends: Sequence[str] = ("auto",),
    runs: int | None = 30,
    seconds: float = 6.0,
    inputs: np.ndarray | None = None,
    shapes: Shapes | None = None,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Check a converted file, then time it in turns with its dense self.

    Parameters
    ----------
    content
        The converted ``.tflite``.
    against
        The dense one; by default what the blobs of `content` unpack to.
    threads, backends
        Every pair of them is checked and timed.
    runs
        Timed runs of each model, made up to whole blocks.
    seconds
        How long to time each pair for where `runs` is None.
    inputs, shapes
        What to run, as for `mcpruner.verify`; the first batch of it is timed.
    tick
        Called after each round of blocks, for a progress bar.

    Returns
    -------
    dict
        What `birth_certificate` says, ``runtime``, ``ok``, ``largest_error`` and ``tolerance`` (relative to the
        output's largest magnitude), and ``results``, a list that is empty where not ``ok``: for each pair ``threads``,
        ``backend``, ``reasons`` (why a partition ran on another backend), ``runs``, ``median_ms``, ``min_ms``,
        ``against_median_ms``, ``against_min_ms``, what `mcpruner.timing.speedup` says, and medians and ratio by the
        processor's clock: ``cpu_ms``, ``against_cpu_ms``, ``cpu_speedup`` and its range. Where `mcpruner.timing.quoted`
        says "busy", the turns disagree and the ratio is not to be quoted.

    Raises
    ------
    ValueError
        A file is damaged, the two are not of the same network, or an option is refused.
    FileNotFoundError, ImportError
        The plugin, or a runtime, is missing.
    """
    dense = densify(packed_content(content)) if against is None else against
    feed = Feed(inputs, shapes=shapes)
    pairs = [(count, backend) for count in threads for backend in backends]
    checks = [
        verify(content, dense, inputs=inputs, shapes=shapes, num_threads=count, backend=backend)
        for count, backend in pairs
    ]
    worst: Verification = max(checks, key=lambda check: (not check.ok, check.largest_error))
    runtime = find_runtime()
    return {
        **birth_certificate(),
        "runtime": f"{runtime.name} {runtime.version}",
        "ok": worst.ok,
        "largest_error": worst.largest_error,
        "tolerance": worst.tolerance,
        "results": [_time(content, dense, feed, *pair, runs, seconds, tick) for pair in pairs] if worst.ok else [],
    }


def _time(
    content: bytes,
    dense: bytes,
    feed: Feed,
    num_threads: int,
    backend: str,
    runs: int | None,
    seconds: float,
    tick: Callable[[], None],
) -> dict[str, Any]:
    plugin = Interpreter(model_content=content, num_threads=num_threads, backend=backend)
    plain = find_runtime().interpreter(model_content=dense, num_threads=num_threads)
    inputs = next(feed.batches(plain, samples=1))
    for interpreter in (plugin, plain):
        run(interpreter, inputs)
    blocks = [twice_timed_block(interpreter.invoke) for interpreter in (plugin, plain)]
    if runs is None:
        runs = runs_for(seconds, sum(block(1)[0, 0] for block in blocks))
    turns = take_turns(blocks, runs, tick)
    (ours, theirs), (our_cpu, their_cpu) = turns[:, :, 0], turns[:, :, 1]
    return {
        "threads": num_threads,
        "backend": backend,
        "reasons": sorted({p["reason"] for p in plugin.report()["partitions"] if p["reason"]}),
        "runs": ours.size,
        **milliseconds(ours),
        **milliseconds(theirs, "against_"),
        **speedup(ours, theirs),
        "cpu_ms": float(np.median(our_cpu)),
        "against_cpu_ms": float(np.median(their_cpu)),
        **speedup(our_cpu, their_cpu, "cpu_"),
    }


def profile(
    content: bytes, num_threads: int = 1, backend: str = "auto", runs: int = 30, feed: Feed | None = None
) -> list[dict[str, Any]]:
    """Return `Interpreter.profile` of `runs` inferences, after three that do not count, by default on noise."""
    interpreter = Interpreter(model_content=content, num_threads=num_threads, backend=backend)
    run(interpreter, next((feed or Feed()).batches(interpreter, samples=1)))
    for _ in range(2):
        interpreter.invoke()
    interpreter.set_profiling(True)
    for _ in range(runs):
        interpreter.invoke()
    return interpreter.profile()


def profile_table(ops: list[dict[str, Any]]) -> str:
    """A text table of a profile: each op's name, type, kernel, output, density, milliseconds and share of the time."""
    total = sum(op["nanoseconds"] for op in ops) or 1
    rows = [
        [
            shorten(op["name"]),
            op["type"],
            op["kernel"],
            "x".join(map(str, op["output"])),
            f"{op['density']:.3f}",
            f"{op['nanoseconds'] / max(op['runs'], 1) / 1e6:.3f}",
            f"{op['nanoseconds'] / total:.1%}",
        ]
        for op in ops
    ]
    return table(["op", "type", "kernel", "output", "density", "ms", "share"], rows)
