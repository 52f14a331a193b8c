"""How a layer's weights are stored: as the user asked, unless rounding would change what the layer computes.

float16 reaches from 6e-8 to 65504, and loses digits below 6e-5; int8 counts in 127ths of a filter's largest weight. A
network may hold weights beyond that anywhere, since its next layer can scale an output channel up again. So each filter
is judged by itself: by the norm of what rounding changes, relative to the filter's norm. Ordinary weights lose 0.03 %
to float16 and 1 % to int8.
"""

import numpy as np

from mcpruner.converter.format.serialize import round_values

# Rounding may change at most this share of a filter's norm, which is three times what ordinary weights lose to float16
# and five times what they lose to int8. (Rounding to 11 bits changes a weight by at most 2^-11 of it, 0.05 %.)
_LIMITS = {"float16": 1e-3, "int8": 5e-2}


def choose_value_type(weights: np.ndarray, values: str) -> tuple[str, str]:
    """The type to store a layer's weights as, and why it is not `values`.

    Parameters
    ----------
    weights
        float32 OHWI ``[O, H, W, I]``, finite.
    values
        ``"float32"``, ``"float16"`` or ``"int8"``, as the user asked.

    Returns
    -------
    str
        The type to store: `values`, or ``"float32"``.
    str
        Empty where that is `values`, else a clause that says what `values` would do to the layer.
    """
    if values == "float32":
        return values, ""
    if values == "float16" and np.abs(weights).max(initial=0) > np.finfo(np.float16).max:
        return "float32", "a weight exceeds float16's range"
    change = _largest_change(weights, round_values(weights, values))
    if change <= _LIMITS[values]:
        return values, ""
    return "float32", f"{values} would change a filter by {100 * change:.3g} %"


def _largest_change(weights: np.ndarray, rounded: np.ndarray) -> float:
    """Norm of a filter's change over the norm of the filter, of the filter where it is largest."""
    exact = weights.reshape(len(weights), -1).astype(np.float64)  # squares of float32 neither overflow nor vanish
    change = np.linalg.norm(rounded.reshape(exact.shape) - exact, axis=1)
    norms = np.linalg.norm(exact, axis=1)
    return float(np.divide(change, norms, out=np.zeros_like(norms), where=norms > 0).max(initial=0))
