"""Small networks of the kinds that people reported with TFLite, delegates and pruned models, for `test_reports.py`.

Each function returns a dense ``.tflite`` with a pruned layer at least, as the report had it reduced to a few operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from small_network import prunable
from tflite_builder import TfliteBuilder

ACTIVATION = schema.ActivationFunctionType


class Net(TfliteBuilder):
    """The builder, with pruned weights and int32 constants at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(29)

    def pruned(self, *shape: int, density: float = 0.2) -> np.ndarray:
        """Pruned weights that keep the size of what they multiply."""
        return prunable(self.rng, shape, density) / np.float32(max(1.0, density * np.prod(shape[1:])) ** 0.5)

    def normal(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(np.float32)

    def ints(self, *values: Any) -> int:
        return self.constant(np.array(values, np.int32))

    def layer(self, x: int, filters: int = 32, kernel: int = 3, **kwargs: Any) -> int:
        """A pruned convolution with a bias and RELU."""
        kwargs.setdefault("activation", "RELU")
        return self.conv(x, self.pruned(filters, kernel, kernel, self.shape(x)[3]), self.normal(filters), **kwargs)

    def other_graph(self, name: str) -> Net:
        """A further subgraph of the same model."""
        other = Net()
        other.model, other.graph.name = self.model, name.encode()
        self.model.subgraphs.append(other.graph)
        return other

    def sign(self, key: str, subgraph: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """A signature whose inputs are x0, x1, ... and whose outputs y0, y1, ..."""

        def named(letter: str, tensors: Sequence[int]) -> list[Any]:
            return [schema.TensorMapT(name=f"{letter}{i}".encode(), tensorIndex=t) for i, t in enumerate(tensors)]

        self.model.signatureDefs = (self.model.signatureDefs or []) + [
            schema.SignatureDefT(
                signatureKey=key.encode(),
                subgraphIndex=subgraph,
                inputs=named("x", inputs),
                outputs=named("y", outputs),
            )
        ]


def classifier(batch: int = 1) -> bytes:
    """Two pruned convolutions, mean, a pruned dense layer."""
    net = Net()
    y = net.layer(net.layer(net.input((batch, 14, 13, 16))), stride=(2, 2))
    return net.build([net.fully_connected(net.mean(y), net.pruned(40, 32), net.normal(40))])


def flatten_of_open_batch() -> bytes:
    """Keras' Flatten where the batch is open: the new shape is computed by SHAPE, STRIDED_SLICE and PACK."""
    net = Net()
    y = net.layer(net.input((1, 6, 5, 16)))
    shape = net.operator("SHAPE", [y], (4,), schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    bounds = [net.ints(0), net.ints(1), net.ints(1)]
    batch = net.operator("STRIDED_SLICE", [shape, *bounds], (), schema.StridedSliceOptionsT(shrinkAxisMask=1))
    count = net.constant(np.array(960, np.int32))
    new = net.operator("PACK", [batch, count], (2,), schema.PackOptionsT(valuesCount=2))
    for tensor in (shape, batch, new):
        net.graph.tensors[tensor].type = schema.TensorType.INT32
    flat = net.operator("RESHAPE", [y, new], (1, 960), schema.ReshapeOptionsT())
    for tensor in (y, flat, *net.graph.inputs):
        net.graph.tensors[tensor].shapeSignature = [-1, *net.shape(tensor)[1:]]
    return net.build([net.fully_connected(flat, net.pruned(24, 960))])


def squeeze_and_excitation() -> bytes:
    """PyTorch's block with views: mean, two dense layers, back to one pixel, times the image."""
    net = Net()
    x = net.layer(net.input((1, 12, 12, 16)), 64)
    gate = net.fully_connected(net.mean(x), net.pruned(64, 64), net.normal(64), activation="RELU")
    gate = net.operator("LOGISTIC", [net.fully_connected(gate, net.pruned(64, 64))], (1, 64))
    gate = net.operator("RESHAPE", [gate, net.ints(-1, 1, 1, 64)], (1, 1, 1, 64), schema.ReshapeOptionsT())
    y = net.operator("MUL", [x, gate], net.shape(x), schema.MulOptionsT())
    return net.build([net.layer(y, 32, 1)])


def while_loop() -> bytes:
    """A loop whose body is a pruned layer: h = relu(conv(h)), three times, behind a pruned layer."""
    net = Net()
    body, condition = net.other_graph("body"), net.other_graph("condition")
    for graph in (body, condition):
        graph.input((), "i", "int32")
        graph.input((1, 8, 8, 16), "h")
    one = body.constant(np.array(1, np.int32))
    following = body.operator("ADD", [0, one], (), schema.AddOptionsT())
    body.graph.tensors[following].type = schema.TensorType.INT32
    body.graph.outputs = [following, body.layer(1, 16)]
    limit = condition.constant(np.array(3, np.int32))
    less = condition.operator("LESS", [0, limit], (), schema.LessOptionsT())
    condition.graph.tensors[less].type = schema.TensorType.BOOL
    condition.graph.outputs = [less]
    first = net.layer(net.input((1, 8, 8, 16)), 16)
    start = net.constant(np.array(0, np.int32))
    counted = net.operator("WHILE", [start, first], (), schema.WhileOptionsT(bodySubgraphIndex=1, condSubgraphIndex=2))
    net.graph.tensors[counted].type = schema.TensorType.INT32
    last = net.tensor((1, 8, 8, 16), "last")
    net.graph.operators[-1].outputs.append(last)
    return net.build([net.layer(last, 16, 1)])


def two_signatures() -> bytes:
    """An encoder and a classifier in one file, a subgraph for each."""
    net = Net()
    x = net.input((1, 9, 9, 16))
    y = net.layer(x)
    net.sign("encode", 0, [x], [y])
    other = net.other_graph("classify")
    x2 = other.input((1, 9, 9, 32))
    y2 = other.fully_connected(other.mean(other.layer(x2)), other.pruned(10, 32))
    other.graph.outputs = [y2]
    net.sign("classify", 1, [x2], [y2])
    return net.build([y])


def half_weights(shared: bool = False) -> bytes:
    """Weights as float16 behind DEQUANTIZE, each layer its own or one for both."""
    net = Net()

    def weights() -> int:
        return net.dequantize(net.constant(net.pruned(16, 3, 3, 16).astype(np.float16)))

    def bias() -> int:
        return net.dequantize(net.constant(net.normal(16).astype(np.float16)))

    w, b = weights(), bias()
    y = net.conv(net.input((1, 11, 10, 16)), w, b, activation="RELU6")
    return net.build([net.conv(y, w if shared else weights(), b if shared else bias())])


def shared_weights() -> bytes:
    """A siamese pair: two inputs through the same pruned layers, compared by their difference."""
    net = Net()
    first, second = net.constant(net.pruned(24, 3, 3, 12)), net.constant(net.pruned(16, 1, 1, 24))
    towers = []
    for number in range(2):
        y = net.conv(net.input((1, 10, 10, 12), f"x{number}"), first, activation="RELU")
        towers.append(net.mean(net.conv(y, second)))
    return net.build([net.operator("SUB", towers, net.shape(towers[0]), schema.SubOptionsT())])


def _quantized(net: Net, shape: Sequence[int], name: str, scale: float) -> int:
    tensor = net.tensor(shape, name, "int8")
    net.graph.tensors[tensor].quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[0])
    return tensor


def int8_part() -> bytes:
    """A float network with an int8 convolution in its middle, between QUANTIZE and DEQUANTIZE."""
    net = Net()
    x = net.layer(net.input((1, 8, 8, 16)), 16)
    shape = net.shape(x)
    q, r = _quantized(net, shape, "q", 0.05), _quantized(net, shape, "r", 0.1)
    net.operator("QUANTIZE", [x], shape, schema.QuantizeOptionsT())
    net.graph.operators[-1].outputs = [q]
    weights = net.constant(net.rng.integers(-127, 128, (16, 1, 1, 16)).astype(np.int8), "w8", [0.004] * 16)
    bias = net.constant(net.rng.integers(-99, 99, 16).astype(np.int32), "b8", [0.05 * 0.004] * 16)
    net.conv(q, weights, bias)
    net.graph.operators[-1].outputs = [r]
    return net.build([net.layer(net.dequantize(r), 24)])


def int8_weights() -> bytes:
    """Dynamic-range quantization: one layer has int8 weights and float32 activations, the other is pruned float32."""
    net = Net()
    x = net.mean(net.layer(net.input((1, 9, 9, 16)), 32))
    weights = net.constant(net.rng.integers(-127, 128, (20, 32)).astype(np.int8), "w8", [0.01])
    return net.build([net.fully_connected(net.fully_connected(x, net.pruned(32, 32)), weights, net.normal(20))])


def image_bytes() -> bytes:
    """A camera's uint8 image, cast and scaled inside the model."""
    net = Net()
    x = net.input((1, 12, 12, 8), dtype="uint8")
    options = schema.CastOptionsT(inDataType=schema.TensorType.UINT8, outDataType=schema.TensorType.FLOAT32)
    y = net.operator("CAST", [x], net.shape(x), options)
    scale = net.constant(np.array(1 / 127.5, np.float32))
    return net.build([net.layer(net.operator("MUL", [y, scale], net.shape(y), schema.MulOptionsT()))])


def token_model() -> bytes:
    """Token numbers, an embedding, dense layers on three dimensions, softmax: a part of DistilBERT."""
    net = Net()
    tokens = net.input((1, 7), dtype="int32")
    table = net.constant(net.normal(50, 64))
    x = net.operator("GATHER", [table, tokens], (1, 7, 64), schema.GatherOptionsT())
    x = net.fully_connected(x, net.pruned(96, 64), net.normal(96), activation="RELU", keep_num_dims=True)
    x = net.fully_connected(x, net.pruned(48, 96), keep_num_dims=True)
    return net.build([net.operator("SOFTMAX", [x], net.shape(x), schema.SoftmaxOptionsT(beta=1.0))])


def one_dimensional() -> bytes:
    """Keras' Conv1D for audio: EXPAND_DIMS, a convolution of 1x9 at stride 2, SQUEEZE."""
    net = Net()
    x = net.operator(
        "EXPAND_DIMS", [net.input((1, 160, 16)), net.ints(1)], (1, 1, 160, 16), schema.ExpandDimsOptionsT()
    )
    y = net.conv(x, net.pruned(32, 1, 9, 16), net.normal(32), (2, 2), activation="RELU")
    y = net.conv(y, net.pruned(32, 1, 5, 32), None, (1, 1), dilation=(1, 2))
    return net.build([net.operator("SQUEEZE", [y], (1, 80, 32), schema.SqueezeOptionsT(squeezeDims=[1]))])


def u_net() -> bytes:
    """Down, up by RESIZE_BILINEAR, and the skip connection; all of it is taken."""
    net = Net()
    skip = net.layer(net.input((1, 16, 16, 8)), 16)
    down = net.layer(net.layer(skip, 32, stride=(2, 2)), 16)
    options = schema.ResizeBilinearOptionsT(halfPixelCenters=True)
    up = net.operator("RESIZE_BILINEAR", [down, net.ints(16, 16)], (1, 16, 16, 16), options)
    both = net.operator("CONCATENATION", [up, skip], (1, 16, 16, 32), schema.ConcatenationOptionsT(axis=3))
    return net.build([net.layer(both, 4, 1, activation="NONE")])


def between(code: str, options: Any = None) -> bytes:
    """An operator between two pruned layers, which parts them if the plugin does not take it."""
    net = Net()
    y = net.layer(net.input((1, 10, 10, 16)), 24, activation="NONE")
    return net.build([net.layer(net.operator(code, [y], net.shape(y), options))])


def grouped() -> bytes:
    """ResNeXt's grouped convolution between pruned pointwise ones."""
    net = Net()
    y = net.layer(net.input((1, 10, 10, 32)), 32, 1)
    y = net.conv(y, net.normal(32, 3, 3, 8) / 8, net.normal(32))
    return net.build([net.layer(y, 64, 1)])


def separable(multiplier: int = 1) -> bytes:
    """MobileNet's pair after a 3x3 convolution of stride 2 behind ZeroPadding2D, as XNNPACK's sparse inference asks."""
    net = Net()
    x = net.pad(net.input((1, 32, 32, 3)), (0, 1, 0, 1))
    x = net.conv(x, net.normal(16, 3, 3, 3) / 5, net.normal(16), (2, 2), "VALID", activation="RELU6")
    x = net.depthwise_conv(x, net.normal(1, 3, 3, 16 * multiplier) / 3)
    x = net.layer(x, 48, 1, activation="RELU6")
    x = net.depthwise_conv(x, net.normal(1, 3, 3, 48) / 3, (2, 2))
    x = net.layer(x, 64, 1, activation="RELU6")
    return net.build([net.fully_connected(net.mean(x), net.pruned(100, 64))])


def dead_layer() -> bytes:
    """Pruning at a high rate left one layer with no weight at all, and one filter alive in the next."""
    net = Net()
    y = net.conv(net.input((1, 9, 9, 16)), np.zeros((32, 3, 3, 16), np.float32), net.normal(32), activation="RELU")
    weights = np.zeros((16, 3, 3, 32), np.float32)
    weights[5] = net.normal(3, 3, 32) / 16
    return net.build([net.conv(y, weights)])


def several_outputs() -> bytes:
    """An inner tensor is an output too, another is given out twice, the input comes out as it went in."""
    net = Net()
    x = net.input((1, 10, 9, 16))
    y = net.layer(x, 24)
    z = net.layer(y, 16, 1)
    return net.build([z, y, y, x])


def detector() -> bytes:
    """Heads on two scales, reshaped to boxes and joined, as SSD has them."""
    net = Net()
    coarse = net.layer(fine := net.layer(net.input((1, 12, 12, 16)), 32), 32, stride=(2, 2))
    boxes = []
    for y in (fine, coarse):
        head = net.layer(y, 24, activation="NONE")
        count = int(np.prod(net.shape(head))) // 4
        boxes.append(net.operator("RESHAPE", [head, net.ints(1, -1, 4)], (1, count, 4), schema.ReshapeOptionsT()))
    total = sum(net.shape(b)[1] for b in boxes)
    return net.build([net.operator("CONCATENATION", boxes, (1, total, 4), schema.ConcatenationOptionsT(axis=1))])


def unread() -> bytes:
    """An input that nobody reads, and a layer whose result nobody reads."""
    net = Net()
    x = net.input((1, 8, 8, 16))
    net.input((1, 3), "unread")
    net.layer(x, 8)
    return net.build([net.layer(x, 24)])


def densified() -> bytes:
    """tfmot's sparse encoding: the weights are a tensor with SparsityParameters behind DENSIFY."""
    net = Net()
    dense = net.pruned(32, 48)
    rows = [np.flatnonzero(row) for row in dense]
    segments = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    levels = [
        schema.DimensionMetadataT(format=schema.DimensionType.DENSE, denseSize=32),
        schema.DimensionMetadataT(
            format=schema.DimensionType.SPARSE_CSR,
            arraySegmentsType=schema.SparseIndexVector.Int32Vector,
            arraySegments=schema.Int32VectorT(values=segments),
            arrayIndicesType=schema.SparseIndexVector.Int32Vector,
            arrayIndices=schema.Int32VectorT(values=np.concatenate(rows).astype(np.int32)),
        ),
    ]
    sparsity = schema.SparsityParametersT(traversalOrder=np.array([0, 1], np.int32), dimMetadata=levels)
    constant = net.sparse_constant(dense[dense != 0], [32, 48], sparsity)
    return net.build([net.fully_connected(net.input((5, 48)), net.densify(constant), net.normal(32))])


def computed_broadcast() -> bytes:
    """Attention over channels and over pixels: both sides of MUL are broadcast."""
    net = Net()
    x = net.layer(net.input((1, 8, 8, 16)), 32)
    channels = net.operator("MEAN", [x, net.ints(1, 2)], (1, 1, 1, 32), schema.ReducerOptionsT(keepDims=True))
    pixels = net.layer(x, 1, 1, activation="NONE")
    product = net.operator("MUL", [channels, pixels], (1, 8, 8, 32), schema.MulOptionsT())
    return net.build([net.add(net.layer(x), product)])
