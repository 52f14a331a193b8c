"""Pruning within Keras' ``model.fit``: a callback around `Pruner`."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from mcpruner.converter.options import PruningOptions, Share, takes_options
from mcpruner.converter.target import Target
from mcpruner.converter.training.arguments import check_steps
from mcpruner.converter.training.distill import Distiller
from mcpruner.converter.training.masked_layers import StepState
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import select_layers
from mcpruner.converter.training.pruner import Pruner, Removed, begin, check_removed, far_from
from mcpruner.converter.training.schedule import PolynomialSchedule

# The default schedule, from 12 % to 60 % of the steps, is that of the recipe that 170 trainings found
# (docs/pruning.md).
_END = 0.6  # Masks are fixed after this share of the steps of a `fit`.
_BEGIN = 5  # Masks are first chosen after one part in so many of the steps up to there.
_FREQUENCY = 100  # Where the steps of an epoch are not known, masks are chosen again after so many steps.


class PruningCallback(keras.callbacks.Callback):
    """Prune a model, or the student of one that `prune_with_teacher` made, while ``fit`` trains it.

    Masks are chosen again every `frequency` steps from `begin_step` to `end_step` while the density falls along a
    polynomial; then they are fixed. Give the network steps after `end_step` to recover. How many steps there were is
    kept in the model's weights: a later ``fit`` goes on where the weights are, with this callback or with a new one,
    after other training, an interruption, or in a new process from a checkpoint.

    Parameters
    ----------
    target, density, **knobs
        As for `mcpruner.prune`, but for a saliency; the densities are those at `end_step`.
    begin_step, end_step, frequency, power, initial_density
        Schedule, in optimizer steps (batches) since pruning began. `end_step` None: at 60 % of the steps of the first
        ``fit``, and again of one that asks for other densities than the model was pruned to; `begin_step` None: at a
        fifth of the way to `end_step`, so at 12 %; `frequency` None: half an epoch.
    removed
        As for `Pruner`: what moves pruned weights until `end_step`.

    Raises
    ------
    ValueError
        A knob, `removed` or the schedule is out of range. When ``fit`` begins: as `mcpruner.prune` does, or `end_step`
        is None and the number of steps is unknown.

    Examples
    --------
    >>> history = model.fit(x, y, epochs=20, callbacks=[mcpruner.PruningCallback("hikey970-cpu", density=0.178)])
    >>> mcpruner.plot_history(history, "pruning.png")
    >>> model = mcpruner.strip(model)
    """

    @takes_options(without=["saliency"])
    def __init__(
        self,
        target: str | Target = "generic",
        density: Share | None = None,
        begin_step: int | None = None,
        end_step: int | None = None,
        frequency: int | None = None,
        power: float = 3.0,
        initial_density: float = 1.0,
        *,
        removed: Removed = "decay",
        **knobs: Any,
    ) -> None:
        super().__init__()
        check_removed(removed)
        self._schedule = {
            "begin_step": begin_step,
            "end_step": end_step,
            "frequency": frequency,
            "power": power,
            "initial_density": initial_density,
        }
        _check_schedule(**self._schedule)
        self._options, self._removed = PruningOptions(target, density, **knobs), removed
        self.pruner: Pruner | None = None
        self._last_batch = -1
        self._first_epoch = 0  # The first `fit` begins at this epoch.
        # Until an epoch begins: how far the pruning had come when the schedule was made.
        self._found: StepState | None = None

    def set_model(self, model: keras.Model) -> None:
        """Mask the layers of a built model, so that checkpoints of its weights fit before anybody reads one."""
        super().set_model(model)
        if self.pruner is not None and self.pruner.model is not _student(model):
            raise ValueError("This PruningCallback has pruned another model: make one callback for each model.")
        if self.pruner is None and model.built:
            self._mask()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Make the `Pruner`, which may choose masks at once; a later ``fit`` goes on with it."""
        self._last_batch = -1
        if self.pruner is not None:
            self.pruner.optimizer = self.model.optimizer
            self.pruner.resume()
        elif self.model.built and self.params.get("epochs") != 0:  # Zero epochs have no schedule.
            self._begin()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on where the weights are, which another callback may have loaded."""
        self._last_batch = -1
        if self.pruner is None:
            self._first_epoch = epoch
        else:
            self._set_first_epoch(epoch)
            self.pruner.resume()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Follow the optimizer steps since the last call (several with ``steps_per_execution``)."""
        if self.pruner is None:  # The first batch has built the model.
            self._begin()
        self._found = None  # The schedule has begun.
        steps = self.params.get("steps")
        # Of an epoch's last execution Keras tells more steps than were left. `self.model` would fetch JAX's state.
        if steps and self._model.steps_per_execution > 1:
            batch = min(batch, steps - 1)
        count = batch - self._last_batch if batch >= self._last_batch else batch + 1
        self._last_batch = batch
        # A callback before this one may write a file of weights at the end of an epoch: the count must be in them.
        last = batch + 1 == steps
        if last or self.pruner.is_due(count):
            _ = self.model  # Keras brings the state of JAX's compiled step back into the model's variables
        self.pruner.follow(count)
        if last:
            self.pruner.store()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put ``density``, the share of prunable weights kept, into the logs: progress bars and the history show it."""
        if self.pruner is None:
            return
        self.pruner.store()
        if logs is not None:
            logs["density"] = self.pruner.density

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave exact zeros; warn if the schedule is not at its end."""
        if self.pruner is None:  # There was no batch.
            return
        self.pruner.read()  # `EarlyStopping` may have brought back weights of an earlier step
        self.pruner.finish()
        if not self.pruner.frozen:
            warnings.warn(
                f"Training ended after step {self.pruner.step_count}, before the pruning schedule's end: the model is "
                "not at its density yet. Train on with the same callback, or give a smaller end_step.",
                stacklevel=2,
            )

    def _mask(self) -> StepState:
        """Mask the layers, and forget compiled steps that saw them without masks."""
        pruned = _student(self.model)
        with _variable_scope(self.model):
            state = begin(pruned, select_layers(pruned, self._options), getattr(self.model, "optimizer", None))
        for each in (self.model, pruned):
            each.train_function = each.test_function = each.predict_function = None
        return state

    def _begin(self) -> None:
        self._found = self._mask()
        schedule = self._schedule_from(self._found)
        with _variable_scope(self.model):
            self.pruner = Pruner(
                _student(self.model),
                schedule,
                **self._options.given(),
                removed=self._removed,
                optimizer=self.model.optimizer,
            )
        self.model.make_train_function()

    def _set_first_epoch(self, epoch: int) -> None:
        """Make the schedule anew where the first `fit` begins at a later epoch, of which Keras tells only now."""
        found, self._found = self._found, None
        if found is not None and epoch > 0:
            self._first_epoch = epoch
            loaded = self.pruner.loaded()
            self.pruner.reschedule(self._schedule_from(found if loaded is None else loaded))

    def _schedule_from(self, state: StepState) -> PolynomialSchedule:
        return PolynomialSchedule(**self._schedule | self._steps(state))

    def _steps(self, state: StepState) -> dict[str, int]:
        """Where the schedule begins and ends, and how often masks are chosen, as far as the user did not say it."""
        begin_step, end_step, frequency = (self._schedule[name] for name in ("begin_step", "end_step", "frequency"))
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        start = 0
        if end_step is None and state.end > 0 and (state.count < state.end or not self._asks_for_more()):
            end_step = state.end
        elif end_step is None:
            if not steps:
                raise ValueError("The number of steps per epoch is unknown: give PruningCallback an end_step.")
            start = state.count
            end_step = start + max((begin_step or 0) + 1, round(_END * (epochs - self._first_epoch) * steps))
        begin_step = start + ((end_step - start) // _BEGIN if begin_step is None else begin_step)
        if frequency is None:
            frequency = max(1, steps // 2) if steps else _FREQUENCY
        return {"begin_step": begin_step, "end_step": end_step, "frequency": frequency}

    def _asks_for_more(self) -> bool:
        """Whether a model that was pruned to the end has other densities than these."""
        pruned = _student(self.model)
        return any(far_from(find_layers(pruned)[0], select_layers(pruned, self._options), self._options))


def _check_schedule(begin_step: Any, end_step: Any, frequency: Any, **others: Any) -> None:
    """Raise ValueError where no schedule has these arguments, whatever ``fit`` puts in the place of None."""
    for name, steps in (("begin_step", begin_step), ("end_step", end_step), ("frequency", frequency)):
        if steps is not None:
            check_steps(name, steps)
    begin_step = 0 if begin_step is None else begin_step
    end_step = begin_step + 1 if end_step is None else end_step
    PolynomialSchedule(begin_step, end_step, 1 if frequency is None else frequency, **others)


def _student(model: keras.Model) -> keras.Model:
    """The model that is pruned."""
    return model.student if isinstance(model, Distiller) else model


def _variable_scope(model: keras.Model) -> AbstractContextManager:
    """Where variables must be made to be mirrored by the model's tf.distribute strategy, if it has one."""
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()
