"""Two streams of activations through one functional model: what they were when it was dense, and what they are now.

    images ──> op ──> adapt ──> op ──> adapt ──> ...      dense stream: each op before `adapt` changed it
          └──> op ─────────────> op ─────────> ...        pruned stream: each op after it, on what ops before it give

Each op runs once for each stream, in the graph's order; until the first change both streams are the same arrays. What
no later op reads is dropped, so that a few hundred images fit in memory.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

# One operation runs on so many images at a time, which bounds what it needs besides its inputs and outputs.
BATCH = 50


class Pair(NamedTuple):
    """A tensor in both streams, ``[N, ...]``; the same array twice where they do not differ."""

    dense: np.ndarray
    pruned: np.ndarray


def run_streams(model: keras.Model, data: np.ndarray, adapt: Callable[[Any, Pair], bool]) -> None:
    """Run a model of one input operation by operation.

    Parameters
    ----------
    model
        Functional or sequential Keras model.
    data
        The model's input, ``[N, ...]``.
    adapt
        Called with each operation and the first tensor that it reads, after the operation has run on the dense stream.
        It may change the operation's weights, and returns whether it did.
    """
    nodes = graph_nodes(model)
    last_reader = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.input_tensors}
    tensors = {id(model.inputs[0]): Pair(data, data)}
    for index, node in enumerate(nodes):
        read = {id(tensor): tensors[id(tensor)] for tensor in node.input_tensors}
        dense = _run(node, {key: pair.dense for key, pair in read.items()})
        changed = adapt(node.operation, read[id(node.input_tensors[0])])
        same = not changed and all(pair.dense is pair.pruned for pair in read.values())
        pruned = dense if same else _run(node, {key: pair.pruned for key, pair in read.items()})
        tensors.update(
            {id(x): Pair(*pair) for x, pair in zip(node.outputs, zip(dense, pruned, strict=True), strict=True)}
        )
        for key in [key for key in tensors if last_reader.get(key, -1) <= index]:
            del tensors[key]


def graph_nodes(model: keras.Model) -> list[Any]:
    """List the calls in the graph of a functional or sequential model in an order in which they can be made."""
    graph = getattr(model, "_functional", None) or model
    depths = sorted(graph._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in graph._nodes_by_depth[depth] if not node.is_input]


def _run(node: Any, tensors: dict[int, np.ndarray]) -> list[np.ndarray]:
    """Outputs of one node for all images, a batch at a time."""
    count = len(next(iter(tensors.values())))
    parts = []
    for begin in range(0, count, BATCH):
        args, kwargs = node.arguments.fill_in({key: x[begin : begin + BATCH] for key, x in tensors.items()})
        outputs = keras.tree.flatten(node.operation(*args, **kwargs))
        parts.append([keras.ops.convert_to_numpy(output) for output in outputs])
    return [np.concatenate(part) for part in zip(*parts, strict=True)]
