"""Writes a plain graph (plain_graph.py) as an ONNX model of standard operators, NCHW, batch norm already folded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model

OPSET = 17


def write_onnx(graph: dict[str, Any], arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Write `path`, checked by ONNX itself."""
    nodes = [node for layer in graph["layers"] for node in _nodes(layer)]
    used = [layer[key] for layer in graph["layers"] for key in ("weight", "bias") if key in layer]
    constants = [numpy_helper.from_array(arrays[name], name) for name in used]
    if any(layer.get("activation") == "relu6" for layer in graph["layers"]):
        constants += [numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("six", 6))]
    rank = 2 if graph["layers"][-1]["op"] == "dense" else 4
    network = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(graph["input"], TensorProto.FLOAT, graph["input_shape"])],
        [helper.make_tensor_value_info(graph["output"], TensorProto.FLOAT, [None] * rank)],
        constants,
    )
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    save_model(model, path)
    checker.check_model(path)


def _nodes(layer: dict[str, Any]) -> list[Any]:
    """The layer's operator and, where it has one, its activation."""
    activation = layer.get("activation")
    made = layer["name"] + "_linear" if activation else layer["name"]
    nodes = _OPS[layer["op"]](layer, made)
    if activation == "relu":
        nodes.append(helper.make_node("Relu", [made], [layer["name"]]))
    elif activation == "relu6":
        nodes.append(helper.make_node("Clip", [made, "zero", "six"], [layer["name"]]))
    return nodes


def _conv(layer: dict[str, Any], made: str) -> list[Any]:
    keys = ("strides", "pads", "dilations")
    inputs = [*layer["inputs"], layer["weight"], layer["bias"]]
    return [helper.make_node("Conv", inputs, [made], group=layer["groups"], **{key: layer[key] for key in keys})]


def _pool(layer: dict[str, Any], made: str) -> list[Any]:
    kind = {"max": "MaxPool", "average": "AveragePool"}[layer["kind"]]
    fields = {"kernel_shape": layer["kernel"], "strides": layer["strides"], "pads": layer["pads"]}
    return [helper.make_node(kind, layer["inputs"], [made], **fields)]


def _dense(layer: dict[str, Any], made: str) -> list[Any]:
    flat = layer["name"] + "_flat"
    return [
        helper.make_node("Flatten", layer["inputs"], [flat]),
        helper.make_node("Gemm", [flat, layer["weight"], layer["bias"]], [made], transB=1),
    ]


_OPS = {
    "add": lambda layer, made: [helper.make_node("Add", layer["inputs"], [made])],
    "conv": _conv,
    "dense": _dense,
    "mean": lambda layer, made: [helper.make_node("GlobalAveragePool", layer["inputs"], [made])],
    "pool": _pool,
}
