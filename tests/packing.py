"""Packing whatever can be packed, however slow it would be: for tests of what the plugin makes of it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from unittest import mock

import numpy as np

from mcpruner.converter.cost.cost_model import CostModel, Geometry
from mcpruner.converter.cost.estimate import Choice, group_permutation
from mcpruner.converter.target import Target
from mcpruner.converter.tflite import decide

GROUP_SIZE = 4


def _choose(weights: np.ndarray, target: Target, geometry: Geometry, costs: CostModel) -> Choice:
    size = math.gcd(GROUP_SIZE, len(weights) // geometry.groups) if geometry.groups > 1 else GROUP_SIZE
    return Choice(size, group_permutation(weights != 0, size, geometry.groups), 100.0)


@contextlib.contextmanager
def pack_every_layer() -> Iterator[None]:
    """While it lasts, `convert` packs every layer that the format holds."""
    with mock.patch.object(decide, "choose", _choose), mock.patch.object(decide, "_WORTH_IT", 0.0):
        yield
