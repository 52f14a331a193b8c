"""Write the golden files: small layers whose blobs must never change while the format's versions are 1 and 2.

Run ``python tests/golden/make_golden.py`` from the project's root after a deliberate change of the format.
``<name>.mcp`` is the blob, ``<name>.f32`` the dense weights (OHWI, little-endian float32) that a reader makes of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcpruner.converter.format.grouped import expand_groups
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
    return files | layers_of_version_2()


def units_layer(filters: int, kernel: tuple[int, int], channels: int, unit_channels: int) -> np.ndarray:
    """Weights ``[O, H, W, I]`` whose units are kept or dropped as a whole, three of five at a position."""
    weights = np.zeros((filters, *kernel, channels), np.float32)
    for f, y, x, c in np.ndindex(weights.shape):
        if (3 * (c // unit_channels) + 2 * y + x + f // 4) % 5 < 3:
            weights[f, y, x, c] = 1 + f - 0.5 * c + 2 * y - x
    return weights


def layers_of_version_2() -> dict[str, bytes]:
    """Layers with what version 2 has; the dense weights are for all input channels."""
    bias = np.array([0.25, -1, 0, 3, 8], np.float32)
    units, kept = units_layer(5, (2, 2), 10, 4), units_layer(3, (1, 1), 5, 2)
    grouped, int8 = units_layer(8, (1, 3), 3, 2), units_layer(6, (3, 1), 8, 4)
    of_int8 = pack(int8, np.array([3, 0, 2, 1, 5, 4]), 4, unit_channels=4)
    of_int8.tensor_type, of_int8.int_bias = "int8", np.array([7, -(2**31), 0, 2**31 - 1, 1, -1], np.int32)
    cases = {
        "units": (units, pack(units, np.array([4, 0, 2, 1, 3]), 2, bias, unit_channels=4), "float32"),
        "units_float16": (kept, pack(kept, np.arange(3), 2, None, "FullyConnected", unit_channels=2), "float16"),
        "units_grouped": (
            expand_groups(grouped, 2),
            pack(grouped, np.array([3, 1, 2, 0, 4, 5, 7, 6]), 4, unit_channels=2, groups=2),
            "int8",
        ),
        "int8_tensors": (int8, of_int8, "int8"),
    }
    files = {f"{name}.mcp": serialize(layer, value_type) for name, (_, layer, value_type) in cases.items()}
    return files | {
        f"{name}.f32": round_values(weights, value_type).astype("<f4").tobytes()
        for name, (weights, _, value_type) in cases.items()
    }


if __name__ == "__main__":
    for name, data in layers().items():
        (FOLDER / name).write_bytes(data)
