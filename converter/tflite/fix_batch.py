"""Give a model whose batch is open the one that it will run with.

    x [?, 8, 8, 16] ─ CONV_2D ─ y [?, 6, 6, 32]   ->   x [4, 8, 8, 16] ─ CONV_2D ─ y [4, 6, 6, 32]

Only sizes change. That shapes are then known, and need not be computed, is for `fold` to find.
"""

from numbers import Integral
from typing import Any

from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import constant_bytes, read_model, write_model
from mcpruner.converter.tflite.sizes import MOST, says_what_is_open


def fix_batch(model: Any, batch: int) -> set[int]:
    """Set the first dimension of each input that leaves it open, and the sizes of tensors that follow, in place.

    Parameters
    ----------
    model
        The model (``ModelT``). Bodies of loops and branches stay as they are: they get their sizes from who calls them.
    batch
        The size, at least 1 and below 2^31.

    Returns
    -------
    set
        Numbers of the subgraphs whose batch it fixed.

    Raises
    ------
    ValueError
        The batch is no such number, or makes a tensor too large; or no input leaves it open and none has it already.
    """
    check_batch(batch)
    entries = {0, *(signature.subgraphIndex for signature in model.signatureDefs)}
    inputs = [(number, tensor) for number in sorted(entries) for tensor in _inputs(model.subgraphs[number])]
    fixed = {number for number, tensor in inputs if _batch_is_open(tensor)}
    for number in fixed:
        _fix(model, model.subgraphs[number], int(batch))
    if not fixed and all(tensor.shape[:1] != [batch] for _, tensor in inputs):
        given = ", ".join(f"{(tensor.name or b'').decode(errors='replace')} {tensor.shape}" for _, tensor in inputs)
        raise ValueError(f"Expected a model whose batch is open or is {batch}; its inputs are {given}.")
    return fixed


def check_batch(batch: Any) -> None:
    """Raise ValueError unless it is a whole number of 1 to 2^31 - 1."""
    if not isinstance(batch, Integral) or isinstance(batch, bool) or not 1 <= batch <= MOST:
        raise ValueError(f"Expected batch as a whole number of 1 to {MOST}, got {batch!r}.")


def with_batch(content: bytes, batch: int) -> bytes:
    """A ``.tflite`` file with its batch fixed and nothing else changed; errors as of `read_model` and `fix_batch`."""
    model = read_model(content)
    fix_batch(model, batch)
    return write_model(model)


def _inputs(graph: Any) -> list[Any]:
    return [graph.tensors[number] for number in graph.inputs]


def _batch_is_open(tensor: Any) -> bool:
    return tensor.shapeSignature is not None and len(tensor.shapeSignature) > 0 and tensor.shapeSignature[0] < 0


def _fix(model: Any, graph: Any, batch: int) -> None:
    computed = [
        number
        for number in range(len(graph.tensors))
        if number not in graph.inputs and not len(constant_bytes(model, graph, number))
    ]
    if not says_what_is_open(graph):
        for number in computed:  # Their sizes were those of the batch that the file had, or of none.
            graph.tensors[number].shapeSignature = [-1] * len(graph.tensors[number].shape)
    for tensor in _inputs(graph):
        if _batch_is_open(tensor):
            _set_sizes(tensor, [batch, *tensor.shapeSignature[1:]])
    known = infer_sizes(model, graph, fixed=True)
    for number in computed:
        sizes = known.sizes(number)
        if sizes is not None:
            _set_sizes(graph.tensors[number], [-1 if size is None or size.unknown else size.factor for size in sizes])


def _set_sizes(tensor: Any, sizes: list[int]) -> None:
    """Set the sizes of a tensor; of those that are open, -1, the file keeps its example."""
    if max(sizes, default=0) > MOST:
        raise ValueError(f"Expected a smaller batch: a tensor would have a dimension of {max(sizes)}.")
    tensor.shape = [int(old if size < 0 else size) for old, size in zip(tensor.shape, sizes, strict=True)]
    tensor.shapeSignature = [int(size) for size in sizes] if min(sizes, default=0) < 0 else None
