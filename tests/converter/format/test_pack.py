"""Packing loses nothing, for any weights, and makes the structure that the format describes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpruner.converter.format.pack import GROUP_SIZES, pack, unpack

ONES = np.ones((5, 3, 3, 2), np.float32)


@st.composite
def weights_and_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Weights of any density, a permutation and a group size."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = st.integers(1, 8)
    shape = (draw(st.integers(1, 40)), draw(size), draw(size), draw(st.integers(1, 40)))
    mask = rng.random(shape) < draw(st.floats(0, 1))
    weights = np.where(mask, rng.standard_normal(shape), 0).astype(np.float32)
    return weights, rng.permutation(shape[0]), draw(st.sampled_from(GROUP_SIZES))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(weights_and_groups())
def test_unpack_gives_back_every_bit(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    weights, permutation, group_size = case
    layer = pack(weights, permutation, group_size)
    assert unpack(layer).tobytes() == weights.tobytes()
    assert layer.group_runs.sum() == len(layer.run_counts)
    assert layer.run_counts.sum() == len(layer.channels)
    assert np.count_nonzero(weights) <= layer.nnz <= len(layer.values)


def test_groups_runs_and_kernels() -> None:
    """Two channels share a pattern and make one run; a third has its own; a fourth is pruned."""
    weights = np.zeros((2, 1, 2, 4), np.float32)
    weights[:, 0, 0, [0, 3]] = [[1, 3], [2, 4]]
    weights[1, 0, 1, 1] = 5
    layer = pack(weights, np.array([1, 0]), 2)
    np.testing.assert_array_equal(layer.patterns, [0b01, 0b10])
    np.testing.assert_array_equal(layer.group_runs, [2])
    np.testing.assert_array_equal(layer.run_patterns, [0, 1])
    np.testing.assert_array_equal(layer.run_counts, [2, 1])
    np.testing.assert_array_equal(layer.channels, [0, 3, 1])
    np.testing.assert_array_equal(layer.values, [2, 1, 4, 3, 5, 0])
    assert (layer.nnz, layer.density) == (6, 6 / 16)


def test_a_layer_that_claims_to_be_huge_is_not_unpacked() -> None:
    layer = pack(np.zeros((1, 8, 8, 1), np.float32), np.arange(1), 1)
    layer.in_channels = layer.out_channels = 65535
    with pytest.raises(ValueError, match="at most 1073741824 weights"):
        unpack(layer)


def test_zero_lanes_are_no_weights() -> None:
    layer = pack(np.ones((5, 1, 1, 3), np.float32), np.arange(5), 4)
    assert (layer.num_groups, len(layer.values), layer.nnz, layer.density) == (2, 24, 15, 1.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.full((1, 1, 1, 1), np.nan, np.float32), [0], 1), "finite weights"),
        ((ONES, range(5), 3), "group_size"),
        ((ONES, [0, 1, 2, 3, 3], 4), "permutation"),
        ((np.ones((1, 9, 8, 1), np.float32), [0], 1), "64 kernel positions"),
        ((np.ones((1, 1, 1, 65536), np.float32), [0], 1), "65535 channels"),
        ((np.ones((3, 3), np.float32), range(3), 1), "shape"),
        ((np.ones((1, 1, 1, 0), np.float32), [0], 1), "empty dimension"),
        ((ONES, range(5), 4, np.ones(4, np.float32)), "bias"),
        ((ONES, range(5), 4, np.full(5, np.inf, np.float32)), "bias"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(arguments: tuple, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        pack(arguments[0], np.array(arguments[1]), *arguments[2:])
    assert "\n" not in str(error.value)
