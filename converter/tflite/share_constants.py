"""Store equal constants of a model once.

weights of layer a ─ buffer 3: W          weights of layer a ─┐
weights of layer b ─ buffer 7: W     ->   weights of layer b ─┴ buffer 3: W
"""

from hashlib import sha256
from typing import Any


def share_constants(model: Any) -> None:
    """Let tensors with equal constants (of all subgraphs) read one buffer, in place; metadata keeps its own."""
    own = {entry.buffer for entry in model.metadata}
    first: dict[bytes, int] = {}
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) > 0 and tensor.buffer not in own:
            tensor.buffer = first.setdefault(sha256(data).digest(), tensor.buffer)
    used = own.union(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None
