"""A converted ``.tflite`` beside the dense one it came from, operator by operator.

Conversion replaces operators where they stand, so operators pair by their order. What it may drop (PAD folded into a
convolution, DEQUANTIZE and DENSIFY of weights, the computation of a Flatten's shape) is left out on both sides.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.converter.dense_layer import short_name
from mcpruner.converter.densify import CONV, FULLY_CONNECTED, read_packed
from mcpruner.converter.pack import unpack
from mcpruner.converter.serialize import round_values
from mcpruner.converter.tflite_model import (
    add_constant,
    operator_name,
    read_model,
    type_name,
    write_model,
)
from mcpruner.converter.weights import read_weights

_SAME_AS = {CONV: "CONV_2D", FULLY_CONNECTED: "FULLY_CONNECTED"}
_DROPPED = ("PAD", "PADV2", "DEQUANTIZE", "DENSIFY")


@dataclass
class WeightDifference:
    """How the weights in a layer's blob compare with the dense file's."""

    name: str
    value_type: str
    count: int  # weights of the dense layer
    different: int  # of them not equal
    largest: float  # largest difference of one weight


def pair_operators(converted: Any, dense: Any) -> list[tuple[Any, Any]]:
    """Operators of two models (``ModelT``, first subgraph) that do the same, in execution order.

    Raises
    ------
    ValueError
        The two lists differ: the files are not of the same network.
    """
    lists = [[op for op in model.subgraphs[0].operators if _stays(model, op)] for model in (converted, dense)]
    if len(lists[0]) == len(lists[1]):
        pairs = list(zip(*lists, strict=True))
        if all(_kind(converted, a) == _kind(dense, b) for a, b in pairs):
            return pairs
    raise ValueError(
        f"The two files are not of the same network: their {len(lists[0])} and {len(lists[1])} operators do not pair."
    )


def _stays(model: Any, op: Any) -> bool:
    """Whether conversion keeps an operator for sure: one that computes with numbers, not with shapes."""
    output = model.subgraphs[0].tensors[op.outputs[0]]
    return operator_name(model, op) not in _DROPPED and type_name(output) not in ("int32", "int64")


def _kind(model: Any, op: Any) -> str:
    name = operator_name(model, op)
    return _SAME_AS.get(name, name)


def paired_outputs(converted: bytes, dense: bytes) -> list[tuple[str, int, int]]:
    """Name, and number in either file, of each operator's first output."""
    models = read_model(converted), read_model(dense)
    graph = models[0].subgraphs[0]
    return [(short_name(graph, a), a.outputs[0], b.outputs[0]) for a, b in pair_operators(*models)]


def rounded_reference(converted: bytes, dense: bytes) -> tuple[bytes, list[WeightDifference]]:
    """The dense file with its weights rounded as the converted one stores them, and where the blobs say otherwise.

    Parameters
    ----------
    converted, dense
        Two ``.tflite`` files of the same network.

    Raises
    ------
    ValueError
        A file is damaged, or they are not of the same network.
    """
    models = read_model(converted), read_model(dense)
    graphs = models[0].subgraphs[0], models[1].subgraphs[0]
    differences = []
    for sparse_op, dense_op in pair_operators(*models):
        if operator_name(models[0], sparse_op) not in _SAME_AS:
            continue
        layer, _ = read_packed(models[0], graphs[0], sparse_op)
        weights = read_weights(models[1], graphs[1], dense_op)
        ohwi = weights if weights.ndim == 4 else weights[:, None, None, :]
        name, found = short_name(graphs[0], sparse_op), unpack(layer)
        if found.shape != ohwi.shape:
            raise ValueError(f"Layer {name} has weights {found.shape} in one file and {ohwi.shape} in the other.")
        rounded = round_values(ohwi, layer.value_type)
        distance = np.abs(found - rounded)
        differences.append(
            WeightDifference(name, layer.value_type, found.size, int(np.count_nonzero(distance)), float(distance.max()))
        )
        dense_op.inputs[1] = add_constant(models[1], graphs[1], name + "/rounded", rounded.reshape(weights.shape))
    return write_model(models[1]), differences
