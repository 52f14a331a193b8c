"""Fold a scale and a shift of channels into the convolution before them.

    x ─ CONV_2D(w, b) ─ MUL(s) ─ ADD(t)   ->   x ─ CONV_2D(s w, s b + t)

DEPTHWISE_CONV_2D likewise. TensorFlow folds batch norms so itself, but for dilated convolutions, which it has as images
spread over a batch then: `fold_dilation` comes first. Each weight is rounded once, as its products would be.
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import (
    add_constant,
    constant_array,
    operator_name,
    producers,
    schema,
    tensor_name,
    use_counts,
)

_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}  # Of the weights: that of the output's channels.
_OPTIONS = {
    "CONV_2D": schema.Conv2DOptionsT,
    "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptionsT,
    "MUL": schema.MulOptionsT,
    "ADD": schema.AddOptionsT,
}


def fold_scale(model: Any, graph: Any) -> None:
    """Let such convolutions make what the operators behind them made, in place, as `fold` does."""
    writers, uses, gone = producers(graph), use_counts(graph), []
    for op in graph.operators:
        if operator_name(model, op) not in ("MUL", "ADD") or not _has_options(model, op) or len(op.inputs) != 2:
            continue
        for x, other in (op.inputs, op.inputs[::-1]):
            conv = writers.get(x)
            if conv is not None and uses[x] == 1 and _fold(model, graph, conv, op, other):
                conv.outputs = list(op.outputs)
                conv.builtinOptions.fusedActivationFunction = op.builtinOptions.fusedActivationFunction
                writers[op.outputs[0]] = conv
                gone.append(op)
                break
    graph.operators = [op for op in graph.operators if all(op is not each for each in gone)]


def _fold(model: Any, graph: Any, conv: Any, op: Any, other: int) -> bool:
    """Give a convolution the weights and the bias with which it does what `op` with the tensor `other` does, if any."""
    axis = _CHANNEL_AXIS.get(operator_name(model, conv))
    if axis is None or not _has_options(model, conv):
        return False
    if conv.builtinOptions.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        return False
    weights, amounts = (_floats(model, graph, index) for index in (conv.inputs[1], other))
    if weights is None or amounts is None or weights.ndim != 4:
        return False
    channels, has_bias = weights.shape[axis], len(conv.inputs) > 2 and conv.inputs[2] >= 0
    bias = _floats(model, graph, conv.inputs[2]) if has_bias else np.zeros(channels, np.float32)
    if bias is None or bias.shape != (channels,) or not _is_per_channel(amounts, channels):
        return False
    amounts = amounts.ravel()  # One for each channel, or one for all.
    with np.errstate(over="ignore", invalid="ignore"):
        if operator_name(model, op) == "MUL":
            weights = weights * (amounts.reshape(-1, 1, 1, 1) if axis == 0 else amounts)
            bias = bias * amounts
        else:
            bias = bias + amounts
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        return False
    name = tensor_name(graph, op.outputs[0])
    if operator_name(model, op) == "MUL":
        conv.inputs[1] = add_constant(model, graph, name + "/weights", weights)
    conv.inputs = [*conv.inputs[:2], add_constant(model, graph, name + "/bias", bias)]
    return True


def _has_options(model: Any, op: Any) -> bool:
    """Whether an operator has the options that it must have, and one output."""
    return len(op.outputs) == 1 and isinstance(op.builtinOptions, _OPTIONS[operator_name(model, op)])


def _floats(model: Any, graph: Any, index: int) -> np.ndarray | None:
    """The elements of a float32 constant; None for any other tensor."""
    if index < 0 or index in graph.inputs or graph.tensors[index].isVariable:
        return None
    return constant_array(model, graph, index, {schema.TensorType.FLOAT32: np.float32})


def _is_per_channel(amounts: np.ndarray, channels: int) -> bool:
    """Whether a constant has an element for each channel of images or one for all, and leaves their shape as it is."""
    return amounts.ndim <= 4 and amounts.size in (1, channels) and amounts.size == (amounts.shape or (1,))[-1]
