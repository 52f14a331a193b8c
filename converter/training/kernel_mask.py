"""The mask of a Keras kernel: `mask` works on saliencies in TFLite's order, this is the way there and back.

kernel [H, W, I, O] ── OHWI ──> saliency, and groups: new ones, or those of the mask before
mask [H, W, I, O]   <── undone ── choose_aligned
"""

from dataclasses import replace
from typing import Protocol

import numpy as np

from mcpruner.converter.mask.conv_groups import choose_each
from mcpruner.converter.mask.mask import choose_aligned, magnitude_saliency, scaled_saliency
from mcpruner.converter.mask.reorder import filter_permutation, group_by_saliency
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.training.prunable import kernel_from_ohwi, kernel_to_ohwi


class MaskChooser(Protocol):
    """Who chooses the masks of a model that is pruned while it trains."""

    def __call__(
        self,
        options: PruningOptions,
        kernel: np.ndarray,
        density: float,
        final: float,
        before: np.ndarray | None,
        groups: int,
    ) -> np.ndarray:
        """Mask of a kernel, bool of its shape, on the way to the density `final`; see `choose_kernel_mask`."""


def choose_kernel_mask(
    options: PruningOptions,
    kernel: np.ndarray,
    density: float,
    final: float | None = None,
    before: np.ndarray | None = None,
    groups: int = 1,
    worth: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the mask of a Keras kernel.

    Parameters
    ----------
    options
        How masks look.
    kernel
        ``[H, W, I, O]``, or ``[I, O]`` of a Dense layer.
    density
        Share of the weights to keep, above 0 and at most 1; 1 keeps all.
    final
        The density that filters are grouped for, where this one is on the way to it.
    before
        A mask whose groups filters stay in; None: they are grouped anew.
    groups
        Groups of a grouped convolution. None of them has a part in a filter group of another.
    worth
        What weights are worth, at least 0, in the kernel's shape; None: their squares.

    Returns
    -------
    numpy.ndarray
        bool, in the kernel's shape.
    """

    def part(array: np.ndarray | None, number: int) -> np.ndarray | None:
        return None if array is None else np.split(array, groups, axis=-1)[number]

    def choose(number: int, share: float) -> np.ndarray:
        return _choose(options, part(kernel, number), share, final, part(before, number), part(worth, number))

    return np.concatenate(choose_each([kernel.size // groups] * groups, density, choose), axis=-1)


def _choose(
    options: PruningOptions,
    kernel: np.ndarray,
    density: float,
    final: float | None,
    before: np.ndarray | None,
    worth: np.ndarray | None,
) -> np.ndarray:
    """`choose_kernel_mask` for a layer without groups, or for one group."""
    if density == 1.0:
        return np.ones(kernel.shape, bool)
    saliency = magnitude_saliency(kernel_to_ohwi(kernel)) if worth is None else scaled_saliency(kernel_to_ohwi(worth))
    if before is None:
        groups = group_by_saliency(saliency, options.group_size, density if final is None else final)
    else:
        options = replace(options, search=False)  # A search would leave the groups.
        groups = filter_permutation(np.ascontiguousarray(before.reshape(-1, before.shape[-1]).T), options.group_size)
    return kernel_from_ohwi(choose_aligned(saliency, density, options, groups), kernel.ndim)
