"""How densely each layer of a Keras model is kept, so that the whole model meets one goal.

This room imports `format`, `mask`, `cost`, `training` and `post_training`.
"""
