"""The search for filter groups: never worse, finds what was hidden, and changes nothing but the groups."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpruner.converter.mask.mask import choose_mask
from mcpruner.converter.mask.permute import search_groups
from mcpruner.converter.training.prune import prune

ONE = np.ones((1, 1), bool)


def hidden_groups(groups: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """1x1 saliency [O, 1, I] of filters that come in groups of equal support, shuffled; each filter's group."""
    rng = np.random.default_rng(seed)
    support = rng.permutation(np.repeat(np.eye(groups, dtype=np.float32), 3, axis=1).T).T
    owner = rng.permutation(np.repeat(np.arange(groups), size))
    return support[owner][:, None, :], owner


@given(
    shape=st.tuples(st.integers(1, 24), st.sampled_from([1, 3]), st.integers(1, 12)),
    density=st.floats(0.05, 0.4),
    group_size=st.sampled_from([2, 4]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_a_search_never_keeps_less(shape: tuple, density: float, group_size: int, seed: int) -> None:
    filters, width, channels = shape
    saliency = np.random.default_rng(seed).random((filters, width, width, channels), np.float32) ** 3
    size = 1 if width == 1 else 4
    greedy, searched = (choose_mask(saliency, density, group_size, size, 8, search=s) for s in (False, True))
    assert abs(int(searched.sum()) - int(greedy.sum())) <= size * group_size  # an incomplete group may count or not
    assert saliency[searched].sum() >= saliency[greedy].sum() * (1 - 1e-5)


@given(filters=st.integers(1, 30), group_size=st.sampled_from([2, 4]), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_result_is_a_permutation(filters: int, group_size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    saliency = rng.random((filters, 1, 6), np.float32)
    start = rng.permutation(filters)
    found = search_groups(saliency, start, ONE, group_size, np.array([0.5 * group_size]))
    assert sorted(found) == list(range(filters))
    full = filters // group_size * group_size
    assert (found[full:] == start[full:]).all()


@pytest.mark.parametrize("seed", range(5))
def test_groups_that_were_spoilt_are_found_again(seed: int) -> None:
    saliency, owner = hidden_groups(groups=6, size=4, seed=seed)
    start = np.argsort(owner, kind="stable")
    start[[1, 6, 11, 16]] = start[[6, 1, 16, 11]]
    found = search_groups(saliency, start, ONE, 4, level=np.array([1.5]))
    assert all(len(set(owner[group])) == 1 for group in found.reshape(-1, 4))


def test_one_group_has_nothing_to_exchange() -> None:
    start = np.array([2, 0, 1, 3])
    assert (search_groups(np.ones((4, 1, 3), np.float32), start, ONE, 4, np.array([0.5])) is start) is True


def test_prune_searches_and_says_the_same_of_kept_weights() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 8)), keras.layers.Conv2D(16, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    dense = model.layers[0].get_weights()[0]
    greedy, searched = (prune(model, density=0.2, search=s).layers[0].get_weights()[0] for s in (False, True))
    assert np.count_nonzero(searched) == np.count_nonzero(greedy)
    assert (searched[searched != 0] == dense[searched != 0]).all()
    assert np.square(searched).sum() > np.square(greedy).sum()
