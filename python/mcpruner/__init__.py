"""mcpruner: prune convolutional networks so that TFLite runs them faster, not only smaller.

Four steps, each usable alone::

    import mcpruner

    pruned = mcpruner.prune(model, target="hikey970-cpu", density=0.178)  # one shot; PruningCallback while training
    content, report = mcpruner.convert(mcpruner.strip(pruned), target="hikey970-cpu", values="float16")
    print(report.table())                                                 # what each layer gains, or why it does not
    interpreter = mcpruner.Interpreter(model_content=content)             # a drop-in for tf.lite.Interpreter

Names
-----
prune, PruningCallback, strip
    The Keras side: choose masks in one shot, or along a schedule while training; leave a plain Keras model.
PruningOptions
    The knobs that every way to prune takes as keywords, what each of them means, and their defaults.
Pruner, PolynomialSchedule
    What `PruningCallback` is made of, for a training loop of one's own: the masks, and how density falls.
AlignedPruning
    The same masks for tf_keras models in a script of the TensorFlow Model Optimization Toolkit (tfmot).
plot_history
    A picture of density and accuracy against the step, of a ``fit`` that pruned.
prune_post_training
    Without training: masks and weights by least squares on a few hundred unlabelled images.
first_order_saliency
    What each weight is worth to the loss, for `prune` to go by instead of magnitudes.
reestimate_batch_norm
    Batch norms' moving averages for the weights that a model has now, from a few dozen batches.
prune_with_teacher
    A wrapper that trains a model on what its dense self says, while it is pruned.
allocate, Plan
    A density for each layer that meets one goal for the model: a density, multiply-adds, a speed-up or a time.
measure_sensitivity
    The same for `prune_post_training`, by what each layer's error does to the model's output on the images.
convert
    A Keras model, ``.keras``, SavedModel or ``.tflite`` into a ``.tflite`` whose pruned layers are packed.
verify
    Checks that a converted file, run by the plugin, is the network it was converted from.
Interpreter
    A TFLite interpreter with the plugin loaded, plus ``profile()`` and ``report()``.
load_delegate, delegate_path
    The plugin for an interpreter of one's own, and the file itself for any other loader.

``mcpruner.benchmark`` is the module of times, since scripts import from it; its functions are ``from mcpruner.benchmark
import benchmark, profile``.

Everything is imported on first use: ``import mcpruner`` loads neither TensorFlow nor NumPy. With it, Keras loads files
of masked models, such as the checkpoints of a training that prunes.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mcpruner.keras_files import register_masked_layers

if TYPE_CHECKING:
    from mcpruner.converter.allocation.allocate import allocate
    from mcpruner.converter.allocation.plan import Plan
    from mcpruner.converter.allocation.sensitivity import measure_sensitivity
    from mcpruner.converter.convert import convert
    from mcpruner.converter.options import PruningOptions
    from mcpruner.converter.post_training.recipe import prune_post_training
    from mcpruner.converter.training.batch_norm import reestimate_batch_norm
    from mcpruner.converter.training.callback import PruningCallback
    from mcpruner.converter.training.distill import prune_with_teacher
    from mcpruner.converter.training.plot import plot_history
    from mcpruner.converter.training.prune import prune, strip
    from mcpruner.converter.training.pruner import Pruner
    from mcpruner.converter.training.saliency import first_order_saliency
    from mcpruner.converter.training.schedule import PolynomialSchedule
    from mcpruner.converter.training.tfmot import AlignedPruning
    from mcpruner.runtime import Interpreter, delegate_path, load_delegate
    from mcpruner.verification import verify

__all__ = [
    "AlignedPruning",
    "Interpreter",
    "Plan",
    "PolynomialSchedule",
    "Pruner",
    "PruningCallback",
    "PruningOptions",
    "allocate",
    "convert",
    "delegate_path",
    "first_order_saliency",
    "load_delegate",
    "measure_sensitivity",
    "plot_history",
    "prune",
    "prune_post_training",
    "prune_with_teacher",
    "reestimate_batch_norm",
    "strip",
    "verify",
]

_HOME = {
    "AlignedPruning": "mcpruner.converter.training.tfmot",
    "Interpreter": "mcpruner.runtime",
    "Plan": "mcpruner.converter.allocation.plan",
    "PolynomialSchedule": "mcpruner.converter.training.schedule",
    "Pruner": "mcpruner.converter.training.pruner",
    "PruningCallback": "mcpruner.converter.training.callback",
    "PruningOptions": "mcpruner.converter.options",
    "allocate": "mcpruner.converter.allocation.allocate",
    "convert": "mcpruner.converter.convert",
    "delegate_path": "mcpruner.runtime",
    "first_order_saliency": "mcpruner.converter.training.saliency",
    "load_delegate": "mcpruner.runtime",
    "measure_sensitivity": "mcpruner.converter.allocation.sensitivity",
    "plot_history": "mcpruner.converter.training.plot",
    "prune": "mcpruner.converter.training.prune",
    "prune_post_training": "mcpruner.converter.post_training.recipe",
    "prune_with_teacher": "mcpruner.converter.training.distill",
    "reestimate_batch_norm": "mcpruner.converter.training.batch_norm",
    "strip": "mcpruner.converter.training.prune",
    "verify": "mcpruner.verification",
}

register_masked_layers()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mcpruner' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
