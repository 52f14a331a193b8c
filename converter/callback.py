"""Pruning within Keras' ``model.fit``: a callback around `Pruner`."""

import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import keras

from mcpruner.converter.distill import Distiller
from mcpruner.converter.pruner import Pruner
from mcpruner.converter.schedule import PolynomialSchedule
from mcpruner.converter.scope import Share
from mcpruner.converter.target import Target


class PruningCallback(keras.callbacks.Callback):
    """Prune a model, or the student of one that `prune_with_teacher` made, while ``fit`` trains it.

    Masks are chosen again every `frequency` steps from `begin_step` to `end_step` while the density falls along a
    polynomial; then they are fixed. Give the network steps after `end_step` to recover. A later ``fit`` with the same
    callback goes on where the last one ended; one with ``initial_epoch`` or `keras.callbacks.BackupAndRestore` (listed
    after this callback) goes on from that epoch.

    Parameters
    ----------
    target, density, sparsity, pattern_size, num_patterns, scope, balance, search
        As for `mcpruner.prune`; the densities are those at `end_step`.
    begin_step, end_step, frequency, power, initial_density
        Schedule, in optimizer steps (batches). `end_step` None: half of the steps of the first ``fit``.

    Raises
    ------
    ValueError
        When ``fit`` begins: as `mcpruner.prune` does, or `end_step` is None and the number of steps is unknown.

    Examples
    --------
    >>> history = model.fit(x, y, epochs=20, callbacks=[mcpruner.PruningCallback("hikey970-cpu", density=0.178)])
    >>> mcpruner.plot_history(history, "pruning.png")
    >>> model = mcpruner.strip(model)
    """

    def __init__(
        self,
        target: str | Target = "generic",
        density: Share | None = None,
        begin_step: int = 0,
        end_step: int | None = None,
        frequency: int = 100,
        power: float = 3.0,
        initial_density: float = 1.0,
        sparsity: Share | None = None,
        pattern_size: int | Literal["auto", "any"] = "auto",
        num_patterns: int = 8,
        scope: str | Iterable[str] | None = None,
        balance: bool = False,
        search: bool = False,
    ) -> None:
        super().__init__()
        self._schedule = {
            "begin_step": begin_step,
            "end_step": end_step,
            "frequency": frequency,
            "power": power,
            "initial_density": initial_density,
        }
        self._options = {
            "target": target,
            "density": density,
            "sparsity": sparsity,
            "pattern_size": pattern_size,
            "num_patterns": num_patterns,
            "scope": scope,
            "balance": balance,
            "search": search,
        }
        self.pruner: Pruner | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make the `Pruner`, which may choose masks at once; a later ``fit`` goes on with it."""
        pruned = self.model.student if isinstance(self.model, Distiller) else self.model
        if self.pruner is None:
            schedule = dict(self._schedule)
            if schedule["end_step"] is None:
                schedule["end_step"] = self._half_of_fit()
            with _variable_scope(self.model):
                self.pruner = Pruner(pruned, PolynomialSchedule(**schedule), **self._options)
            _trace_again(self.model, pruned)
        elif self.pruner.model is not pruned:
            raise ValueError("This PruningCallback has pruned another model: make one callback for each model.")
        self._first_step = self.pruner.step_count

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take up the schedule where an earlier run's checkpoint left it."""
        self._last_batch = -1
        if self._first_step == self.pruner.step_count and epoch > 0:
            if not self.params.get("steps"):
                raise ValueError(f"Pruning cannot go on from epoch {epoch}: the number of steps per epoch is unknown.")
            self.pruner.step_count = self._first_step + epoch * self.params["steps"]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Follow the optimizer steps since the last call (several with ``steps_per_execution``)."""
        count, self._last_batch = batch - self._last_batch, batch
        if self.pruner.is_due(count):
            _ = self.model  # Keras brings the state of JAX's compiled step back into the model's variables
        self.pruner.step(count)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put ``density``, the share of prunable weights kept, into the logs: progress bars and the history show it."""
        if logs is not None:
            logs["density"] = self.pruner.density

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave exact zeros; warn if the schedule is not at its end."""
        self.pruner.finish()
        if not self.pruner.frozen:
            warnings.warn(
                f"Training ended after step {self.pruner.step_count}, before the pruning schedule's end: the model is "
                "not at its density yet. Train on with the same callback, or give a smaller end_step.",
                stacklevel=2,
            )

    def _half_of_fit(self) -> int:
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        if not steps:
            raise ValueError("The number of steps per epoch is unknown: give PruningCallback an end_step.")
        return max(self._schedule["begin_step"] + 1, epochs * steps // 2)


def _variable_scope(model: keras.Model) -> AbstractContextManager:
    """Where variables must be made to be mirrored by the model's tf.distribute strategy, if it has one."""
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()


def _trace_again(model: keras.Model, pruned: keras.Model) -> None:
    """Forget compiled steps that saw the layers without masks."""
    for each in (model, pruned):
        each.test_function = each.predict_function = None
    model.make_train_function(force=True)
