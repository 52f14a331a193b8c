"""Reads what plain_graph.py writes, with NumPy alone: the other engines' environment has no TFLite."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def load(path: Path) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """The graph (see plain_graph.py) and its arrays, float32."""
    arrays = np.load(path)
    return json.loads(str(arrays["graph"])), arrays
