"""Small ``.tflite`` files made by hand, without TensorFlow: what the converter's and the delegate's tests feed on.

>>> net = TfliteBuilder()
>>> x = net.input((1, 8, 8, 4))
>>> y = net.conv(net.pad(x, (1, 1, 1, 1)), weights, bias, padding="VALID", activation="RELU")
>>> content = net.build([net.fully_connected(net.mean(y), matrix)])

Every method appends to the first subgraph and returns the number of the tensor it made. Weights are float32 arrays in
TFLite's order (OHWI for convolutions, [out, in] for dense layers); a tensor number is taken in place of an array, so
that weights may stand behind an operator (`dequantize`), be shared or be computed. Shapes are inferred, batch included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Weights = np.ndarray | int

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int64": schema.TensorType.INT64,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}


class TfliteBuilder:
    """One subgraph under construction; `model`, `graph` and their tables may be changed by hand before `build`."""

    def __init__(self) -> None:
        self.graph = schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[], name=b"main")
        empty = schema.BufferT(data=np.zeros(0, np.uint8))
        self.model = schema.ModelT(version=3, operatorCodes=[], subgraphs=[self.graph], buffers=[empty])
        self.model.description = b"made by tests/tflite_builder.py"

    # --- tensors

    def tensor(self, shape: Sequence[int], name: str, dtype: str = "float32", buffer: int = 0) -> int:
        """A tensor that an operator will fill."""
        tensor = schema.TensorT(shape=[int(n) for n in shape], type=_TYPES[dtype], buffer=buffer, hasRank=True)
        tensor.name = (name or f"tensor{len(self.graph.tensors)}").encode()
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of tensor number `tensor`."""
        return tuple(self.graph.tensors[tensor].shape)

    def input(self, shape: Sequence[int], name: str = "x", dtype: str = "float32") -> int:
        """An input of the model."""
        self.graph.inputs.append(self.tensor(shape, name, dtype))
        return self.graph.inputs[-1]

    def constant(self, array: np.ndarray, name: str = "", scales: Sequence[float] | None = None) -> int:
        """A constant; `scales` makes it symmetrically quantized along its first axis."""
        data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self.model.buffers.append(schema.BufferT(data=data))
        number = self.tensor(array.shape, name, array.dtype.name, len(self.model.buffers) - 1)
        if scales is not None:
            quantization = schema.QuantizationParametersT(scale=list(scales), zeroPoint=[0] * len(scales))
            self.graph.tensors[number].quantization = quantization
        return number

    def sparse_constant(self, values: np.ndarray, shape: Sequence[int], sparsity: Any, name: str = "") -> int:
        """A sparse tensor of this shape; `sparsity` is its ``SparsityParametersT``."""
        number = self.constant(values, name)
        self.graph.tensors[number].shape, self.graph.tensors[number].sparsity = [int(n) for n in shape], sparsity
        return number

    # --- operators

    def operator(
        self, code: str, inputs: Sequence[int], shape: Sequence[int], options: Any = None, name: str = "", **kwargs: Any
    ) -> int:
        """Any builtin operator with one float32 output; `options` is the object of its options table."""
        output = self.tensor(shape, name or f"{code.lower()}{len(self.graph.operators)}")
        op = schema.OperatorT(opcodeIndex=self._code(code), inputs=list(inputs), outputs=[output], **kwargs)
        if options is not None:
            op.builtinOptions = options
            op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(op)
        return output

    def custom(self, code: str, inputs: Sequence[int], shape: Sequence[int], options: bytes, name: str = "") -> int:
        """A custom operator with one float32 output; `options` are its custom options."""
        output = self.tensor(shape, name or f"{code.lower()}{len(self.graph.operators)}")
        self.model.operatorCodes.append(
            schema.OperatorCodeT(
                builtinCode=schema.BuiltinOperator.CUSTOM,
                deprecatedBuiltinCode=schema.BuiltinOperator.CUSTOM,
                customCode=code.encode(),
                version=1,
            )
        )
        op = schema.OperatorT(opcodeIndex=len(self.model.operatorCodes) - 1, inputs=list(inputs), outputs=[output])
        op.customOptions = list(options)
        self.graph.operators.append(op)
        return output

    def conv(
        self,
        x: int,
        weights: Weights,
        bias: Weights | None = None,
        stride: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        dilation: tuple[int, int] = (1, 1),
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """CONV_2D; weights OHWI. Without `bias` it gets one of zeros, as TFLite's kernel demands one."""
        w = self._weights(weights, name, "weights")
        out, *kernel, _ = self.shape(w)
        b = self._weights(np.zeros(out, np.float32) if bias is None else bias, name, "bias")
        options = schema.Conv2DOptionsT(
            padding=getattr(schema.Padding, padding),
            strideH=stride[0],
            strideW=stride[1],
            dilationHFactor=dilation[0],
            dilationWFactor=dilation[1],
            fusedActivationFunction=getattr(schema.ActivationFunctionType, activation),
        )
        shape = (self.shape(x)[0], *self._window(x, kernel, stride, dilation, padding), out)
        return self.operator("CONV_2D", [x, w, b], shape, options, name)

    def depthwise_conv(self, x: int, weights: Weights, stride: tuple[int, int] = (1, 1), name: str = "") -> int:
        """DEPTHWISE_CONV_2D with SAME padding; weights [1, H, W, out]."""
        w = self._weights(weights, name, "weights")
        _, *kernel, out = self.shape(w)
        options = schema.DepthwiseConv2DOptionsT(
            padding=schema.Padding.SAME, strideH=stride[0], strideW=stride[1], depthMultiplier=out // self.shape(x)[3]
        )
        shape = (self.shape(x)[0], *self._window(x, kernel, stride, (1, 1), "SAME"), out)
        bias = self.constant(np.zeros(out, np.float32), f"{name}/bias")
        return self.operator("DEPTHWISE_CONV_2D", [x, w, bias], shape, options, name)

    def transpose_conv(
        self,
        x: int,
        weights: Weights,
        size: tuple[int, int],
        stride: tuple[int, int],
        bias: Weights | None = None,
        name: str = "",
    ) -> int:
        """TRANSPOSE_CONV with SAME padding, to `size` rows and columns; weights OHWI."""
        w, b = self._weights(weights, name, "weights"), self._weights(bias, name, "bias")
        shape = (self.shape(x)[0], *size, self.shape(w)[0])
        inputs = [self.constant(np.array(shape, np.int32), f"{name}/shape"), w, x, *([] if b is None else [b])]
        options = schema.TransposeConvOptionsT(padding=schema.Padding.SAME, strideH=stride[0], strideW=stride[1])
        return self.operator("TRANSPOSE_CONV", inputs, shape, options, name)

    def fully_connected(
        self,
        x: int,
        weights: Weights,
        bias: Weights | None = None,
        activation: str = "NONE",
        keep_num_dims: bool = False,
        name: str = "",
    ) -> int:
        """FULLY_CONNECTED; weights [out, in]."""
        w, b = self._weights(weights, name, "weights"), self._weights(bias, name, "bias")
        out, channels = self.shape(w)
        options = schema.FullyConnectedOptionsT(
            fusedActivationFunction=getattr(schema.ActivationFunctionType, activation), keepNumDims=keep_num_dims
        )
        rows = int(np.prod(self.shape(x))) // max(channels, 1)
        shape = (*self.shape(x)[:-1], out) if keep_num_dims else (rows, out)
        return self.operator("FULLY_CONNECTED", [x, w, -1 if b is None else b], shape, options, name)

    def pad(self, x: int, pads: tuple[int, int, int, int], name: str = "") -> int:
        """PAD of an NHWC tensor by (top, bottom, left, right) zeros."""
        top, bottom, left, right = pads
        table = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        shape = [n + int(p.sum()) for n, p in zip(self.shape(x), table, strict=True)]
        paddings = self.constant(table, f"{name or 'pad'}/paddings")
        return self.operator("PAD", [x, paddings], shape, schema.PadOptionsT(), name)

    def add(self, x: int, y: int, name: str = "") -> int:
        """ADD of two tensors of the same shape."""
        return self.operator("ADD", [x, y], self.shape(x), schema.AddOptionsT(), name)

    def relu(self, x: int, name: str = "") -> int:
        """RELU."""
        return self.operator("RELU", [x], self.shape(x), name=name)

    def mean(self, x: int, name: str = "") -> int:
        """MEAN over H and W: [N, H, W, C] -> [N, C]."""
        axes = self.constant(np.array([1, 2], np.int32), f"{name or 'mean'}/axes")
        return self.operator("MEAN", [x, axes], (self.shape(x)[0], self.shape(x)[3]), schema.ReducerOptionsT(), name)

    def dequantize(self, x: int, name: str = "") -> int:
        """DEQUANTIZE: float16 (or a quantized constant) to float32."""
        return self.operator("DEQUANTIZE", [x], self.shape(x), schema.DequantizeOptionsT(), name)

    def densify(self, x: int, name: str = "") -> int:
        """DENSIFY of a tensor that carries SparsityParameters, float32."""
        return self.operator("DENSIFY", [x], self.shape(x), schema.DensifyOptionsT(), name)

    # --- the file

    def build(self, outputs: Sequence[int]) -> bytes:
        """The file, with these tensors as the model's outputs."""
        self.graph.outputs = list(outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _code(self, name: str) -> int:
        builtin = getattr(schema.BuiltinOperator, name)
        for index, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == builtin:
                return index
        code = schema.OperatorCodeT(builtinCode=builtin, deprecatedBuiltinCode=min(builtin, 127), version=1)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def _weights(self, weights: Weights | None, name: str, role: str) -> int | None:
        if isinstance(weights, np.ndarray):
            return self.constant(weights, f"{name}/{role}" if name else "")
        return weights

    def _window(
        self, x: int, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], padding: str
    ) -> list[int]:
        sizes = []
        for n, k, s, d in zip(self.shape(x)[1:3], kernel, stride, dilation, strict=True):
            extent = (k - 1) * d + 1
            sizes.append(-(-n // s) if padding == "SAME" else max(0, -(-(n - extent + 1) // s)))
        return sizes


def run(content: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    """Outputs of a file in ai-edge-litert, one thread, inputs in the model's order."""
    from ai_edge_litert.interpreter import Interpreter

    from mcpruner import compare

    return compare.run(Interpreter(model_content=content, num_threads=1), inputs)
