"""Models that are valid and unusual: operands in odd places, ranks and sizes that only show when the model runs.

`CASES` maps a name to a function that builds a dense model on an `OddNet` and returns its outputs, and to the steps
that it runs through in one interpreter: for each step the shapes of all inputs. What TFLite does with each of them
without the plugin is what the plugin must do, packed or not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from odd_net import BINARY, OddNet

Shapes = list[tuple[int, ...]]


MAP: Shapes = [(1, 5, 7, 4)]
BATCHES: list[Shapes] = [MAP, [(3, 5, 7, 4)], MAP]
SIZES: list[Shapes] = [MAP, [(2, 9, 4, 4)], [(1, 3, 3, 4)], [(0, 5, 7, 4)], MAP]
Case = tuple[Callable[[OddNet], list[int]], list[Shapes]]
CASES: dict[str, Case] = {}


def case(steps: list[Shapes]) -> Callable:
    """Enter a function into `CASES` under its name."""

    def enter(function: Callable) -> Callable:
        CASES[function.__name__] = (function, steps)
        return function

    return enter


def _binary_cases() -> None:
    """Every operator with a constant on either side, of every rank."""
    constants = {"scalar": (), "one": (1,), "vector": (6,), "row": (7, 6), "map": (5, 7, 6), "same": (1, 5, 7, 6)}
    constants |= {"wider": (3, 5, 7, 6), "columns": (1, 1, 7, 1), "rank5": (2, 1, 5, 7, 6), "ones5": (1, 1, 1, 1, 6)}
    for i, (name, shape) in enumerate(constants.items()):
        for first in (False, True):
            code = list(BINARY)[(i + first) % 3]

            def build(net: OddNet, shape: tuple = shape, first: bool = first, code: str = code) -> list[int]:
                operands = [net.layer(net.input(MAP[0])), net.const(*shape)]
                y = net.binary(code, *(operands[::-1] if first else operands))
                return [net.relu(y)]

            steps = BATCHES if name not in ("wider", "same") else [MAP]
            CASES[f"{code.lower()}_{name}{'_first' if first else ''}"] = (build, steps)


_binary_cases()


@case(BATCHES)
def same_tensor_twice(net: OddNet) -> list[int]:
    y = net.layer(net.input(MAP[0]))
    return [net.binary(code, y, y) for code in BINARY]


@case(BATCHES)
def concat_of_one_tensor(net: OddNet) -> list[int]:
    y = net.layer(net.input(MAP[0]))
    return [net.layer(net.concat([y, y, y], -1))]


@case([MAP])
def concat_with_constants(net: OddNet) -> list[int]:
    y = net.layer(net.input(MAP[0]))
    return [net.layer(net.concat([net.const(1, 5, 7, 2), y, net.const(1, 5, 7, 3)], 3))]


@case([[(1, 5, 1, 4), (1, 1, 7, 4)], [(2, 5, 1, 4), (1, 5, 7, 4)], [(1, 1, 1, 4), (2, 3, 2, 4)]])
def broadcast_both_ways(net: OddNet) -> list[int]:
    a, b = net.layer(net.input((1, 5, 1, 4))), net.layer(net.input((1, 1, 7, 4), "b"))
    return [net.binary(code, a, b) for code in BINARY]


@case([[(1, 5, 7, 4), (1, 5, 7, 4)], [(1, 5, 7, 4), (1, 1, 1, 4)], [(1, 5, 1, 4), (3, 1, 7, 4)]])
def broadcast_that_the_file_does_not_show(net: OddNet) -> list[int]:
    a, b = net.layer(net.input((1, 5, 7, 4))), net.layer(net.input((1, 5, 7, 4), "b"))
    return [net.layer(net.binary("ADD", a, b))]


@case([[(1, 8), (1, 5, 7, 4)], [(7, 8), (1, 5, 7, 4)], [(1, 8), (7, 5, 7, 4)]])
def vector_gates_a_map(net: OddNet) -> list[int]:
    gate = net.dense(net.input((1, 8), "gate"))
    return [net.binary("MUL", gate, net.layer(net.input(MAP[0])))]


@case([[(2, 3, 2, 4), (3, 2, 4)], [(5, 3, 2, 4), (1, 1, 4)], [(1, 1, 2, 4), (3, 1, 4)]])
def ranks_of_computed_tensors_differ(net: OddNet) -> list[int]:
    a, b = net.dense(net.input((2, 3, 2, 4)), keep=True), net.dense(net.input((3, 2, 4), "b"), keep=True)
    return [net.binary("SUB", a, b), net.binary("SUB", b, a)]


@case([[(2, 1, 3, 1, 4), (1, 5, 1, 2, 4)], [(2, 5, 3, 2, 4), (1, 1, 1, 1, 4)], [(2, 5, 1, 2, 4), (2, 5, 3, 2, 4)]])
def rank_five_both_ways(net: OddNet) -> list[int]:
    a, b = net.dense(net.input((2, 1, 3, 1, 4)), keep=True), net.dense(net.input((1, 5, 1, 2, 4), "b"), keep=True)
    return [net.binary("ADD", a, b)]


@case([[(1, 2, 3, 4, 8)], [(2, 1, 1, 2, 8)], [(3, 8)], [(8,)], [(2, 2, 2, 1, 2, 8)], [(0, 2, 3, 4, 8)]])
def dense_keeps_any_rank(net: OddNet) -> list[int]:
    y = net.relu(net.dense(net.input((1, 2, 3, 4, 8)), 16, keep=True))
    return [net.softmax(net.binary("ADD", net.dense(y, 5, keep=True), net.const(5)))]


@case([[(1, 2, 3, 4, 8)], [(3, 8)], [(8,)], [(4, 4)], [(0, 8)]])
def dense_counts_rows(net: OddNet) -> list[int]:
    return [net.softmax(net.dense(net.dense(net.input((1, 2, 3, 4, 8)), 16), 5))]


@case([[(2, 8)], [(3, 9)], [(5, 5, 1)], [(1, 7)], [(13,)], [(1, 2, 1, 2, 1, 3)], [(2, 8)]])
def dense_drops_what_is_no_whole_row(net: OddNet) -> list[int]:
    return [net.dense(net.dense(net.input((2, 8)), 16), 5)]


@case([[(1, 2, 3, 4, 8), (4, 8)], [(2, 2, 3, 4, 8), (1, 8)]])
def rank_five_biased_by_rows(net: OddNet) -> list[int]:
    a, b = net.dense(net.input((1, 2, 3, 4, 8)), keep=True), net.dense(net.input((4, 8), "b"), keep=True)
    y = net.binary("MUL", net.binary("ADD", a, b), net.const(2, 3, 1, 1))
    return [net.binary("SUB", net.constant(net.random(1).reshape(())), y)]


@case([[(1, 2, 3, 4, 8)], [(2, 2, 3, 4, 8)]])
def rank_five_moved(net: OddNet) -> list[int]:
    y = net.dense(net.input((1, 2, 3, 4, 8)), keep=True)
    y = net.padded(y, [[0, 0], [1, 0], [0, 2], [1, 1], [0, 1]])
    y = net.concat([y, y], 2)
    y = net.sliced(y, [0, 1, 2, -3, 0], [9, 3, 9, 99, 7], [1, 1, 2, 2, 3], 1)
    return [net.dense(y, 4, keep=True), net.concat([y, y], -1)]


@case([[(2, 12)], [(4, 12)]])
def reshapes_through_rank_five(net: OddNet) -> list[int]:
    y = net.reshape(net.dense(net.input((2, 12)), 12), [-1, 2, 1, 3, 2], (2, 2, 1, 3, 2))
    return [net.dense(net.reshape(net.relu(y), [-1, 12], (2, 12)))]


@case([[(1, 8)], [(1, 8)]])
def reshape_to_a_scalar(net: OddNet) -> list[int]:
    y = net.reshape(net.dense(net.input((1, 8)), 1), [], ())
    return [net.binary("MUL", net.const(3, 2), y)]


@case([MAP, [(2, 3, 5, 7, 4)], [(5, 7, 4)], [(1, 9, 9, 4)]])
def mean_over_other_ranks(net: OddNet) -> list[int]:
    x = net.relu(net.input(MAP[0]))
    y = net.reduce(net.dense(x, keep=True), [1, -2], True)
    return [net.reduce(net.dense(x, keep=True), [1, -2], False), net.dense(y, keep=True)]


@case([MAP, [(1, 1, 1, 4)], [(2, 0, 7, 4)], MAP])
def global_mean_of_any_size(net: OddNet) -> list[int]:
    return [net.dense(net.reduce(net.layer(net.input(MAP[0])), [1, 2], False))]


@case([[(1, 5, 7, 4)], [(1, 5, 7, 8)], [(2, 3, 3, 12)], [(1, 5, 7, 4)]])
def grouped_after_a_resize(net: OddNet) -> list[int]:
    return [net.relu(net.layer(net.input(MAP[0]), 6, 3, stride=(2, 1)))]


@case([[(1, 5, 7, 4)], [(1, 5, 7, 2)], [(1, 5, 7, 1)], [(1, 5, 7, 4)]])
def depthwise_after_a_resize(net: OddNet) -> list[int]:
    y = net.depthwise_conv(net.relu(net.input(MAP[0])), net.random(1, 3, 3, 4))
    return [net.layer(y)]


@case([[(1, 5, 7, 4)], [(2, 6, 3, 4)], [(1, 6, 7, 1)]])
def nothing_is_known_of_the_input(net: OddNet) -> list[int]:
    x = net.input(MAP[0])
    y = net.depthwise_conv(x, net.random(1, 3, 3, 4))
    y = net.pool(net.layer(net.relu(y), 6, 3), "MAX_POOL_2D", "SAME")
    net.open(x, 0, 1, 2, 3)
    return [net.dense(net.reduce(y, [1, 2], False))]


@case([[(1, 5, 7, 1)], [(1, 5, 7, 3)]])
def channels_are_open(net: OddNet) -> list[int]:
    x = net.input((1, 5, 7, 1))
    y = net.layer(x, 6, 3)
    net.open(x, 3)
    return [net.layer(y)]


def _all_kinds(net: OddNet) -> list[int]:
    y = net.layer(net.input(MAP[0]), 8, 3, padding="VALID", activation="RELU6")
    z = net.layer(net.padded(y, [[0, 0], [1, 1], [1, 1], [0, 0]]), 8, 3, padding="VALID")
    y = net.pool(net.binary("ADD", y, z), "AVERAGE_POOL_2D", "SAME", 3, 1)
    y = net.reduce(net.layer(y, 12), [1, 2], False)
    return [net.softmax(net.dense(y, 5))]


@case(SIZES)
def open_batch_height_and_width(net: OddNet) -> list[int]:
    outputs = _all_kinds(net)
    net.open(net.graph.inputs[0], 0, 1, 2)
    return outputs


@case(SIZES)
def no_shape_in_the_file(net: OddNet) -> list[int]:
    outputs = _all_kinds(net)
    net.forget_shapes()
    return outputs


@case(SIZES)
def wrong_shapes_in_the_file(net: OddNet) -> list[int]:
    outputs = _all_kinds(net)
    net.forget_shapes([2, 3])
    return outputs


@case([[(1, 12, 12, 4)], [(1, 33, 30, 4)], [(2, 5, 5, 4)], [(1, 6, 71, 4)], [(1, 12, 12, 4)]])
def pools_and_strides_of_any_size(net: OddNet) -> list[int]:
    y = net.layer(net.input((1, 12, 12, 4)), 8, 3, stride=(2, 2))
    y = net.layer(net.pool(y, "MAX_POOL_2D"), 8, 3)
    return [net.pool(y, "AVERAGE_POOL_2D", "SAME", 2, 2), net.pool(y, "MAX_POOL_2D", "SAME", 5, 3)]


@case(BATCHES)
def several_outputs(net: OddNet) -> list[int]:
    x = net.input(MAP[0])
    y = net.layer(x, 6, 3)
    z = net.relu(y)
    net.layer(z, 3)  # nobody reads it
    return [z, y, x, net.layer(z), net.binary("ADD", z, y), z]


@case([[(1, 5, 7, 4), (2, 2)]])
def inputs_that_nobody_reads(net: OddNet) -> list[int]:
    x, spare = net.input(MAP[0]), net.input((2, 2), "spare")
    net.layer(x, 3)
    return [net.layer(x), spare]


@case(BATCHES)
def layers_of_constants(net: OddNet) -> list[int]:
    """A layer whose input is a constant, and one that adds what another model would have folded."""
    bias = net.layer(net.const(1, 5, 7, 4), 6, 3)
    return [net.binary("ADD", net.layer(net.input(MAP[0])), bias), net.dense(net.const(3, 8))]


@case([[(2, 4)], [(1, 4)]])
def weights_in_other_places(net: OddNet) -> list[int]:
    """One constant as weights, as bias, as operand and as output."""
    w, b = net.const(4, 4), net.const(4)
    y = net.fully_connected(net.input((2, 4)), w, b)
    return [net.binary("ADD", net.fully_connected(y, w, b), b), net.binary("MUL", net.dense(w, 4), w), w]


@case([[(1, 5, 7, 4), (6, 3, 3, 4)], [(2, 4, 4, 4), (6, 3, 3, 4)]])
def computed_weights(net: OddNet) -> list[int]:
    x, w = net.input(MAP[0]), net.input((6, 3, 3, 4), "w")
    return [net.layer(net.conv(net.layer(x, 4), w, net.random(6)))]


@case([[(1, 5, 7, 4)], [(1, 4, 4, 4)]])
def biases_of_other_shapes(net: OddNet) -> list[int]:
    x = net.input(MAP[0])
    y = net.conv(x, net.weights(6, 1, 1, 4), net.random(1, 1, 1, 6))
    return [net.fully_connected(y, net.weights(5, 6), net.random(1, 5), keep_num_dims=True)]


@case(BATCHES)
def operators_in_rare_forms(net: OddNet) -> list[int]:
    """A PAD with a value, a PADV2 without one, a dense layer and a reshape without options."""
    pads = net.ints([[0, 0], [1, 0], [0, 1], [0, 0]])
    y = net.operator("PAD", [net.layer(net.input(MAP[0])), pads, net.const()], (1, 6, 8, 6), schema.PadOptionsT())
    y = net.operator("PADV2", [y, pads], (1, 7, 9, 6), schema.PadV2OptionsT())
    y = net.reshape(net.layer(y, 6, 3, padding="VALID"), [-1, 6], (35, 6))
    z = net.dense(y)
    for op in net.graph.operators[-2:]:
        op.builtinOptions, op.builtinOptionsType = None, 0
    return [z]


@case([[(1, 5, 7, 4)], [(2, 5, 7, 4)]])
def half_constants_as_operands(net: OddNet) -> list[int]:
    half = net.dequantize(net.constant(net.random(7, 6).astype(np.float16)))
    y = net.binary("MUL", half, net.layer(net.input(MAP[0])))
    return [net.binary("SUB", y, net.layer(net.reshape(half, [1, 1, 7, 6], (1, 1, 7, 6))))]


@case([[(1, 140), (1, 5, 7, 4)], [(3, 140), (3, 5, 7, 4)], [(2, 96), (4, 4, 3, 4)], [(0, 140), (0, 5, 7, 4)]])
def size_computed_when_the_model_runs(net: OddNet) -> list[int]:
    """A tensor that TFLite cannot size before it runs: a partition behind it is prepared within an inference."""
    x, like = net.layer(net.reshape(net.input((1, 140)), [-1, 1, 1, 4], (35, 1, 1, 4)), 4), net.input(MAP[0], "like")
    shape = net.operator("SHAPE", [like], (4,), schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    net.graph.tensors[shape].type = schema.TensorType.INT32
    y = net.operator("RESHAPE", [x, shape], MAP[0], schema.ReshapeOptionsT())
    net.graph.tensors[y].shape, net.graph.tensors[y].shapeSignature = [1, 1, 1, 4], [-1, -1, -1, 4]
    z = net.layer(y, 6, 3)
    return [net.dense(net.reduce(net.binary("ADD", z, net.const(6)), [1, 2], False))]


@case([[(1, 8)], [(3, 8)], [(1, 8)]])
def layers_in_a_loop(net: OddNet) -> list[int]:
    """A WHILE whose body has a layer, and whose condition is false before or after the first round."""
    x = net.dense(net.input((1, 8)), 8)
    condition, body = net.subgraph(), net.subgraph()
    mean = condition.reduce(condition.input((1, 8)), [0, 1], False)
    less = condition.operator("LESS", [mean, condition.constant(np.array(0.1, np.float32))], ())
    condition.graph.tensors[less].type = schema.TensorType.BOOL
    condition.graph.outputs = [less]
    grown = body.binary("ADD", body.relu(body.dense(body.input((1, 8)), 8)), body.constant(np.ones(8, np.float32)))
    body.graph.outputs = [grown]
    y = net.operator("WHILE", [x], (1, 8), schema.WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2))
    return [net.dense(y)]


def build(name: str) -> tuple[bytes, list[list[np.ndarray]]]:
    """The dense model of a case, and the arrays of its steps."""
    make, steps = CASES[name]
    net = OddNet(name)
    content = net.build(make(net))
    return content, [[net.random(*shape) for shape in shapes] for shapes in steps]
