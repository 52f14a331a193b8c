"""One CONV_2D, TRANSPOSE_CONV or FULLY_CONNECTED of a model, as the packing stages want it: weights, bias and options.

What the format or the custom operators cannot express stays dense: `StaysDense` carries the reason. What no runtime
could run either is an error that names the layer. The sizes of activations in a file are no more than a hint, since a
runtime computes them anew: a layer that they do not fit stays dense.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import Geometry, rows_geometry
from mcpruner.converter.format.limits_generated import MAX_CHANNELS, MAX_ELEMENTS, MAX_POSITIONS, MAX_STEP
from mcpruner.converter.format.serialize import SparseOptions
from mcpruner.converter.tflite.model import schema, tensor_name, type_name
from mcpruner.converter.tflite.transposed_layer import input_size, output_size, why_too_large
from mcpruner.converter.tflite.weights import NotConstantError, read_constant

_ACTIVATIONS = {"NONE": "None", "RELU": "Relu", "RELU_N1_TO_1": "ReluN1To1", "RELU6": "Relu6"}
_ACTIVATION_NAMES = {v: k for k, v in vars(schema.ActivationFunctionType).items() if isinstance(v, int)}
# How TensorFlow and Keras name the operations that have weights, at the end of a name.
_PRODUCT = re.compile(r"/(convolution|conv_transpose|depthwise|separable_conv2d|Conv2D|MatMul|einsum)[^/]*$")
_QUANTIZED = ("int8", "uint8", "int16", "int4", "int2")


class StaysDense(Exception):  # noqa: N818 - not an error: an answer with a reason
    """The layer is left as it is; the message completes "dense: "."""


@dataclass(frozen=True)
class DenseLayer:
    """A layer that can be packed.

    Attributes
    ----------
    name
        Short name, for messages.
    kind
        ``"Conv2D"``, ``"TransposeConv2D"`` or ``"FullyConnected"``.
    weights
        float32 OHWI, ``[O, H, W, I]``; ``[O, 1, 1, I]`` of a fully-connected layer. Of a grouped convolution they are
        those of a filter's own channels.
    bias
        float32 ``[O]`` or None.
    options
        Strides, padding and so on, as the custom operator will carry them.
    geometry
        Kind of the layer and size of its output, for `cost_model`.
    stored_type
        How the file has the weights: ``"float32"`` or ``"float16"``.
    """

    name: str
    kind: str
    weights: np.ndarray
    bias: np.ndarray | None
    options: SparseOptions
    geometry: Geometry
    stored_type: str


def short_name(graph: Any, op: Any) -> str:
    """A readable name of an operator, from the fused names of its output (`shorten`).

    TFLiteConverter renames the model's outputs; the weights of the layer that computes one still carry its name.
    """
    if not op.outputs:
        return "operator without output"
    name = tensor_name(graph, op.outputs[0])
    if name.startswith("StatefulPartitionedCall") and len(op.inputs) > 1 and op.inputs[1] >= 0:
        weights = tensor_name(graph, op.inputs[1])
        name = weights if _PRODUCT.search(weights) else name
    return shorten(name)


def shorten(name: str) -> str:
    """The part of a fused name that says which layer it was; the model's own scope says nothing.

    >>> shorten("functional_1/relu_1/Relu;functional_1/bn1_1/batchnorm/add_1;functional_1/conv1_1/convolution")
    'conv1_1'
    """
    fused = name.split(";")
    scopes = next((part for part in fused if _PRODUCT.search(part)), fused[0]).split(":")[0].split("/")
    return "/".join(scopes[1:-1] if len(scopes) > 2 else scopes[:1]) or name


def operands(op: Any, kind: str) -> tuple[int, int, int]:
    """Tensors of the input, the weights and the bias of a layer; -1 where there is no bias."""
    order = (2, 1, 3) if kind == "TransposeConv2D" else (0, 1, 2)
    x, weights, bias = (op.inputs[i] if i < len(op.inputs) else -1 for i in order)
    return x, weights, bias


def _check_activations(graph: Any, op: Any, kind: str) -> None:
    """Raise StaysDense unless input and output are float32 and within the delegate's bounds."""
    x, weights, y = (graph.tensors[i] for i in (*operands(op, kind)[:2], op.outputs[0]))
    types = [type_name(t) for t in (x, weights, y)]
    if types[0] != "float32" or types[2] != "float32":
        raise StaysDense(f"its activations are {types[0]} and {types[2]}, and only float32 ones are taken")
    if types[1] in _QUANTIZED:
        raise StaysDense(f"its weights are quantized to {types[1]}; convert the float model")
    for tensor in (x, y):
        elements = int(np.prod([1, *tensor.shape], dtype=object))
        if elements > MAX_ELEMENTS:
            raise StaysDense(f"it has a tensor of {elements} elements, and the delegate takes at most {MAX_ELEMENTS}")


def read_layer(model: Any, graph: Any, op: Any, kind: str, writers: dict[int, Any]) -> DenseLayer:
    """Read the layer of an operator with weights.

    Parameters
    ----------
    model, graph, op
        The model, its subgraph and the operator in it.
    kind
        ``"Conv2D"`` for a CONV_2D, ``"TransposeConv2D"`` for a TRANSPOSE_CONV, ``"FullyConnected"`` for a
        FULLY_CONNECTED.
    writers
        `model.producers` of the subgraph.

    Raises
    ------
    StaysDense
        The layer cannot be packed; the message is the reason.
    ValueError
        The layer is damaged, or has NaN or infinite weights.
    """
    name = short_name(graph, op)
    _check_activations(graph, op, kind)
    _, weights_of, bias_of = operands(op, kind)
    shape, rank = graph.tensors[weights_of].shape, 2 if kind == "FullyConnected" else 4
    if len(shape) != rank:
        raise ValueError(f"Layer {name} needs weights of rank {rank}, got shape {shape}.")
    if len(op.outputs) != 1:
        raise StaysDense(f"it has {len(op.outputs)} outputs instead of one")
    if not set(graph.outputs).isdisjoint((weights_of, bias_of)):
        # They would stay in the file; XNNPACK cannot run a DEQUANTIZE that nothing but an output needs.
        raise StaysDense("its weights or its bias are an output of the model as well")
    options = _OPTIONS[kind](op, name)
    options = replace(options, groups=_checked_groups(graph, op, shape, kind))
    if kind == "TransposeConv2D":
        options = _with_output(model, graph, op, shape, options)
    try:
        weights = read_constant(model, graph, weights_of, writers)
        bias = None if bias_of < 0 else read_constant(model, graph, bias_of, writers)
    except NotConstantError as error:
        raise StaysDense(str(error)) from error
    _check_values(weights.values, bias.values if bias else None, shape[0], name)
    return DenseLayer(
        name,
        kind,
        weights.values if rank == 4 else weights.values.reshape(shape[0], 1, 1, shape[1]),
        bias.values.reshape(-1) if bias else None,
        options,
        output_geometry(graph, op, kind, options.stride_w, options.groups),
        weights.stored_type,
    )


def _checked_groups(graph: Any, op: Any, shape: list[int], kind: str) -> int:
    """How many groups the layer has; StaysDense where its shape cannot be packed."""
    if 0 in shape:
        raise StaysDense(f"its weights of shape {shape} are empty")
    if kind != "FullyConnected" and shape[1] * shape[2] > MAX_POSITIONS:
        raise StaysDense(f"its {shape[1]}x{shape[2]} kernel has more than {MAX_POSITIONS} positions")
    filters, channels = shape[0], shape[-1]
    given = channels if kind == "FullyConnected" else _known_sizes(graph.tensors[operands(op, kind)[0]])[3]
    if given is None:
        raise StaysDense("the file does not say how many input channels it has, so it may be grouped")
    if max(filters, channels, given) > MAX_CHANNELS:
        raise StaysDense(
            f"it has {max(filters, channels, given)} channels, and the format holds at most {MAX_CHANNELS}"
        )
    groups = given // channels
    if not groups or given % channels or filters % groups or (groups > 1 and kind == "TransposeConv2D"):
        raise StaysDense(f"its {filters} filters of {channels} channels do not fit an input of {given} channels")
    if groups > 1 and channels == 1:
        raise StaysDense("its groups have one channel each, and depthwise convolutions are not packed")
    return groups


def _known_sizes(tensor: Any) -> list[int | None]:
    """The sizes of a tensor of rank 4; None for those that are only known when the model runs."""
    if len(tensor.shape) != 4:
        return [None] * 4
    signature = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    known = [int(size) >= 0 for size in signature] if len(signature) == 4 else [True] * 4
    return [size if fixed else None for size, fixed in zip(tensor.shape, known, strict=True)]


def _check_values(weights: np.ndarray, bias: np.ndarray | None, filters: int, name: str) -> None:
    for array, what in ((weights, "weights"), (bias, "a bias")):
        if array is not None and not np.isfinite(array).all():
            raise ValueError(f"Layer {name} has {what} with NaN or infinite values; train or export the model again.")
    if bias is not None and bias.size != filters:
        raise ValueError(f"Layer {name} has {filters} filters and a bias of {bias.size} values.")


def _conv_options(op: Any, name: str) -> SparseOptions:
    given = op.builtinOptions
    if not isinstance(given, schema.Conv2DOptionsT):
        raise ValueError(f"Layer {name} is a CONV_2D without Conv2DOptions; the file is damaged.")
    if given.padding not in (schema.Padding.SAME, schema.Padding.VALID):
        raise ValueError(f"Layer {name} has padding {given.padding}; expected 0 (SAME) or 1 (VALID).")
    steps = [given.strideH, given.strideW, given.dilationHFactor, given.dilationWFactor]
    if min(steps) < 1:
        raise ValueError(f"Layer {name} has strides and dilations {steps}; each must be at least 1.")
    if max(steps) > MAX_STEP:
        raise StaysDense(f"one of its strides and dilations {steps} exceeds {MAX_STEP}")
    return SparseOptions(
        padding="Same" if given.padding == schema.Padding.SAME else "Valid",
        stride_h=steps[0],
        stride_w=steps[1],
        dilation_h_factor=steps[2],
        dilation_w_factor=steps[3],
        fused_activation=_activation(given),
    )


def _transposed_options(op: Any, name: str) -> SparseOptions:
    given = op.builtinOptions
    if not isinstance(given, schema.TransposeConvOptionsT):
        raise ValueError(f"Layer {name} is a TRANSPOSE_CONV without TransposeConvOptions; the file is damaged.")
    if given.padding not in (schema.Padding.SAME, schema.Padding.VALID):
        raise ValueError(f"Layer {name} has padding {given.padding}; expected 0 (SAME) or 1 (VALID).")
    steps = [given.strideH, given.strideW]
    if min(steps) < 1:
        raise ValueError(f"Layer {name} has strides {steps}; each must be at least 1.")
    if max(steps) > MAX_STEP:
        raise StaysDense(f"one of its strides {steps} exceeds {MAX_STEP}")
    padding = "Same" if given.padding == schema.Padding.SAME else "Valid"
    return SparseOptions(padding, stride_h=steps[0], stride_w=steps[1], fused_activation=_activation(given))


def _with_output(model: Any, graph: Any, op: Any, shape: list[int], options: SparseOptions) -> SparseOptions:
    """The options of a transposed convolution with the size of its output."""
    output = output_size(model, graph, op)
    if output is None:
        raise StaysDense("the file does not say how many rows and columns it makes")
    same, strides = options.padding == "Same", (options.stride_h, options.stride_w)
    axes = zip(output, shape[1:3], strides, _known_sizes(graph.tensors[op.inputs[2]])[1:3], strict=True)
    if any(input_size(size, kernel, stride, same) != given for size, kernel, stride, given in axes):
        raise StaysDense(f"its input does not fit the {output[0]} x {output[1]} pixels that it makes")
    if why := why_too_large(tuple(shape), output, strides, same):
        raise StaysDense(why)
    return replace(options, output_height=output[0], output_width=output[1])


def _fully_connected_options(op: Any, name: str) -> SparseOptions:
    given = schema.FullyConnectedOptionsT() if op.builtinOptions is None else op.builtinOptions  # as TFLite has it
    if not isinstance(given, schema.FullyConnectedOptionsT):
        raise ValueError(
            f"Layer {name} is a FULLY_CONNECTED with the options of another operator; the file is damaged."
        )
    if given.weightsFormat != schema.FullyConnectedOptionsWeightsFormat.DEFAULT:
        raise StaysDense("its weights are shuffled for 4x16 integer kernels")
    return SparseOptions(fused_activation=_activation(given), keep_num_dims=bool(given.keepNumDims))


_OPTIONS = {
    "Conv2D": _conv_options,
    "TransposeConv2D": _transposed_options,
    "FullyConnected": _fully_connected_options,
}


def _activation(given: Any) -> str:
    name = _ACTIVATION_NAMES.get(given.fusedActivationFunction, f"number {given.fusedActivationFunction}")
    if name not in _ACTIVATIONS:
        raise StaysDense(f"its fused activation is {name}; taken are none, RELU, RELU6 and RELU_N1_TO_1")
    return _ACTIVATIONS[name]


def output_geometry(graph: Any, op: Any, kind: str, stride: int = 1, groups: int = 1) -> Geometry:
    """Size of what `Geometry` counts by; what is only known when the model runs is taken as `Geometry`'s usual size."""
    tensor = graph.tensors[op.outputs[0]]
    if kind == "TransposeConv2D":  # An operator that was packed has its input first.
        tensor = graph.tensors[op.inputs[2] if len(op.inputs) > 2 else op.inputs[0]]
    if kind == "FullyConnected":
        # The examples of open sizes count (`correct_sizes`); an empty one says nothing of what the model will run on.
        return rows_geometry([max(1, size) for size in tensor.shape[:-1]])
    usual = Geometry(kind, stride=stride)
    _, height, width, _ = _known_sizes(tensor)
    return Geometry(kind, height or usual.height, width or usual.width, stride, groups)
