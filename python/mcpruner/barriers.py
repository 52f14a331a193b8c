"""What an operator takes more where two threads share it, in each runtime: barriers of `cost_model`, measured.

    one thread    |-- starts --|------------ work ------------|
    two threads   |-- starts --|---- work / 2 ----|- barriers -|        one barrier for each operator

A network's operators follow each other within microseconds, so that threads wait awake for the next one. A single layer
would be measured with threads that sleep: these are chains of equal layers, which run again and again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from mcpruner import one_layer
from mcpruner.converter.cost.cost_model import BARRIERS
from mcpruner.timing import take_turns, timed_block

_CHAINS = ((64, 14), (32, 28), (128, 7))  # channels and size of layers that take 5 to 150 microseconds each
_LENGTH = 8
_DENSITY = 0.2
_GROUP_SIZE = 4
# Each round has interpreters of its own: where the system has put their threads lasts, and may be one CPU for two.
_ROUNDS = 4
_RUNS = 90  # of each chain on each number of threads, in each round
_ONE_CPU = "this process may use one CPU, on which threads cannot be timed"

# Makes the interpreters of a file for a number of threads, in the plugin and without it.
Pair = Callable[[bytes, str, int], tuple[Any, Any]]


class Barriers(NamedTuple):
    """Nanoseconds of each entry of `BARRIERS`, of what they were found, and why they are 0 where they were not."""

    costs: dict[str, dict[str, float]]
    samples: list[dict[str, Any]]
    reason: str = ""


def measure(costs: dict[str, dict[str, float]], pair: Pair) -> Barriers:
    """Measure both barriers, in some seconds.

    Parameters
    ----------
    costs
        What else was found of this machine, for each entry of `TERMS` but those of `BARRIERS`.
    pair
        Makes two interpreters of a file with a name, whose outputs it has compared, for a number of threads.
    """
    if len(os.sched_getaffinity(0)) < 2:
        return Barriers({entry: {"layer": 0.0} for entry in BARRIERS}, [], _ONE_CPU)
    samples = list(_measure_chains(pair))
    return Barriers(median_costs(costs, samples), samples)


def median_costs(costs: dict[str, dict[str, float]], samples: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """The costs of both entries that samples of `measure` have in the middle; `costs` as there."""
    starts = {
        "cpu barrier": _starts(costs, "cpu partition", {"packed conv": _LENGTH, "cpu edge": 2}),
        "tflite barrier": _starts(costs, "tflite inference", {"tflite conv": _LENGTH}),
    }
    found = {entry: [barrier(*s["nanoseconds"][entry], *starts[entry]) for s in samples] for entry in BARRIERS}
    return {entry: {"layer": float(f"{median(barriers):.4g}")} for entry, barriers in found.items()}


def barrier(one: float, two: float, start: float, operators: int) -> float:
    """Nanoseconds of a barrier of a chain, at least 0.

    Parameters
    ----------
    one, two
        Nanoseconds of the chain on one thread and on two.
    start
        Those that its operators and its call take whatever they do, all together.
    operators
        How many operators the threads share.
    """
    return max(0.0, two - (start + (one - start) / 2)) / operators


def _starts(costs: dict[str, dict[str, float]], call: str, operators: dict[str, int]) -> tuple[float, int]:
    """What is not shared of a call and of so many operators of each entry, and how many operators these are."""
    layers = sum(costs[entry]["layer"] * number for entry, number in operators.items())
    return costs[call]["layer"] + layers, sum(operators.values())


def _measure_chains(pair: Pair) -> Iterator[dict[str, Any]]:
    """For each chain its name, and for each entry its nanoseconds on one thread and on two, the best of many turns."""
    rng = np.random.default_rng(0)
    for channels, size in _CHAINS:
        name = f"{_LENGTH} of Conv2D {channels}x3x3x{channels} -> {size}x{size}"
        weights = rng.uniform(0.5, 1, (channels, 3, 3, channels)).astype(np.float32)
        kept = rng.random((channels // _GROUP_SIZE, 3, 3, channels)) < _DENSITY
        weights *= np.repeat(kept, _GROUP_SIZE, axis=0) / channels  # so that results stay finite along the chain
        content = one_layer.packed_chain(weights, _GROUP_SIZE, size, _LENGTH)
        rounds = [_best_times(content, name, pair) for _ in range(_ROUNDS)]
        cpu, tflite, cpu_of_two, tflite_of_two = (round(1e6 * best) for best in np.min(rounds, axis=0))
        found = dict(zip(BARRIERS, ([cpu, cpu_of_two], [tflite, tflite_of_two]), strict=True))
        yield {"chain": name, "nanoseconds": found}


def _best_times(content: bytes, name: str, pair: Pair) -> np.ndarray:
    """Least milliseconds in the plugin and in the runtime on one thread, then in both on two."""
    interpreters = [interpreter for threads in (1, 2) for interpreter in pair(content, name, threads)]
    return take_turns([timed_block(interpreter.invoke) for interpreter in interpreters], _RUNS).min(axis=(1, 2))
