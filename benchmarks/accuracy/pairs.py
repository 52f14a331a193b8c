"""Accuracy of pruned networks against dense ones on CIFAR-10, in pairs: equal start, epochs, data, distillation.

    seed ── dense network from scratch ──┬── trained on dense                     baseline
                 (also the teacher)      ├── trained on, pruned to a density      each density
                                         └── ...

    export KERAS_BACKEND=jax PYTHONPATH=examples
    python benchmarks/accuracy/pairs.py resnet18_cifar --densities 0.178 --seeds 0 1 2 --data cifar10_jpeg.npz

Every finished training is a record in ``results/NETWORK.json``; what stands there is not run again, and the dense
networks are kept in ``--work``, so a run that was cut short goes on where it was. Needs Keras on JAX with a GPU; with
``--images 512 --epochs 1`` it runs on a CPU to be tried out. `table.py` prints the rows.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import cifar
import jax
import keras
import loop
import numpy as np
from models import NETWORKS

from mcpruner.converter.allocate import allocate
from mcpruner.converter.prune import strip
from mcpruner.converter.pruner import Pruner
from mcpruner.converter.schedule import PolynomialSchedule

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = "hikey970-cpu"
RAMP = 0.45  # share of the steps in which the density falls
EVALUATED = 500  # images at a time


@dataclass(frozen=True)
class Record:
    """One training: what it was, what came of it, where and when."""

    network: str
    seed: int
    density: float  # asked for, of prunable weights; 1 is the baseline
    allocation: str
    dense_epochs: int
    epochs: int
    accuracy: float  # of the test images
    start_accuracy: float  # of the dense network that training started from
    kept: float  # of prunable weights
    kept_work: float  # of prunable layers' multiply-adds
    seconds: float
    date: str
    commit: str
    device: str


def main() -> None:
    """Run what is not in the results yet."""
    options = parse()
    jax.config.update("jax_compilation_cache_dir", str(options.work / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1)
    keras.config.set_dtype_policy("mixed_bfloat16")
    train, test = (cifar.load(options.data, split) for split in ("train", "test"))
    train, test = (cifar.Images(*(part[: options.images] for part in split)) for split in (train, test))
    path = options.results / f"{options.network}.json"
    wanted = [(1.0, "none"), *((density, options.allocation) for density in options.densities)]
    for seed in options.seeds:
        done = {(r["density"], r["allocation"]) for r in read(path) if r["seed"] == seed}
        todo = [pair for pair in wanted if pair not in done]
        if todo:
            dense = dense_network(options, seed, train)
            for record in pairs(options, seed, dense, todo, train, test):
                print(json.dumps(asdict(record)), flush=True)
                write(path, [*read(path), asdict(record)])


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=("resnet18_cifar", "vgg16_cifar"))
    parser.add_argument("--densities", type=float, nargs="+", default=[0.178])
    parser.add_argument("--allocation", choices=("uniform", "saliency"), default="uniform")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data/cifar10_jpeg.npz")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=ROOT / "out/accuracy")
    parser.add_argument("--dense-epochs", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=None, help="only the first so many of each split")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--commit", default="unknown")
    return parser.parse_args()


def dense_network(options: argparse.Namespace, seed: int, data: cifar.Images) -> keras.Model:
    """The dense network that all runs of a seed start from; from the work folder if it is there."""
    model = NETWORKS[options.network]()
    start_again(model, seed)
    path = options.work / f"{options.network}_{seed}_{options.dense_epochs}.weights.h5"
    if path.is_file():
        model.load_weights(path)
        return model
    run = loop.Run(options.dense_epochs, options.batch_size, 0.2, seed)
    loop.train(model, None, data, run, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_weights(path)
    return model


def start_again(model: keras.Model, seed: int) -> None:
    """Draw the weights of a network with a seed, and reset its batch norms to train at their usual pace."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9
            layer.set_weights([np.full(w.shape, i in (0, 3)) for i, w in enumerate(layer.get_weights())])
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            layer.kernel.assign(keras.initializers.HeNormal(seed=1000 * seed + i)(layer.kernel.shape))


def pairs(
    options: argparse.Namespace,
    seed: int,
    dense: keras.Model,
    todo: list[tuple[float, str]],
    train: cifar.Images,
    test: cifar.Images,
) -> Iterator[Record]:
    """Train on from the dense network once for each density (1: the baseline)."""
    start = loop.accuracy(dense, test, EVALUATED)
    run = loop.Run(options.epochs, options.batch_size, 0.1, 100 + seed)
    for density, allocation in todo:
        begin = time.monotonic()
        model = strip(dense)
        pruner = None if density == 1.0 else make_pruner(model, density, allocation, run, len(train.images))
        loop.train(model, dense, train, run, pruner)
        kept, kept_work = shares(pruner)
        yield Record(
            options.network,
            seed,
            density,
            allocation,
            options.dense_epochs,
            options.epochs,
            loop.accuracy(strip(model), test, EVALUATED),
            start,
            kept,
            kept_work,
            round(time.monotonic() - begin, 1),
            datetime.now(UTC).isoformat(timespec="seconds"),
            options.commit,
            jax.devices()[0].device_kind,
        )


def make_pruner(model: keras.Model, density: float, allocation: str, run: loop.Run, images: int) -> Pruner:
    """Pruner that chooses masks after every half epoch of the ramp."""
    chunk = run.chunk(images)
    schedule = PolynomialSchedule(0, max(1, round(RAMP * run.steps(images) / chunk)) * chunk, frequency=chunk)
    share = density if allocation == "uniform" else allocate(model, TARGET, density=density).densities
    return Pruner(model, schedule, TARGET, density=share)


def shares(pruner: Pruner | None) -> tuple[float, float]:
    """Kept share of the prunable weights, and of their multiply-adds."""
    if pruner is None:
        return 1.0, 1.0
    masks, pixels = pruner.masks, {path: positions(pruner.model, path) for path in pruner.masks}
    kept = sum(mask.sum() for mask in masks.values()) / sum(mask.size for mask in masks.values())
    work = sum(mask.sum() * pixels[path] for path, mask in masks.items())
    return float(kept), float(work / sum(mask.size * pixels[path] for path, mask in masks.items()))


def positions(model: keras.Model, path: str) -> int:
    """Pixels of a layer's output."""
    shape = model.get_layer(path).output.shape
    return int(np.prod(shape[1:-1]))


def read(path: Path) -> list[dict]:
    """Records so far."""
    return json.loads(path.read_text()) if path.is_file() else []


def write(path: Path, records: list[dict]) -> None:
    """Replace the file in one go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".part").write_text(json.dumps(records, indent=1) + "\n")
    path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    main()
