"""Checks that a converted file, run by the plugin, is the network it was converted from.

Three questions, from the inside out: does each blob hold the weights of the dense file (rounded to the type it stores
them in), does each layer's output agree, and do the model's outputs? The last two compare the plugin with the same
runtime without it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mcpruner.compare import OutputError, output_errors, random_inputs
from mcpruner.converter.densify import densify
from mcpruner.converter.tflite_model import read_model
from mcpruner.pairing import WeightDifference, paired_outputs, rounded_reference
from mcpruner.runtime import Interpreter, find_runtime
from mcpruner.submodel import expose

# With equal weights only the order of summation differs. Against weights that were not rounded, the rounding counts.
TOLERANCE = 1e-4
EXACT_TOLERANCE = {"float32": 1e-4, "float16": 5e-3, "int8": 1e-1}


@dataclass
class Verification:
    """The outcome: errors of the model's outputs and of its inner ones, weights that differ, and what was allowed."""

    outputs: list[OutputError]
    layers: list[OutputError]
    weights: list[WeightDifference]
    tolerance: float

    @property
    def largest_error(self) -> float:
        """The largest relative error of any output, inner ones included."""
        return max((error.relative for error in [*self.outputs, *self.layers]), default=0.0)

    @property
    def ok(self) -> bool:
        """Whether every error is within the tolerance and every weight is as it should be."""
        return self.largest_error <= self.tolerance and not any(weight.different for weight in self.weights)

    def to_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "ok": self.ok,
            "largest_error": self.largest_error,
            "tolerance": self.tolerance,
            "outputs": [{**asdict(error), "relative": error.relative} for error in self.outputs],
            "layers": [{**asdict(error), "relative": error.relative} for error in self.layers],
            "weights": [asdict(weight) for weight in self.weights],
        }


def verify(
    content: bytes,
    against: bytes | None = None,
    *,
    inputs: np.ndarray | None = None,
    batch: int | None = None,
    num_threads: int = 1,
    backend: str = "auto",
    all_layers: bool = False,
    exact_weights: bool = False,
    tolerance: float | None = None,
) -> Verification:
    """Compare a converted file in the plugin with its dense self in the same runtime without it.

    Parameters
    ----------
    content
        The converted ``.tflite``.
    against
        The dense one it came from; by default what its own blobs unpack to (then nothing is said about the weights).
    inputs
        What to run: [samples, ...] for the model's one input. By default three batches of normal noise.
    batch
        How many samples at a time; by default the model's own batch size.
    num_threads, backend
        The plugin's options.
    all_layers
        Compare the output of every operator as well, in variants of the files that have them as outputs.
    exact_weights
        Leave the weights of `against` as they are; by default they are rounded as the converted file stores them.
    tolerance
        Largest relative error that passes; by default 1e-4, or with `exact_weights` what the value type costs.

    Raises
    ------
    ValueError
        A file is damaged, the two are not of the same network, or the inputs do not fit.
    """
    dense = densify(content) if against is None else against
    rounded, weights = rounded_reference(content, dense)
    if tolerance is None:
        types = {weight.value_type for weight in weights}
        tolerance = max((EXACT_TOLERANCE[t] for t in types), default=TOLERANCE) if exact_weights else TOLERANCE
    reference = dense if exact_weights else rounded

    def errors(actual: bytes, expected: bytes, names: Sequence[str] | None = None) -> list[OutputError]:
        plugin = Interpreter(model_content=actual, num_threads=num_threads, backend=backend)
        plain = find_runtime().interpreter(model_content=expected, num_threads=num_threads)
        return output_errors(plugin, plain, _batches(plain, inputs, batch), names)

    outputs, layers = errors(content, reference), []
    if all_layers:
        known = set(read_model(content).subgraphs[0].outputs)
        inner = [pair for pair in paired_outputs(content, reference) if pair[1] not in known]
        variants = (expose(content, [a for _, a, _ in inner]), expose(reference, [b for _, _, b in inner]))
        names = [error.name for error in outputs] + [name for name, _, _ in inner]
        layers = errors(*variants, names)[len(outputs) :]
    return Verification(outputs, layers, [] if exact_weights else weights, tolerance)


def _batches(interpreter: Any, inputs: np.ndarray | None, batch: int | None) -> Iterable[list[np.ndarray]]:
    if inputs is None:
        return random_inputs(interpreter, samples=3, batch=batch)
    details = interpreter.get_input_details()
    if len(details) != 1:
        raise ValueError(f"Inputs from a file fit a model with one input; this one has {len(details)}: leave them out.")
    wanted, dtype = details[0]["shape_signature"], np.dtype(details[0]["dtype"])
    sizes_fit = inputs.ndim == len(wanted) and all(
        w in (-1, i) for w, i in zip(wanted[1:], inputs.shape[1:], strict=True)
    )
    if not sizes_fit or inputs.dtype.kind != dtype.kind or inputs.size == 0:
        raise ValueError(
            f"The inputs must be {dtype.name} of shape [samples, {', '.join(map(str, wanted[1:]))}]; "
            f"they are {inputs.dtype.name} of shape {list(inputs.shape)}."
        )
    step = batch or int(details[0]["shape"][0])
    return ([inputs[i : i + step].astype(dtype)] for i in range(0, len(inputs), step))
