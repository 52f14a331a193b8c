"""Packing whatever can be packed, however slow it would be: for tests of what the plugin makes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

import numpy as np

from mcpruner.converter.cost.estimate import Choice
from mcpruner.converter.mask.reorder import filter_permutation
from mcpruner.converter.tflite import decide

GROUP_SIZE = 4


def _choose(weights: np.ndarray, *_: object) -> Choice:
    return Choice(GROUP_SIZE, filter_permutation(weights != 0, GROUP_SIZE), 100.0)


@contextlib.contextmanager
def pack_every_layer() -> Iterator[None]:
    """While it lasts, `convert` packs every layer that the format holds."""
    with mock.patch.object(decide, "choose", _choose), mock.patch.object(decide, "_WORTH_IT", 0.0):
        yield
