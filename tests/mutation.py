"""Damage for tests of readers: what a broken download, disk or attacker may do to a file."""

from __future__ import annotations

import numpy as np


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut the file off somewhere in one case of five, and flip one to eight bits."""
    data = bytearray(content)
    if rng.random() < 0.2:
        data = data[: rng.integers(len(data))]
    for _ in range(rng.integers(1, 9)):
        if data:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(data)
