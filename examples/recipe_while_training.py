"""Prune while ``model.fit`` trains: one callback more. The recipe to begin with where there is training data."""

from recipe import TARGET, Task

import mcpruner

if __name__ == "__main__":
    task = Task(__doc__)
    dense = task.dense()
    model = mcpruner.strip(dense)
    task.fit(model, mcpruner.PruningCallback(TARGET, density=task.options.density))
    task.finish(dense, mcpruner.strip(model))
