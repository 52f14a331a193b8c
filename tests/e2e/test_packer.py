"""The plugin packs, groups and chooses as the converter does: the same layers bit for bit, and the same decisions."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from packer import KINDS, choose, group_filters, packed_difference

from mcpruner.converter.cost import estimate
from mcpruner.converter.cost.cost_model import SHIPPED, Geometry, load_costs
from mcpruner.converter.format.grouped import expand_groups
from mcpruner.converter.format.pack import GROUP_SIZES, pack
from mcpruner.converter.format.serialize import serialize
from mcpruner.converter.mask.reorder import filter_permutation
from mcpruner.converter.target import get_target

TABLES = sorted(path.stem for path in SHIPPED.glob("*.json"))
ODD = np.array([-0.0, 0.0, 1e-45, -1e-45, 3e-39, np.finfo(np.float32).max, -1.5, 2.0**-126], np.float32)


def weights_of(rng: np.random.Generator, shape: tuple[int, ...], density: float) -> np.ndarray:
    """Random weights, of which some are as odd as finite numbers get."""
    weights = rng.standard_normal(shape).astype(np.float32)
    weights[rng.random(shape) < 0.1] = rng.choice(ODD)
    weights[rng.random(shape) >= density] = rng.choice(ODD[:2])
    return weights


def compare(weights: np.ndarray, permutation: np.ndarray, size: int, bias: np.ndarray | None, kind: str) -> None:
    blob = serialize(pack(weights, permutation, size, bias, kind))
    assert packed_difference(weights, bias, kind, permutation, size, blob) == ""


@pytest.mark.parametrize("size", GROUP_SIZES)
@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1, 1),
        (5, 3, 3, 7),
        (16, 1, 1, 64),
        (17, 1, 1, 65),
        (33, 3, 3, 63),
        (31, 8, 8, 3),
        (2, 1, 64, 129),
        (7, 64, 1, 2),
        (130, 5, 2, 128),
        (3, 1, 1, 4099),
        (1021, 1, 1, 2),
    ],
)
def test_random_layers(shape: tuple[int, ...], size: int) -> None:
    rng = np.random.default_rng(size)
    for number, density in enumerate((0.0, 0.02, 0.3, 0.9, 1.0)):
        weights = weights_of(rng, shape, density)
        bias = None if number % 2 else weights_of(rng, shape[:1], 0.5)
        kinds = KINDS if shape[1:3] == (1, 1) else KINDS[::2]
        for kind in kinds:
            compare(weights, rng.permutation(shape[0]), size, bias, kind)


def test_every_pattern_of_a_large_kernel() -> None:
    """Each kernel has a pattern of its own, of 64 positions, with the first and the last among them."""
    rng = np.random.default_rng(0)
    weights = weights_of(rng, (96, 8, 8, 77), 0.5)
    compare(weights, rng.permutation(96), 1, None, "Conv2D")
    weights[:] = 0
    weights[::5, 7, 7, 1::3], weights[1::5, 0, 0, ::4] = -1, 2
    for size in GROUP_SIZES:
        compare(weights, rng.permutation(96), size, None, "Conv2D")


@pytest.mark.parametrize("size", GROUP_SIZES)
def test_empty_groups_and_layers(size: int) -> None:
    rng = np.random.default_rng(1)
    weights = weights_of(rng, (53, 3, 3, 19), 0.4)
    weights[: 2 * size], weights[-1] = 0, -0.0
    compare(weights, np.arange(53), size, weights[:, 0, 0, 0].copy(), "Conv2D")
    compare(np.full_like(weights, -0.0), np.arange(53), size, None, "Conv2D")
    compare(np.full_like(weights, 1e-45), np.arange(53)[::-1], size, None, "Conv2D")


@pytest.mark.parametrize(("groups", "size"), [(3, 1), (3, 4), (2, 8), (7, 2)])
def test_grouped_convolutions(groups: int, size: int) -> None:
    """A filter group lies within one group of the convolution, as both sides choose it."""
    rng = np.random.default_rng(groups)
    weights = weights_of(rng, (groups * size * 3, 3, 3, 5), 0.3)
    permutation = estimate.group_permutation(weights != 0, size, groups)
    blob = serialize(pack(expand_groups(weights, groups), permutation, size))
    assert packed_difference(weights, None, "Conv2D", permutation, size, blob, groups) == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    weights = np.ones((5, 3, 3, 65), np.float32)
    blob = serialize(pack(weights, np.arange(5), 1))
    bias = np.array([0, 0, value, 0, 0], np.float32)
    assert packed_difference(weights, bias, "Conv2D", np.arange(5), 1, blob) == (
        "expected finite biases, got NaN or infinity; train or export the layer again"
    )
    for at in ((0, 0, 0, 0), (4, 2, 2, 64), (2, 1, 0, 63)):
        weights[:], weights[at] = 1, value
        message = "expected finite weights, got NaN or infinity; train or export the layer again"
        assert packed_difference(weights, None, "Conv2D", np.arange(5), 1, blob) == message
        with pytest.raises(ValueError, match="expected finite weights"):
            pack(weights, np.arange(5), 1)


def test_a_difference_is_found() -> None:
    """The sign of a stored zero counts, and that of a bias."""
    weights = np.array([[0, 1], [2, 0]], np.float32).reshape(2, 1, 1, 2)
    blob = serialize(pack(weights, np.arange(2), 2))
    assert packed_difference(weights, None, "Conv2D", np.arange(2), 2, blob) == ""
    assert packed_difference(weights, None, "Conv2D", np.arange(2)[::-1], 2, blob) == "values"
    assert packed_difference(weights, -np.zeros(2, np.float32), "Conv2D", np.arange(2), 2, blob) == "bias"
    weights[0, 0, 0, 0] = -0.0
    assert packed_difference(weights, None, "Conv2D", np.arange(2), 2, blob) == "values"
    assert packed_difference(weights, None, "FullyConnected", np.arange(2), 2, blob) == "kind or value_type"
    assert packed_difference(weights, None, "Conv2D", np.arange(2), 1, blob) == "group_size"


def aligned_mask(rng: np.random.Generator, shape: tuple[int, ...], size: int, density: float) -> np.ndarray:
    """A mask whose consecutive filters agree in groups of `size`; the last group may be incomplete."""
    groups = rng.random((-(-shape[0] // size), *shape[1:])) < density
    return np.repeat(groups, size, axis=0)[: shape[0]]


@pytest.mark.parametrize("size", GROUP_SIZES)
def test_aligned_masks_keep_the_files_order(size: int) -> None:
    rng = np.random.default_rng(size)
    for filters in (16, 67, 256):
        mask = aligned_mask(rng, (filters, 3, 3, 16), size, 0.2)
        assert np.array_equal(group_filters(mask, size), np.arange(filters))


@pytest.mark.parametrize("size", GROUP_SIZES[1:])
def test_groups_are_found_again_wherever_their_filters_stand(size: int) -> None:
    rng = np.random.default_rng(size)
    for filters in (16, 64, 257, 1024):
        mask = aligned_mask(rng, (filters, 3, 3, 16), size, 0.2)[rng.permutation(filters)]
        permutation = group_filters(mask, size)
        assert np.array_equal(permutation, filter_permutation(mask, size))
        whole = mask[permutation][: filters // size * size].reshape(-1, size, 144)
        assert np.array_equal(whole.any(axis=1), whole.all(axis=1))


def test_a_few_weights_that_are_zero_by_chance_change_no_group() -> None:
    rng = np.random.default_rng(0)
    mask = aligned_mask(rng, (512, 3, 3, 64), 4, 0.2)
    lost = mask & (rng.random(mask.shape) < 0.012)
    assert 500 < lost.sum() < 1000
    assert np.array_equal(
        group_filters(mask & ~lost, 4).reshape(-1, 4) // 4, np.repeat(np.arange(128), 4).reshape(-1, 4)
    )


def stored(mask: np.ndarray, permutation: np.ndarray, size: int) -> float:
    """Stored weights over non-zeros."""
    return estimate.count(mask, permutation, size).values / np.count_nonzero(mask)


@pytest.mark.parametrize("size", GROUP_SIZES[1:])
@pytest.mark.parametrize("density", [0.1, 0.2])
def test_scattered_zeros_are_grouped_as_well_as_by_the_converter(size: int, density: float) -> None:
    """Filters differ in their densities, and channels too, as magnitudes of trained layers do."""
    rng = np.random.default_rng(0)
    scale = np.exp(0.7 * rng.standard_normal((300, 1, 1, 1)) + 0.7 * rng.standard_normal((1, 1, 1, 96)))
    saliency = np.abs(rng.standard_normal((300, 3, 3, 96))) * scale
    mask = saliency > np.quantile(saliency, 1 - density)
    ours = stored(mask, group_filters(mask, size), size)
    assert ours <= 1.02 * stored(mask, filter_permutation(mask, size), size)
    assert ours < 0.97 * stored(mask, np.arange(300), size)


def masks(rng: np.random.Generator) -> list[np.ndarray]:
    """Masks of all kinds: aligned, scattered, 2:4 along input channels, dense, empty."""
    shapes = [(64, 3, 3, 32), (40, 1, 1, 96), (10, 1, 1, 640), (48, 5, 5, 6), (256, 1, 1, 64)]
    found = [aligned_mask(rng, shape, size, d) for shape in shapes for size in (1, 4, 16) for d in (0.05, 0.2, 0.5)]
    two_of_four = np.argsort(rng.random((64, 3, 3, 8, 4)), axis=-1) < 2
    full = np.ones((24, 3, 3, 8), bool)
    return [*found, two_of_four.reshape(64, 3, 3, 32), full, ~full]


def geometries(shape: tuple[int, ...]) -> list[Geometry]:
    """Small and large images, strides, rows, groups and phases that a layer of this shape may have."""
    found = [Geometry("Conv2D", 56, 56), Geometry("Conv2D", 7, 7, 2), Geometry("Conv2D", 1, 1)]
    found += [Geometry("Conv2D", 14, 13, 1, 2), Geometry("TransposeConv2D", 9, 11, 2)]
    if shape[1:3] == (1, 1):
        found += [
            Geometry("FullyConnected", 1, 1),
            Geometry("FullyConnected", 8, 1),
            Geometry("FullyConnected", 14, 14),
        ]
    return found


@pytest.mark.parametrize("table", TABLES)
def test_the_same_is_chosen_for_the_same_groupings(table: str) -> None:
    """The converter is given the plugin's groupings; group sizes and speed-ups are then the same."""
    rng = np.random.default_rng(0)
    costs, target = load_costs(table), get_target("generic")
    chosen = set()
    for mask in masks(rng):
        weights = np.where(mask, rng.standard_normal(mask.shape), 0).astype(np.float32)
        for geometry in geometries(mask.shape):
            ours = choose(weights, geometry, table)
            with mock.patch.object(estimate, "group_permutation", group_filters):
                theirs = estimate.choose(weights, target, geometry, costs)
            assert ours.predicted_speedup == pytest.approx(theirs.predicted_speedup, rel=1e-12)
            assert ours.group_size == theirs.group_size, (mask.shape, geometry)
            assert np.array_equal(ours.permutation, theirs.permutation), (mask.shape, geometry)
            chosen.add(ours.group_size)
    assert len(chosen) >= 3
