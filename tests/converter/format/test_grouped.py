"""Weights of grouped convolutions for all input channels, and back."""

import numpy as np
import pytest

from mcpruner.converter.format.grouped import collapse_groups, expand_groups


def test_a_filter_reads_the_channels_of_its_group() -> None:
    weights = np.arange(1, 9, dtype=np.float32).reshape(4, 1, 1, 2)
    expected = [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]]
    np.testing.assert_array_equal(expand_groups(weights, 2), np.reshape(expected, (4, 1, 1, 4)))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", [np.float32, bool])
def test_there_and_back(groups: int, dtype: type) -> None:
    weights = (np.random.default_rng(0).random((6, 3, 2, 5)) < 0.5).astype(dtype)
    expanded = expand_groups(weights, groups)
    assert expanded.shape == (6, 3, 2, 5 * groups) and expanded.dtype == dtype
    assert np.count_nonzero(expanded) == np.count_nonzero(weights)
    np.testing.assert_array_equal(collapse_groups(expanded, groups), weights)


def test_weights_of_other_groups_are_refused() -> None:
    weights = expand_groups(np.ones((4, 1, 1, 2), np.float32), 2)
    weights[0, 0, 0, 3] = 1
    with pytest.raises(ValueError, match="expected no weights outside of its 2 groups, got some; is the file damaged"):
        collapse_groups(weights, 2)
