"""Distillation while a model is pruned: the dense network teaches, in one wrapper model that any ``fit`` can train.

    images ──┬── student (pruned) ── logits ──┬── the compiled loss, against labels    x (1 - share)
             └── teacher (dense, at rest) ────┴── cross-entropy of both distributions  x share x temperature ^ 2

The temperature flattens both distributions, so that the student learns what the teacher takes for similar (Hinton et
al., arXiv 1503.02531); its square keeps the gradients as large as those of the labels.
"""

from typing import Any

import keras

from mcpruner.converter.training.arguments import check_number
from mcpruner.converter.training.prune import strip

_MODELS = ("student", "teacher")


@keras.saving.register_keras_serializable("mcpruner")
class Distiller(keras.Model):
    """The wrapper that `prune_with_teacher` makes: it is compiled, trained and called like its student.

    Parameters
    ----------
    student, teacher
        The model that is trained and pruned, and the dense one that it learns from; the teacher is frozen.
    share, temperature, from_logits
        As for `prune_with_teacher`.
    """

    def __init__(
        self, student: keras.Model, teacher: keras.Model, share: float, temperature: float, from_logits: bool
    ) -> None:
        super().__init__(name=f"{student.name}_taught")
        teacher.trainable = False
        self.student, self.teacher = student, teacher
        self._share, self._temperature, self._from_logits = share, temperature, from_logits
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """What the student says."""
        return self.student(inputs, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss by labels and by the teacher in training, by labels alone in evaluation."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        own = sum(map(self._aggregate_additional_loss, self.losses))  # Regularizers and decay count in full.
        wanted = keras.ops.softmax(self._logits(self.teacher(x, training=False)))
        taught = keras.losses.categorical_crossentropy(wanted, self._logits(y_pred), from_logits=True)
        return (1 - self._share) * loss + self._share * (self._temperature**2 * keras.ops.mean(taught) + own)

    def get_config(self) -> dict[str, Any]:
        """The configurations of both models and the options; a file has the weights of both models beside it."""
        options = {"share": self._share, "temperature": self._temperature, "from_logits": self._from_logits}
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _MODELS} | options

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Distiller":
        """Make both models again."""
        return cls(**config | {name: keras.saving.deserialize_keras_object(config[name]) for name in _MODELS})

    def _logits(self, outputs: Any) -> Any:
        """float32 logits over the temperature; those of probabilities are their logarithms."""
        outputs = keras.ops.cast(outputs, "float32")
        if not self._from_logits:
            outputs = keras.ops.log(keras.ops.maximum(outputs, keras.config.epsilon()))
        return outputs / self._temperature


def prune_with_teacher(
    model: keras.Model,
    teacher: keras.Model | None = None,
    share: float = 0.9,
    temperature: float = 4.0,
    from_logits: bool = True,
) -> Distiller:
    """Wrap a classifier so that it learns from a dense teacher while it is pruned.

    Parameters
    ----------
    model
        Built Keras 3 model with one output of class scores, the last axis; trained in place as ``.student``.
    teacher
        Network with the same inputs and outputs; a copy of it teaches. None: `model` as it is now.
    share
        Share of the loss that is the teacher's, 0..1.
    temperature
        What logits are divided by, above 0; the higher it is, the more the less likely classes count.
    from_logits
        Whether the outputs are logits; False if they end in a softmax.

    Returns
    -------
    Distiller
        Compile and fit it, with `PruningCallback` in its callbacks, which prunes ``.student``.

    Raises
    ------
    ValueError
        An option is out of range, or the outputs of model and teacher differ in shape.

    Examples
    --------
    >>> taught = mcpruner.prune_with_teacher(model)
    >>> taught.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> taught.fit(x, y, epochs=20, callbacks=[mcpruner.PruningCallback("hikey970-cpu", density=0.178)])
    >>> model = mcpruner.strip(taught.student)
    """
    check_number("share", share)
    check_number("temperature", temperature)
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share of 0 to 1, got {share}.")
    if not temperature > 0:
        raise ValueError(f"Expected a temperature above 0, got {temperature}.")
    teacher = strip(model if teacher is None else teacher)
    shapes = [getattr(each, "output_shape", None) for each in (model, teacher)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"Expected a teacher with outputs of {shapes[0]} like the model's, got {shapes[1]}.")
    return Distiller(model, teacher, float(share), float(temperature), from_logits)
