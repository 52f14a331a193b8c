"""Batch norms' moving averages, estimated again for the weights that a model has now.

Moving averages lag behind: they hold what the last few hundred steps saw, of weights that masks and the optimizer were
still moving. A few thousand training images, augmented as in training, say what they are for the final weights:

    for each batch    forward as in training ──> its means and variances
    moving averages   the mean of those of all batches
"""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from mcpruner.converter.training.arguments import check_batches
from mcpruner.converter.training.copying import forget_traces
from mcpruner.converter.training.prunable import check_model


def reestimate_batch_norm(model: keras.Model, batches: Iterable[Any]) -> None:
    """Set the moving averages of a model's batch norms, in place, to the mean of what some batches give.

    Batch norms that are not trainable keep theirs, since they use them in training too; all other weights stay.

    Parameters
    ----------
    model
        Keras 3 model of any kind, masked or plain.
    batches
        Inputs as ``model`` takes them, without labels; a few dozen batches as large as those of training, or larger.

    Raises
    ------
    ValueError
        It is no Keras 3 model, or there are no batches.

    Examples
    --------
    >>> mcpruner.reestimate_batch_norm(model, (x for x, _ in dataset.take(24)))
    """
    check_model(model)
    check_batches(batches, "inputs")
    norms = [x for x in model._flatten_layers() if isinstance(x, keras.layers.BatchNormalization) and x.trainable]
    momenta = [norm.momentum for norm in norms]
    averages = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    before = [(v, keras.ops.convert_to_numpy(v)) for v in model.non_trainable_variables]
    sums, count = [0.0] * len(averages), 0
    try:
        for norm in norms:
            norm.momentum = 0.0  # So a moving average is that of the last batch.
        forget_traces(model)
        for batch in batches:
            model(batch, training=True)
            sums = [s + keras.ops.convert_to_numpy(v).astype(np.float64) for s, v in zip(sums, averages, strict=True)]
            count += 1
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        forget_traces(model)
        for variable, value in before:
            variable.assign(value)
    if count == 0:
        raise ValueError("Expected at least one batch of inputs, got none.")
    for variable, total in zip(averages, sums, strict=True):
        variable.assign((total / count).astype(np.float32))
