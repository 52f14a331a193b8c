"""Patterns of any size: the budget is met, everything stays alive, and no pattern size keeps more."""

from __future__ import annotations

import numpy as np
import pytest

from mcpruner.converter.mask.any_pattern import assign_priced, choose_priced
from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency

RNG = np.random.default_rng(3)


def _layer(filters: int = 32, channels: int = 24, size: int = 3) -> np.ndarray:
    """Saliency of weights of which some kernels have one large position and others nine alike."""
    weights = RNG.standard_normal((filters, size, size, channels)) * RNG.gamma(1.0, size=(1, size, size, channels))
    return magnitude_saliency(weights.astype(np.float32))


def _kept(saliency: np.ndarray, density: float, size: int | None, patterns: int) -> float:
    mask = choose_mask(saliency, density, 4, size, patterns)
    assert mask.mean() == pytest.approx(density, abs=0.01)
    return float(saliency[mask].sum() / saliency.sum())


@pytest.mark.parametrize("density", [0.0625, 0.125, 0.25])
def test_keeps_more_than_any_one_size(density: float) -> None:
    saliency = _layer()
    assert _kept(saliency, density, None, 32) > max(_kept(saliency, density, size, 32) for size in (3, 4))


@pytest.mark.parametrize("shape", [(32, 24, 1), (30, 24, 3), (32, 8, 5), (16, 6, 7)])
@pytest.mark.parametrize("density", [0.2, 0.5, 0.95, 1.0])
def test_groups_share_patterns_and_nothing_dies(shape: tuple[int, int, int], density: float) -> None:
    saliency = _layer(*shape)
    mask = choose_mask(saliency, density, 4, None, 32, search=True)
    assert mask.mean() == pytest.approx(density, abs=0.02)
    assert mask.any(axis=(1, 2, 3)).all() and mask.any(axis=(0, 1, 2)).all()
    groups = np.unique(mask.reshape(len(mask), -1), axis=0, return_counts=True)[1]
    assert (groups % 4).sum() in (0, len(mask) % 4)
    kernels = mask.transpose(0, 3, 1, 2).reshape(-1, mask.shape[1] * mask.shape[2])
    assert len(np.unique(kernels[kernels.any(axis=1)], axis=0)) <= 32


def test_the_price_buys_the_budget() -> None:
    kernels, sizes = RNG.random((200, 9)), np.full(200, 4)
    priced = choose_priced(kernels.astype(np.float32), sizes, 0.3, 16)
    chosen, kept = assign_priced(kernels, sizes, priced)
    counts = priced.library[chosen].sum(axis=1)
    bought = (kept > priced.price * 4 * counts) * counts
    assert bought.sum() / kernels.size == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(kept, (kernels * priced.library[chosen]).sum(axis=1))


def test_weights_of_zero_reach_the_density() -> None:
    assert choose_mask(np.zeros((8, 3, 3, 8), np.float32), 0.5, 4, None, 8).mean() == pytest.approx(0.5, abs=0.06)
