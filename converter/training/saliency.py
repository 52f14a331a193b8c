"""What a weight is worth by what the loss says of it: weight times gradient, over a few batches.

Removing a weight w changes the loss by about w times its gradient g; squared, so that batches do not cancel each other
(Molchanov et al., CVPR 2019):

    saliency = mean over batches of (w * g) ^ 2

Keras has no gradients of its own that all backends share, but all of them train: after one step of plain gradient
descent at rate 1 the gradient is what the weights have lost. So no backend's own code is needed.
"""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from mcpruner.converter.training.arguments import check_batches
from mcpruner.converter.training.copying import Copier
from mcpruner.converter.training.keras_kernel import kernel_of
from mcpruner.converter.training.masked_layers import shadow
from mcpruner.converter.training.prunable import find_layers


def first_order_saliency(
    model: keras.Model, batches: Iterable[tuple[Any, Any]], loss: str | keras.losses.Loss
) -> dict[str, np.ndarray]:
    """Measure what each prunable weight is worth to the loss.

    Parameters
    ----------
    model
        Trained Keras 3 model, which is not changed.
    batches
        A few pairs ``(x, y)`` as ``model.fit`` takes them: 10 of 64 images are plenty.
    loss
        The loss, as `compile` takes it.

    Returns
    -------
    dict of str to numpy.ndarray
        Label of the layer to float32 saliency of the kernel's shape, for ``prune(..., saliency=...)``.

    Raises
    ------
    ValueError
        There are no batches of ``(x, y)``, or the loss is not finite.

    Examples
    --------
    >>> worth = mcpruner.first_order_saliency(model, batches, keras.losses.SparseCategoricalCrossentropy(True))
    >>> pruned = mcpruner.prune(model, "hikey970-cpu", density=0.5, saliency=worth)
    """
    check_batches(batches, "pairs (x, y)")
    found = find_layers(model)[0]
    # Half precision would lose small gradients, and its loss scaling skips steps.
    copier = Copier(model, single=True)
    copy = copier.copy
    layers = {label: copier.twin(layer) for label, layer in found.items()}
    _let_learn(copy, layers.values())
    keras.Model.compile(copy, keras.optimizers.SGD(1.0), loss)
    before = copy.get_weights()
    kernels = {label: keras.ops.convert_to_numpy(kernel_of(layer)) for label, layer in layers.items()}
    squares = {label: np.zeros(kernel.shape, np.float64) for label, kernel in kernels.items()}
    count = 0
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(f"Expected each batch as a pair (x, y), got an object of type {type(batch).__name__}.")
        x, y = batch
        if not np.isfinite(float(copy.train_on_batch(x, y, return_dict=True)["loss"])):
            raise ValueError("The loss is not finite: give inputs and a loss that suit the model.")
        for label, layer in layers.items():
            gradient = kernels[label] - keras.ops.convert_to_numpy(kernel_of(layer))
            squares[label] += np.square(kernels[label].astype(np.float64) * gradient)
        copy.set_weights(before)
        count += 1
    if count == 0:
        raise ValueError("Expected at least one batch of (x, y), got none.")
    return {label: (square / count).astype(np.float32) for label, square in squares.items()}


def _let_learn(model: keras.Model, layers: Iterable[keras.layers.Layer]) -> None:
    """Let steps move the kernels of these layers by their gradients, and nothing else learn; in place.

    Kernels may be frozen or constrained. The layers' own `trainable` stays: batch norms go by it.
    """
    for variable in model.trainable_variables:
        variable.trainable = False
    model._trainable = True  # The property would make all layers inside trainable.
    for layer in layers:
        shadow(layer).trainable = True
        shadow(layer).constraint = None
