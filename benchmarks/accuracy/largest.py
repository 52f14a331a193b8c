"""Masks without structure, which aligned ones are compared with."""

import numpy as np


def largest(kernel: np.ndarray, density: float) -> np.ndarray:
    """Mask (bool, the kernel's shape) of the share `density` of the weights that are largest."""
    count = max(1, round(density * kernel.size))
    return np.abs(kernel) >= np.partition(np.abs(kernel), kernel.size - count, axis=None)[kernel.size - count]
