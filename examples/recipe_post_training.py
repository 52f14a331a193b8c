"""Prune without training, on 300 unlabelled images: least squares for the weights that stay."""

from recipe import TARGET, Task

import mcpruner

if __name__ == "__main__":
    task = Task(__doc__)
    dense = task.dense()
    images = task.x[:300]
    plan = mcpruner.measure_sensitivity(dense, images, TARGET).allocate(task.options.density)
    pruned = mcpruner.prune_post_training(dense, images, TARGET, density=plan)
    task.finish(dense, pruned)
