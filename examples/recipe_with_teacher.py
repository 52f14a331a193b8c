"""Prune while the dense network teaches, with a density of its own for each layer: the most accuracy at few weights."""

from recipe import TARGET, Task

import mcpruner

if __name__ == "__main__":
    task = Task(__doc__)
    dense = task.dense()
    taught = mcpruner.prune_with_teacher(mcpruner.strip(dense))
    plan = mcpruner.allocate(dense, TARGET, density=task.options.density)
    task.fit(taught, mcpruner.PruningCallback(TARGET, density=plan))
    task.finish(dense, mcpruner.strip(taught.student))
