"""A dense ``.tflite`` as a plain list of layers in NCHW, from which the other engines' models are written.

    .tflite ── read_plain ──> {"input", "output", "layers"}, arrays ── save ──> one .npz, read without TFLite

A layer is a dictionary with ``op``, ``name`` (of what it makes) and ``inputs`` (names), and

    conv     weight [O, I / groups, kh, kw], bias [O], strides, dilations, pads, groups, activation
    pool     kind (max, average), kernel, strides, pads
    mean     over height and width, which stay as 1x1
    add      activation
    dense    weight [O, C x H x W], bias [O], activation

``weight`` and ``bias`` are names of arrays; ``strides``, ``dilations`` and ``kernel`` are [height, width], ``pads``
[top, left, bottom, right], ``activation`` is "", "relu" or "relu6". PAD is folded into what reads it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import operator_name, read_model, schema, tensor_name
from mcpruner.converter.tflite.weights import NotConstantError, read_constant
from mcpruner.converter.whole_file import whole_file

_ACTIVATIONS = {
    schema.ActivationFunctionType.NONE: "",
    schema.ActivationFunctionType.RELU: "relu",
    schema.ActivationFunctionType.RELU6: "relu6",
}
_SHAPE_OPS = ("SHAPE", "STRIDED_SLICE", "PACK")  # compute the operand of a RESHAPE, which needs none here


class _Reader:
    """One pass over the operators; `alias` leads from a tensor that is not made to the one that it equals."""

    def __init__(self, content: bytes) -> None:
        self.model = read_model(content)
        self.graph = self.model.subgraphs[0]
        self.layers: list[dict[str, Any]] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.alias: dict[int, int] = {}
        self.pads: dict[int, list[int]] = {}
        self.padded: dict[int, int] = {}

    def read(self) -> dict[str, Any]:
        for op in self.graph.operators:
            name = operator_name(self.model, op)
            if name in _SHAPE_OPS:
                continue
            if name not in _OPS:
                raise ValueError(f"Expected a plain convolutional network, got operator {name}: add it to plain_graph.")
            _OPS[name](self, op)
        height, width, channels = self.shape(self.graph.inputs[0])
        return {
            "input": self.name(self.graph.inputs[0]),
            "input_shape": [1, channels, height, width],
            "output": self.name(self.graph.outputs[0]),
            "layers": self.layers,
        }

    def source(self, tensor: int) -> int:
        while tensor in self.alias:
            tensor = self.alias[tensor]
        return tensor

    def name(self, tensor: int) -> str:
        return f"t{self.source(tensor)}"

    def shape(self, tensor: int) -> list[int]:
        """Height, width, channels; the last only where there is no image."""
        return self.graph.tensors[tensor].shape[1:]

    def constant(self, tensor: int) -> np.ndarray:
        try:
            return read_constant(self.model, self.graph, tensor, {}).values
        except NotConstantError as error:
            raise ValueError(f"Expected constant weights: {error}.") from error

    def store(self, array: np.ndarray) -> str:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(array, np.float32)
        return name

    def bias(self, op: Any, filters: int) -> str:
        has = len(op.inputs) > 2 and op.inputs[2] >= 0
        return self.store(self.constant(op.inputs[2]) if has else np.zeros(filters))

    def add(self, name: str, op: Any, inputs: list[int], **fields: Any) -> None:
        self.layers.append(
            {"op": name, "name": self.name(op.outputs[0]), "inputs": [self.name(i) for i in inputs], **fields}
        )

    def window(self, op: Any, kernel: list[int], dilations: list[int], exact_zeros: bool) -> tuple[int, dict[str, Any]]:
        """What the layer reads, and its strides and pads, a PAD before it included."""
        options, tensor = op.builtinOptions, op.inputs[0]
        strides = [options.strideH, options.strideW]
        pads = [0, 0, 0, 0]
        if options.padding == schema.Padding.SAME:
            for axis, size in enumerate(self.shape(tensor)[:2]):
                reach = (kernel[axis] - 1) * dilations[axis] + 1
                total = max((-(-size // strides[axis]) - 1) * strides[axis] + reach - size, 0)
                pads[axis], pads[axis + 2] = total // 2, total - total // 2
        if tensor in self.padded:
            if not exact_zeros and not self.is_rectified(self.padded[tensor]):
                raise ValueError(
                    "Expected zeros around a maximum to pad what is at least 0: this PAD cannot be folded."
                )
            pads = [a + b for a, b in zip(pads, self.pads[tensor], strict=True)]
            tensor = self.padded[tensor]
        return tensor, {"strides": strides, "pads": pads}

    def is_rectified(self, tensor: int) -> bool:
        """Whether a layer with an activation made it, so that it is at least 0."""
        maker = next((layer for layer in self.layers if layer["name"] == self.name(tensor)), {})
        return bool(maker.get("activation"))


def _conv(reader: _Reader, op: Any) -> None:
    options, kernel = op.builtinOptions, reader.constant(op.inputs[1])
    weight = kernel.transpose(0, 3, 1, 2)
    _convolution(reader, op, weight, 1, [options.dilationHFactor, options.dilationWFactor])


def _depthwise(reader: _Reader, op: Any) -> None:
    options, kernel = op.builtinOptions, reader.constant(op.inputs[1])
    channels = reader.shape(op.inputs[0])[2]
    weight = kernel[0].transpose(2, 0, 1)[:, None]
    _convolution(reader, op, weight, channels, [options.dilationHFactor, options.dilationWFactor])


def _convolution(reader: _Reader, op: Any, weight: np.ndarray, groups: int, dilations: list[int]) -> None:
    tensor, window = reader.window(op, list(weight.shape[2:]), dilations, exact_zeros=True)
    fields = {"weight": reader.store(weight), "bias": reader.bias(op, len(weight)), "dilations": dilations}
    activation = _ACTIVATIONS[op.builtinOptions.fusedActivationFunction]
    reader.add("conv", op, [tensor], groups=groups, activation=activation, **fields, **window)


def _dense(reader: _Reader, op: Any) -> None:
    weight, made = reader.constant(op.inputs[1]), reader.source(op.inputs[0])
    image = reader.shape(made)
    if len(image) == 3:  # its columns are in the order of NHWC
        weight = weight.reshape(-1, *image).transpose(0, 3, 1, 2).reshape(len(weight), -1)
    fields = {"weight": reader.store(weight), "bias": reader.bias(op, len(weight))}
    reader.add("dense", op, [made], activation=_ACTIVATIONS[op.builtinOptions.fusedActivationFunction], **fields)


def _pool(kind: str) -> Any:
    def read(reader: _Reader, op: Any) -> None:
        kernel = [op.builtinOptions.filterHeight, op.builtinOptions.filterWidth]
        tensor, window = reader.window(op, kernel, [1, 1], exact_zeros=False)
        reader.add("pool", op, [tensor], kind=kind, kernel=kernel, **window)

    return read


def _pad(reader: _Reader, op: Any) -> None:
    buffer = reader.model.buffers[reader.graph.tensors[op.inputs[1]].buffer].data
    (top, bottom), (left, right) = np.frombuffer(buffer, np.int32).reshape(-1, 2)[1:3].tolist()
    reader.pads[op.outputs[0]], reader.padded[op.outputs[0]] = [top, left, bottom, right], op.inputs[0]


def _reshape(reader: _Reader, op: Any) -> None:
    if len(reader.shape(op.outputs[0])) != 1:
        raise ValueError(f"Expected RESHAPE to flatten: {tensor_name(reader.graph, op.outputs[0])} is an image.")
    reader.alias[op.outputs[0]] = op.inputs[0]


_OPS = {
    "ADD": lambda r, op: r.add(
        "add", op, op.inputs, activation=_ACTIVATIONS[op.builtinOptions.fusedActivationFunction]
    ),
    "AVERAGE_POOL_2D": _pool("average"),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "MAX_POOL_2D": _pool("max"),
    "MEAN": lambda r, op: r.add("mean", op, op.inputs[:1]),
    "PAD": _pad,
    "RESHAPE": _reshape,
}


def save(content: bytes, path: Path) -> None:
    """Write the plain graph of a dense ``.tflite`` to `path`, an uncompressed .npz.

    Raises
    ------
    ValueError
        The network has an operator or a padding that the plain graph does not express.
    """
    reader = _Reader(content)
    graph = reader.read()
    with whole_file(path) as file:
        np.savez(file, graph=np.array(json.dumps(graph)), **reader.arrays)
