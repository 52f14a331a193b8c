"""Write the golden files: small layers whose blobs must never change while the format's version is 1.

Run ``python tests/golden/make_golden.py`` from the project's root after a deliberate change of the format.
``<name>.mcp`` is the blob, ``<name>.f32`` the dense weights (OHWI, little-endian float32) that a reader makes of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import round_values, serialize

FOLDER = Path(__file__).parent


def readme_layer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The layer of ``format/README.md``: weights ``[5, 2, 2, 3]``, permutation and bias."""
    weights = np.zeros((5, 2, 2, 3), np.float32)
    group = [4, 0, 2, 1]  # filters of group 0 in packed order; filter 3 is alone in group 1
    for lane, filter_ in enumerate(group):
        weights[filter_, 0, 0, 0] = 1 + lane  # channel 0: positions (0, 0) and (1, 1)
        weights[filter_, 1, 1, 0] = -(1 + lane)
        weights[filter_, 0, 0, 2] = 0.5 * (1 + lane)  # channel 2: the same pattern; channel 1 is pruned
        weights[filter_, 1, 1, 2] = 0.25
    weights[3, 0, 1, 1] = 8
    return weights, np.array([*group, 3]), np.array([0.5, 0, 0, -1, 0], np.float32)


def layers() -> dict[str, bytes]:
    """Blob of each golden layer, and under ``<name>.f32`` its dense weights."""
    weights, permutation, bias = readme_layer()
    far = np.zeros((3, 1, 1, 700), np.float32)
    far[0, 0, 0, [0, 255, 256, 699]] = [1, 2, 3, 4]
    far[2, 0, 0, 600] = -5
    dense = (np.arange(2 * 8 * 8 * 2, dtype=np.float32) - 100).reshape(2, 8, 8, 2)
    cases = {
        "readme": (weights, permutation, 4, bias, "Conv2D", "float32"),
        "readme_float16": (weights, permutation, 4, bias, "Conv2D", "float16"),
        "readme_int8": (weights, permutation, 4, bias, "Conv2D", "int8"),
        "long_gaps": (far, np.arange(3), 1, None, "FullyConnected", "float32"),
        "all_pruned": (np.zeros((9, 3, 3, 4), np.float32), np.arange(9), 8, None, "Conv2D", "float32"),
        "dense_64_positions": (dense, np.arange(2), 16, None, "Conv2D", "float32"),
    }
    files = {}
    for name, (w, order, group_size, b, kind, value_type) in cases.items():
        files[f"{name}.mcp"] = serialize(pack(w, order, group_size, b, kind), value_type)
        files[f"{name}.f32"] = round_values(w, value_type).astype("<f4").tobytes()
    return files


if __name__ == "__main__":
    for name, data in layers().items():
        (FOLDER / name).write_bytes(data)
