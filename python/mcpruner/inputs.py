"""What to run a model on: an array of the user's, or numbers made up for its inputs, in sizes that the user may choose.

A model may leave sizes open (an image of any height and width). Its file then has an example, often 1, which is no size
that anybody would run it with: so open sizes must be given, but for the batch, which is taken from the file.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import read_model, tensor_name

Shape = Sequence[int]
Shapes = Mapping[str, Shape] | Sequence[Shape] | Shape


@dataclass(frozen=True)
class Feed:
    """What an interpreter is to run.

    Attributes
    ----------
    array
        ``[samples, ...]`` for a model with one input; None: made-up numbers.
    batch
        How many samples at a time; None: as the model, or `shapes`, has it.
    shapes
        Names of inputs to their shapes, or a shape for each input in their order; a shape by itself is that of the
        model's only input.
    """

    array: np.ndarray | None = None
    batch: int | None = None
    shapes: Shapes | None = None

    def batches(self, interpreter: Any, samples: int) -> Iterator[list[np.ndarray]]:
        """Inputs for one inference after another: all of the array, or `samples` times made-up numbers.

        Raises
        ------
        ValueError
            The array or a shape does not fit the model, or an open size was not given.
        """
        if self.array is None:
            return random_inputs(interpreter, samples, self.batch, shapes=self.shapes)
        return _slices(interpreter.get_input_details(), np.asarray(self.array), self.batch)

    def without_main(self) -> "Feed":
        """What is left of it for further signatures: shapes that have a name."""
        return Feed(batch=self.batch, shapes=self.shapes if isinstance(self.shapes, Mapping) else None)

    def check_names(self, content: bytes) -> None:
        """Raise ValueError unless each name in `shapes` is that of an input of the ``.tflite`` file."""
        names = [tensor_name(graph, i) for graph in read_model(content).subgraphs for i in graph.inputs]
        for name in self.shapes if isinstance(self.shapes, Mapping) else ():
            if name not in names:
                raise ValueError(f"There is a shape for {name!r}; the model's inputs are {', '.join(names)}.")


def random_inputs(
    interpreter: Any, samples: int, batch: int | None = None, seed: int = 0, shapes: Shapes | None = None
) -> Iterator[list[np.ndarray]]:
    """Make up values for every input of a model: standard normal floats, integers over the range of small types.

    Parameters
    ----------
    interpreter
        Any TFLite interpreter; its tensors need not be allocated.
    samples
        How many lists of arrays to make.
    batch
        Size of the first dimension; by default the model's own.
    seed
        Seed of the random numbers: equal seeds give equal inputs.
    shapes
        As `Feed` has them; by default the model's own.

    Returns
    -------
    Iterator
        Of lists with one array for each input of the model, in their order.

    Raises
    ------
    ValueError
        What was given is no shape, or one that does not fit, or an input has a size that is open (other than the batch)
        and no shape.
    """
    details = interpreter.get_input_details()
    known = {} if shapes is None else _by_name(shapes, details)
    rng, wanted = np.random.default_rng(seed), [_shape(detail, batch, known) for detail in details]
    return ([_random_array(rng, *pair) for pair in zip(details, wanted, strict=True)] for _ in range(samples))


def _names(details: list[dict[str, Any]]) -> str:
    return ", ".join(detail["name"] for detail in details)


def _by_name(shapes: Shapes, details: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Names of inputs to their shapes, whichever form these were given in."""
    if isinstance(shapes, Mapping):
        return {name: _sizes(shape) for name, shape in shapes.items()}
    one_by_one = isinstance(shapes, Iterable) and not isinstance(shapes, str | bytes)
    given = list(shapes) if one_by_one else [shapes]
    if not given or not all(isinstance(each, list | tuple | np.ndarray) for each in given):
        given = [shapes]
    sizes = [_sizes(each) for each in given]
    if len(sizes) != len(details):
        what = "A shape" if len(sizes) == 1 else f"{len(sizes)} shapes"
        fit = "fits a model with one input" if len(sizes) == 1 else f"fit a model with {len(sizes)} inputs"
        raise ValueError(f"{what} without a name {fit}; its inputs are {_names(details)}.")
    return {detail["name"]: shape for detail, shape in zip(details, sizes, strict=True)}


def _sizes(shape: Any) -> list[int]:
    """A shape as a list, whatever numbers and sequence it is made of; ValueError where it is none."""
    try:
        return [operator.index(size) for size in shape]
    except TypeError:
        raise ValueError(f"Expected a shape as whole numbers, such as [1, 32, 32, 3], got {shape!r}.") from None


def _shape(detail: dict[str, Any], batch: int | None, shapes: Mapping[str, Sequence[int]]) -> list[int]:
    """The shape of an input; ValueError where it is not known, or where the one that was given does not fit."""
    name, signature = detail["name"], list(map(int, detail["shape_signature"]))
    shape = list(map(int, shapes.get(name, detail["shape"])))
    if name not in shapes and any(size < 0 for size in signature[1:]):
        raise ValueError(f"Input {name} has open sizes, {signature}: give its shape, or inputs as a file.")
    if name in shapes:
        fits = [wanted in (-1, size) for wanted, size in zip(signature[1:], shape[1:], strict=False)]
        if len(shape) != len(signature) or not all(fits) or min(shape, default=1) < 1:
            raise ValueError(f"Input {name} has the shape {signature} (-1 is open), got {shape}: give one that fits.")
    return [batch, *shape[1:]] if batch is not None and shape else shape


def _random_array(rng: np.random.Generator, detail: dict[str, Any], shape: list[int]) -> np.ndarray:
    dtype = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.itemsize == 1 and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return rng.integers(0, 2, shape).astype(dtype)


def _slices(details: list[dict[str, Any]], array: np.ndarray, batch: int | None) -> Iterator[list[np.ndarray]]:
    """The array, a batch at a time."""
    if len(details) != 1:
        raise ValueError(f"Inputs from a file fit a model with one input; this one has {len(details)}: leave them out.")
    wanted, dtype = details[0]["shape_signature"], np.dtype(details[0]["dtype"])
    sizes_fit = array.ndim == len(wanted) and all(
        w in (-1, i) for w, i in zip(wanted[1:], array.shape[1:], strict=True)
    )
    if not sizes_fit or array.dtype.kind != dtype.kind or array.size == 0:
        raise ValueError(
            f"The inputs must be {dtype.name} of shape [samples, {', '.join(map(str, wanted[1:]))}]; "
            f"they are {array.dtype.name} of shape {list(array.shape)}."
        )
    step = batch or int(details[0]["shape"][0])
    return ([array[i : i + step].astype(dtype)] for i in range(0, len(array), step))
