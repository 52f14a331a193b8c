"""Count the bytes of channel gaps and of plain channel numbers: the table in ``format/README.md``."""

from __future__ import annotations

import numpy as np

from mcpruner.converter.format.layer import SparseLayer
from mcpruner.converter.format.pack import pack
from mcpruner.converter.format.serialize import serialize


def grouped_weights(
    rng: np.random.Generator, filters: int, channels: int, kept: float, library: list[np.ndarray]
) -> np.ndarray:
    """Weights ``[filters, 1, positions, channels]`` whose groups of 4 keep a share of the kernels, by pattern."""
    positions = 9 if len(library) > 1 else 1
    weights = np.zeros((filters, 1, positions, channels), np.float32)
    for first in range(0, filters, 4):
        for channel in np.flatnonzero(rng.random(channels) < kept):
            for position in library[rng.integers(len(library))]:
                weights[first : first + 4, 0, position, channel] = 1 + rng.random(4)
    return weights


def count(layer: SparseLayer) -> tuple[int, int, float]:
    """Bytes of gaps, bytes of 16-bit numbers, share of a float16 blob that gaps save."""
    channels = layer.channels.astype(np.int64)
    previous = np.roll(channels, 1)
    previous[np.cumsum(layer.run_counts, dtype=np.int64) - layer.run_counts] = -1
    gaps = int(((channels - previous - 1) // 255 + 1).sum())
    plain = 2 * len(channels)
    return gaps, plain, (plain - gaps) / len(serialize(layer, "float16"))


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    patterns = [rng.choice(9, 4, replace=False) for _ in range(8)]
    layers = {
        "3x3, 256 -> 256, 8 patterns of 4, density 0.178, groups of 4": pack(
            grouped_weights(rng, 256, 256, 0.4, patterns), np.arange(256), 4
        ),
        "1x1, 256 -> 64, density 0.25, groups of 4": pack(
            grouped_weights(rng, 64, 256, 0.25, [np.array([0])]), np.arange(64), 4
        ),
        "3x3, 128 -> 128, unstructured, 80 % zeros, groups of 1": pack(
            np.where(rng.random((128, 3, 3, 128)) < 0.2, 1, 0).astype(np.float32), np.arange(128), 1
        ),
    }
    for name, layer in layers.items():
        gaps, plain, saved = count(layer)
        print(f"| {name} | {len(layer.channels):,} | {gaps:,} | {plain:,} | {saved:.1%} |")


if __name__ == "__main__":
    main()
