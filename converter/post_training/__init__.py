"""How Keras models are pruned without training, by least squares on a few hundred images.

This room imports `mask` and `training`.
"""
