"""How Keras models are pruned without training, by least squares on a few hundred images.

This room imports `format`, `mask` and `training`.
"""

from mcpruner.converter.post_training.recipe import prune_post_training

__all__ = ["prune_post_training"]
