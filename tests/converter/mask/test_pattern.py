"""Pattern libraries: the size is right, the best patterns are found, kernels take their best one."""

from itertools import combinations

import numpy as np
import pytest

from mcpruner.converter.mask.pattern import assign_patterns, choose_library, kernel_pattern_size


def kept_by(saliency: np.ndarray, library: np.ndarray) -> float:
    return float((saliency @ library.T.astype(saliency.dtype)).max(axis=1).sum())


def all_patterns(positions: int, size: int) -> np.ndarray:
    patterns = np.zeros((0, positions), bool)
    for chosen in combinations(range(positions), size):
        row = np.zeros((1, positions), bool)
        row[0, list(chosen)] = True
        patterns = np.concatenate([patterns, row])
    return patterns


@pytest.mark.parametrize(
    ("positions", "density", "pattern_size", "size"),
    [
        (9, 0.178, 4, 4),
        (9, 4 / 9, 4, 4),
        (9, 1 - 5 / 9, 4, 4),
        (9, 0.45, 4, 5),
        (9, 0.5, 4, 5),
        (9, 0.7, 4, 7),
        (9, 0.95, 4, 9),
        (9, 0.1, 2, 2),
        (25, 0.178, 4, 11),
        (25, 0.5, 4, 13),
        (49, 0.1, 4, 22),
        (3, 0.1, 4, 1),
        (1, 0.178, 4, 1),
        (1, 0.9, 4, 1),
    ],
)
def test_pattern_size_by_density(positions, density, pattern_size, size):
    assert kernel_pattern_size(positions, density, pattern_size) == size


@pytest.mark.parametrize("size", range(1, 10))
def test_library_shape(size):
    saliency = np.random.default_rng(size).random((200, 9), np.float32)
    library = choose_library(saliency, size, 8)
    assert library.dtype == bool
    assert 1 <= len(library) <= 8
    assert (library.sum(axis=1) == size).all()
    assert len(np.unique(library, axis=0)) == len(library)


def test_hidden_patterns_are_found():
    rng = np.random.default_rng(1)
    hidden = all_patterns(9, 4)[rng.choice(126, 8, replace=False)]
    saliency = (hidden[rng.integers(0, 8, 500)] + 0.1 * rng.random((500, 9))).astype(np.float32)
    library = choose_library(saliency, 4, 8)
    assert {tuple(p) for p in library} == {tuple(p) for p in hidden}


def test_library_is_no_larger_than_useful():
    saliency = np.tile(np.array([[3, 2, 1, 0, 0, 0, 0, 0, 0]], np.float32), (50, 1))
    assert choose_library(saliency, 3, 8).tolist() == [[True] * 3 + [False] * 6]


def test_two_patterns_are_near_the_best_pair():
    saliency = np.random.default_rng(2).random((60, 6), np.float32) ** 4
    patterns = all_patterns(6, 3)
    best = max(kept_by(saliency, np.stack(pair)) for pair in combinations(patterns, 2))
    assert kept_by(saliency, choose_library(saliency, 3, 2)) >= 0.99 * best


def test_beats_the_most_popular_patterns():
    saliency = np.random.default_rng(3).standard_normal((4000, 9)).astype(np.float32) ** 2
    patterns = all_patterns(9, 4)
    popularity = np.bincount((saliency @ patterns.T).argmax(axis=1), minlength=126)
    popular = patterns[np.argsort(-popularity)[:8]]
    assert kept_by(saliency, choose_library(saliency, 4, 8)) > kept_by(saliency, popular)


def test_more_patterns_keep_more():
    saliency = np.random.default_rng(4).random((1000, 9), np.float32) ** 3
    kept = [kept_by(saliency, choose_library(saliency, 4, count)) for count in (1, 2, 4, 8, 16, 126)]
    assert kept == sorted(kept)
    assert kept[-1] == pytest.approx(kept_by(saliency, all_patterns(9, 4)), rel=1e-6)


@pytest.mark.parametrize(("positions", "size"), [(25, 11), (49, 22)])
def test_large_kernels_take_candidates_from_the_weights(positions, size):
    rng = np.random.default_rng(5)
    hidden = np.argsort(rng.random((4, positions)), axis=1) < size
    saliency = (hidden[rng.integers(0, 4, 300)] + 0.3 * rng.random((300, positions))).astype(np.float32)
    library = choose_library(saliency, size, 4)
    assert {tuple(p) for p in library} == {tuple(p) for p in hidden}


def test_one_position_has_one_pattern():
    assert choose_library(np.random.default_rng(6).random((20, 1)), 1, 8).tolist() == [[True]]


def test_zero_saliency_still_has_a_pattern():
    library = choose_library(np.zeros((10, 9), np.float32), 4, 8)
    assert library.sum(axis=1).tolist() == [4]


def test_assignment_by_hand():
    library = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool)
    saliency = np.array([[5, 1, 2, 2], [0, 1, 1, 1], [1, 1, 1, 1]], np.float32)
    chosen, kept = assign_patterns(saliency, library)
    assert chosen.tolist() == [0, 1, 0]
    assert kept.tolist() == [6.0, 2.0, 2.0]


@pytest.mark.parametrize("size", [0, 10])
def test_bad_size(size):
    with pytest.raises(ValueError, match=f"^Expected a pattern size of 1 to 9, got {size}.$"):
        choose_library(np.ones((3, 9)), size, 8)


def test_bad_count():
    with pytest.raises(ValueError, match="^Expected num_patterns of at least 1, got 0.$"):
        choose_library(np.ones((3, 9)), 4, 0)
