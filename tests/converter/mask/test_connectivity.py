"""Connectivity pruning: the largest kernels, within budget, with no dead group and no dead input channel."""

from itertools import combinations, product

import numpy as np
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from mcpruner.converter.mask.connectivity import choose_kernels


def best_living(saliency: np.ndarray, count: int) -> float:
    """Most saliency that `count` kernels keep with no dead row or column, by trying all of them."""
    cells = list(product(range(saliency.shape[0]), range(saliency.shape[1])))
    best = 0.0
    for chosen in combinations(cells, count):
        rows, columns = {r for r, _ in chosen}, {c for _, c in chosen}
        if (len(rows), len(columns)) == saliency.shape:
            best = max(best, sum(saliency[cell] for cell in chosen))
    return best


def test_example_of_the_docstring():
    saliency = np.array([[9, 8, 0, 4], [7, 1, 1, 2], [1, 3, 2, 1]], float)
    chosen = choose_kernels(saliency, np.array([1, 1, 1]), 5)
    assert chosen.tolist() == [[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]]


def test_largest_when_nothing_dies():
    saliency = np.array([[9, 1], [2, 8]], float)
    assert choose_kernels(saliency, np.array([4, 4]), 8).tolist() == [[1, 0], [0, 1]]


def test_small_cases_against_all_choices():
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(60):
        saliency = rng.random((3, 4)) ** 2
        count = int(rng.integers(4, 8))
        chosen = choose_kernels(saliency, np.ones(3, int), count)
        assert chosen.sum() == count
        assert chosen.any(axis=0).all()
        assert chosen.any(axis=1).all()
        ratios.append(saliency[chosen].sum() / best_living(saliency, count))
    assert min(ratios) > 0.8
    assert np.mean(ratios) > 0.98


@seed(20)
@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.floats(0.01, 1.0), st.booleans(), st.integers(0, 99)
)
def test_alive_and_within_budget(groups, channels, last, share, balance, number):
    rng = np.random.default_rng(number)
    saliency = rng.random((groups, channels)) ** 4
    sizes = np.full(groups, 4)
    sizes[-1] = last
    budget = share * channels * sizes.sum()
    chosen = choose_kernels(saliency, sizes, budget, balance)
    if balance:
        per_group = max(1, round(share * channels))
        assert (chosen.sum(axis=1) == per_group).all()
        assert chosen.any(axis=0).sum() >= min(channels, per_group * groups)
        return
    total = int((chosen.sum(axis=1) * sizes).sum())
    assert abs(total - budget) <= max(2, 4 - budget)
    if budget >= 4 * max(groups, channels):
        assert chosen.any(axis=0).all()
        assert chosen.any(axis=1).all()


def test_a_star_is_taken_apart():
    # Every column's best row is 0 and every row's best column is 0: repair alone would need six kernels for five.
    saliency = np.array([[100, 50, 50, 50, 50]] + [[60, 1, 1, 1, 1]] * 4, float)
    chosen = choose_kernels(saliency, np.ones(5, int), 5)
    assert chosen.sum() == 5
    assert chosen.any(axis=0).all()
    assert chosen.any(axis=1).all()


def test_too_small_a_budget_keeps_as_much_alive_as_it_can():
    saliency = np.array([[9, 8, 7, 6], [5, 4, 3, 2]], float)
    chosen = choose_kernels(saliency, np.array([1, 1]), 2)
    assert chosen.sum(axis=1).tolist() == [1, 1]
    assert chosen.any(axis=0).sum() == 2


def test_at_least_one_kernel():
    assert choose_kernels(np.ones((3, 3)), np.ones(3, int), 0.01).sum() == 1


def test_everything():
    assert choose_kernels(np.zeros((3, 3)), np.array([4, 4, 2]), 30).all()


def test_an_incomplete_group_is_ranked_per_filter():
    # 5 in a group of four is 1.25 a filter; 3 in a group of one is 3.
    saliency = np.array([[5.0, 6.0], [3.0, 0.0]])
    assert choose_kernels(saliency, np.array([4, 1]), 5).tolist() == [[0, 1], [1, 0]]


def test_balance_swaps_where_it_costs_least():
    saliency = np.array([[9, 8, 1], [9, 3, 2]], float)
    chosen = choose_kernels(saliency, np.array([4, 4]), 16, balance=True)
    # Column 2 is dead after the largest two of each row; row 1 loses 3 - 2, row 0 would lose 8 - 1.
    assert chosen.tolist() == [[1, 1, 0], [1, 0, 1]]
