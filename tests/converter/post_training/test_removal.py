"""Order of removal: its costs against least squares by brute force, what it never removes, and what it gains."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from mcpruner.converter.options import PruningOptions
from mcpruner.converter.post_training.recipe import prune_post_training
from mcpruner.converter.post_training.reconstruct import Moments, Sums, reconstruct, removal_error
from mcpruner.converter.post_training.removal import _groups, choose_in_order, cut, rank_mask, removal_costs

TARGET = "hikey970-cpu"
OPTIONS = PruningOptions(TARGET, density=1.0)


def correlated(size: int, seed: int = 0, rows: int = 400) -> Moments:
    """Of inputs that share half as many causes, as the channels of a trained network do."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((rows, size // 2)) @ rng.standard_normal((size // 2, size))
    sums = Sums(size)
    sums.add(*[(causes + 0.3 * rng.standard_normal((rows, size))).astype(np.float32)] * 2)
    return sums.moments(centred=False)


def added_error(weights: np.ndarray, moments: Moments, kept: np.ndarray) -> float:
    """Squared error of the least-squares solution on some inputs alone."""
    change = reconstruct(weights, np.broadcast_to(kept, weights.shape), moments)[0] - weights
    return float(np.sum((change @ moments.pruned) * change))


def test_costs_add_up_to_the_error_of_what_is_left():
    """One input goes at a time, the cheapest; a cost that fell is counted as high as the one before."""
    moments, weights = correlated(16), np.random.default_rng(1).standard_normal((2, 16)).astype(np.float32)
    costs = removal_costs(weights, moments.pruned, [np.arange(2)], least=0.0)[0]
    assert np.isinf(costs).sum() == 1  # a group keeps an input
    assert costs.min() == pytest.approx(removal_error(weights, moments).sum(axis=0).min(), rel=1e-3)
    order = np.argsort(costs, kind="stable")
    for removed in range(1, 16):
        kept = np.ones(16, bool)
        kept[order[:removed]] = False
        true = added_error(weights, moments, kept)
        assert true * (1 - 1e-3) <= costs[order[:removed]].sum() <= 2 * true


@pytest.mark.parametrize(("weights", "falls"), [(1.6 ** np.arange(12), False), (np.ones(12), True)])
def test_costs_are_those_of_the_cheapest_input_by_brute_force(weights, falls):
    """Counted with least squares on the rows themselves. Where a true cost falls, the highest so far stands for it."""
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((200, 12)) + 0.5 * rng.standard_normal((200, 1)) * rng.standard_normal(12)
    costs = removal_costs(weights[None], rows.T @ rows / 200, [np.arange(1)], least=0.0)[0]

    def error(kept: list[int]) -> float:
        solution = np.linalg.lstsq(rows[:, kept], rows @ weights, rcond=None)[0]
        return float(np.square(rows[:, kept] @ solution - rows @ weights).mean())

    left, errors, order = list(range(12)), [0.0], []
    while len(left) > 1:
        after = {index: error([other for other in left if other != index]) for index in left}
        order.append(min(after, key=after.__getitem__))
        errors.append(after[order[-1]])
        left.remove(order[-1])
    added = np.diff(errors)
    assert (np.diff(added) < 0).any() == falls
    np.testing.assert_allclose(costs[order], np.maximum.accumulate(added), rtol=1e-3)
    assert (np.diff(costs[order]) > 0).all() and np.isinf(costs[left]).all()
    if not falls:
        assert costs[order].sum() == pytest.approx(error(left), rel=1e-3)


def test_costs_of_independent_inputs_are_their_squares():
    weights = np.random.default_rng(2).standard_normal((4, 10)).astype(np.float32)
    variances = np.linspace(0.5, 3, 10)
    costs = removal_costs(weights, np.diag(variances), [np.arange(4)], least=0.0)[0]
    expected = np.square(weights).sum(axis=0) * variances
    removed = np.isfinite(costs)
    np.testing.assert_allclose(costs[removed], expected[removed], rtol=1e-4)


def test_of_two_equal_inputs_one_is_free():
    rows = np.random.default_rng(3).standard_normal((300, 8)).astype(np.float32)
    rows[:, 5] = rows[:, 2]
    sums = Sums(8)
    sums.add(rows, rows)
    weights = np.full((1, 8), 2.0, np.float32)
    costs = removal_costs(weights, sums.moments(False).pruned, [np.arange(1)], least=0.0)[0]
    one, other = sorted(costs[[2, 5]])
    assert one < 0.05 < 1 < other


def test_a_group_stops_at_its_least():
    moments, weights = correlated(20), np.ones((8, 20), np.float32)
    costs = removal_costs(weights, moments.pruned, [np.arange(4), np.arange(4, 8)], least=0.3)
    assert (np.isinf(costs).sum(axis=1) == 6).all()


@pytest.mark.parametrize("density", [0.2, 0.5, 0.8])
def test_cut_meets_the_density_and_keeps_every_input(density):
    costs = np.random.default_rng(4).random((16, 30))
    costs[:, 7] = 0  # the cheapest of all
    groups = np.split(np.random.default_rng(5).permutation(62), range(4, 62, 4))
    mask = cut(costs, groups, density)
    assert mask.mean() == pytest.approx(density, abs=4 / mask.size)
    assert mask.any(axis=0).all()
    assert all((mask[group] == mask[group[0]]).all() for group in groups)


def test_filters_of_equal_masks_are_grouped():
    rows = np.eye(3, dtype=bool)[np.random.default_rng(8).permutation([0] * 10 + [1] * 4 + [2])]
    groups = _groups(rows, 4)
    assert sorted(map(len, groups)) == [1, 2, 4, 4, 4]
    assert sorted(np.concatenate(groups)) == list(range(15))
    assert all((rows[group] == rows[group[0]]).all() for group in groups)


def test_too_few_groups_give_inputs_up():
    costs = np.array([[1.0, 2.0, 3.0, np.inf]])
    np.testing.assert_array_equal(cut(costs, [np.arange(4)], 0.5), np.repeat([[False, False, True, True]], 4, axis=0))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_loses_less_than_the_rank(seed):
    moments = correlated(48, seed)
    weights = np.random.default_rng(seed).standard_normal((32, 1, 1, 48)).astype(np.float32)
    flat = weights.reshape(32, 48)
    ordered = choose_in_order(weights, moments, 0.5, OPTIONS)
    ranked = rank_mask(removal_error(flat, moments).reshape(weights.shape), 0.5, OPTIONS)
    assert ordered.mean() == pytest.approx(0.5, abs=4 / ordered.size)
    assert len(np.unique(ordered, axis=0)) <= 8  # groups of 4 share a mask
    assert ordered.any(axis=0).all() and ordered.any(axis=1).all()
    ordered_error, ranked_error = (
        sum(added_error(flat[[i]], moments, mask[[i]]) for i in range(32)) for mask in (ordered, ranked)
    )
    assert ordered_error < 0.95 * ranked_error


@pytest.mark.parametrize(
    ("shape", "options"), [((8, 3, 3, 4), OPTIONS), ((8, 1, 1, 12), replace(OPTIONS, balance=True))]
)
def test_patterns_and_equal_work_go_by_rank(shape, options):
    size = int(np.prod(shape[1:]))
    weights, moments = np.random.default_rng(6).standard_normal(shape).astype(np.float32), correlated(size)
    expected = rank_mask(removal_error(weights.reshape(8, -1), moments).reshape(shape), 0.4, options)
    np.testing.assert_array_equal(choose_in_order(weights, moments, 0.4, options), expected)


def test_patterns_of_any_size_without_training():
    keras.utils.set_random_seed(1)
    stack = [keras.layers.Conv2D(16, 3, name="conv"), keras.layers.Conv2D(16, 1, name="point"), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((6, 6, 8)), *stack, keras.layers.Dense(2)])
    images = np.random.default_rng(9).standard_normal((40, 6, 6, 8)).astype(np.float32)
    sizes = {}
    for pattern_size in ("auto", "any"):
        pruned = prune_post_training(model, images, TARGET, 0.3, pattern_size=pattern_size, num_patterns=32)
        conv, point = (pruned.get_layer(name).get_weights()[0] != 0 for name in ("conv", "point"))
        assert [conv.mean(), point.mean()] == pytest.approx([0.3, 0.3], abs=0.02)
        sizes[pattern_size] = set(np.unique(conv.sum(axis=(0, 1)))) - {0}
    assert len(sizes["auto"]) == 1 < len(sizes["any"])
