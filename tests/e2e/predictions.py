"""What the converter and the plugin predict for one file, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mcpruner.converter.cost.cost_model import load_costs
from mcpruner.converter.target import get_target
from mcpruner.converter.tflite.decide import decide, weight_bytes
from mcpruner.converter.tflite.model import read_model
from mcpruner.converter.tflite.predict import PredictedOperator, PredictedPartition, predict, predicted_operators
from mcpruner.runtime import Interpreter


class Predicted(NamedTuple):
    """Each operator that computes floats, by its number, and the partitions with packed layers."""

    operators: dict[int, PredictedOperator]
    partitions: tuple[PredictedPartition, ...]


def by_converter(content: bytes, costs: str | Path) -> Predicted:
    """Predict the first subgraph of a file as it is: nothing more is packed."""
    model, table = read_model(content), load_costs(costs)
    graph, decision = model.subgraphs[0], decide(model, get_target("generic"), table)
    layers = [replace(layer, layer=None) for layer in decision.graphs[0].layers]
    table = table.for_model(weight_bytes(model))
    operators = predicted_operators(model, graph, layers, table)
    return Predicted({op.index: op for op in operators}, predict(model, graph, layers, table).partitions)


def by_plugin(content: bytes, **options: Any) -> dict[str, Any]:
    """The plugin's report of a file when it is loaded."""
    interpreter = Interpreter(model_content=content, num_threads=1, **options)
    return interpreter.report()
