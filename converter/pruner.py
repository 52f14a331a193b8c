"""Pruning while a model trains: masks that follow a schedule, without touching the training loop's own steps.

The layers' own kernels stay masked, so the forward pass and its gradients see the pruned network. Beside them stands a
dense *shadow* of each kernel, from which masks are chosen, so that a weight can come back while the schedule runs:

    optimizer step:   kernel (zeros where pruned)  ──>  kernel + update       (the update is dense: gradients are)
    Pruner.step():    shadow = update added where pruned, the kernel where kept
                      every `frequency` steps: mask = choose(shadow)
                      kernel = shadow where kept, 0 where pruned

A pruned weight thus moves by what the gradient at the masked network says, which is the straight-through estimator.
After the schedule's last step masks are fixed and shadows are dropped.
"""

from collections.abc import Iterable
from typing import Any, Literal

import keras
import numpy as np

from mcpruner.converter.prunable import find_layers
from mcpruner.converter.prune import MaskOptions, check_finite, check_pattern_size, select_layers
from mcpruner.converter.schedule import PolynomialSchedule
from mcpruner.converter.scope import Share
from mcpruner.converter.target import Target, get_target


class Pruner:
    """Drives the masks of one model. Call `step` after each optimizer step, `finish` when training ends.

    Parameters
    ----------
    model
        Built Keras 3 model; its kernels are changed in place.
    schedule
        When masks are chosen, and the density on the way.
    target, density, sparsity, pattern_size, num_patterns, scope, balance
        As for `mcpruner.prune`; the densities are those at the schedule's end.

    Attributes
    ----------
    model : keras.Model
        The model that is pruned.
    step_count : int
        Optimizer steps seen.
    masks : dict of str to numpy.ndarray
        Layer path to bool mask in the kernel's own shape; empty before the schedule begins.

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
        pattern_size: int | Literal["auto"] = "auto",
        num_patterns: int = 8,
        scope: str | Iterable[str] | None = None,
        balance: bool = False,
    ) -> None:
        self.model = model
        self._options = MaskOptions.of(get_target(target), pattern_size, num_patterns, balance)
        self.densities = select_layers(model, density, sparsity, scope)
        if pattern_size != "auto":
            check_pattern_size(model, self.densities, self._options.pattern_size)
        check_finite(model)
        layers, _ = find_layers(model)
        self._kernels = {path: layers[path].kernel for path in self.densities}
        self._schedule = schedule
        self._shadows: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}  # the masks as tensors of the backend
        self.masks: dict[str, np.ndarray] = {}
        self.step_count = 0
        if schedule.is_due(0):
            self._choose()

    @property
    def frozen(self) -> bool:
        """Whether the schedule is over."""
        return self.step_count >= self._schedule.end_step

    def step(self) -> None:
        """Follow one optimizer step: update shadows, choose masks where due, mask the kernels."""
        self.step_count += 1
        if self._shadows:
            self._follow()
        if self._schedule.is_due(self.step_count):
            self._choose()
        else:
            self.finish()
        if self.frozen:
            self._shadows = {}

    def finish(self) -> None:
        """Make pruned weights exactly zero again, whatever changed them (an optimizer's moving average does)."""
        for path, kept in self._kept.items():
            kernel = self._kernels[path]
            kernel.assign(keras.ops.where(kept, kernel, keras.ops.zeros_like(kernel)))

    def _follow(self) -> None:
        """Move shadows by what the optimizer did: a pruned weight of the kernel was 0, so it now is its update."""
        for path, kept in self._kept.items():
            kernel, shadow = self._kernels[path], self._shadows[path]
            self._shadows[path] = keras.ops.where(kept, kernel, shadow + kernel)

    def _choose(self) -> None:
        """Choose all masks from the shadows (the kernels, the first time) and mask the kernels."""
        for path, final in self.densities.items():
            kernel = self._kernels[path]
            if path not in self._shadows:  # a copy: convert_to_tensor would hand out the variable itself
                self._shadows[path] = keras.ops.convert_to_tensor(np.array(keras.ops.convert_to_numpy(kernel)))
            dense = self._shadows[path]
            density = self._schedule.density(self.step_count, final)
            self.masks[path] = self._options.choose(keras.ops.convert_to_numpy(dense), density)
            self._kept[path] = keras.ops.convert_to_tensor(self.masks[path])
            kernel.assign(keras.ops.where(self._kept[path], dense, keras.ops.zeros_like(dense)))
