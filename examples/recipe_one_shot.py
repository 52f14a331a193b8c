"""Prune in one call, by what each weight is worth to the loss: for densities that a network takes as it is."""

import keras
from recipe import TARGET, Task

import mcpruner

if __name__ == "__main__":
    task = Task(__doc__)
    dense = task.dense()
    batches = [(task.x[i : i + 64], task.y[i : i + 64]) for i in range(0, min(640, len(task.x)), 64)]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    worth = mcpruner.first_order_saliency(dense, batches, loss)
    pruned = mcpruner.prune(dense, TARGET, density=task.options.density, saliency=worth, search=True)
    task.finish(dense, pruned)
