"""A training loop for Keras models on JAX whose steps all run on the device: data, augmentation, optimizer, masks.

    host      epoch of steps ──────────> epoch of steps ──────────> ...      a `lax.scan` each, compiled once
    Pruners         └─ masks from the kernels ─┘                             only where masks are due

    step      images ──┬── teacher ── logits ──┬── dense student
                       │                       ├── pruned student             each with its own optimizer
                       └───────────────────────┴── ...

SGD with Nesterov momentum and one-cycle learning rate, cross-entropy with smoothed labels, and distillation from a
teacher (the dense network that training starts from) if there is one. Students of a seed are trained side by side: they
see the same batches, the teacher looks at each batch once, and dense and pruned runs differ in the masks alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import cifar
import jax
import jax.numpy as jnp
import keras
import numpy as np

from mcpruner.converter.pruner import Pruner

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4  # of convolution and dense kernels, added to gradients
SMOOTHING = 0.1
TEMPERATURE = 4.0
DISTILLED = 0.9  # share of the teacher in the loss
WARM_UP = 0.15  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Run:
    """What one training is.

    Attributes
    ----------
    epochs, batch_size, learning_rate
        Length; the rate is the highest.
    seed
        Of the order of images and of their augmentation.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int

    def chunk(self, images: int) -> int:
        """Steps that run between two visits of the host: an epoch of whole batches."""
        return images // self.batch_size

    def steps(self, images: int) -> int:
        """Optimizer steps altogether."""
        return self.epochs * self.chunk(images)


class State(NamedTuple):
    """Everything of a student that a step changes; lists in Keras' order of variables."""

    trainable: list[jax.Array]
    non_trainable: list[jax.Array]
    momenta: list[jax.Array]


def train(
    models: Sequence[keras.Model],
    teacher: keras.Model | None,
    data: cifar.Images,
    run: Run,
    pruners: Sequence[Pruner | None],
) -> None:
    """Train models in place, side by side; each has its pruner or None, which is driven to its end."""
    images, labels = jnp.asarray(data.images), jnp.asarray(data.labels)
    count = run.chunk(len(images))
    epoch = jax.jit(_make_epoch(models, teacher, run, len(images)), donate_argnums=0)
    weights = ([], []) if teacher is None else _values(teacher)
    key = jax.random.key(run.seed)  # an argument of the compiled epoch, so that all seeds share it in JAX's cache
    states = [_begin(model) for model in models]
    for number in range(run.epochs):
        states = epoch(states, jnp.int32(number), weights, key, images, labels)
        states = [_after_epoch(*each, count) for each in zip(models, states, pruners, strict=True)]
    for model, state, pruner in zip(models, states, pruners, strict=True):
        _write(model, state)
        if pruner is not None:
            pruner.finish()


def _begin(model: keras.Model) -> State:
    return State(*_values(model), [jnp.zeros_like(v.value) for v in model.trainable_variables])


def _after_epoch(model: keras.Model, state: State, pruner: Pruner | None, count: int) -> State:
    """Tell the pruner, and show it the weights if it wants to choose masks."""
    if pruner is None:
        return state
    due = pruner.is_due(count)
    if due:
        _write(model, state)
    pruner.step(count)
    return State(*_values(model), state.momenta) if due else state


def accuracy(model: keras.Model, data: cifar.Images, batch_size: int) -> float:
    """Share of images that the model, with its moving averages, classifies rightly."""

    @jax.jit
    def predict(trainable: list, non_trainable: list, images: jax.Array) -> jax.Array:
        return _call(model, trainable, non_trainable, cifar.normalise(images), training=False)[0].argmax(axis=1)

    weights = _values(model)
    batches = range(0, len(data.images), batch_size)
    found = np.concatenate([np.asarray(predict(*weights, data.images[i : i + batch_size])) for i in batches])
    return float((found == data.labels).mean())


def _make_epoch(models: Sequence[keras.Model], teacher: keras.Model | None, run: Run, images: int) -> Callable:
    """Function of states, the epoch's number, the teacher's weights, a random key and the data: the states after it."""
    count, steps = run.chunk(images), run.steps(images)

    def step(
        weights: tuple, key: jax.Array, states: list[State], batch: tuple[jax.Array, jax.Array, jax.Array]
    ) -> tuple[list[State], None]:
        step, seen, y = batch
        x = cifar.normalise(cifar.augment(jax.random.fold_in(key, images + step), seen))
        wanted = None if teacher is None else _call(teacher, *weights, x, training=False)[0]
        rate = _rate(step / steps) * run.learning_rate
        return [_descend(*each, x, y, wanted, rate) for each in zip(models, states, strict=True)], None

    def epoch(
        states: list[State], number: jax.Array, weights: tuple, key: jax.Array, data: jax.Array, labels: jax.Array
    ) -> list[State]:
        order = jax.random.permutation(jax.random.fold_in(key, number), images)
        order = order[: count * run.batch_size].reshape(count, run.batch_size)
        numbered = (number * count + jnp.arange(count), order)
        return jax.lax.scan(lambda s, b: step(weights, key, s, (b[0], data[b[1]], labels[b[1]])), states, numbered)[0]

    return epoch


def _descend(
    model: keras.Model, state: State, x: jax.Array, y: jax.Array, wanted: jax.Array | None, rate: jax.Array
) -> State:
    """One step of one student."""
    loss = partial(_loss, model, x=x, y=y, wanted=wanted)
    gradients, non_trainable = jax.grad(loss, has_aux=True)(state.trainable, state.non_trainable)
    decays = [WEIGHT_DECAY if v.path.endswith("kernel") else 0.0 for v in model.trainable_variables]
    gradients = [g + decay * w for g, w, decay in zip(gradients, state.trainable, decays, strict=True)]
    momenta = [MOMENTUM * m + g for m, g in zip(state.momenta, gradients, strict=True)]
    updates = [MOMENTUM * m + g for m, g in zip(momenta, gradients, strict=True)]
    return State([w - rate * u for w, u in zip(state.trainable, updates, strict=True)], non_trainable, momenta)


def _loss(
    model: keras.Model, trainable: list, non_trainable: list, x: jax.Array, y: jax.Array, wanted: jax.Array | None
) -> tuple[jax.Array, list]:
    logits, non_trainable = _call(model, trainable, non_trainable, x, training=True)
    smooth = jax.nn.one_hot(y, logits.shape[1]) * (1 - SMOOTHING) + SMOOTHING / logits.shape[1]
    loss = -(smooth * jax.nn.log_softmax(logits)).sum(axis=1).mean()
    if wanted is not None:
        share = jax.nn.softmax(wanted / TEMPERATURE)
        distance = -(share * jax.nn.log_softmax(logits / TEMPERATURE)).sum(axis=1).mean()
        loss = (1 - DISTILLED) * loss + DISTILLED * TEMPERATURE**2 * distance
    return loss, non_trainable


def _call(
    model: keras.Model, trainable: list, non_trainable: list, x: jax.Array, training: bool
) -> tuple[jax.Array, list]:
    """float32 logits and the non-trainable variables after it."""
    logits, non_trainable = model.stateless_call(trainable, non_trainable, x, training=training)
    return logits.astype(jnp.float32), non_trainable


def _rate(progress: jax.Array) -> jax.Array:
    """Learning rate as a share of the highest: up in a line, down in half a cosine."""
    down = (progress - WARM_UP) / (1 - WARM_UP)
    return jnp.where(progress < WARM_UP, progress / WARM_UP, 0.5 * (1 + jnp.cos(jnp.pi * down)))


def _values(model: keras.Model) -> tuple[list, list]:
    """Copies, since compiled chunks reuse the memory of their state."""
    return (
        [jnp.array(v.value, copy=True) for v in model.trainable_variables],
        [jnp.array(v.value, copy=True) for v in model.non_trainable_variables],
    )


def _write(model: keras.Model, state: State) -> None:
    values = zip(
        [*model.trainable_variables, *model.non_trainable_variables],
        [*state.trainable, *state.non_trainable],
        strict=True,
    )
    for variable, value in values:
        variable.assign(jnp.array(value, copy=True))
