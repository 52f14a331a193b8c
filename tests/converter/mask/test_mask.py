"""Masks: aligned, at the density asked for, alive, and keeping most of what a free choice would."""

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency
from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.mask.reorder import filter_permutation, group_by_saliency

RESNET18 = [
    *[(64, 3, 3, 64), (128, 3, 3, 64), (128, 3, 3, 128), (128, 1, 1, 64), (256, 3, 3, 128), (256, 3, 3, 256)],
    *[(256, 1, 1, 128), (512, 3, 3, 256), (512, 3, 3, 512), (512, 1, 1, 256)],
]


def he_normal(shape: tuple[int, ...], number: int = 0) -> np.ndarray:
    rng = np.random.default_rng(number)
    return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)


def groups_of(mask: np.ndarray, group_size: int) -> list[np.ndarray]:
    """Filters of each group as the packer finds them."""
    permutation = filter_permutation(mask, group_size)
    return [mask[permutation[i : i + group_size]] for i in range(0, len(mask), group_size)]


def popular_patterns(kernels: np.ndarray, size: int, count: int) -> np.ndarray:
    """The `count` patterns that are the own choice of most kernels: bool [n, positions]."""
    own = np.zeros(kernels.shape, bool)
    np.put_along_axis(own, np.argsort(-kernels, axis=1)[:, :size], True, axis=1)
    patterns, counts = np.unique(own, axis=0, return_counts=True)
    return patterns[np.argsort(-counts, kind="stable")[:count]]


@seed(30)
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30),
    st.sampled_from([1, 3, 5]),
    st.integers(1, 30),
    st.sampled_from([1, 2, 4, 8]),
    st.floats(0.02, 0.99),
    st.booleans(),
)
def test_any_layer(filters, size, channels, group_size, density, balance):
    weights = he_normal((filters, size, size, channels), filters * channels)
    positions = size * size
    kept = kernel_pattern_size(positions, density, 4)
    mask = choose_mask(magnitude_saliency(weights), density, group_size, kept, 8, balance)
    assert mask.shape == weights.shape
    assert mask.dtype == bool
    if not balance:
        unit = kept * group_size
        assert abs(int(mask.sum()) - density * mask.size) <= max(unit / 2, unit - density * mask.size) + 1e-3
        if density * mask.size >= unit * max(-(-filters // group_size), channels):
            assert mask.any(axis=(1, 2, 3)).all()
            assert mask.any(axis=(0, 1, 2)).all()
    per_kernel = mask.reshape(filters, positions, channels).sum(axis=1)
    assert set(np.unique(per_kernel)) <= {0, kept}
    patterns = mask.reshape(filters, positions, channels).transpose(0, 2, 1).reshape(-1, positions)
    assert len(np.unique(patterns[patterns.any(axis=1)], axis=0)) <= 8
    for group in groups_of(mask, group_size):
        assert (group == group[0]).all()


@pytest.mark.parametrize("shape", RESNET18)
def test_keeps_most_of_the_free_choice_of_eight_patterns(shape):
    """Issue 2, 'done when' 4: nothing dead, and at least 0.95 of what unconstrained kernels of the same groups keep."""
    saliency = magnitude_saliency(he_normal(shape, 18))
    filters, positions, channels = shape[0], shape[1] * shape[2], shape[3]
    size = kernel_pattern_size(positions, 0.178, 4)
    mask = choose_mask(saliency, 0.178, 4, size, 8)
    assert mask.any(axis=(1, 2, 3)).all()
    assert mask.any(axis=(0, 1, 2)).all()
    grouped = saliency[group_by_saliency(saliency, 4, 0.178)].reshape(filters // 4, 4, positions, channels).sum(axis=1)
    kernels = grouped.transpose(0, 2, 1).reshape(-1, positions)
    best = (kernels @ popular_patterns(kernels, size, 8).T).max(axis=1)
    free = np.sort(best)[::-1][: int(mask.sum()) // (size * 4)].sum()
    assert saliency[mask].sum() >= 0.95 * free


def test_grouping_keeps_more_than_neighbours():
    saliency = magnitude_saliency(he_normal((64, 1, 1, 64)))
    mask = choose_mask(saliency, 0.25, 4, 1, 8)
    neighbours = np.sort(saliency.reshape(16, 4, 64).sum(axis=1).ravel())[::-1][:256].sum()
    assert saliency[mask].sum() > 1.02 * neighbours


def test_filters_that_keep_alike_are_found():
    rng = np.random.default_rng(2)
    living = np.arange(32) % 8 == np.arange(8)[:, None]
    families = np.repeat((rng.random((8, 32)) < 0.2) | living, 4, axis=0)[:, None, None]
    weights = np.where(families, 1.0, 0.01) * rng.choice([-1.0, 1.0], families.shape)
    shuffle = rng.permutation(32)
    mask = choose_mask(magnitude_saliency(weights[shuffle]), families.mean(), 4, 1, 8)
    assert (mask == families[shuffle]).all()


def test_balance_gives_each_group_the_same_number():
    saliency = magnitude_saliency(he_normal((32, 3, 3, 40)))
    mask = choose_mask(saliency, 0.178, 4, 4, 8, balance=True)
    counts = {int(group[0].any(axis=(0, 1)).sum()) for group in groups_of(mask, 4)}
    assert counts == {round(0.178 * 9 / 4 * 40)}


def test_same_input_same_mask():
    saliency = magnitude_saliency(he_normal((24, 3, 3, 24)))
    assert (choose_mask(saliency, 0.3, 4, 4, 8) == choose_mask(saliency.copy(), 0.3, 4, 4, 8)).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scale_does_not_matter(scale):
    weights = he_normal((16, 3, 3, 16))
    expected = choose_mask(magnitude_saliency(weights), 0.2, 4, 4, 8)
    scaled = choose_mask(magnitude_saliency(weights * np.float32(scale)), 0.2, 4, 4, 8)
    assert (scaled == expected).mean() > 0.999


def test_saliency_is_the_square():
    assert magnitude_saliency(np.array([[2.0, -4.0], [0.0, 1.0]])).tolist() == [[0.25, 1.0], [0.0, 0.0625]]
    assert magnitude_saliency(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_saliency_of_weights_that_are_not_finite(value):
    with pytest.raises(ValueError, match="^Expected finite weights, got NaN or infinite ones"):
        magnitude_saliency(np.array([[1.0, value]]))


def test_all_zero_weights_still_get_their_density():
    assert choose_mask(np.zeros((8, 3, 3, 8), np.float32), 4 / 9 / 2, 4, 4, 8).mean() == pytest.approx(2 / 9)


@pytest.mark.parametrize("shape", [(4, 9), (4, 3, 3, 0)])
def test_bad_shape(shape):
    with pytest.raises(ValueError, match=r"^Expected weights of \[O, H, W, I\] without empty dimensions, got "):
        choose_mask(np.ones(shape), 0.2, 4, 4, 8)


def test_density_above_the_patterns():
    message = r"^Patterns of 4 of 9 positions keep up to 0.4444 of the weights, got density 0.5000: lower the density"
    with pytest.raises(ValueError, match=message):
        choose_mask(np.ones((4, 3, 3, 4)), 0.5, 4, 4, 8)
