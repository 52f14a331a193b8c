"""Compute what a subgraph computes from its file alone: shapes, transposed constants, copies.

Nothing is folded where a fold would only be right for the batch that the file was written with.
"""

from typing import Any

from mcpruner.converter.tflite.drop_unused import operators_may_go
from mcpruner.converter.tflite.fold_copies import fold_copies
from mcpruner.converter.tflite.fold_shapes import fold_shapes
from mcpruner.converter.tflite.fold_transpose import fold_transpose
from mcpruner.converter.tflite.infer_sizes import infer_sizes


def fold(model: Any, graph: Any, fixed_batch: bool = False) -> None:
    """Fold what can be folded in a subgraph, in place; what then has no reader is left to `drop_unused`.

    Parameters
    ----------
    model, graph
        The model and its subgraph.
    fixed_batch
        Whether the model runs with the batch that the file gives it and no other.
    """
    if not operators_may_go(model):
        return
    known = infer_sizes(model, graph, fixed_batch)
    fold_shapes(model, graph, known)
    fold_transpose(model, graph, known)
    fold_copies(model, graph, known)
