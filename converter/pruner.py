"""Pruning while a model trains: masks that follow a schedule, without touching the training loop's own steps.

The layers to prune become masked layers (`masked`): their kernels stay dense as the optimizer sees them, and masked as
the network does, with straight-through gradients. So each optimizer step of any backend and any loop moves pruned
weights too, and `Pruner` has something to do only now and then:

    steps   0 ─────────── begin ────────────────────────── end ──────────────────────>
    masks   all kept       chosen again every `frequency`   fixed; pruned weights rest
                           steps from the dense kernels     and are exact zeros after `finish`

All state but the step number is in the model's weights (masks among them), so a checkpoint of them resumes exactly.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import keras
import numpy as np

from mcpruner.converter.masked import fold_mask, get_mask, mask_layer, masked_layers
from mcpruner.converter.prunable import find_layers
from mcpruner.converter.prune import MaskOptions, check_finite, check_pattern_size, select_layers
from mcpruner.converter.schedule import PolynomialSchedule
from mcpruner.converter.scope import Share
from mcpruner.converter.target import Target, get_target


class Pruner:
    """Drives the masks of one model. Call `step` after each optimizer step, `finish` when training ends.

    Make it before the first compiled step is traced: it exchanges the classes of the layers to prune for masked ones.

    Parameters
    ----------
    model
        Built Keras 3 model; pruned in place. `mcpruner.strip` makes a plain model of it.
    schedule
        When masks are chosen, and the density on the way.
    target, density, sparsity, pattern_size, num_patterns, scope, balance, search
        As for `mcpruner.prune`; the densities are those at the schedule's end.

    Attributes
    ----------
    model : keras.Model
        The model that is pruned.
    step_count : int
        Optimizer steps seen. Set it where a loop goes on from a checkpoint; masks come with the model's weights.
    densities : dict of str to float
        Layer path to density at the schedule's end.
    density
        Share of the prunable layers' weights that the masks keep now.

    Raises
    ------
    ValueError
        As `mcpruner.prune` does.
    """

    def __init__(
        self,
        model: keras.Model,
        schedule: PolynomialSchedule,
        target: str | Target = "generic",
        density: Share | None = None,
        sparsity: Share | None = None,
        pattern_size: int | Literal["auto", "any"] = "auto",
        num_patterns: int = 8,
        scope: str | Iterable[str] | None = None,
        balance: bool = False,
        search: bool = False,
    ) -> None:
        self.model = model
        self._options = MaskOptions.of(get_target(target), pattern_size, num_patterns, balance, search)
        self.densities = select_layers(model, density, sparsity, scope)
        check_pattern_size(model, self.densities, pattern_size)
        check_finite(model)
        layers, _ = find_layers(model)
        self._layers = {path: layers[path] for path in self.densities}
        self._schedule = schedule
        self.step_count = 0
        resumed = bool(masked_layers(model))
        for layer in self._layers.values():
            mask_layer(layer)
        self.density = _kept(self.masks.values())
        if schedule.is_due(0) and not resumed:
            self._choose()

    @property
    def frozen(self) -> bool:
        """Whether the schedule is over."""
        return self.step_count >= self._schedule.end_step

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """Layer path to bool mask in the kernel's own shape."""
        return {path: get_mask(layer) for path, layer in self._layers.items()}

    def is_due(self, count: int = 1) -> bool:
        """Whether `step` with this count will choose masks, and so read and write the model's weights."""
        return any(self._schedule.is_due(self.step_count + i) for i in range(1, count + 1))

    def step(self, count: int = 1) -> None:
        """Follow `count` optimizer steps; choose masks if they were due at one of them."""
        due = self.is_due(count)
        self.step_count += count
        if due:
            self._choose()

    def finish(self) -> None:
        """Write the masks' exact zeros into the kernels if the schedule is over; before, they still learn."""
        if self.frozen:
            for layer in self._layers.values():
                fold_mask(layer)

    def _choose(self) -> None:
        """Choose all masks from the dense kernels; let pruned weights rest once the schedule is over."""
        shadows = [keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(x.shadow)) for x in self._layers.values()]
        densities = [self._schedule.density(self.step_count, final) for final in self.densities.values()]
        with ThreadPoolExecutor() as pool:  # NumPy works without the interpreter's lock
            masks = list(pool.map(self._options.choose, shadows, densities))
        self.density = _kept(masks)
        for layer, mask in zip(self._layers.values(), masks, strict=True):
            layer.mask.assign(mask)
            layer.through.assign(0.0 if self.frozen else 1.0)


def _kept(masks: Iterable[np.ndarray]) -> float:
    """Share of ones; 1 without masks."""
    masks = list(masks)
    return sum(np.count_nonzero(mask) for mask in masks) / max(1, sum(mask.size for mask in masks)) if masks else 1.0
