"""Pruning while a model trains: masks that follow a schedule, without touching the training loop's own steps.

The layers to prune become masked (`masked_layers`): their kernels stay dense as the optimizer sees them, and masked as
the network does, with straight-through gradients. So each optimizer step of any backend and any loop moves pruned
weights too, and `Pruner` has something to do only now and then:

    steps   0 ─────────── begin ────────────────────────── end ──────────────────────>
    masks   all kept       chosen again every `frequency`   fixed; pruned weights rest
                           steps from the dense kernels     and are exact zeros after `finish`
    groups                 found; again at 27 % of the way  those of the masks before

What moves a pruned weight until the end is `removed`: what the masked network says of it would alone let it drift, for
nobody sees its error, and it would come back at the wrong size; so it decays as well, or it rests from the beginning.

All state is in the variables of the masked layers, the number of steps among them, so a checkpoint of the model's
weights resumes exactly: in whatever way training goes on, a `Pruner` for the same model goes on where the weights are.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal, get_args

import keras
import numpy as np

from mcpruner.converter.options import PruningOptions, takes_options
from mcpruner.converter.training.arguments import check_steps
from mcpruner.converter.training.copying import forget_traces
from mcpruner.converter.training.keras_kernel import conv_groups, turned
from mcpruner.converter.training.kernel_mask import MaskChooser, choose_kernel_mask
from mcpruner.converter.training.masked_blocks import mark_blocks
from mcpruner.converter.training.masked_layers import (
    StepState,
    dense_kernel,
    fold_mask,
    get_mask,
    get_steps,
    mask_layer,
    set_mask,
    set_steps,
)
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import select_sound_layers
from mcpruner.converter.training.schedule import REMOVED_DECAY, PolynomialSchedule

# A mask that keeps as many weights as its density asks for, but for this share of them, has reached it. One that does
# not may be of too few kernels to come nearer: only then it takes a mask to compare it with.
_NEAR = 0.05

Removed = Literal["decay", "frozen", "straight_through"]


def check_removed(removed: Any) -> None:
    """Raise ValueError unless `removed` is one of `Removed`."""
    if removed not in get_args(Removed):
        raise ValueError(f"Expected removed as one of {', '.join(get_args(Removed))}, got {removed!r}.")


class Pruner:
    """Drives the masks of one model. Call `step` after each optimizer step, `finish` when training ends.

    Make it before the first compiled step is traced: it exchanges the classes of the layers to prune for masked ones.
    For a model that was pruned before it goes on from the step that the model's weights know of.

    Parameters
    ----------
    model
        Built Keras 3 model, which is pruned in place. `mcpruner.strip` makes a plain model of it.
    schedule
        When masks are chosen, and the density on the way.
    **knobs
        As for `mcpruner.prune`, but for a saliency; the densities are those at the schedule's end.
    removed
        What moves pruned weights until the schedule's end: "decay", the straight-through gradient and a decay of
        `REMOVED_DECAY` (a loss of the layers: a loop of one's own adds ``sum(model.losses)`` to its loss); "frozen",
        nothing but the optimizer's own weight decay; "straight_through", that gradient alone.
    optimizer
        The optimizer whose steps are counted where `step` is not told of them; by default the one that `model` is
        compiled with.
    choose
        The function that chooses masks, by default `choose_kernel_mask` of `mcpruner.converter.training.kernel_mask`,
        whose arguments it takes up to `before`. It is called from several threads at once, and returns a bool array of
        the kernel's shape.

    Attributes
    ----------
    model : keras.Model
        The model that is pruned.
    step_count : int
        Optimizer steps since pruning began, over all runs; kept in the model's weights.
    densities : dict of str to float
        Label of the layer (its path, if no other layer has it) to density at the schedule's end.
    density
        Share of the prunable layers' weights that the masks keep now.
    optimizer
        The optimizer whose steps are counted; set it where another one takes over, and call `resume`.

    Raises
    ------
    ValueError
        As `mcpruner.prune` does; the schedule is over for this model before its layers have their densities.
    """

    @takes_options(without=["saliency"])
    def __init__(
        self,
        model: keras.Model,
        schedule: PolynomialSchedule,
        *,
        removed: Removed = "decay",
        optimizer: keras.optimizers.Optimizer | None = None,
        choose: MaskChooser = choose_kernel_mask,
        **knobs: Any,
    ) -> None:
        check_removed(removed)
        if not isinstance(schedule, PolynomialSchedule):
            raise ValueError(f"Expected schedule as a PolynomialSchedule, got {schedule!r}.")
        if not isinstance(optimizer, keras.optimizers.Optimizer | None):
            raise ValueError(f"Expected optimizer as the Keras optimizer that trains the model, got {optimizer!r}.")
        if not callable(choose):
            raise ValueError(f"Expected choose as a function that chooses masks, got {choose!r}.")
        self.model = model
        self._removed = removed
        self._options, self._choose_mask = PruningOptions(**knobs), choose
        self.densities = select_sound_layers(model, self._options)
        layers, _ = find_layers(model)
        self._layers = {label: layers[label] for label in self.densities}
        self._schedule = schedule
        self.optimizer = getattr(model, "optimizer", None) if optimizer is None else optimizer
        self._written = begin(model, self.densities, self.optimizer)
        self.step_count = self._written.count
        self.density = _kept(self.masks.values())
        self._follow_schedule()
        self._check_reached()

    @property
    def frozen(self) -> bool:
        """Whether the schedule is over."""
        return self.step_count >= self._schedule.end_step

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """Label of the layer to bool mask in the kernel's own shape."""
        return {label: get_mask(layer) for label, layer in self._layers.items()}

    def is_due(self, count: int = 1) -> bool:
        """Whether `step` with this count will choose masks, and so read and write the model's weights."""
        return any(self._schedule.is_due(self.step_count + i) for i in range(1, count + 1))

    def step(self, count: int = 1) -> None:
        """Follow `count` optimizer steps; choose masks if they were due at one of them."""
        check_steps("count", count)
        if count < 0:
            raise ValueError(f"Expected a count of at least 0 steps, got {count}.")
        self.follow(count)
        self.store()

    def follow(self, count: int) -> None:
        """As `step`, but touch the model's weights only where masks are chosen: compiled loops hold them elsewhere."""
        before = self.step_count
        self.step_count += count
        self._choose_if_due(since=before)

    def resume(self) -> None:
        """Go on where the model's weights are, and count what the optimizer has done since they were told.

        A checkpoint may have been loaded, the model trained without this object, or a step interrupted.
        """
        found, now = self.read(), _iterations(self.optimizer)
        done = 0 if now == self._written.at else now - found.at if now >= found.at else now
        since = self.step_count
        self.step_count = max(since, found.count + done)
        self._choose_if_due(since)
        self.store()

    def reschedule(self, schedule: PolynomialSchedule) -> None:
        """Follow another schedule from here on, whose end is then in the model's weights."""
        self._schedule = schedule
        self._follow_schedule()

    def loaded(self) -> StepState | None:
        """How far pruning has come by weights that somebody has loaded since it was stored; None if nobody has."""
        found = max(map(get_steps, self._layers.values()))
        return None if found == self._written else found

    def store(self) -> None:
        """Keep the count with the model's weights."""
        self._written = StepState(self.step_count, _iterations(self.optimizer), self._schedule.end_step)
        for layer in self._layers.values():
            set_steps(layer, self._written)

    def finish(self) -> None:
        """Write the masks' exact zeros into the kernels if the schedule is over; before, they still learn."""
        self.store()
        if self.frozen:
            for layer in self._layers.values():
                fold_mask(layer)

    def read(self) -> StepState:
        """How far pruning has come by the model's weights; loaded weights of another moment bring their count along."""
        found = self.loaded()
        if found is None:
            return self._written
        self.step_count = found.count
        self.density = _kept(self.masks.values())
        return found

    def _follow_schedule(self) -> None:
        """Choose masks that the schedule has before the first step, and those that are due by now."""
        self.read()
        if self.step_count == 0:
            self._choose_if_due(since=-1)
        self.resume()

    def _check_reached(self) -> None:
        """Refuse a schedule that is over for this model and never gave the layers their densities."""
        reached = far_from(self._layers, self.densities, self._options, self._choose_mask)
        for label, kept in reached if self.frozen else ():
            raise ValueError(
                f"The model has been pruned for {self.step_count} steps, so that this schedule (end_step "
                f"{self._schedule.end_step}) is over, but layer {label!r} keeps {kept:.3g} of its weights "
                f"instead of {self.densities[label]:.3g}: give a larger end_step, or strip the model to begin anew."
            )

    def _choose_if_due(self, since: int) -> None:
        """Choose masks if that was due after one of the steps since number `since`."""
        if any(map(self._schedule.is_due, range(since + 1, self.step_count + 1))):
            self._choose()

    def _choose(self) -> None:
        """Choose all masks from the dense kernels; let pruned weights rest once the schedule is over."""
        with ThreadPoolExecutor() as pool:  # NumPy works without the interpreter's lock.
            masks = list(pool.map(self._choose_one, self._layers.values(), self.densities.values()))
        self.density = _kept(masks)
        learns = not self.frozen and self._removed != "frozen"
        decay = REMOVED_DECAY if learns and self._removed == "decay" else 0.0
        for layer, mask in zip(self._layers.values(), masks, strict=True):
            set_mask(layer, mask, learns, decay)
        self.store()

    def _choose_one(self, layer: keras.layers.Layer, final: float) -> np.ndarray:
        """Mask of a layer for the density of now; its filters stay in their groups once those are settled."""
        density, before = self._schedule.density(self.step_count, final), get_mask(layer)
        settled = not (before.all() or self._schedule.regroups(self.step_count))
        before = turned(layer, before) if settled else None
        kernel = turned(layer, dense_kernel(layer))
        groups = conv_groups(layer)
        return turned(layer, self._choose_mask(self._options, kernel, density, final, before, groups))


def begin(model: keras.Model, labels: Iterable[str], optimizer: keras.optimizers.Optimizer | None) -> StepState:
    """Mask the layers of these labels where they are not, and say how far the pruning of any of them has come."""
    layers, _ = find_layers(model)
    chosen = [layers[label] for label in labels]
    fresh = [layer for layer in chosen if mask_layer(layer)]
    mark_blocks(model)
    for layer in fresh:
        set_steps(layer, StepState(at=_iterations(optimizer)))
    if fresh:
        forget_traces(model)
    return max(map(get_steps, chosen))


def far_from(
    layers: Mapping[str, keras.layers.Layer],
    densities: Mapping[str, float],
    options: PruningOptions,
    choose: MaskChooser = choose_kernel_mask,
) -> Iterator[tuple[str, float]]:
    """Label and kept share of each masked layer that does not keep as many weights as its density asks for."""
    options = replace(options, search=False)
    for label, density in densities.items():
        mask = get_mask(layers[label])
        kept, asked = np.count_nonzero(mask), density * mask.size
        if abs(kept - asked) <= _NEAR * asked:
            continue
        layer = layers[label]
        kernel = turned(layer, dense_kernel(layer))
        wanted = np.count_nonzero(choose(options, kernel, density, density, None, conv_groups(layer)))
        if abs(kept - wanted) > 0.1 * wanted:
            yield label, kept / mask.size


def _kept(masks: Iterable[np.ndarray]) -> float:
    """Share of ones; 1 without masks."""
    masks = list(masks)
    return sum(np.count_nonzero(mask) for mask in masks) / max(1, sum(mask.size for mask in masks)) if masks else 1.0


def _iterations(optimizer: Any) -> int:
    """How many batches an optimizer has seen, those too whose gradients it only added up; 0 if there is none."""
    if optimizer is None:
        return 0
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # Loss scaling wraps the optimizer that counts.
    counter = inner._iterations if inner.gradient_accumulation_steps else inner.iterations
    return int(keras.ops.convert_to_numpy(counter))
