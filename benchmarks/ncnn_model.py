"""Writes a plain graph (plain_graph.py) as ncnn's ``.param`` (text, a line for each layer) and ``.bin`` (weights).

The wheel brings no converter for ONNX. Activations are parameters of ncnn's convolutions and dense layers; a tensor
that several layers read goes through a Split, as ncnn demands.
"""

import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = 7767517
INPUT, OUTPUT = "input", "output"
_FLOAT32 = struct.pack("<I", 0)  # before weights: stored as they are


def write_ncnn(graph: dict[str, Any], arrays: Mapping[str, np.ndarray], param: Path, weights: Path) -> None:
    """Write both files; the network's ends are called `INPUT` and `OUTPUT`."""
    readers = Counter(name for layer in graph["layers"] for name in layer["inputs"])
    taken: Counter[str] = Counter()
    lines: list[str] = []

    def add(kind: str, name: str, inputs: list[str], fields: str) -> None:
        """A layer, and behind it a Split when several layers read what it makes."""
        made = OUTPUT if name == graph["output"] else INPUT if name == graph["input"] else name
        lines.append(f"{kind} {made} {len(inputs)} 1 {' '.join([*inputs, made])} {fields}".strip())
        if readers[name] > 1:
            copies = [f"{made}_{i}" for i in range(readers[name])]
            lines.append(f"Split {made}_split 1 {len(copies)} {made} {' '.join(copies)}")

    def take(name: str) -> str:
        made = INPUT if name == graph["input"] else name
        taken[name] += 1
        return f"{made}_{taken[name] - 1}" if readers[name] > 1 else made

    _, channels, height, width = graph["input_shape"]
    add("Input", graph["input"], [], f"0={width} 1={height} 2={channels}")
    with weights.open("wb") as file:
        for layer in graph["layers"]:
            inputs = [take(name) for name in layer["inputs"]]
            kind, fields = _KINDS[layer["op"]](layer, arrays)
            separate = layer["op"] == "add" and layer["activation"]
            add(kind, layer["name"] + "_sum" if separate else layer["name"], inputs, fields)
            if separate:
                _rectify(layer, add)
            if "weight" in layer:
                file.write(_FLOAT32 + arrays[layer["weight"]].tobytes() + arrays[layer["bias"]].tobytes())
    blobs = len({blob for line in lines for blob in _outputs(line)})
    param.write_text("\n".join([str(MAGIC), f"{len(lines)} {blobs}", *lines]) + "\n")


def _rectify(layer: dict[str, Any], add: Any) -> None:
    """The activation of an addition, a layer of its own."""
    kind, fields = ("ReLU", "") if layer["activation"] == "relu" else ("Clip", "0=0.0 1=6.0")
    add(kind, layer["name"], [layer["name"] + "_sum"], fields)


def _outputs(line: str) -> list[str]:
    _, _, inputs, outputs, *names = line.split()
    return names[int(inputs) : int(inputs) + int(outputs)]


def _activation(layer: dict[str, Any]) -> str:
    return {"": "", "relu": " 9=1", "relu6": " 9=3 -23310=2,0.0,6.0"}[layer["activation"]]


def _conv(layer: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> tuple[str, str]:
    weight = arrays[layer["weight"]]
    (filters, _, height, width), (top, left, bottom, right) = weight.shape, layer["pads"]
    (stride_h, stride_w), (dilation_h, dilation_w) = layer["strides"], layer["dilations"]
    fields = (
        f"0={filters} 1={width} 11={height} 2={dilation_w} 12={dilation_h} 3={stride_w} 13={stride_h} "
        f"4={left} 14={top} 15={right} 16={bottom} 5=1 6={weight.size}{_activation(layer)}"
    )
    return ("ConvolutionDepthWise", f"{fields} 7={layer['groups']}") if layer["groups"] > 1 else ("Convolution", fields)


def _pool(layer: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> tuple[str, str]:
    del arrays
    (height, width), (stride_h, stride_w), (top, left, bottom, right) = (
        layer[key] for key in ("kernel", "strides", "pads")
    )
    kind = {"max": 0, "average": 1}[layer["kind"]]
    # 5=1: exactly these pads, where 0 would round the output's size up.
    return "Pooling", (
        f"0={kind} 1={width} 11={height} 2={stride_w} 12={stride_h} 3={left} 13={top} 14={right} 15={bottom} 5=1"
    )


def _dense(layer: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> tuple[str, str]:
    weight = arrays[layer["weight"]]
    return "InnerProduct", f"0={len(weight)} 1=1 2={weight.size}{_activation(layer)}"


_KINDS = {
    "add": lambda layer, arrays: ("BinaryOp", "0=0"),
    "conv": _conv,
    "dense": _dense,
    "mean": lambda layer, arrays: ("Pooling", "0=1 4=1"),
    "pool": _pool,
}
