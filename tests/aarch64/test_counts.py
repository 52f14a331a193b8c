"""Ceilings of what small layers cost: instructions of the plugin for one inference, exact and the same every time.

`make count-aarch64` counts the large ones. A kernel that got better lowers its ceiling here: the count and one percent.
"""

from __future__ import annotations

import math
from pathlib import Path

import count
import pytest
from count import Count
from count_cases import Layer, layer_runs

# (image size, input channels, output channels, kernel size), density -> instructions.
CEILINGS = {
    (14, 32, 32, 3, 0.25): 225_700,
    (7, 64, 64, 3, 0.25): 227_100,
    (9, 24, 32, 3, 0.178): 70_500,
    (14, 64, 32, 1, 0.25): 114_700,
    (14, 32, 32, 3, 1.0): 607_000,
}
TOLERANCE = 1e-5  # of the largest output


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple, Count]:
    """What each layer took."""
    folder = tmp_path_factory.mktemp("count")
    layers = {str(key): (Layer(*key[:4], bar_density=0, bar=0), key[4]) for key in CEILINGS}
    pairs = count.counts({name: layer_runs(*layer, folder) for name, layer in layers.items()}, folder)
    return {key: pairs[str(key)][1] for key in CEILINGS}


@pytest.mark.parametrize("key", CEILINGS, ids=str)
def test_instructions_stay_below_the_ceiling(counted: dict[tuple, Count], key: tuple) -> None:
    assert counted[key].error <= TOLERANCE
    assert 0 < sum(counted[key].functions.values()) <= CEILINGS[key]


def test_multiply_adds_are_those_of_the_weights(counted: dict[tuple, Count]) -> None:
    """Dense: 6 rows of products for 4 rows of output, 4 pixels a multiply-add, and less than a fifth for transforms."""
    size, inputs, outputs, kernel, _ = dense = (14, 32, 32, 3, 1.0)
    products = 6 * math.ceil(size / 4)
    least = products * size * inputs * outputs * kernel // 4
    assert least <= counted[dense].fmla < 1.2 * least


def test_counts_repeat(counted: dict[tuple, Count], tmp_path: Path) -> None:
    key = next(iter(CEILINGS))
    pair = count.counts({"again": layer_runs(Layer(*key[:4], bar_density=0, bar=0), key[4], tmp_path)}, tmp_path)
    assert pair["again"][1].functions == counted[key].functions
