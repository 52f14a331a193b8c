"""A calibration by which every layer with zeros is packed, for tests of what packed layers compute."""

from __future__ import annotations

import json
from pathlib import Path

from mcpruner.converter.cost import cost_model


def write_eager_costs(path: Path) -> Path:
    """Write a table in which a multiply-add in the plugin costs a thousandth of one in TFLite; returns `path`."""
    nanoseconds = {
        entry: dict.fromkeys(terms, 0.0) | {"multiply_adds" if "multiply_adds" in terms else "layer": cost}
        for entry, terms in cost_model.TERMS.items()
        for cost in (1.0 if entry.startswith("tflite") else 0.001,)
    }
    table = {"format": cost_model.FORMAT, "simd": "avx2", "nanoseconds": nanoseconds}
    path.write_text(json.dumps(table))
    return path
