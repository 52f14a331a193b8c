"""Accuracy of post-training pruning on the ImageNet subset beside the project: five folds of calibration images.

    PYTHONPATH=tests python benchmarks/accuracy/post_training.py mobilenet_v2_1.0_224_int8

Of 1000 images in a fixed order, each fold calibrates on 200 and scores the other 800: dense, pruned in one shot by
magnitude with the densities of `mcpruner.allocate`, and by `prune_post_training` with those of
`mcpruner.measure_sensitivity`. Finished folds stand in ``results/post_training_NETWORK.json`` and are not run again.
Runs on a CPU, in some minutes a fold. The subset is easier than the whole validation set.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import shared_data

from mcpruner.converter.allocation.allocate import allocate
from mcpruner.converter.allocation.sensitivity import measure_sensitivity
from mcpruner.converter.post_training.recipe import prune_post_training
from mcpruner.converter.training.prune import prune
from mcpruner.converter.whole_file import write_file

HERE = Path(__file__).resolve().parent
NETWORKS = ("mobilenet_v1_0.75_224", "mobilenet_v2_1.0_224_int8")
TARGET = "hikey970-cpu"
FOLDS = 5


@dataclass(frozen=True)
class Fold:
    """What one fold gave: shares of the images that are not for calibration."""

    network: str
    fold: int
    density: float
    dense: float
    one_shot: float
    post_training: float
    seconds: float  # of measure_sensitivity and prune_post_training
    date: str
    commit: str


def main() -> None:
    """Run what is not in the results yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--densities", type=float, nargs="+", default=[0.7, 0.5])
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--data", type=Path, default=shared_data.SHARED)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--commit", default="unknown")
    options = parser.parse_args()
    shared_data.SHARED = options.data
    images, labels = shared_data.imagenet_images(1000)
    model = shared_data.keras_model(options.network)
    x = shared_data.preprocess(options.network, images)
    labels = labels + model.output_shape[-1] - 1000  # networks of 1001 classes begin with the background
    path = options.results / f"post_training_{options.network}.json"
    found = json.loads(path.read_text()) if path.is_file() else []
    dense = rightly(model, x, labels)
    plans = {density: allocate(model, TARGET, density=density).densities for density in options.densities}
    one_shot = {density: rightly(prune(model, TARGET, density=plan), x, labels) for density, plan in plans.items()}
    for fold in options.folds:
        done = {record["density"] for record in found if record["fold"] == fold}
        if set(plans) <= done:
            continue
        calibration, scored = split(fold, len(x))
        begin = time.monotonic()
        sensitivity = measure_sensitivity(model, x[calibration], TARGET)
        measured = time.monotonic() - begin
        for density in sorted(set(plans) - done, reverse=True):
            begin = time.monotonic()
            plan = sensitivity.allocate(density)
            pruned = prune_post_training(model, x[calibration], TARGET, density=plan.densities, search=True)
            seconds = round(measured + time.monotonic() - begin, 1)
            right = rightly(pruned, x[scored], labels[scored])
            shares = (float(dense[scored].mean()), float(one_shot[density][scored].mean()), float(right.mean()))
            date = datetime.now(UTC).isoformat(timespec="seconds")
            found.append(asdict(Fold(options.network, fold, density, *shares, seconds, date, options.commit)))
            print(found[-1], flush=True)
            write_file(path, json.dumps(found, indent=1) + "\n")


def split(fold: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to calibrate on, a fifth, and to score: a fixed order, and another fifth of it for each fold."""
    order = np.random.default_rng(0).permutation(images)
    calibration, scored = np.split(np.roll(order, -fold * images // FOLDS), [images // FOLDS])
    return calibration, scored


def rightly(model: keras.Model, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which images are classified rightly: bool ``[N]``."""
    return model.predict(x, batch_size=50, verbose=0).argmax(axis=1) == labels


if __name__ == "__main__":
    main()
