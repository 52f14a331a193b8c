"""How Keras models are pruned in one shot or while they train, and become plain models again.

This room imports `format` and `mask`.
"""
