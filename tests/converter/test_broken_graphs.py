"""Graphs that are broken in their meaning: whatever reads a ``.tflite`` in Python refuses with a sentence, or reads."""

from __future__ import annotations

import numpy as np
import pytest
from graph_damage import break_graph, sample_models
from python_readers import READERS, outcome
from tflite_builder import TfliteBuilder, schema

from mcpruner.cli.inspect import describe
from mcpruner.converter.convert import convert

SEED = 20261129
GRAPHS = 120  # `make fuzz-python` tries as many as one likes


@pytest.mark.parametrize("which", [0, 1], ids=["dense", "packed"])
def test_broken_graphs_are_refused_in_one_sentence_or_read(which: int) -> None:
    content, rng = sample_models()[which], np.random.default_rng([SEED, which])
    outcomes = {name: set() for name in READERS}
    for _ in range(GRAPHS // 2):
        broken = break_graph(content, rng)
        if broken is not None:
            for name in READERS:
                outcomes[name].add(outcome(name, broken))
    assert all(found == {"read", "refused"} for found in outcomes.values()), outcomes


@pytest.mark.parametrize("outputs", [True, False])
@pytest.mark.parametrize("code", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D"])
def test_operators_that_lack_an_operand_are_named(code: str, outputs: bool) -> None:
    net = TfliteBuilder()
    x = net.input((1, 4, 4, 2))
    given = [x] if outputs else [x, net.constant(np.ones((2, 1, 1, 2), np.float32)), x]
    net.operator(code, given, (1, 4, 4, 2))
    if not outputs:
        net.graph.operators[0].outputs = []
    for read in (convert, describe):
        with pytest.raises(
            ValueError, match=rf"^The .tflite file is damaged \(operator 0 of subgraph 0, a {code}, lacks"
        ):
            read(net.build([x]))


def test_operators_without_outputs_are_fine_where_tflite_has_them() -> None:
    net = TfliteBuilder()
    x = net.input((1, 4))
    net.operator("CALL_ONCE", [], (1,), schema.CallOnceOptionsT(initSubgraphIndex=0))
    net.graph.operators[0].outputs = []
    content = net.build([x])
    assert convert(content)[0] == content
    assert [layer["name"] for layer in describe(content).layers] == ["operator without output"]
