"""Filter permutations: always a permutation, equal masks together, similar masks near, the rest in order."""

import numpy as np
import pytest

from mcpruner.converter.mask.reorder import filter_permutation, group_by_saliency


def random_mask(rng: np.random.Generator, filters: int, density: float = 0.3) -> np.ndarray:
    return rng.random((filters, 3, 3, 16)) < density


def packed_values(mask: np.ndarray, permutation: np.ndarray, group_size: int) -> int:
    """Values that packing stores: each group pays for the union of its filters' masks."""
    ordered = mask[permutation]
    return sum(group_size * int(ordered[i : i + group_size].any(axis=0).sum()) for i in range(0, len(mask), group_size))


@pytest.mark.parametrize("group_size", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("filters", [1, 3, 16, 37])
def test_is_a_permutation(group_size, filters):
    mask = random_mask(np.random.default_rng(filters), filters)
    permutation = filter_permutation(mask, group_size)
    assert permutation.dtype == np.uint16
    assert sorted(permutation.tolist()) == list(range(filters))


@pytest.mark.parametrize("mask", [np.ones((10, 3, 3, 5)), np.zeros((10, 1, 1, 5)), np.ones((10, 7))])
def test_equal_filters_keep_their_order(mask):
    assert filter_permutation(mask, 4).tolist() == list(range(10))


def test_group_size_one_keeps_the_order():
    mask = random_mask(np.random.default_rng(1), 9)
    assert filter_permutation(mask, 1).tolist() == list(range(9))


@pytest.mark.parametrize("filters", [64, 62])
def test_shuffled_groups_are_found_again(filters):
    rng = np.random.default_rng(2)
    mask = np.repeat(random_mask(rng, 16), 4, axis=0)[:filters][rng.permutation(filters)]
    ordered = mask[filter_permutation(mask, 4)]
    for start in range(0, filters, 4):
        group = ordered[start : start + 4]
        assert (group == group[0]).all()


def test_weights_count_as_their_non_zeros():
    rng = np.random.default_rng(3)
    mask = random_mask(rng, 24)
    weights = np.where(mask, rng.standard_normal(mask.shape), 0.0)
    assert filter_permutation(weights, 4).tolist() == filter_permutation(mask, 4).tolist()


def test_order_by_hand():
    a, b = [1, 1, 0, 0], [0, 0, 1, 1]
    assert filter_permutation(np.array([a, b, a, b, a]), 2).tolist() == [0, 2, 1, 3, 4]


def test_a_class_is_not_split_while_it_fits():
    a, b, c = [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [0, 0, 0, 0, 1]
    mask = np.array([a, a, b, b, b, c, c, c])
    # b and c (three filters each) fit with no other class: each takes one of a, the nearest.
    assert filter_permutation(mask, 4).tolist() == [0, 2, 3, 4, 1, 5, 6, 7]


def test_similar_filters_share_a_group():
    rng = np.random.default_rng(4)
    base = np.repeat(random_mask(rng, 8), 4, axis=0)
    noisy = base & (rng.random(base.shape) < 0.95)
    shuffle = rng.permutation(32)
    permutation = filter_permutation(noisy[shuffle], 4)
    families = (shuffle[permutation] // 4).reshape(8, 4)
    assert (families == families[:, :1]).all()


def test_clustering_pays_for_unstructured_masks():
    mask = random_mask(np.random.default_rng(5), 128, density=0.2)
    found = packed_values(mask, filter_permutation(mask, 4), 4)
    assert found < packed_values(mask, np.arange(128), 4)


def test_wide_masks_are_sampled_but_equal_ones_are_told_apart_exactly():
    rng = np.random.default_rng(6)
    mask = np.repeat(rng.random((2, 40000)) < 0.5, 2, axis=0)
    mask[2] = mask[0]
    mask[2, 77] = ~mask[0, 77]  # filters 0, 1 equal; 2 differs from them in one position
    assert filter_permutation(mask, 2).tolist() == [0, 1, 2, 3]


def test_incomplete_group_comes_last():
    rng = np.random.default_rng(7)
    mask = np.repeat(random_mask(rng, 3), [2, 4, 4], axis=0)
    assert filter_permutation(mask, 4).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize("shape", [(), (4,), (0, 3)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match=r"^Expected a mask of \[O, ...\] with 1 to 65535 filters, got shape"):
        filter_permutation(np.ones(shape), 4)


def test_bad_group_size():
    with pytest.raises(ValueError, match="^Expected a group_size of at least 1, got 0.$"):
        filter_permutation(np.ones((4, 4)), 0)


@pytest.mark.parametrize("filters", [1, 7, 16])
def test_saliency_groups_are_a_permutation(filters):
    saliency = np.random.default_rng(9).random((filters, 3, 3, 8))
    assert sorted(group_by_saliency(saliency, 4, 0.2).tolist()) == list(range(filters))


def test_saliency_groups_filters_that_overlap():
    rng = np.random.default_rng(10)
    families = np.repeat(random_mask(rng, 6), 4, axis=0)
    shuffle = rng.permutation(24)
    saliency = (families + 0.1 * rng.random(families.shape))[shuffle]
    grouped = (shuffle[group_by_saliency(saliency, 4, 0.3)] // 4).reshape(6, 4)
    assert (grouped == grouped[:, :1]).all()


def test_equal_saliency_keeps_the_order():
    assert group_by_saliency(np.ones((10, 1, 1, 4)), 4, 0.5).tolist() == list(range(10))
