"""What tests of the converter share."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from mcpruner.converter.cost.cost_model import CostModel, load_costs


@pytest.fixture
def free_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shipped tables by which edges, partitions and inferences cost nothing, so that tiny networks are packed too."""

    def load(name_or_path: str | Path) -> CostModel:
        costs = load_costs(name_or_path)
        if Path(name_or_path).is_file():
            return costs
        free = {entry: dict.fromkeys(costs.nanoseconds[entry], 0.0) for entry in ("cpu edge", "cpu partition")}
        return replace(costs, nanoseconds={**costs.nanoseconds, **free, "tflite inference": {"layer": 0.0}})

    monkeypatch.setattr(importlib.import_module("mcpruner.converter.convert"), "load_costs", load)
