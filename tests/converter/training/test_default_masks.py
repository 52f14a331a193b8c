"""Masks are pinned by digest: pruning the same network keeps the same weights from version to version.

A change that is meant to choose other masks changes the digests here, and says in CHANGELOG.md that it does.
"""

from __future__ import annotations

import hashlib
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mcpruner.converter.options import KNOBS
from mcpruner.converter.target import TARGETS
from mcpruner.converter.training.prune import prune

DEFAULTS = {
    "target": "generic",
    "pattern_size": "auto",
    "num_patterns": None,
    "scope": None,
    "balance": False,
    "search": False,
    "saliency": None,
}
AT_A_QUARTER = "371df59606183c0e"  # This is what the defaults keep at density 0.25.
DIGESTS: list[tuple[dict[str, Any], str]] = [
    ({}, AT_A_QUARTER),
    *(({name: value}, AT_A_QUARTER) for name, value in DEFAULTS.items()),
    *(({"target": name}, AT_A_QUARTER) for name in TARGETS),
    ({"density": 0.0625}, "15a89a72112747a5"),
    ({"density": 0.6}, "1ed8ef3c808d2876"),
    ({"pattern_size": 3}, "050d9100f85b935b"),
    ({"pattern_size": "any"}, "8b8cda6b1b1fd9d4"),
    ({"pattern_size": "any", "num_patterns": 32}, "1e36c8b7eb8ca0f0"),
    ({"pattern_size": "any", "search": True}, "0bfceb04d015484a"),
    ({"num_patterns": 3}, "4028b48f58fcd9f4"),
    ({"balance": True}, "bd75642249a5f616"),
    ({"search": True}, "0df32d5cbe26ff81"),
]


def network() -> keras.Model:
    """Kernels of 3x3, 5x5 and 1x1 positions and a dense one, also of sizes that 4 does not divide, and a head."""
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            layers.Conv2D(16, 3, name="stem"),
            layers.Conv2D(26, 3, padding="same", name="conv"),
            layers.Conv2D(12, 5, padding="same", name="wide"),
            layers.Conv2D(37, 1, name="point"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(21, name="hidden"),
            layers.Dense(5, name="head"),
        ]
    )
    rng = np.random.default_rng(16)  # Its stream is the same in all versions of NumPy, unlike Keras's from seeds.
    for layer in model.layers:
        if layer.get_weights():
            layer.set_weights([rng.standard_normal(weight.shape).astype(np.float32) for weight in layer.get_weights()])
    return model


def digest(density: float = 0.25, **knobs: Any) -> str:
    """Of the places of all weights that are kept, layer by layer."""
    pruned = prune(network(), density=density, **knobs)
    kernels = [layer.get_weights()[0] for layer in pruned.layers if layer.get_weights()]
    kept = b"".join(np.packbits(kernel != 0).tobytes() for kernel in kernels)
    return hashlib.sha256(kept).hexdigest()[:16]


@pytest.mark.parametrize(("knobs", "expected"), DIGESTS)
def test_masks_are_what_they_were(knobs: dict[str, Any], expected: str) -> None:
    assert digest(**knobs) == expected


def test_the_defaults_are_what_they_were() -> None:
    assert {knob.name: knob.default for knob in KNOBS if knob.name not in ("density", "sparsity")} == DEFAULTS
