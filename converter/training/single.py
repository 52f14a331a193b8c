"""A Keras model as the ``.tflite`` is to have it: plain layers that hold and compute in float32.

Half precision and float64 are how a model trains; the file, the reference that it is compared with and the kernels are
float32. What a policy has rounded stays rounded, and nothing is rounded again.
"""

from typing import Any

import keras

from mcpruner.converter.training.copying import Copier
from mcpruner.converter.training.masked_layers import Masked


def plain_single(model: keras.Model) -> keras.Model:
    """Return the model itself if it is plain and float32, else a copy that is.

    Raises
    ------
    ValueError
        A layer is quantized.
    """
    layers = model._flatten_layers()
    for layer in layers:
        if layer.quantization_mode is not None:
            raise ValueError(
                f"Layer {layer.name!r} of model {model.name!r} is quantized to {layer.quantization_mode}, expected "
                "float weights: convert the model as it was before `quantize`."
            )
    return model if all(map(_is_plain_single, layers)) and _is_single(model.variables) else Copier(model, True).copy


def _is_plain_single(layer: Any) -> bool:
    adapted = getattr(layer, "lora_enabled", False)
    return layer.compute_dtype in ("float32", None) and not adapted and not isinstance(layer, Masked)


def _is_single(variables: list[keras.Variable]) -> bool:
    return all(v.dtype == "float32" or not keras.backend.is_float_dtype(v.dtype) for v in variables)
