"""Tables of costs for tests: what a layer takes does not depend on what it does."""

from __future__ import annotations

import json
from pathlib import Path

from mcpruner.converter.cost import cost_model
from mcpruner.converter.cost.plain_ops import KINDS

TABLE = json.loads((cost_model.SHIPPED / "avx512.json").read_text())


def calibration(tmp_path: Path, **layers: float) -> Path:
    """A table in which a layer of each entry takes so many nanoseconds, whatever it does.

    By default layers with weights take 1000, and everything else so little that it does not count.
    """
    nanoseconds = {}
    for entry, terms in cost_model.TERMS.items():
        usual = 1e-6 if entry.split()[1] in (*KINDS, "partition", "inference", "barrier") else 1000.0
        nanoseconds[entry] = dict.fromkeys(terms, 0.0) | {"layer": layers.get(entry.replace(" ", "_"), usual)}
    path = tmp_path / "costs.json"
    path.write_text(json.dumps({**TABLE, "nanoseconds": nanoseconds, "samples": []}))
    return path
