"""Compute what a subgraph computes from its file alone (shapes, transposed constants), and write what it computes in
fewer operators: copies, repeated pixels, dilated convolutions, scales and shifts behind convolutions.

Nothing is folded where a fold would only be right for the batch that the file was written with.
"""

from collections.abc import Collection, Sequence
from typing import Any

from mcpruner.converter.tflite.drop_unused import Use, drop_operators, operators_may_go
from mcpruner.converter.tflite.fold_copies import fold_copies
from mcpruner.converter.tflite.fold_dilation import fold_dilation
from mcpruner.converter.tflite.fold_scale import fold_scale
from mcpruner.converter.tflite.fold_shapes import fold_shapes
from mcpruner.converter.tflite.fold_transpose import fold_transpose
from mcpruner.converter.tflite.fold_upsampling import fold_upsampling
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.sizes import MOST, KnownSizes


def fold(model: Any, graph: Any, known: KnownSizes) -> None:
    """Fold what can be folded in a subgraph, in place; what then has no reader is left to `drop_unused`.

    Parameters
    ----------
    model, graph
        The model and its subgraph.
    known
        What `infer_sizes` returned for it.
    """
    if not operators_may_go(model):
        return
    fold_shapes(model, graph, known)
    fold_transpose(model, graph, known)
    fold_upsampling(model, graph, known)
    fold_dilation(model, graph, known)
    fold_scale(model, graph)
    fold_copies(model, graph, known)
    _write_sizes(graph, known)


def fold_all(model: Any, known: Sequence[KnownSizes], before: Use) -> list[list[int]]:
    """Fold all subgraphs, in place, and drop the operators that nobody reads then; the other leavings stay.

    Parameters
    ----------
    model
        The model.
    known
        What `infer_sizes` returned for each subgraph.
    before
        What had a reader before.

    Returns
    -------
    list of list of int
        For each subgraph, the numbers that its operators had before.
    """
    found = []
    for graph, sizes, read in zip(model.subgraphs, known, before.read, strict=True):
        operators = list(graph.operators)
        numbers = {id(op): number for number, op in enumerate(operators)}
        fold(model, graph, sizes)
        drop_operators(model, graph, read)
        found.append([numbers[id(op)] for op in graph.operators])
    return found


def correct_sizes(model: Any, fixed: Collection[int]) -> list[KnownSizes]:
    """Put sizes that fit each other into the place of a model's examples of open ones, in place.

    Time is predicted by these examples, and a file may say 1 where a dense layer has a row for each pixel of an image.

    Parameters
    ----------
    model
        The model.
    fixed
        Numbers of the subgraphs that run with the batch that the file gives them and no other.

    Returns
    -------
    list of KnownSizes
        What `infer_sizes` found of each subgraph.
    """
    known = [infer_sizes(model, graph, number in fixed) for number, graph in enumerate(model.subgraphs)]
    for graph, sizes in zip(model.subgraphs, known, strict=True):
        _write_sizes(graph, sizes)
    return known


def _write_sizes(graph: Any, known: KnownSizes) -> None:
    """Write into the file what is known of tensors with open sizes, in the place of examples that may not fit.

    A delegate is asked which operators it takes while these examples are all that it sees.
    """
    for tensor, sizes in ((graph.tensors[i], known.sizes(i)) for op in graph.operators for i in op.outputs):
        signature = [] if tensor.shapeSignature is None else tensor.shapeSignature
        if any(size < 0 for size in signature) and sizes is not None and None not in sizes:
            examples = [graph.tensors[size.unknown[0]].shape[size.unknown[1]] if size.unknown else 1 for size in sizes]
            shape = [size.factor * example for size, example in zip(sizes, examples, strict=True)]
            if all(0 <= size <= MOST for size in shape):
                tensor.shape = shape
                tensor.shapeSignature = [-1 if size.unknown else size.factor for size in sizes]
