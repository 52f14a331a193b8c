"""Checks that a converted file, run by the plugin, is the network it was converted from.

Three questions, from the inside out: does each blob hold the weights of the dense file (rounded to the type it stores
them in), does each layer's output agree, and do the model's outputs? The last two compare the plugin with the same
runtime without it: against rounded weights, where only the order of summation differs, and against the exact ones.
"""

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mcpruner.compare import OutputError, output_errors
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.model import read_model
from mcpruner.converter.tflite.pack_by_plan import packed_content
from mcpruner.inputs import Feed, Shapes
from mcpruner.pairing import WeightDifference, paired_outputs, rounded_reference
from mcpruner.runtime import Interpreter, find_runtime
from mcpruner.submodel import entry_points, expose, with_main

# Relative errors up to these pass. With equal weights only the order of summation differs; beside exact weights the
# rounding counts, by the type that weights are stored in.
TOLERANCE = 1e-4
EXACT_TOLERANCE = {"float32": 1e-4, "float16": 5e-3, "int8": 1e-1}
# An inner tensor is taken to be at least this share of its operands: float32 rounds their sums by some 1e-7 of them.
CANCELLED = 1e-2

THREADS = (1, 2)  # Each comparison runs with each of these numbers of threads.
SAMPLES = 3  # So many batches are made up where no inputs are given.
# Each of these is written over the plugin's working memory before an inference; a result that depends on it is wrong
# with either.
POISONS = (float("nan"), 1e30)


@dataclass
class Verification:
    """The outcome: errors of the model's outputs and of its inner ones, weights that differ, and what was allowed.

    Attributes
    ----------
    outputs, layers
        Against the dense file with its weights rounded as the converted one stores them (or not, if asked so).
    exact
        The same outputs and layers against the dense file as it is; None where that file was not given.
    weights
        How each blob's weights compare with the dense file's.
    tolerance, exact_tolerance
        Largest relative errors that pass.
    """

    outputs: list[OutputError]
    layers: list[OutputError]
    exact: list[OutputError] | None
    weights: list[WeightDifference]
    tolerance: float
    exact_tolerance: float

    @property
    def largest_error(self) -> float:
        """The largest relative error of any output, inner ones included."""
        return _largest([*self.outputs, *self.layers])

    @property
    def largest_exact_error(self) -> float | None:
        """The same against the dense file as it is: what conversion changed, rounding included.

        Decisions are left out: one between two classes that are nearly equal turns with any rounding, and says nothing
        of its size.
        """
        return None if self.exact is None else _largest([error for error in self.exact if not error.decides])

    @property
    def ok(self) -> bool:
        """Whether every error is within its tolerance, no output is NaN and every weight is as it should be."""
        if any(error.nan for error in [*self.outputs, *self.layers, *(self.exact or ())]):
            return False
        equal = self.largest_error <= self.tolerance and (self.largest_exact_error or 0.0) <= self.exact_tolerance
        return equal and not any(weight.different for weight in self.weights)

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain data; docs/cli.md names the keys."""

        def plain(errors: list[OutputError]) -> list[dict[str, Any]]:
            return [{**asdict(error), "relative": error.relative} for error in errors]

        return {
            "ok": self.ok,
            "largest_error": self.largest_error,
            "tolerance": self.tolerance,
            "largest_exact_error": self.largest_exact_error,
            "exact_tolerance": self.exact_tolerance,
            "outputs": plain(self.outputs),
            "layers": plain(self.layers),
            "exact": None if self.exact is None else plain(self.exact),
            "weights": [asdict(weight) for weight in self.weights],
        }


def _largest(errors: list[OutputError]) -> float:
    return max((error.relative for error in errors), default=0.0)


def verify(
    content: bytes,
    against: bytes | None = None,
    *,
    inputs: np.ndarray | None = None,
    batch: int | None = None,
    shapes: Shapes | None = None,
    num_threads: int | Sequence[int] = THREADS,
    backend: str = "auto",
    all_layers: bool = False,
    exact_weights: bool = False,
    tolerance: float | None = None,
) -> Verification:
    """Compare a converted file in the plugin with its dense self in the same runtime without it.

    Every input is run twice for each number of threads, on working memory that is full of NaN and full of 1e30. A model
    with several signatures is compared in each of them; their names stand before those of the outputs.

    Parameters
    ----------
    content
        The converted ``.tflite``.
    against
        The dense one it came from; by default what its own blobs unpack to (then nothing is said about the weights).
    inputs
        What to run: [samples, ...] for the model's one input. By default three batches of normal noise, which further
        signatures get in any case.
    batch
        How many samples at a time; by default the model's own batch size.
    shapes
        Shape of the model's one input, a shape for each input in their order, or names of inputs to shapes, for made-up
        inputs: sizes that a model leaves open must be given. Those without a name are not for further signatures.
    num_threads, backend
        The plugin's options. Every input runs with each number of threads where several are given.
    all_layers
        Compare the output of every operator as well, in variants of the files that have them as outputs.
    exact_weights
        Leave the weights of `against` as they are; by default they are rounded as the converted file stores them, and
        the error against the exact ones is told beside.
    tolerance
        Largest relative error that passes; by default 1e-4, or with `exact_weights` what the value type costs.

    Returns
    -------
    Verification
        Its ``ok`` says whether everything agreed.

    Raises
    ------
    ValueError
        A file is damaged, the two are not of the same network, or the inputs do not fit.
    FileNotFoundError, ImportError
        The plugin, or a runtime, is missing.
    """
    for file in (content, against or b""):
        if not isinstance(file, bytes | bytearray | memoryview):
            raise ValueError(f"Expected the content of a .tflite file as bytes, got {type(file).__name__}.")
    packed = packed_content(content)
    dense = densify(packed) if against is None else against
    rounded, weights = rounded_reference(packed, dense)
    costs = max((EXACT_TOLERANCE[weight.value_type] for weight in weights), default=TOLERANCE)
    if tolerance is None:
        tolerance = costs if exact_weights else TOLERANCE
    rounds = any(weight.value_type != "float32" for weight in weights)
    references = [dense] if exact_weights or not rounds else [rounded, dense]
    threads = [num_threads] if isinstance(num_threads, int) else list(num_threads)
    if not threads or min(threads) < 1 or (batch is not None and batch < 1):
        raise ValueError(f"Expected numbers of threads and a batch of at least 1, got {threads} and {batch}.")
    feed = Feed(inputs, batch, shapes)
    feed.check_names(content)
    outputs: list[list[OutputError]] = [[] for _ in references]
    layers: list[list[OutputError]] = [[] for _ in references]
    entries = entry_points(content)
    for number, name in entries.items():
        entry = _Entry(
            with_main(content, number),
            [with_main(reference, number) for reference in references],
            f"{name}: " if len(entries) > 1 else "",
            feed if number == 0 else feed.without_main(),
            [{"num_threads": count, "backend": backend, "poison_memory": p} for count in threads for p in POISONS],
        )
        _extend(outputs, entry.outputs())
        if all_layers:
            _extend(layers, entry.layers())
    exact = None if against is None else [*outputs[-1], *layers[-1]]
    compared = [] if exact_weights else weights
    return Verification(outputs[0], layers[0], exact, compared, tolerance, max(tolerance, costs))


def _extend(lists: list[list[OutputError]], more: list[list[OutputError]]) -> None:
    for errors, added in zip(lists, more, strict=True):
        errors.extend(added)


@dataclass
class _Entry:
    """One subgraph that a caller can run, as the first one of its files."""

    content: bytes
    references: list[bytes]
    prefix: str  # what the outputs' names begin with
    feed: Feed
    options: list[dict[str, Any]]  # the plugin's options for each run

    def outputs(self) -> list[list[OutputError]]:
        """For each reference the errors of the model's outputs."""
        return self._errors(self.content, self.references, self._output_names)

    def layers(self) -> list[list[OutputError]]:
        """For each reference the errors of all operators' outputs but the model's own."""
        own = self._output_names
        known = set(read_model(self.content).subgraphs[0].outputs)
        inner = [pair for pair in paired_outputs(self.content, self.references[0]) if pair[1] not in known]
        actual = expose(self.content, [a for _, a, _ in inner])
        expected = [expose(reference, [b for _, _, b in inner]) for reference in self.references]
        found = self._errors(actual, expected, own + [self.prefix + name for name, _, _ in inner])
        for of_one in found:
            self._mind_cancellation(of_one, [a for _, a, _ in inner])
        return [of_one[len(own) :] for of_one in found]

    def _mind_cancellation(self, errors: list[OutputError], inner: list[int]) -> None:
        """Tell the errors of the outputs and of the inner tensors how large the operands are that made them."""
        graph = read_model(self.content).subgraphs[0]
        known = dict(zip([*graph.outputs, *inner], errors, strict=True))
        for op in graph.operators:
            largest = max((known[t].magnitude for t in op.inputs if t in known), default=0.0)
            for made in (known[t] for t in op.outputs if t in known):
                made.least_magnitude = CANCELLED * largest

    @functools.cached_property
    def _output_names(self) -> list[str]:
        details = find_runtime().interpreter(model_content=self.references[0]).get_output_details()
        return [self.prefix + detail["name"] for detail in details]

    def _errors(self, actual: bytes, expected: list[bytes], names: Sequence[str]) -> list[list[OutputError]]:
        plugins = [Interpreter(model_content=actual, **options) for options in self.options]
        threads = self.options[0]["num_threads"]
        plain = [find_runtime().interpreter(model_content=e, num_threads=threads) for e in expected]
        return output_errors(plugins, plain, self.feed.batches(plain[0], SAMPLES), names)
