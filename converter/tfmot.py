"""Aligned masks for tf_keras models, through the TensorFlow Model Optimization Toolkit (tfmot).

What a tfmot script does stays: its schedule, `UpdatePruningStep` among the callbacks, `strip_pruning` at the end. Only
who chooses masks changes, and which layers have them:

    prune_low_magnitude(model, pruning_schedule=schedule)               smallest weights of each layer
    AlignedPruning("hikey970-cpu")(model, pruning_schedule=schedule)    kernels of filter groups, as `mcpruner.prune`
"""

from typing import Any, Literal

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.python.core.keras.compat import keras
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_policy import PruningPolicy
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import PruneLowMagnitude

from mcpruner.converter.prune import MaskOptions
from mcpruner.converter.target import get_target


class AlignedPruning(PruningPolicy):
    """Which layers are pruned for a target, and the function that wraps them, in place of `prune_low_magnitude`.

    Parameters
    ----------
    target
        Name of the hardware.
    pattern_size, num_patterns, balance
        As for `mcpruner.prune`.

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

    def __init__(
        self,
        target: str = "generic",
        pattern_size: int | Literal["auto"] = "auto",
        num_patterns: int = 8,
        balance: bool = False,
    ) -> None:
        self._options = {
            "target": target,
            "pattern_size": pattern_size,
            "num_patterns": num_patterns,
            "balance": balance,
        }
        _mask_options(self._options)

    def allow_pruning(self, layer: Any) -> bool:
        """Conv2D (groups=1, more than 3 input channels) and Dense, but not the last layer with weights."""
        if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2DTranspose):
            return False
        if isinstance(layer, keras.layers.Conv2D):
            return layer.groups == 1 and layer.kernel.shape[2] > 3 and _feeds_weights(layer)
        return isinstance(layer, keras.layers.Dense) and _feeds_weights(layer)

    def ensure_model_supports_pruning(self, model: Any) -> None:
        """Refuse what cannot be cloned with wrappers."""
        if not (isinstance(model, keras.Model) and model.built and getattr(model, "_is_graph_network", False)):
            raise ValueError("Expected a built functional or sequential tf_keras model: give it an Input.")
        if not any(map(self.allow_pruning, model.layers)):
            raise ValueError(
                f"Nothing to prune in model {model.name!r}: it has no Conv2D with more than 3 input channels and no "
                "Dense layer besides its last one."
            )

    def __call__(self, model: Any, pruning_schedule: Any) -> Any:
        """Wrap the model's layers, as `prune_low_magnitude` does; a tfmot `PruningSchedule` says when and how far."""
        self.ensure_model_supports_pruning(model)

        def wrap(layer: Any) -> Any:
            return PruneAligned(layer, pruning_schedule, **self._options) if self.allow_pruning(layer) else layer

        return keras.models.clone_model(model, clone_function=wrap)


class PruneAligned(PruneLowMagnitude):
    """tfmot's wrapper of a layer, with masks of ours."""

    def __init__(
        self,
        layer: Any,
        pruning_schedule: Any,
        target: str,
        pattern_size: int | Literal["auto"],
        num_patterns: int,
        balance: bool,
        **kwargs: Any,
    ) -> None:
        self._options = {
            "target": target,
            "pattern_size": pattern_size,
            "num_patterns": num_patterns,
            "balance": balance,
        }
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
        self.pruning_obj.options = _mask_options(self._options)

    def get_config(self) -> dict[str, Any]:
        """Options of both."""
        return {**super().get_config(), **self._options}


class _AlignedMasks(Pruning):
    """tfmot's update of masks, with `MaskOptions.choose` in it."""

    options: MaskOptions

    def _update_mask(self, weights: Any) -> tuple[Any, Any]:
        """Threshold (of no meaning here, 0) and mask of a kernel, in its dtype."""
        sparsity = self._pruning_schedule(self._step_fn())[1]

        def choose(kernel: np.ndarray, share: np.ndarray) -> np.ndarray:
            return self.options.choose(kernel, 1.0 - float(share)).astype(kernel.dtype)

        mask = tf.numpy_function(choose, [weights, sparsity], weights.dtype)
        mask.set_shape(weights.shape)
        return tf.zeros((), weights.dtype), mask


def _mask_options(options: dict[str, Any]) -> MaskOptions:
    sizes = (options["pattern_size"], options["num_patterns"], options["balance"])
    return MaskOptions.of(get_target(options["target"]), *sizes)


def _feeds_weights(layer: Any) -> bool:
    """Whether a layer with weights follows: the last one is the classifier."""
    following = [node.outbound_layer for node in layer._outbound_nodes]
    return any(next_layer.weights or _feeds_weights(next_layer) for next_layer in following)
