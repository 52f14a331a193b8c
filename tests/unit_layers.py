"""Random layers with units of channels and groups, of version 2 of the format."""

from __future__ import annotations

import numpy as np

from mcpruner.converter.format.grouped import expand_groups
from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import pack


def random_units(rng: np.random.Generator, kind: str = "Conv2D") -> tuple[np.ndarray, SparseLayer]:
    """Weights for all input channels, and the layer; its last unit and its last filter group may be short."""
    size, groups = int(rng.choice([1, 2, 4, 8, 16])), int(rng.choice([1, 2, 3])) if kind == "Conv2D" else 1
    of_group = size * int(rng.integers(1, 4)) if groups > 1 else int(rng.integers(1, 30))
    kernel = (1, 1) if kind == "FullyConnected" else tuple(map(int, rng.integers(1, 4, 2)))
    shape = (groups * of_group, *kernel, int(rng.integers(1, 45)))
    weights = np.where(rng.random(shape) < rng.random(), rng.standard_normal(shape), 0).astype(np.float32)
    order = np.concatenate([rng.permutation(of_group) + i * of_group for i in range(groups)])
    bias = rng.standard_normal(shape[0]).astype(np.float32)
    layer = pack(weights, order, size, bias, kind, int(rng.choice([2, 4, 8, 16])), groups)
    return expand_groups(weights, groups), layer
