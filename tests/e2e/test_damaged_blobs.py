"""Damaged blobs and options inside a sound ``.tflite``: the plugin says what is wrong, or runs; it never crashes."""

from __future__ import annotations

import numpy as np
import pytest
from mutation import mutate
from small_network import small_network

from mcpruner import Interpreter, convert
from mcpruner.converter.tflite.densify import CONV
from mcpruner.converter.tflite.model import operator_name, read_model, write_model

MUTATIONS = 300
SPARSE = convert(small_network(), target="x86-64")[0]


def _damaged(part: str, rng: np.random.Generator) -> bytes:
    """The converted network with the blob or the options of one convolution mutated."""
    model = read_model(SPARSE)
    graph = model.subgraphs[0]
    ops = [op for op in graph.operators if operator_name(model, op) == CONV]
    op = ops[rng.integers(len(ops))]
    if part == "options":
        op.customOptions = np.frombuffer(mutate(bytes(op.customOptions), rng) or b"\0", np.uint8)
    else:
        tensor = graph.tensors[op.inputs[1]]
        data = mutate(bytes(model.buffers[tensor.buffer].data), rng) or b"\0"
        model.buffers[tensor.buffer].data = np.frombuffer(data, np.uint8)
        tensor.shape = [len(data)]
    return write_model(model)


@pytest.mark.parametrize("part", ["blob", "options"])
def test_damage_is_named_or_harmless(part: str) -> None:
    """Loading fails with a sentence that names the plugin, or the network runs to the end."""
    rng = np.random.default_rng(17)
    refused = 0
    for _ in range(MUTATIONS):
        content = _damaged(part, rng)
        try:
            interpreter = Interpreter(model_content=content, verbosity=0)
            interpreter.allocate_tensors()
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.ones((1, 13, 11, 16), np.float32))
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            refused += 1
            assert str(error).startswith("mcpruner: ") and "\n" not in str(error)
    print(f"{refused} of {MUTATIONS} refused")
    assert refused > MUTATIONS // 10
