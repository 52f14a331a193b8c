"""From what each weight of a layer is worth to the weights that are kept: filter groups, patterns and connectivity.

This room knows NumPy only, neither Keras nor TFLite, and imports `format` for its limits.
"""

from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency

__all__ = ["choose_mask", "magnitude_saliency"]
