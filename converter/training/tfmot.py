"""Aligned masks for tf_keras models, through the TensorFlow Model Optimization Toolkit (tfmot).

What a tfmot script does stays: its schedule, `UpdatePruningStep` among the callbacks, `strip_pruning` at the end. Only
who chooses masks changes, and which layers have them:

    prune_low_magnitude(model, pruning_schedule=schedule)               smallest weights of each layer
    AlignedPruning("hikey970-cpu")(model, pruning_schedule=schedule)    kernels of filter groups, as `mcpruner.prune`

tfmot sets a removed weight to 0 at every step, so it comes back at 0. Here it goes on learning until the schedule's
end, with a decay (see `pruner`), and what it would be is kept beside the kernel wherever tfmot wants exact zeros, at
the end of each epoch:

    kernel  (the variable that tfmot strips)  ─┐
    held    (0, or what the zeros hide)       ─┴─ sum: the dense kernel ── mask ──> what the layer uses
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.python.core.keras.compat import keras
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_policy import PruningPolicy
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import PruneLowMagnitude

from mcpruner.converter.options import KNOBS, PruningOptions, takes_options
from mcpruner.converter.training.keras_kernel import conv_groups
from mcpruner.converter.training.kernel_mask import choose_kernel_mask
from mcpruner.converter.training.schedule import REMOVED_DECAY

# These knobs say what masks look like. tfmot's policy chooses the layers, and its schedule the densities.
_KNOBS = ("target", "pattern_size", "num_patterns", "balance")


class AlignedPruning(PruningPolicy):
    """Which layers are pruned for a target, and the function that wraps them, in place of `prune_low_magnitude`.

    Parameters
    ----------
    **knobs
        As for `mcpruner.prune`: target, pattern_size, num_patterns, balance.

    Raises
    ------
    ValueError
        An option is out of range; when called: the model is subclassed or not built, or has no layer to prune.

    Examples
    --------
    >>> model = AlignedPruning("hikey970-cpu")(model, pruning_schedule=schedule)
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> model.fit(x, y, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
    >>> model = tfmot.sparsity.keras.strip_pruning(model)
    """

    @takes_options(without={knob.name for knob in KNOBS}.difference(_KNOBS))
    def __init__(self, **knobs: Any) -> None:
        self._options = PruningOptions(density=1.0, **knobs)

    def allow_pruning(self, layer: Any) -> bool:
        """Conv2D (more than 3 input channels in each group) and Dense, but not the last layer with weights."""
        return _is_prunable(layer) and _feeds_weights(layer)

    def ensure_model_supports_pruning(self, model: Any) -> None:
        """Refuse what cannot be cloned with wrappers."""
        if any(cls.__module__.partition(".")[0] == "keras" for cls in type(model).__mro__):
            raise ValueError(
                f"Expected a tf_keras model, got {model.name!r} of Keras 3: prune it with mcpruner.PruningCallback or "
                "mcpruner.prune."
            )
        if not (_is_graph(model) and model.built):
            raise ValueError("Expected a built functional or sequential tf_keras model: give it an Input.")
        if not any(_chosen(model)):
            raise ValueError(
                f"Nothing to prune in model {model.name!r}: it has no Conv2D with more than 3 input channels and no "
                "Dense layer besides its last one."
            )

    def __call__(self, model: Any, pruning_schedule: Any) -> Any:
        """Wrap the model's layers, as `prune_low_magnitude` does; a tfmot `PruningSchedule` says when and how far."""
        self.ensure_model_supports_pruning(model)
        chosen = list(_chosen(model))

        def wrap(layer: Any) -> Any:
            if _is_graph(layer):
                return keras.models.clone_model(layer, clone_function=wrap)
            return PruneAligned(layer, pruning_schedule, **_written(self._options)) if layer in chosen else layer

        return keras.models.clone_model(model, clone_function=wrap)


class PruneAligned(PruneLowMagnitude):
    """tfmot's wrapper of a layer, with masks of ours."""

    def __init__(self, layer: Any, pruning_schedule: Any, **kwargs: Any) -> None:
        knobs = {name: kwargs.pop(name) for name in _KNOBS if name in kwargs}
        self._options = PruningOptions(density=1.0, **knobs)
        super().__init__(layer, pruning_schedule, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Build as tfmot does, and choose masks as we do."""
        super().build(input_shape)
        self.pruning_obj = _AlignedMasks(
            training_step_fn=lambda: self.pruning_step,
            pruning_vars=self.pruning_vars,
            pruning_schedule=self.pruning_schedule,
            block_size=self.block_size,
            block_pooling_type=self.block_pooling_type,
        )
        self.pruning_obj.options = self._options
        self.pruning_obj.conv_groups = conv_groups(self.layer)
        kernel = self.layer.kernel
        dtype = getattr(kernel, "true_dtype", kernel.dtype)  # This is the variable's type, whatever it is cast to.
        self.held = self.add_weight("held", kernel.shape, dtype, "zeros", trainable=False)
        self.pruning_obj.held = self.held

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Call the layer with the masked kernel; removed weights learn until the schedule's end."""
        kernel, end = self.layer.kernel, getattr(self.pruning_schedule, "end_step", -1)
        dense = tf.convert_to_tensor(kernel) + tf.convert_to_tensor(self.held)
        mask = tf.cast(self.pruning_vars[0][1], tf.bool)
        learns = tf.cast(tf.constant(True) if end < 0 else self.pruning_step < end, dense.dtype)
        removed = tf.where(mask, tf.zeros_like(dense), dense)
        at_rest = tf.stop_gradient(removed)
        # The value of this loss is 0, and its gradient is the decay.
        self.add_loss(REMOVED_DECAY * learns * tf.reduce_sum(at_rest * (removed - at_rest)))
        # tfmot's wrapper calls the layer, which is to find a tensor in the place of its variable, tracked as before.
        object.__setattr__(self.layer, "kernel", tf.where(mask, dense, learns * (dense - tf.stop_gradient(dense))))
        self.pruning_obj.called = True
        try:
            return super().call(inputs, training, **kwargs)
        finally:
            self.pruning_obj.called = False
            object.__setattr__(self.layer, "kernel", kernel)

    def get_config(self) -> dict[str, Any]:
        """Options of both."""
        return {**super().get_config(), **_written(self._options)}


class _AlignedMasks(Pruning):
    """tfmot's update of masks, with `choose_kernel_mask` in it."""

    options: PruningOptions
    conv_groups: int
    held: tf.Variable
    # Whether the wrapper's call asks for exact zeros, and not the end of an epoch.
    called = False

    def _update_mask(self, weights: Any) -> tuple[Any, Any]:
        """Threshold (of no meaning here, 0) and mask of a kernel, in its dtype."""
        sparsity = self._pruning_schedule(self._step_fn())[1]

        def choose(kernel: np.ndarray, share: np.ndarray) -> np.ndarray:
            mask = choose_kernel_mask(self.options, kernel, 1.0 - float(share), groups=self.conv_groups)
            return mask.astype(kernel.dtype)

        dense = tf.convert_to_tensor(weights) + tf.convert_to_tensor(self.held)
        mask = tf.numpy_function(choose, [dense, sparsity], weights.dtype)
        mask.set_shape(weights.shape)
        return tf.zeros((), weights.dtype), mask

    def weight_mask_op(self) -> Any:
        """Exact zeros in the kernel, for whoever saves or strips it now; what they hide is held."""
        if not self.called:
            [(kernel, mask, _)] = self._pruning_vars
            dense = kernel + self.held
            self.held.assign(dense * (1 - mask))
            kernel.assign(dense * mask)
        return tf.no_op("zeros")


def _written(options: PruningOptions) -> dict[str, Any]:
    """The knobs that a wrapper is made of again, by name."""
    return {name: getattr(options, name) for name in _KNOBS}


def _is_graph(layer: Any) -> bool:
    """Whether it is a functional or sequential model, whose layers can be seen."""
    return isinstance(layer, keras.Model) and layer._is_graph_network


def _is_prunable(layer: Any) -> bool:
    if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2DTranspose):
        return False
    if isinstance(layer, keras.layers.Conv2D):
        return layer.kernel.shape[2] > 3
    return isinstance(layer, keras.layers.Dense)


def _chosen(model: Any, is_last: bool = True) -> Iterator[Any]:
    """The layers to prune, those of nested models too; `is_last` if no weights follow the model."""
    for layer in model.layers:
        ends = is_last and not _feeds_weights(layer)
        if _is_graph(layer):
            yield from _chosen(layer, ends)
        elif _is_prunable(layer) and not ends:
            yield layer


def _feeds_weights(layer: Any) -> bool:
    """Whether a layer with weights follows: the last one is the classifier."""
    following = [node.outbound_layer for node in layer._outbound_nodes]
    return any(next_layer.weights or _feeds_weights(next_layer) for next_layer in following)
