"""How the plugin groups filters of a file without a plan, beside the converter: prints the tables of docs/masks.md.

    PYTHONPATH=tests/e2e python benchmarks/accuracy/grouping.py --data ../shared/data

Both group the filters of published weights, layer by layer. The first table has what a packed layer then stores for
each weight that is not zero, as means over layers. The second has the share of the squared weights that an aligned mask
keeps whose groups were found so: by the plugin from the largest weights alone, by the converter from all of them.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from packer import group_filters

from mcpruner.converter.cost.estimate import count
from mcpruner.converter.mask.mask import choose_mask, magnitude_saliency
from mcpruner.converter.mask.pattern import kernel_pattern_size
from mcpruner.converter.mask.reorder import filter_permutation, group_by_saliency

NETWORKS = ("mobilenet_v1_0.75_224", "resnet56_cifar10")
LEAST = 20000  # weights of a layer that counts
GROUP_SIZES = (2, 4, 8)
SIZE = 4  # of the groups that are pruned
ALIGNED = 0.2  # density of those masks
DENSITIES = (0.25, 0.125)
Grouping = Callable[[np.ndarray, int], np.ndarray]
GROUPINGS: dict[str, Grouping] = {
    "file's order": lambda mask, _: np.arange(len(mask)),
    "plugin": group_filters,
    "converter": filter_permutation,
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    print("| network | mask | group size |", " | ".join(GROUPINGS), "|")
    for name in NETWORKS:
        layers = list(read_layers(data, name))
        for mask_name, make in MASKS.items():
            masks = [make(layer) for layer in layers]
            for size in GROUP_SIZES:
                stored = [
                    np.mean([padding(mask, group(mask, size), size) for mask in masks]) for group in GROUPINGS.values()
                ]
                print(f"| {name} | {mask_name} | {size} |", " | ".join(f"{value:.3f}" for value in stored), "|")
    print("\n| network | density | file's order | plugin | converter, greedy | converter, search |")
    for name in NETWORKS:
        layers = list(read_layers(data, name))
        for density in DENSITIES:
            kept = np.mean([kept_shares(layer, density) for layer in layers], axis=0)
            print(f"| {name} | {density} |", " | ".join(f"{100 * share:.1f}" for share in kept), "|")


def read_layers(data: Path, name: str) -> Iterator[np.ndarray]:
    """Weights of convolutions and dense layers, float32 OHWI."""
    file = np.load(data / "models" / f"{name}.npz")
    for key in file.files:
        weights = file[key].astype(np.float32)
        if key.endswith("/kernel") and weights.size >= LEAST:
            weights = weights.reshape((1, 1, *weights.shape) if weights.ndim == 2 else weights.shape)
            yield np.ascontiguousarray(weights.transpose(3, 0, 1, 2))


def scattered(weights: np.ndarray, density: float) -> np.ndarray:
    """The mask of the largest weights of a layer."""
    return np.abs(weights) > np.quantile(np.abs(weights), 1 - density)


def two_of_four(weights: np.ndarray) -> np.ndarray:
    """The mask of the two largest of each four input channels."""
    rank = np.abs(weights).reshape(*weights.shape[:3], -1, 4).argsort(axis=-1).argsort(axis=-1)
    return (rank >= 2).reshape(weights.shape)


def aligned(weights: np.ndarray, permutation: np.ndarray | None = None, density: float = ALIGNED) -> np.ndarray:
    """The converter's mask of groups of `SIZE` filters; without a permutation those of its search."""
    positions = weights.shape[1] * weights.shape[2]
    pattern_size = kernel_pattern_size(positions, density, SIZE)
    searches = permutation is None
    return choose_mask(
        magnitude_saliency(weights), density, SIZE, pattern_size, 8, search=searches, permutation=permutation
    )


MASKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "largest 20 %": lambda weights: scattered(weights, 0.2),
    "largest 10 %": lambda weights: scattered(weights, 0.1),
    "2:4": two_of_four,
    f"groups of {SIZE} in order": lambda weights: aligned(weights, np.arange(len(weights))),
    f"groups of {SIZE}, searched": aligned,
}


def padding(mask: np.ndarray, permutation: np.ndarray, size: int) -> float:
    """Stored values for each weight that is not zero."""
    return count(mask, permutation, size).values / np.count_nonzero(mask)


def kept_shares(weights: np.ndarray, density: float) -> list[float]:
    """Shares of the squared weights that aligned masks keep: groups of the file, the plugin, both of the converter."""
    permutations = [
        np.arange(len(weights)),
        group_filters(scattered(weights, density), SIZE),
        group_by_saliency(magnitude_saliency(weights), SIZE, density),
        None,
    ]
    squared = np.square(weights, dtype=np.float64)
    return [squared[aligned(weights, each, density)].sum() / squared.sum() for each in permutations]


if __name__ == "__main__":
    main()
