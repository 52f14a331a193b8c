"""Lines of the report are made from what was decided and done, without a model."""

from __future__ import annotations

import numpy as np
import pytest

from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.tflite.decide import Decision, GraphDecision, LayerDecision, Packing
from mcpruner.converter.tflite.describe import describe
from mcpruner.converter.tflite.predict import PredictedPartition, Prediction
from mcpruner.converter.tflite.report import LayerReport
from mcpruner.converter.tflite.rewrite import PackedLayer


def line(
    layer: LayerDecision, packed: PackedLayer | None = None, partitions: tuple[PredictedPartition, ...] = ()
) -> LayerReport:
    """Of a layer that is alone in the second subgraph."""
    nothing, slow = Prediction(1000.0, 1000.0, ()), Prediction(980.0, 1000.0, partitions)
    decision = Decision((GraphDecision((), nothing, nothing), GraphDecision((layer,), slow, nothing)))
    (found,) = describe(decision, {} if packed is None else {(1, layer.index): packed}, [[], range(layer.index + 1)])
    return found


def choice(speedup: float) -> Choice:
    return Choice(4, np.arange(8, dtype=np.uint16), speedup)


@pytest.mark.parametrize(
    ("decided", "reason"),
    [
        ({"obstacle": "its weights are computed"}, "dense: its weights are computed"),
        ({"choice": choice(0.8)}, "dense: it has no zeros"),
        ({"choice": choice(0.0), "density": 0.5}, "dense: its zeros form more than 65535 different patterns"),
        (
            {"choice": choice(0.8), "density": 0.5},
            "dense: at density 0.500 the packed layer would run at 0.80 of the dense speed",
        ),
        ({"choice": choice(1.0), "density": 0.8}, "dense: it keeps 0.800 of its weights: a dense layer runs as fast"),
        (
            {"choice": choice(2.0), "density": 0.5},
            "dense: packed it is predicted 2.00 times as fast, but the model 0.98 times, which is not worth it",
        ),
    ],
)
def test_a_layer_that_stays_says_why(decided: dict, reason: str) -> None:
    found = line(LayerDecision("conv", 3, "CONV_2D", (8, 3, 3, 4), stored_bytes=100, **decided))
    expected = LayerReport("conv", 3, "CONV_2D", [8, 3, 3, 4], decided.get("density", 1.0), reason=reason)
    expected.bytes_before = expected.bytes_after = 100
    assert found == expected


@pytest.mark.parametrize(("why", "added"), [("", ""), ("it is small", ", as float32, since it is small")])
def test_a_packed_layer_says_how(why: str, added: str) -> None:
    layer = LayerDecision("conv", 3, "CONV_2D", (8, 3, 3, 4), 0.25, 1152, choice=choice(1.23456))
    assert line(layer, PackedLayer(5, 300, why)) == LayerReport(
        *("conv", 3, "CONV_2D", [8, 3, 3, 4], 0.25, 5, 4, 1152, 300, 1.235, True),
        reason=f"sparse: density 0.250, groups of 4{added}",
    )


def test_a_layer_that_was_packed_before_stays_so() -> None:
    layer = LayerDecision("conv", 0, "McprunerSparseConv2D", (8, 3, 3, 4), 0.25, 300, earlier=Packing(8, 5, 1.5))
    assert line(layer) == LayerReport(
        *("conv", 0, "McprunerSparseConv2D", [8, 3, 3, 4], 0.25, 5, 8, 300, 300, 1.5, True),
        reason="sparse: packed by an earlier conversion, groups of 8",
    )
