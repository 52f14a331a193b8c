"""Masks of Keras kernels: ranks, groups that stay, other saliencies, and another chooser in `Pruner`."""

from unittest import mock

import keras
import numpy as np
import pytest
from small_cnn import small_cnn

from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.training import kernel_mask
from mcpruner.converter.training.callback import PruningCallback
from mcpruner.converter.training.kernel_mask import choose_kernel_mask
from mcpruner.converter.training.prunable import kernel_from_ohwi, kernel_to_ohwi
from mcpruner.converter.training.pruner import Pruner
from mcpruner.converter.training.schedule import PolynomialSchedule

OPTIONS = PruningOptions(density=1.0)
KERNEL = np.random.default_rng(0).standard_normal((3, 3, 8, 16)).astype(np.float32)


@pytest.mark.parametrize("kernel", [KERNEL, KERNEL[0, 0]])
def test_the_mask_has_the_kernels_shape_and_is_the_one_of_ohwi(kernel: np.ndarray) -> None:
    size = 4 if kernel.ndim == 4 else 1
    expected = choose_mask(magnitude_saliency(kernel_to_ohwi(kernel)), 0.25, 4, size, 8)
    np.testing.assert_array_equal(choose_kernel_mask(OPTIONS, kernel, 0.25), kernel_from_ohwi(expected, kernel.ndim))


def test_density_one_keeps_all() -> None:
    assert choose_kernel_mask(OPTIONS, np.zeros((2, 3), np.float32), 1.0).all()


def test_what_weights_are_worth_takes_the_place_of_their_squares() -> None:
    worth = np.square(KERNEL)[::-1]
    found = choose_kernel_mask(OPTIONS, KERNEL, 0.25, worth=worth * 7)
    np.testing.assert_array_equal(found, choose_kernel_mask(OPTIONS, KERNEL[::-1], 0.25))


def test_filters_stay_in_the_groups_of_the_mask_before() -> None:
    """Filters of equal masks share a group, whatever the kernel would like better now."""
    before = choose_kernel_mask(OPTIONS, KERNEL, 0.25)
    other = np.random.default_rng(1).standard_normal(KERNEL.shape).astype(np.float32)
    after = choose_kernel_mask(OPTIONS, other, 0.2, final=0.1, before=before)
    _, old = np.unique(before.reshape(-1, 16), axis=1, return_inverse=True)
    _, new = np.unique(after.reshape(-1, 16), axis=1, return_inverse=True)
    assert len(set(old)) == 4 and len(set(zip(old, new, strict=True))) == 4
    np.testing.assert_array_equal(
        choose_kernel_mask(PruningOptions(density=1.0, search=True), other, 0.2, before=before), after
    )


def test_a_pruner_takes_another_chooser() -> None:
    """It is asked at each choice, with the mask before where groups are to stay."""
    asked = []

    def every_other(
        options: PruningOptions,
        kernel: np.ndarray,
        density: float,
        final: float,
        before: np.ndarray | None,
        groups: int,
    ) -> np.ndarray:
        asked.append((options.density, density, final, before is None, groups))
        return np.arange(kernel.size).reshape(kernel.shape) % 2 == 0

    schedule = PolynomialSchedule(0, 4, 2, initial_density=0.75)
    pruner = Pruner(small_cnn(), schedule, density=0.5, scope="point", choose=every_other)
    pruner.step(4)
    assert asked == [(0.5, 0.75, 0.5, True, 1), (0.5, 0.5, 0.5, False, 1)]
    assert pruner.density == 0.5
    assert (pruner.masks["point"].ravel() == [True, False] * 48).all()


def test_a_model_that_is_at_its_densities_is_not_asked_for_masks_again() -> None:
    """When training goes on after the schedule's end; masks of large layers take seconds."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((16, 6, 6, 16), np.float32), rng.integers(0, 3, 16)
    inner = [keras.layers.Conv2D(32, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((6, 6, 16)), *inner])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, 4, 2, verbose=0, callbacks=[PruningCallback(density=0.25, frequency=1)])
    with mock.patch.object(kernel_mask, "choose_aligned", side_effect=AssertionError("asked")):
        model.fit(x, y, 4, 1, verbose=0, callbacks=[PruningCallback(density=0.25, frequency=1)])
        Pruner(model, PolynomialSchedule(0, 2), density=0.25)
        with pytest.raises(AssertionError, match="asked"):
            Pruner(model, PolynomialSchedule(0, 2), density=0.5)
