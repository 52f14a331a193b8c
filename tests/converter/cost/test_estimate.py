"""The counts behind the choice of group_size are exact, and the choice is the one that loses nothing where it can."""

from __future__ import annotations

import numpy as np
import pytest

from mcpruner.converter.cost import estimate
from mcpruner.converter.cost.cost_model import Counts, Geometry, load_costs
from mcpruner.converter.cost.estimate import GROUP_SIZES, choose, count, phase_bits, predict_speedup
from mcpruner.converter.format.costs_generated import MOST_DENSITY
from mcpruner.converter.target import TARGETS, get_target

GENERIC = get_target("generic")


def aligned_weights(filters: int, channels: int, group_size: int, density: float, kernel: int = 3) -> np.ndarray:
    """Filters of a group share their mask: 4-of-9 patterns of which a share is kept; the filters are shuffled."""
    rng = np.random.default_rng(4)
    groups = filters // group_size
    library = np.array([[1, 1, 0, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 1, 1]], bool)
    mask = library[rng.integers(len(library), size=(groups, channels))]
    mask &= (rng.random((groups, channels)) < density * 9 / 4)[..., None]
    mask = mask.transpose(0, 2, 1).reshape(groups, kernel, kernel, channels)
    mask = np.repeat(mask, group_size, axis=0)[rng.permutation(filters)]
    return (rng.uniform(0.5, 1, mask.shape) * mask).astype(np.float32)


def unstructured_weights(shape: tuple[int, ...], density: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    return (rng.uniform(0.5, 1, shape) * (rng.random(shape) < density)).astype(np.float32)


@pytest.mark.parametrize("group_size", GROUP_SIZES)
@pytest.mark.parametrize("shape", [(10, 3, 3, 5), (16, 1, 1, 7), (3, 5, 7, 2), (4, 8, 8, 3)])
def test_counts_equal_a_plain_loop(shape: tuple[int, ...], group_size: int) -> None:
    mask = unstructured_weights(shape, 0.2) != 0
    permutation = np.random.default_rng(6).permutation(shape[0]).astype(np.uint16)
    values = kernels = runs = 0
    patterns = set()
    for begin in range(0, shape[0], group_size):
        found = set()
        for channel in range(shape[3]):
            pattern = mask[permutation[begin : begin + group_size], :, :, channel].any(axis=0)
            if pattern.any():
                values += int(pattern.sum()) * group_size
                kernels += 1
                found.add(pattern.tobytes())
        runs += len(found)
        patterns |= found
    assert count(mask, permutation, group_size) == Counts(values, kernels, runs, len(patterns))


def test_kernels_of_transposed_convolutions_are_those_of_their_phases() -> None:
    """At stride 2 the corners of a 3x3 kernel are one phase, its middle another."""
    mask = np.zeros((4, 3, 3, 2), bool)
    mask[:, ::2, ::2, 0] = mask[:, 1, 1, 0] = mask[:, 0, 1, 1] = True
    assert phase_bits((3, 3), 2) == [0b101000101, 0b010000010, 0b000101000, 0b000010000]
    counts = count(mask, np.arange(4), 4, phases=2)
    assert (counts.values, counts.kernels) == (4 * 6, 3)
    assert count(mask, np.arange(4), 4).kernels == 2


def test_no_filter_group_reaches_over_two_phases() -> None:
    weights = aligned_weights(32, 64, 4, 0.1)
    for filters, group_size in ((32, 4), (30, 2)):
        choice = choose(weights[:filters], GENERIC, Geometry("TransposeConv2D", 28, 28, 2))
        assert choice.group_size == group_size and choice.predicted_speedup > 1


def test_no_filter_group_reaches_over_two_groups_of_a_convolution() -> None:
    """Filters that agree across the groups are not put together; six of a group are in groups of two."""
    half = aligned_weights(32, 16, 4, 0.178)
    for filters, group_size in ((32, 4), (30, 2)):
        weights = np.concatenate([half[:filters], half[:filters]])
        choice = choose(weights, GENERIC, Geometry(height=28, width=28, groups=2))
        assert choice.group_size == group_size and choice.predicted_speedup > 1
        assert set(choice.permutation[:filters]) == set(range(filters))
        assert sorted(choice.permutation) == list(range(2 * filters))
    assert choose(np.ones_like(half), GENERIC, Geometry(groups=2)).predicted_speedup <= 1


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("group_size", [4, 8])
def test_masks_of_our_pruner_are_packed_without_fill_in(target: str, group_size: int) -> None:
    weights = aligned_weights(64, 32, group_size, 0.178)
    choice = choose(weights, get_target(target), Geometry(height=28, width=28))
    assert choice.group_size >= 4
    assert count(weights != 0, choice.permutation, choice.group_size).values == np.count_nonzero(weights)
    assert sorted(choice.permutation) == list(range(64))
    assert choice.predicted_speedup > 2


def test_unstructured_zeros_get_small_groups() -> None:
    choice = choose(unstructured_weights((64, 3, 3, 64), 0.05), GENERIC)
    assert choice.group_size <= 2
    assert 1 < choice.predicted_speedup < 20


@pytest.mark.parametrize("density", [0.7, 0.9, 1.0])
def test_nearly_dense_layers_are_not_worth_it(density: float) -> None:
    assert choose(unstructured_weights((32, 3, 3, 32), density), GENERIC).predicted_speedup <= 1


@pytest.mark.parametrize(("positions", "density"), [(5, 5 / 9), (6, 6 / 9), (8, 8 / 9)])
def test_layers_that_keep_too_much_are_not_packed_whatever_is_predicted(positions: int, density: float) -> None:
    geometry, target = Geometry(height=28, width=28), get_target("x86-64")
    weights = np.ones((64, 9, 64), np.float32)
    weights[:, positions:] = 0
    weights = weights.reshape(64, 3, 3, 64)
    counts = count(weights != 0, np.arange(64), 4)
    assert predict_speedup(counts, weights.shape, 4, load_costs(target.costs), geometry) > 1.2
    assert np.count_nonzero(weights) / weights.size == pytest.approx(density)
    assert (choose(weights, target, geometry).predicted_speedup > 1) == (density < MOST_DENSITY)


@pytest.mark.parametrize("geometry", [Geometry(), Geometry(height=0, width=0), Geometry("FullyConnected", 0, 1)])
def test_an_empty_layer_is_finite(geometry: Geometry) -> None:
    choice = choose(np.zeros((8, 3, 3, 4), np.float32), GENERIC, geometry)
    assert 1 < choice.predicted_speedup < np.inf


def test_dense_layers_prefer_groups_that_fill_a_vector() -> None:
    mask = np.repeat(np.random.default_rng(7).random((16, 1, 1, 256)) < 0.2, 8, axis=0)
    choice = choose(mask.astype(np.float32), get_target("x86-64"), Geometry("FullyConnected", 1, 1))
    assert choice.group_size == 8 and choice.predicted_speedup > 2


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_narrow_images_gain_less(target: str) -> None:
    """A row of 9 pixels fills 9 lanes of 12; XNNPACK knows no rows."""
    weights, hardware = aligned_weights(64, 64, 4, 0.178), get_target(target)
    narrow, wide = (choose(weights, hardware, Geometry(height=n, width=n)).predicted_speedup for n in (9, 16))
    assert narrow < 0.9 * wide


def test_more_work_is_never_predicted_faster() -> None:
    base = Counts(1000, 100, 20, 8)
    shape, geometry, costs = (16, 3, 3, 32), Geometry(), load_costs(GENERIC.costs)
    fastest = predict_speedup(base, shape, 4, costs, geometry)
    for more in (Counts(1100, 100, 20, 8), Counts(1000, 110, 20, 8)):
        assert predict_speedup(more, shape, 4, costs, geometry) < fastest


def test_a_denser_layer_is_never_predicted_faster() -> None:
    """The same random numbers, cut at another density: its zeros are a superset.

    What is not worth packing says so by any number up to 1: a bound, where no group size needed to be tried.
    """
    for kind in ("Conv2D", "FullyConnected"):
        shape = (64, 3, 3, 32) if kind == "Conv2D" else (64, 1, 1, 512)
        speedups = [
            choose(unstructured_weights(shape, density), GENERIC, Geometry(kind)).predicted_speedup
            for density in (0.05, 0.1, 0.2, 0.4, 0.8)
        ]
        worth_it = [max(1.0, speedup) for speedup in speedups]
        assert worth_it == sorted(worth_it, reverse=True) and worth_it[0] > 1


def test_layers_with_more_patterns_than_the_format_holds_stay_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = unstructured_weights((64, 3, 3, 16), 0.2)
    free = choose(weights, GENERIC)
    patterns = count(weights != 0, free.permutation, free.group_size).patterns
    monkeypatch.setattr(estimate, "MAX_PATTERNS", patterns - 1)
    bound = choose(weights, GENERIC)
    assert bound.group_size != free.group_size and bound.predicted_speedup < free.predicted_speedup
    monkeypatch.setattr(estimate, "MAX_PATTERNS", 0)
    assert choose(weights, GENERIC).predicted_speedup == 0
