"""The metadata `min_runtime_version`: the first version of TensorFlow whose runtime has every operator of a file.

TFLite's converter writes it, from a table of its own (its runtime_version.cc). What we write ourselves is here; the
rest of a file is as it was, so the larger of the two versions holds for it.
"""

from typing import Any

import numpy as np

from mcpruner.converter.tflite.model import operator_name

NAME = b"min_runtime_version"
_BYTES = 16  # TFLite's converter keeps so many for it.

# The first runtime that has a version of an operator, of those that `builtin_layer` and `portable` write.
_SINCE = {
    ("CONV_2D", 1): "1.5.0",
    ("CONV_2D", 6): "2.9.0",
    ("FULLY_CONNECTED", 1): "1.5.0",
    ("FULLY_CONNECTED", 5): "2.0.0",
    ("TRANSPOSE_CONV", 3): "2.3.0",
    ("TRANSPOSE_CONV", 4): "2.13.0",
    ("PAD", 1): "1.5.0",
    ("SHAPE", 1): "1.10.0",
    ("SLICE", 1): "1.14.0",
    ("CONCATENATION", 1): "1.5.0",
    ("DEQUANTIZE", 3): "1.15.0",
    ("DENSIFY", 1): "2.2.0",
}


def read_version(model: Any) -> str | None:
    """What the metadata says; None where there is none."""
    data = next((model.buffers[entry.buffer].data for entry in model.metadata if entry.name == NAME), None)
    return None if data is None else bytes(bytearray(data)).rstrip(b"\0").decode(errors="replace")


def write_version(model: Any, version: str) -> None:
    """Let the metadata say `version`, in place; a model without that metadata stays as it is."""
    for entry in model.metadata:
        if entry.name == NAME:
            model.buffers[entry.buffer].data = np.frombuffer(version.encode().ljust(_BYTES, b"\0"), np.uint8)


def raise_version(model: Any) -> None:
    """Raise what the metadata says to what the operators need that we write, in place."""
    version = read_version(model)
    if version is None:
        return
    operators = (op for graph in model.subgraphs for op in graph.operators)
    versions = ((operator_name(model, op), model.operatorCodes[op.opcodeIndex].version) for op in operators)
    needed = [_SINCE[each] for each in versions if each in _SINCE]
    write_version(model, max([version, *needed], key=_numbers))


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in version.split(".")]
