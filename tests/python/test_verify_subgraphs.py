"""Comparing and listing files with several subgraphs: further signatures, the bodies of loops."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from packing import pack_every_layer
from report_models import two_signatures, while_loop

import mcpruner
from mcpruner.cli.inspect import describe
from mcpruner.compare import run
from mcpruner.converter.tflite.model import read_model, write_model
from mcpruner.submodel import entry_points, with_main
from mcpruner.verification import verify


def packed(dense: bytes, values: str = "float32") -> bytes:
    with pack_every_layer():
        return mcpruner.convert(dense, values=values)[0]


def with_other_weights(dense: bytes, subgraph: int) -> bytes:
    """The file with three times the weights in one of its subgraphs."""
    model = read_model(dense)
    graph = model.subgraphs[subgraph]
    for op in graph.operators:
        buffer = model.buffers[graph.tensors[op.inputs[1]].buffer]
        if len(graph.tensors[op.inputs[1]].shape) > 1:
            values = np.frombuffer(np.asarray(buffer.data, np.uint8).tobytes(), np.float32) * np.float32(3)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return write_model(model)


def test_every_signature_is_compared() -> None:
    dense = two_signatures()
    outcome = verify(packed(dense), dense, all_layers=True)
    assert outcome.ok
    assert [error.name.split(": ")[0] for error in outcome.outputs] == ["encode", "classify"]
    assert len(outcome.layers) == 2 and len(outcome.weights) == 3


@pytest.mark.parametrize("subgraph", [0, 1])
def test_other_weights_in_any_signature_are_found(subgraph: int) -> None:
    dense = two_signatures()
    outcome = verify(packed(dense), with_other_weights(dense, subgraph))
    assert [error.relative > 0.1 for error in outcome.outputs] == [subgraph == 0, subgraph == 1]
    assert [weight.different > 0 for weight in outcome.weights] == [subgraph == 0, subgraph == 1, subgraph == 1]
    assert not outcome.ok


@pytest.mark.parametrize("values", ["float32", "float16", "int8"])
def test_layers_in_a_loop_are_rounded_as_well(values: str) -> None:
    dense = while_loop()
    content = packed(dense, values)
    outcome = verify(content, dense)
    assert outcome.ok and outcome.largest_error < 1e-5
    assert len(outcome.weights) == 3
    sparse = [layer for layer in describe(content).layers if layer["operator"].startswith("McprunerSparse")]
    assert [layer["subgraph"] for layer in sparse] == [0, 0, 1]


def test_each_signature_runs_as_the_main_graph() -> None:
    content = two_signatures()
    assert entry_points(content) == {0: "encode", 1: "classify"}
    x = np.random.default_rng(3).standard_normal((1, 9, 9, 32)).astype(np.float32)
    (found,) = run(Interpreter(model_content=with_main(content, 1)), [x])
    wanted = Interpreter(model_content=content).get_signature_runner("classify")(x0=x)["y0"]
    np.testing.assert_array_equal(found, wanted)


def test_a_loop_keeps_its_body_when_subgraphs_change_places() -> None:
    content = while_loop()
    x = np.random.default_rng(4).standard_normal((1, 8, 8, 16)).astype(np.float32)
    twice = with_main(with_main(content, 1), 1)  # there and back
    found, wanted = (run(Interpreter(model_content=c), [x]) for c in (twice, content))
    np.testing.assert_array_equal(found[0], wanted[0])
    model = read_model(with_main(content, 1))
    (loop,) = (
        op.builtinOptions for op in model.subgraphs[1].operators if hasattr(op.builtinOptions, "bodySubgraphIndex")
    )
    assert (loop.bodySubgraphIndex, loop.condSubgraphIndex) == (0, 2)
