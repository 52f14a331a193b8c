"""A converted ``.tflite`` beside the dense one it came from, operator by operator.

Conversion replaces operators where they stand, so operators pair by their order. What it may drop (PAD folded into a
convolution, DEQUANTIZE, DENSIFY and TRANSPOSE of weights, what copies, what computes shapes) or write otherwise
(nearest upsampling) is left out on both sides. Scales and shifts that it folded into convolutions are folded here, too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.converter.format.serialize import round_values
from mcpruner.converter.tflite.dense_layer import short_name
from mcpruner.converter.tflite.densify import (
    CONV,
    FULLY_CONNECTED,
    TRANSPOSED,
    read_packed,
    weights_as_they_were,
)
from mcpruner.converter.tflite.drop_unused import operators_may_go
from mcpruner.converter.tflite.fold_dilation import fold_dilation
from mcpruner.converter.tflite.fold_scale import fold_scale
from mcpruner.converter.tflite.infer_sizes import infer_sizes
from mcpruner.converter.tflite.model import (
    add_constant,
    operator_name,
    read_model,
    type_name,
    write_model,
)
from mcpruner.converter.tflite.weights import read_weights

_SAME_AS = {CONV: "CONV_2D", FULLY_CONNECTED: "FULLY_CONNECTED", TRANSPOSED: "TRANSPOSE_CONV"}
_DROPPED = (
    "PAD",
    "PADV2",
    "MIRROR_PAD",
    "RESHAPE",
    "TRANSPOSE",
    "EXPAND_DIMS",
    "TILE",
    "RESIZE_NEAREST_NEIGHBOR",
    "DEQUANTIZE",
    "DENSIFY",
    "SPACE_TO_BATCH_ND",
    "BATCH_TO_SPACE_ND",
)


@dataclass
class WeightDifference:
    """How the weights in a layer's blob compare with the dense file's.

    Attributes
    ----------
    name, value_type
        The layer's name, and how its blob stores weights.
    count, different
        How many weights the dense layer has, and how many of them the blob has otherwise.
    largest
        Largest difference of one weight.
    """

    name: str
    value_type: str
    count: int
    different: int
    largest: float


def pair_operators(converted: Any, dense: Any) -> list[tuple[int, Any, Any]]:
    """Pair the operators of two models (``ModelT``) that do the same, in execution order.

    Where the dense one has more of them, the scales and shifts behind its convolutions are folded as `convert` folds
    them, in place: tensors keep their numbers, and convolutions have the weights and the outputs that are compared.

    Returns
    -------
    list of tuple
        Number of the subgraph, operator of `converted`, operator of `dense`.

    Raises
    ------
    ValueError
        The two lists differ: the files are not of the same network.
    """
    lists = [_lasting_operators(model) for model in (converted, dense)]
    if len(lists[1]) > len(lists[0]):
        _fold_scales(dense)
        lists[1] = _lasting_operators(dense)
    kinds = [
        [(number, _kind(model, op)) for number, op in operators]
        for model, operators in zip((converted, dense), lists, strict=True)
    ]
    if kinds[0] != kinds[1] or len(converted.subgraphs) != len(dense.subgraphs):
        raise ValueError(
            f"The two files are not of the same network: their {len(lists[0])} and {len(lists[1])} operators do not "
            "pair."
        )
    return [(number, a, b) for (number, a), (_, b) in zip(*lists, strict=True)]


def _fold_scales(model: Any) -> None:
    if not operators_may_go(model):
        return
    for graph in model.subgraphs:
        fold_dilation(model, graph, infer_sizes(model, graph, False))
        fold_scale(model, graph)


def _lasting_operators(model: Any) -> list[tuple[int, Any]]:
    """The operators that conversion keeps for sure, each with its subgraph: those of numbers, not of shapes."""
    return [
        (number, op)
        for number, graph in enumerate(model.subgraphs)
        for op in graph.operators
        if len(op.outputs) > 0
        and operator_name(model, op) not in _DROPPED
        and not (operator_name(model, op) == "CONCATENATION" and len(op.inputs) == 1)
        and type_name(graph.tensors[op.outputs[0]]) not in ("int32", "int64")
    ]


def _kind(model: Any, op: Any) -> str:
    name = operator_name(model, op)
    return _SAME_AS.get(name, name)


def paired_outputs(converted: bytes, dense: bytes) -> list[tuple[str, int, int]]:
    """For each pair of operators in the first subgraph its name, and the number of its first output in either file."""
    models = read_model(converted), read_model(dense)
    graph = models[0].subgraphs[0]
    images = [_image_outputs(model) for model in models]
    pairs = [(a, b) for number, a, b in pair_operators(*models) if number == 0]
    outputs = [(images[0].get(a.outputs[0], a.outputs[0]), images[1].get(b.outputs[0], b.outputs[0])) for a, b in pairs]
    return [(short_name(graph, a), *both) for (a, _), both in zip(pairs, outputs, strict=True)]


def _image_outputs(model: Any) -> dict[int, int]:
    """Outputs that are images spread over a batch, of the first subgraph, and the tensors that have the images."""
    operators = model.subgraphs[0].operators
    return {op.inputs[0]: op.outputs[0] for op in operators if operator_name(model, op) == "BATCH_TO_SPACE_ND"}


def rounded_reference(converted: bytes, dense: bytes) -> tuple[bytes, list[WeightDifference]]:
    """The dense file with its weights rounded as the converted one stores them, and where the blobs say otherwise.

    All subgraphs count: those of further signatures, and the bodies of loops and branches.

    Parameters
    ----------
    converted, dense
        Two ``.tflite`` files of the same network.

    Returns
    -------
    bytes
        The dense file with rounded weights.
    list of WeightDifference
        One for each packed layer.

    Raises
    ------
    ValueError
        A file is damaged, or they are not of the same network.
    """
    models = read_model(converted), read_model(dense)
    if any(operator_name(models[1], op) in _SAME_AS for graph in models[1].subgraphs for op in graph.operators):
        raise ValueError("The file to compare with has packed layers: give the dense file that was converted.")
    differences = []
    for number, sparse_op, dense_op in pair_operators(*models):
        graphs = models[0].subgraphs[number], models[1].subgraphs[number]
        if operator_name(models[0], sparse_op) not in _SAME_AS:
            continue
        layer, options = read_packed(models[0], graphs[0], sparse_op)
        weights = read_weights(models[1], graphs[1], dense_op)
        ohwi = weights if weights.ndim == 4 else weights[:, None, None, :]
        name = short_name(graphs[0], sparse_op)
        found = weights_as_they_were(layer, options, name)
        if found.shape != ohwi.shape:
            raise ValueError(f"Layer {name} has weights {found.shape} in one file and {ohwi.shape} in the other.")
        rounded = round_values(ohwi, layer.value_type)
        distance = np.abs(found - rounded)
        differences.append(
            WeightDifference(name, layer.value_type, found.size, int(np.count_nonzero(distance)), float(distance.max()))
        )
        dense_op.inputs[1] = add_constant(models[1], graphs[1], name + "/rounded", rounded.reshape(weights.shape))
    return write_model(models[1]), differences
