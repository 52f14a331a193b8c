"""The builder of unusual models: random weights, and operators in more forms than `TfliteBuilder` has."""

from __future__ import annotations

import copy
import zlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tflite_builder import TfliteBuilder

BINARY = {"ADD": schema.AddOptionsT, "MUL": schema.MulOptionsT, "SUB": schema.SubOptionsT}


class OddNet(TfliteBuilder):
    """A builder with random weights."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def subgraph(self) -> OddNet:
        """A further subgraph of the same model."""
        other = copy.copy(self)
        other.graph = schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[], name=b"further")
        self.model.subgraphs.append(other.graph)
        return other

    def random(self, *shape: int) -> np.ndarray:
        return np.asarray(self.rng.standard_normal(shape), np.float32)

    def const(self, *shape: int) -> int:
        return self.constant(self.random(*shape))

    def ints(self, values: list) -> int:
        return self.constant(np.array(values, np.int32))

    def weights(self, *shape: int) -> np.ndarray:
        return self.random(*shape) * (self.rng.random(shape) < 0.3)

    def layer(self, x: int, filters: int = 6, kernel: int = 1, channels: int = 0, **kwargs) -> int:
        """A convolution that will be packed."""
        shape = (filters, kernel, kernel, channels or self.shape(x)[3])
        return self.conv(x, self.weights(*shape), self.random(filters), **kwargs)

    def dense(self, x: int, units: int = 6, keep: bool = False, channels: int = 0) -> int:
        """A fully-connected layer that will be packed."""
        weights = self.weights(units, channels or self.shape(x)[-1])
        return self.fully_connected(x, weights, self.random(units), keep_num_dims=keep)

    def binary(self, code: str, a: int, b: int) -> int:
        shape = np.broadcast_shapes(self.shape(a), self.shape(b))
        return self.operator(code, [a, b], shape, BINARY[code]())

    def reshape(self, x: int, to: list[int], shape: tuple[int, ...]) -> int:
        return self.operator("RESHAPE", [x, self.ints(to)], shape, schema.ReshapeOptionsT(newShape=to))

    def softmax(self, x: int) -> int:
        return self.operator("SOFTMAX", [x], self.shape(x), schema.SoftmaxOptionsT(beta=1.0))

    def concat(self, parts: list[int], axis: int) -> int:
        shape = list(self.shape(parts[0]))
        shape[axis] = sum(self.shape(part)[axis] for part in parts)
        return self.operator("CONCATENATION", parts, shape, schema.ConcatenationOptionsT(axis=axis))

    def reduce(self, x: int, axes: list[int], keep: bool) -> int:
        over = {axis % len(self.shape(x)) for axis in axes}
        sizes = [1 if i in over else n for i, n in enumerate(self.shape(x)) if keep or i not in over]
        return self.operator("MEAN", [x, self.ints(axes)], sizes, schema.ReducerOptionsT(keepDims=keep))

    def padded(self, x: int, pads: list[list[int]]) -> int:
        shape = [n + sum(pad) for n, pad in zip(self.shape(x), pads, strict=True)]
        return self.operator("PAD", [x, self.ints(pads)], shape, schema.PadOptionsT())

    def sliced(self, x: int, begin: list[int], end: list[int], stride: list[int], begin_mask: int = 0) -> int:
        lists = [self.ints(values) for values in (begin, end, stride)]
        bounds = zip(begin, end, stride, self.shape(x), strict=True)
        shape = [
            len(range(n)[slice(None if begin_mask >> i & 1 else b, e, s)]) for i, (b, e, s, n) in enumerate(bounds)
        ]
        options = schema.StridedSliceOptionsT(beginMask=begin_mask)
        return self.operator("STRIDED_SLICE", [x, *lists], shape, options)

    def pool(self, x: int, code: str, padding: str = "VALID", size: int = 3, stride: int = 2) -> int:
        shape = (self.shape(x)[0], *self._window(x, (size, size), (stride, stride), (1, 1), padding), self.shape(x)[3])
        options = schema.Pool2DOptionsT(
            padding=getattr(schema.Padding, padding),
            strideH=stride,
            strideW=stride,
            filterHeight=size,
            filterWidth=size,
        )
        return self.operator(code, [x], shape, options)

    def forget_shapes(self, shape: list[int] | None = None) -> None:
        """The sizes of what operators compute, as a file may have them that says nothing, or something else."""
        for op in self.graph.operators:
            for output in op.outputs:
                tensor = self.graph.tensors[output]
                tensor.shape, tensor.shapeSignature, tensor.hasRank = shape or [], None, shape is not None

    def open(self, tensor: int, *axes: int) -> None:
        """Make axes of a tensor dynamic: -1 in the signature, 1 in the shape."""
        shape = self.graph.tensors[tensor].shape
        signature = list(shape)
        for axis in axes:
            shape[axis], signature[axis] = 1, -1
        self.graph.tensors[tensor].shapeSignature = signature
