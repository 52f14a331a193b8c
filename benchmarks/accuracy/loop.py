"""A training loop for Keras models on JAX whose steps all run on the device: data, augmentation, optimizer, masks.

    host      half an epoch of batches ── each student in turn ──> the next half ──> ...       compiled once for all
    Pruners        masks of one student from its kernels, while the device trains the others

    batches   images ── augmented ── teacher ── logits        once for all students
    student   batches, its weights and masks, rates ──> its weights         a `lax.scan`

SGD with Nesterov momentum and one-cycle learning rate, cross-entropy with smoothed labels, and distillation from a
teacher (the dense network that training starts from) if there is one. Students of a seed see the same batches, and a
dense student is one whose masks keep all: dense and pruned runs differ in the masks alone, and all trainings of a
network are one compiled function, dense ones too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cifar
import jax
import jax.numpy as jnp
import keras
import numpy as np

from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import strip
from mcpruner.converter.training.pruner import Pruner, begin

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4  # of convolution and dense kernels, added to gradients
SMOOTHING = 0.1
TEMPERATURE = 4.0
DISTILLED = 0.9  # share of the teacher in the loss
WARM_UP = 0.15  # share of the steps in which the learning rate rises
SCORED = 500  # images at a time

Values = tuple[list[jax.Array], list[jax.Array]]  # trainable and other ones, in Keras' order of variables


@dataclass(frozen=True)
class Run:
    """What one training is.

    Attributes
    ----------
    epochs, learning_rate
        Length; the rate is the highest.
    seed
        Of the order of images and of their augmentation.
    """

    epochs: int
    learning_rate: float
    seed: int


class State(NamedTuple):
    """Everything of a student that a step changes."""

    trainable: list[jax.Array]
    non_trainable: list[jax.Array]
    momenta: list[jax.Array]


class Score(NamedTuple):
    """Accuracy of images as they are, mean of that and of the mirrored images' one, cross-entropy of both."""

    accuracy: float
    mirrored: float
    cross_entropy: float


def masked_copy(model: keras.Model) -> keras.Model:
    """Copy of a model whose prunable layers are masked and keep all."""
    copy = strip(model)
    begin(copy, find_layers(copy)[0], None)
    return copy


class Loop:
    """The compiled functions of one network, for all models that `masked_copy` made of it."""

    def __init__(self, network: keras.Model, data: cifar.Images, batch_size: int) -> None:
        self._network = masked_copy(network)
        self._images, self._labels = jnp.asarray(data.images), jnp.asarray(data.labels)
        self._batch_size = batch_size
        self.chunk = len(data.images) // batch_size // 2  # steps of half an epoch
        self._kernels = [v.path.endswith("kernel") for v in self._network.trainable_variables]
        self._prepare = jax.jit(self._make_batches)
        self._advance = jax.jit(self._train_chunk)
        self._score = jax.jit(self._count)

    def steps(self, run: Run) -> int:
        """Optimizer steps altogether."""
        return 2 * run.epochs * self.chunk

    def train(
        self,
        models: Sequence[keras.Model],
        teacher: keras.Model | None,
        run: Run,
        pruners: Sequence[Pruner | None],
    ) -> None:
        """Train models in place; each has its pruner or None, which is driven to its end."""
        steps, share = self.steps(run), jnp.float32(0.0 if teacher is None else DISTILLED)
        taught = _values(models[0] if teacher is None else teacher)
        key = jax.random.key(run.seed)
        states = [State(*_values(m), [jnp.zeros_like(v.value) for v in m.trainable_variables]) for m in models]
        for number in range(2 * run.epochs):
            batches = self._prepare(taught, key, jnp.int32(number), self._images, self._labels)
            rates = run.learning_rate * _rate((number * self.chunk + np.arange(self.chunk) + 0.5) / steps)
            for i, (model, pruner) in enumerate(zip(models, pruners, strict=True)):
                # The device does what it is asked in turn, so it goes on with the other students meanwhile.
                jax.block_until_ready(states[i].trainable)
                states[i] = self._advance(self._follow(model, states[i], pruner, number), share, rates, batches)
        for model, state, pruner in zip(models, states, pruners, strict=True):
            self._follow(model, state, pruner, 2 * run.epochs)
            _write(model, state)
            if pruner is not None:
                pruner.finish()

    def score(self, model: keras.Model, data: cifar.Images) -> Score:
        """Score a model with its batch norms' moving averages."""
        weights, found = _values(model), []
        for first in range(0, len(data.images), SCORED):
            part = slice(first, first + SCORED)
            found.append(self._score(weights, data.images[part], data.labels[part]))
        plain, mirrored, entropy = np.sum(np.array(found, np.float64), axis=0) / len(data.images)
        return Score(float(plain), float(plain + mirrored) / 2, float(entropy) / 2)

    def augmented(self, batches: int, seed: int) -> list[np.ndarray]:
        """Batches of `SCORED` training images as the network takes them."""
        key = jax.random.key(seed)
        chosen = np.asarray(jax.random.randint(key, (batches, SCORED), 0, len(self._images)))
        keys = [jax.random.fold_in(key, i) for i in range(batches)]
        return [cifar.normalise(cifar.augment(k, self._images[index])) for k, index in zip(keys, chosen, strict=True)]

    def _follow(self, model: keras.Model, state: State, pruner: Pruner | None, number: int) -> State:
        """Tell the pruner of the chunk before, and show it the weights if it wants to choose masks."""
        if pruner is None or number == 0:
            return state
        due = pruner.is_due(self.chunk)
        if due:
            _write(model, state)
        pruner.step(self.chunk)
        return State(*_values(model), state.momenta) if due else state

    def _make_batches(
        self, teacher: Values, key: jax.Array, number: jax.Array, images: jax.Array, labels: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Images, labels and the teacher's logits of half an epoch."""
        order = jax.random.permutation(jax.random.fold_in(key, number // 2), len(images))
        order = order[: 2 * self.chunk * self._batch_size].reshape(2, self.chunk, self._batch_size)[number % 2]
        keys = jax.random.split(jax.random.fold_in(jax.random.fold_in(key, 1), number), self.chunk)

        def batch(key: jax.Array, index: jax.Array) -> tuple[jax.Array, jax.Array]:
            seen = cifar.augment(key, images[index])
            return seen, self._call(*teacher, cifar.normalise(seen), training=False)[0]

        seen, logits = jax.lax.map(lambda each: batch(*each), (keys, order))
        return seen, labels[order], logits

    def _train_chunk(self, state: State, share: jax.Array, rates: jax.Array, batches: tuple) -> State:
        return jax.lax.scan(lambda s, each: (self._descend(s, share, *each), None), state, (rates, *batches))[0]

    def _descend(
        self, state: State, share: jax.Array, rate: jax.Array, seen: jax.Array, labels: jax.Array, wanted: jax.Array
    ) -> State:
        """One step of one student."""
        trained = state.trainable, state.non_trainable
        gradients, non_trainable = jax.grad(self._loss, has_aux=True)(*trained, share, seen, labels, wanted)
        decays = [WEIGHT_DECAY if kernel else 0.0 for kernel in self._kernels]
        gradients = [g + decay * w for g, w, decay in zip(gradients, state.trainable, decays, strict=True)]
        momenta = [MOMENTUM * m + g for m, g in zip(state.momenta, gradients, strict=True)]
        updates = [MOMENTUM * m + g for m, g in zip(momenta, gradients, strict=True)]
        return State([w - rate * u for w, u in zip(state.trainable, updates, strict=True)], non_trainable, momenta)

    def _loss(
        self,
        trainable: list,
        non_trainable: list,
        share: jax.Array,
        seen: jax.Array,
        labels: jax.Array,
        wanted: jax.Array,
    ) -> tuple[jax.Array, list]:
        """Loss of labels and teacher, the layers' own (the decay of pruned weights), and what the call changed."""
        logits, non_trainable, losses = self._call(trainable, non_trainable, cifar.normalise(seen), training=True)
        smooth = jax.nn.one_hot(labels, logits.shape[1]) * (1 - SMOOTHING) + SMOOTHING / logits.shape[1]
        taught = jax.nn.softmax(wanted / TEMPERATURE)
        loss = (1 - share) * _cross_entropy(smooth, logits)
        loss += share * TEMPERATURE**2 * _cross_entropy(taught, logits / TEMPERATURE)
        return loss + sum(losses), non_trainable

    def _call(self, trainable: list, non_trainable: list, x: jax.Array, training: bool) -> tuple:
        """float32 logits, the non-trainable variables after it, and the layers' losses."""
        logits, *others = self._network.stateless_call(
            trainable, non_trainable, x, training=training, return_losses=True
        )
        return logits.astype(jnp.float32), *others

    def _count(self, weights: Values, images: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Right ones of the images, of the mirrored images, and the sum of their cross-entropies."""
        x = cifar.normalise(images)
        both = [self._call(*weights, seen, training=False)[0] for seen in (x, x[:, :, ::-1])]
        right = [(logits.argmax(axis=1) == labels).sum() for logits in both]
        wanted = jax.nn.one_hot(labels, both[0].shape[1])
        return *right, sum(_cross_entropy(wanted, logits) for logits in both) * len(images)


def _cross_entropy(wanted: jax.Array, logits: jax.Array) -> jax.Array:
    return -(wanted * jax.nn.log_softmax(logits)).sum(axis=1).mean()


def _rate(progress: np.ndarray) -> np.ndarray:
    """Learning rate as a share of the highest: up in a line, down in half a cosine."""
    down = (progress - WARM_UP) / (1 - WARM_UP)
    rate = np.where(progress < WARM_UP, progress / WARM_UP, 0.5 * (1 + np.cos(np.pi * down)))
    return rate.astype(np.float32)


def _values(model: keras.Model) -> Values:
    return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]


def _write(model: keras.Model, state: State) -> None:
    values = zip(
        [*model.trainable_variables, *model.non_trainable_variables],
        [*state.trainable, *state.non_trainable],
        strict=True,
    )
    for variable, value in values:
        variable.assign(value)
