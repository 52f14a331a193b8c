"""Masks of grouped convolutions: one for each group, and the density of the whole layer."""

import numpy as np
import pytest

from mcpruner.converter.mask.conv_groups import choose_each
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.training.kernel_mask import choose_kernel_mask

OPTIONS = PruningOptions(density=1.0)


def test_what_rounding_leaves_goes_to_the_next_group() -> None:
    """Each group has four kernels of one weight, and one and a half of them are asked for."""
    asked = []

    def choose(number: int, share: float) -> np.ndarray:
        asked.append((number, share))
        return np.arange(4) < np.floor(4 * share + 0.5)

    kept = [int(mask.sum()) for mask in choose_each([4, 4, 4, 4], 0.375, choose)]
    assert kept == [2, 1, 2, 1]
    assert asked == [(0, 0.375), (1, 0.25), (2, 0.375), (3, 0.25)]


def test_a_group_that_is_far_behind_is_asked_for_all_it_has_at_most() -> None:
    shares = []

    def choose(_: int, share: float) -> np.ndarray:
        shares.append(share)
        return np.zeros(4, bool)

    choose_each([4] * 3, 0.5, choose)
    assert shares == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("filters", [3, 6, 8])
def test_no_filter_group_reaches_over_two_groups(filters: int) -> None:
    """Filters of one group that have equal masks stand in for a filter group: at most four, or what is left of six."""
    kernel = np.random.default_rng(filters).standard_normal((3, 3, 6, 2 * filters)).astype(np.float32)
    mask = choose_kernel_mask(OPTIONS, kernel, 0.25, groups=2)
    for half in np.split(mask, 2, axis=-1):
        _, counts = np.unique(half.reshape(-1, filters), axis=1, return_counts=True)
        assert len(counts) == -(-filters // 4) and counts.max() <= 4
    assert mask.mean() == pytest.approx(0.25, abs=0.02)


def test_groups_are_kept_by_the_mask_before() -> None:
    kernel = np.random.default_rng(0).standard_normal((3, 3, 6, 16)).astype(np.float32)
    before = choose_kernel_mask(OPTIONS, kernel, 0.25, groups=2)
    after = choose_kernel_mask(OPTIONS, kernel[::-1], 0.2, before=before, groups=2)
    for old, new in zip(np.split(before, 2, axis=-1), np.split(after, 2, axis=-1), strict=True):
        alike = np.unique(old.reshape(-1, 8), axis=1, return_inverse=True)[1].ravel()
        for group in range(2):
            assert (np.ptp(new.reshape(-1, 8)[:, alike == group].astype(int), axis=1) == 0).all()


def test_what_weights_are_worth_is_split_alike() -> None:
    kernel = np.random.default_rng(1).standard_normal((1, 1, 8, 16)).astype(np.float32)
    found = choose_kernel_mask(OPTIONS, np.ones_like(kernel), 0.5, groups=2, worth=np.square(kernel))
    np.testing.assert_array_equal(found, choose_kernel_mask(OPTIONS, kernel, 0.5, groups=2))
