"""What the search for filter groups gains before any training: kept saliency and accuracy of one-shot masks.

    PYTHONPATH=examples:tests python benchmarks/accuracy/one_shot.py resnet20_cifar10 resnet56_cifar10
    PYTHONPATH=examples:tests python benchmarks/accuracy/one_shot.py vgg16_cifar --work out/accuracy

Each network is pruned to one density in all layers, by magnitude, with filters grouped in their own order (`none`),
greedily (the default), by search, by search with patterns of any size (32 of them), and with single weights for
comparison. Batch norms are estimated again on 200
training images, since masks without that leave little to compare. Published networks come from ``../shared/data``, the
others are dense networks that `pairs.py` left in ``--work``. Records go to ``results/one_shot.json``.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import cifar
import keras
import networks
import numpy as np
import shared_data
from largest import largest

from mcpruner.converter.mask.mask import magnitude_saliency
from mcpruner.converter.post_training.recipe import estimate_norms
from mcpruner.converter.training.prunable import find_layers
from mcpruner.converter.training.prune import prune, strip
from mcpruner.converter.whole_file import write_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = "hikey970-cpu"
DENSITIES = (0.25, 0.125)
GROUPS = ("none", "greedy", "search", "any size", "unstructured")
OPTIONS = {"search": {"search": True}, "any size": {"search": True, "pattern_size": "any", "num_patterns": 32}}
ESTIMATED = 200  # images


def main() -> None:
    """Prune and score; what stands in the results is not run again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--data", type=Path, default=shared_data.SHARED)
    parser.add_argument("--work", type=Path, default=ROOT / "out/accuracy")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--commit", default="unknown")
    options = parser.parse_args()
    shared_data.SHARED = options.data
    path = options.results / "one_shot.json"
    for name in options.networks:
        model = trained(name, options.work)
        known, scored, labels = images(name, options.images)
        for density in DENSITIES:
            for groups in GROUPS:
                found = json.loads(path.read_text()) if path.is_file() else []
                if any((r["network"], r["density"], r["groups"]) == (name, density, groups) for r in found):
                    continue
                pruned = PRUNED.get(groups, aligned)(model, density, **OPTIONS.get(groups, {}))
                kept = kept_saliency(model, pruned)
                estimate_norms(pruned, known)
                right = pruned.predict(scored, batch_size=50, verbose=0).argmax(axis=1) == labels
                record = {"network": name, "density": density, "groups": groups, "kept": kept}
                record |= {"accuracy": float(right.mean()), "images": len(labels)}
                record |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": options.commit}
                print(record, flush=True)
                write_file(path, json.dumps([*found, record], indent=1) + "\n")


def trained(name: str, work: Path) -> keras.Model:
    """A published network, or a dense one that `pairs.py` trained."""
    if name not in networks.NAMES or name in networks.PUBLISHED:
        return shared_data.keras_model(name)
    model = networks.network(name, 0, shared_data.SHARED)
    found = sorted(work.glob(f"{name}_*.weights.h5"))
    if not found:
        raise ValueError(f"Expected dense weights of {name} in {work}: run pairs.py first.")
    model.load_weights(found[0])
    return model


def images(name: str, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Preprocessed images to estimate batch norms on, others to score, and their labels."""
    if "cifar" not in name:
        pixels, labels = shared_data.imagenet_images(1000)
        x = shared_data.preprocess(name, pixels)
        order = np.random.default_rng(0).permutation(len(x))
        known, scored = order[:ESTIMATED], order[ESTIMATED : ESTIMATED + count]
        return x[known], x[scored], labels[scored]
    train, test = (cifar.load(shared_data.SHARED / "cifar10_jpeg.npz", split) for split in ("train", "test"))
    chosen = np.linspace(0, len(test.labels) - 1, count).astype(int)
    read = cifar.normalise if name in networks.NAMES and name not in networks.PUBLISHED else None
    prepare = read or (lambda pixels: shared_data.preprocess(name, pixels))
    known, scored = (np.asarray(prepare(x)) for x in (train.images[:ESTIMATED], test.images[chosen]))
    return known, scored, test.labels[chosen]


def aligned(model: keras.Model, density: float, **knobs: Any) -> keras.Model:
    """A copy with masks for the target."""
    return prune(model, TARGET, density=density, **knobs)


def in_own_order(model: keras.Model, density: float) -> keras.Model:
    """The same, its filters grouped in their own order."""
    own = "mcpruner.converter.training.kernel_mask.group_by_saliency"
    with mock.patch(own, lambda saliency, *_: np.arange(len(saliency))):
        return aligned(model, density)


def unstructured(model: keras.Model, density: float) -> keras.Model:
    """A copy that keeps each layer's largest weights, wherever they are."""
    pruned = strip(model)
    for layer in find_layers(pruned)[0].values():
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        layer.kernel.assign(np.where(largest(kernel, density), kernel, 0))
    return pruned


PRUNED = {"none": in_own_order, "unstructured": unstructured}


def kept_saliency(dense: keras.Model, pruned: keras.Model) -> float:
    """Share of the squared weights that masks keep, mean over the prunable layers."""
    layers, after = find_layers(dense)[0], find_layers(pruned)[0]
    shares = []
    for path, layer in layers.items():
        saliency = magnitude_saliency(keras.ops.convert_to_numpy(layer.kernel))
        kept = keras.ops.convert_to_numpy(after[path].kernel) != 0
        shares.append(saliency[kept].sum(dtype=np.float64) / saliency.sum(dtype=np.float64))
    return float(np.mean(shares))


if __name__ == "__main__":
    main()
