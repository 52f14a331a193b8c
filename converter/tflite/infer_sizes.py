"""Follow the sizes of a subgraph's tensors through its operators, for every batch at once.

    x [b, 8, 8, 16] ─ SHAPE ─ (b, 8, 8, 16) ─ STRIDED_SLICE ─ b ─ PACK ─ (b, 1024)
    x [b, 8, 8, 16] ─ CONV_2D ─ y [b, 6, 6, 32] ─ MEAN ─ z [b, 32]

b is the first dimension of the input x wherever it arrives. What no rule follows has a size of its own, which equals
nothing else: so two sizes that are equal here are equal whenever the model runs.
"""

from typing import Any

from mcpruner.converter.tflite.model import operator_name
from mcpruner.converter.tflite.size_rules import kept_sizes
from mcpruner.converter.tflite.sizes import KnownSizes
from mcpruner.converter.tflite.value_rules import computed_values


def infer_sizes(model: Any, graph: Any, fixed: bool = False) -> KnownSizes:
    """Find out what is known of the sizes in a subgraph.

    Parameters
    ----------
    model, graph
        The model and its subgraph, which are only read.
    fixed
        Whether the first dimension of inputs is what the file says. Otherwise callers may resize it.
    """
    known = KnownSizes(model, graph, fixed)
    for op in graph.operators:
        name = operator_name(model, op)
        values, sizes = computed_values(known, op, name), kept_sizes(known, op, name)
        if op.outputs:
            known.set_values(op.outputs[0], values)
        for output in op.outputs:
            known.set_sizes(output, sizes)
    return known
