"""Which layers of a Keras model can be pruned, and why the others cannot.

Prunable are Conv2D, Conv1D and Conv2DTranspose (more than 3 input channels, in each group if there are several), the
pointwise half of SeparableConv2D and SeparableConv1D, Dense, and EinsumDense where it is a 1x1 convolution, wherever
they stand in nested models, but not the classifier: a Dense, such an EinsumDense or a 1x1 Conv2D whose output reaches
the model's output through nothing but pooling, reshaping and activations. In functional models it is found by walking
back from the outputs; in subclassed ones, whose calls cannot be seen, it is the last layer with weights, if of such a
kind.

Layers are told apart by identity. What users and reports call them are labels: names joined by "/", numbered where
Keras let names repeat ("block/conv#1", "block/conv#2").
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from mcpruner.converter.format.limits_generated import MAX_POSITIONS
from mcpruner.converter.training.keras_kernel import DENSE, KINDS, conv_groups, kernel_name, kernel_shape

# The kernels that layers of these classes have; None where an instance has an attribute.
_KERNELS = (keras.layers.Dense.kernel, keras.layers.Conv2D.kernel, keras.layers.EinsumDense.kernel, None)
_NOT_PRUNED = {
    "a depthwise convolution": (keras.layers.DepthwiseConv2D, keras.layers.DepthwiseConv1D),
    "a transposed convolution that is not 2-D": (keras.layers.Conv1DTranspose, keras.layers.Conv3DTranspose),
    "a 3-D convolution": keras.layers.Conv3D,
    "the projections of a recurrent layer": (
        *(keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell),
        *(keras.layers.ConvLSTM1D, keras.layers.ConvLSTM2D, keras.layers.ConvLSTM3D),
    ),
}

# These classes of keras.layers and keras.ops may stand between the classifier and the output.
_TRANSPARENT = {
    *("Activation", "ReLU", "LeakyReLU", "Relu", "Relu6", "Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Identity"),
    *("Flatten", "Reshape", "Squeeze", "ExpandDims", "Mean", "Max", "Cast", "Dropout", "SpatialDropout2D"),
    *("AveragePooling2D", "MaxPooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"),
}


def find_layers(model: keras.Model) -> tuple[dict[str, keras.layers.Layer], dict[str, str]]:
    """Find the prunable layers.

    Returns
    -------
    tuple of dict
        Label to prunable layer, in the order of definition, a shared layer once; and label to reason for each other
        convolution and dense layer.

    Raises
    ------
    ValueError
        It is no Keras 3 model, or has no weights yet.
    """
    check_model(model)
    if not model.built and not model.weights:
        raise ValueError(f"Model {model.name!r} has no weights yet: call it once, or give it an Input.")
    classifiers = set(map(id, _classifiers(model)))
    prunable: dict[str, keras.layers.Layer] = {}
    left_out: dict[str, str] = {}
    for label, layer in labelled_layers(model).items():
        reason = "the classifier" if id(layer) in classifiers else _reason(layer)
        if reason is None:
            prunable[label] = layer
        elif reason:
            left_out[label] = reason
    return prunable, left_out


def check_model(model: Any) -> None:
    """Refuse what is no Keras 3 model, in one sentence (ValueError)."""
    if isinstance(model, keras.Model):
        return
    if any(cls.__module__.partition(".")[0] == "tf_keras" for cls in type(model).__mro__):
        raise ValueError(
            f"Expected a Keras 3 model, got {model.name!r} of tf_keras: prune it with "
            "mcpruner.AlignedPruning and tfmot's strip_pruning, then mcpruner.convert takes it."
        )
    raise ValueError(f"Expected a Keras 3 model, got an object of type {type(model).__name__}.")


def kernel_to_ohwi(kernel: np.ndarray) -> np.ndarray:
    """Keras' kernel ``[H, W, I, O]``, ``[W, I, O]`` or ``[I, O]`` as float32 ``[O, H, W, I]``, missing sizes as 1."""
    kernel = np.asarray(kernel, np.float32)
    return np.ascontiguousarray(kernel[(None,) * (4 - kernel.ndim)].transpose(3, 0, 1, 2))


def kernel_from_ohwi(weights: np.ndarray, rank: int) -> np.ndarray:
    """The inverse of `kernel_to_ohwi`, of any dtype: `rank` 4 gives ``[H, W, I, O]``, 2 gives ``[I, O]``."""
    return np.ascontiguousarray(weights.transpose(1, 2, 3, 0))[(0,) * (4 - rank)]


def labelled_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Every layer inside a model by its label, depth first in the order of definition, each once."""
    walked = list(_walk(model))
    paths, numbers = Counter(path for path, _ in walked), Counter()
    layers: dict[str, keras.layers.Layer] = {}
    for path, layer in walked:
        label = path
        while paths[label] > (label == path):  # another layer's path, or one of several
            numbers[path] += 1
            label = f"{path}#{numbers[path]}"
        layers[label] = layer
    return layers


def _walk(layer: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Every layer inside `layer` with its path, depth first in the order of definition, each once."""
    seen = {id(layer)} if seen is None else seen
    for inner in layer._layers:
        if id(inner) not in seen:
            seen.add(id(inner))
            yield path + inner.name, inner
            yield from _walk(inner, f"{path}{inner.name}/", seen)


def _reason(layer: Any) -> str | None:
    """Why a layer is not pruned: None if it is prunable, an empty string if it has nothing that could be."""
    if not isinstance(layer, KINDS):
        return next((reason for reason, classes in _NOT_PRUNED.items() if isinstance(layer, classes)), "")
    if not layer.built:
        return "never called"
    if (mode := getattr(layer, "quantization_mode", None)) is not None:
        return f"quantized to {mode}: prune before quantizing"
    plain = getattr(layer, "plain", type(layer))
    if getattr(plain, kernel_name(plain), None) not in _KERNELS:
        return "its class has a kernel of its own"
    if isinstance(layer, keras.layers.EinsumDense) and not _is_pointwise(layer.equation):
        return f"an einsum {layer.equation!r}, which is no 1x1 convolution"
    return None if isinstance(layer, DENSE) else _reason_of_convolution(layer)


def _reason_of_convolution(layer: Any) -> str | None:
    _, height, width, channels = kernel_shape(layer)
    grouped = conv_groups(layer) > 1
    if grouped and channels == 1:
        return "a depthwise convolution"
    if height * width > MAX_POSITIONS:
        return f"a kernel of more than {MAX_POSITIONS} positions"
    return None if channels > 3 else f"reads only {channels} input channels" + (" in each group" if grouped else "")


def _is_pointwise(equation: str) -> bool:
    """Whether an einsum replaces the last axis by the kernel's second one, as a dense layer does."""
    read, _, written = equation.replace(" ", "").partition("->")
    x, _, kernel = read.partition(",")
    if len(kernel) != 2 or not kernel.isalpha() or kernel[0] == kernel[1]:
        return False
    before = x[:-1]
    return x == before + kernel[0] and written == before + kernel[1] and not set(kernel) & set(before)


def _is_classifier_kind(layer: Any) -> bool:
    if isinstance(layer, keras.layers.EinsumDense):
        return _is_pointwise(layer.equation)
    return isinstance(layer, keras.layers.Dense) or (
        isinstance(layer, keras.layers.Conv2D) and layer.groups == 1 and tuple(layer.kernel_size) == (1, 1)
    )


def _classifiers(model: Any) -> Iterator[Any]:
    """Layers that classify, found from the model's outputs; from its last layer with weights if there are no nodes."""
    outputs = _outputs(model)
    for tensor in outputs:
        yield from _trace(tensor, ())
    if not outputs:
        yield from _last_of(model)


def _outputs(operation: Any) -> list[Any]:
    """Output tensors of a functional or built sequential model; none for anything else."""
    is_graph = isinstance(operation, keras.Model) and getattr(operation, "outputs", None)
    return keras.tree.flatten(operation.outputs) if is_graph else []


def _trace(tensor: Any, calls: tuple[tuple[Any, Any], ...]) -> Iterator[Any]:
    """Walk back from `tensor`; `calls` are the (model, node) pairs of the nested models that were entered."""
    operation, node_index, tensor_index = tensor._keras_history
    if isinstance(operation, keras.layers.InputLayer):
        if calls:
            model, node = calls[-1]
            position = [id(x) for x in keras.tree.flatten(model.inputs)].index(id(tensor))
            yield from _trace(node.input_tensors[position], calls[:-1])
        return
    node = operation._inbound_nodes[node_index]
    if outputs := _outputs(operation):
        yield from _trace(outputs[tensor_index], (*calls, (operation, node)))
    elif _is_classifier_kind(operation):
        yield operation
    elif type(operation).__name__ in _TRANSPARENT:
        for source in node.input_tensors:
            yield from _trace(source, calls)
    elif getattr(operation, "_layers", None):
        yield from _last_of(operation)


def _last_of(layer: Any) -> Iterator[Any]:
    """The last layer with weights of its own inside `layer`, if it is of a classifier's kind."""
    with_weights = [inner for _, inner in _walk(layer) if inner.weights and not inner._layers]
    if with_weights and _is_classifier_kind(with_weights[-1]):
        yield with_weights[-1]
