"""Where DENSIFY would change how XNNPACK computes, and not only how weights are stored.

A DENSIFY makes TFLite tell XNNPACK that the model is sparse. On 64-bit ARM XNNPACK then computes parts of it in another
layout, with kernels that skip zeros (`xnn_subgraph_rewrite_for_nchw` in its subgraph.c): each part

    begins with a 3x3 convolution of 3 channels at stride 2, one row and column of zeros around its input,
    goes on through 1x1 convolutions, dense layers, depthwise convolutions and elementwise operators alone,
    and has more than two thirds of zeros in the weights of its 1x1 convolutions and dense layers.

That path gives wrong results on odd maps and fails on some files (docs/aarch64.md). So where a model might have such a
part, none of its weights stand behind DENSIFY. What is asked here is wider than XNNPACK's rule: one layer with so many
zeros that can be reached from such a beginning is enough.
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import INTEGERS, constant_array, operator_name, producers, schema
from mcpruner.converter.tflite.weights import NotConstantError, read_constant

# XNNPACK never takes these into such a part.
_ENDS = ("MAX_POOL_2D", "CONCATENATION", "TRANSPOSE_CONV", "SOFTMAX", "TRANSPOSE", "SPLIT", "BATCH_MATMUL")
_WHY = "sparse ones would make XNNPACK run the model on its sparse path, which is wrong for some models on ARM"


def why_plain(model: Any, graph: Any) -> str:
    """A clause that says why no weights of a subgraph may stand behind DENSIFY; empty where they may."""
    writers = producers(graph)
    reached: set[int] = set()
    begun = False
    for op in graph.operators:
        name = operator_name(model, op)
        if name == "CONV_2D" and _begins(model, graph, op, writers):
            begun = True
            reached.update(op.outputs)
        elif not reached.isdisjoint(op.inputs) and _goes_on(graph, op, name):
            reached.update(op.outputs)
            weighted = name in ("CONV_2D", "FULLY_CONNECTED")
            if begun and weighted and _zeros(model, graph, op.inputs[1], writers) > 2 / 3:
                return _WHY
    return ""


def _begins(model: Any, graph: Any, op: Any, writers: dict[int, Any]) -> bool:
    """Whether a CONV_2D has 3x3 kernels of 3 channels, stride 2, and may have one row and column of zeros around."""
    options, shape = op.builtinOptions, graph.tensors[op.inputs[1]].shape
    if [*shape[1:]] != [3, 3, 3] or 2 not in (options.strideH, options.strideW):
        return False
    if options.padding == schema.Padding.SAME:  # An even size has them on one side only.
        x = graph.tensors[op.inputs[0]]
        sizes = x.shape if x.shapeSignature is None or len(x.shapeSignature) == 0 else x.shapeSignature
        return any(size < 0 or size % 2 == 1 for size in [*sizes][1:3])
    pad = writers.get(op.inputs[0])
    if pad is None or operator_name(model, pad) not in ("PAD", "PADV2"):
        return False
    table = constant_array(model, graph, pad.inputs[1], INTEGERS)
    return table is None or table.shape != (4, 2) or bool((table[1:3] == 1).all())


def _goes_on(graph: Any, op: Any, name: str) -> bool:
    """Whether XNNPACK may take an operator into such a part."""
    if name != "CONV_2D":
        return name not in _ENDS
    options = op.builtinOptions
    return [*graph.tensors[op.inputs[1]].shape][1:3] == [1, 1] and options.strideH == options.strideW == 1


def _zeros(model: Any, graph: Any, weights: int, writers: dict[int, Any]) -> float:
    """The share of weights that are zero; 0 where they are computed, since XNNPACK then does not take the layer."""
    try:
        values = read_constant(model, graph, weights, writers).values
    except NotConstantError:
        return 0.0
    return 1 - np.count_nonzero(values) / max(1, values.size)
