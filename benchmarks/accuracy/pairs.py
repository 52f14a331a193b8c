"""Accuracy of pruned networks against dense ones on CIFAR-10, in pairs: equal start, epochs, data, distillation.

    seed ── dense network ──┬── trained on dense                     baseline
            (the teacher)   ├── trained on, pruned to a density      each student
                            └── ...                                  side by side, on the same batches

    export KERAS_BACKEND=jax PYTHONPATH=examples:tests
    python benchmarks/accuracy/pairs.py resnet18_cifar --students 0.178 0.178:uniform 0.178:any --seeds 0 1 2

A student is a density of the prunable weights, allocated to the layers by `mcpruner.allocate` unless it says `uniform`,
in aligned masks of the target's pattern size, unless it says `any` (32 aligned patterns of any size) or `unstructured`
(the largest weights of each layer). Every finished training is a record in ``results/NETWORK.json``; what stands there
is not run again, but a baseline is trained beside new students. The dense networks are kept in ``--work``, so a run
that was cut short goes on where it was. Needs Keras on JAX with a GPU; with ``--images 512 --epochs 1`` it runs on a
CPU to be tried out. `rows.py` prints the rows.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import cifar
import jax
import keras
import loop
import networks
import numpy as np
from largest import largest

from mcpruner.converter.allocate import allocate
from mcpruner.converter.prune import strip
from mcpruner.converter.pruner import Pruner
from mcpruner.converter.schedule import PolynomialSchedule
from mcpruner.converter.whole_file import write_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = "hikey970-cpu"
RAMP = 0.45  # share of the steps in which the density falls
EVALUATED = 500  # images at a time


class Student(NamedTuple):
    """What a network is pruned to."""

    density: float  # of prunable weights; 1 is the baseline
    allocation: str = "saliency"
    masks: str = "aligned"

    @classmethod
    def parse(cls, text: str) -> "Student":
        """Read ``DENSITY[:uniform][:any|:unstructured]``."""
        density, *rest = text.split(":")
        if unknown := set(rest) - {"uniform", "any", "unstructured"}:
            raise argparse.ArgumentTypeError(
                f"expected DENSITY[:uniform][:any|:unstructured], got {', '.join(sorted(unknown))}"
            )
        allocation = "uniform" if "uniform" in rest else "saliency"
        masks = [kind for kind in rest if kind != "uniform"] or ["aligned"]
        return cls(float(density), allocation, masks[0])


BASELINE = Student(1.0, "none", "none")


@dataclass(frozen=True)
class Record:
    """One training: what it was, what came of it, where and when."""

    network: str
    seed: int
    density: float
    allocation: str
    masks: str
    dense_epochs: int
    epochs: int
    accuracy: float  # of the test images
    start_accuracy: float  # of the dense network that training started from
    kept: float  # of prunable weights
    kept_work: float  # of prunable layers' multiply-adds
    seconds: float  # of all students of the seed together
    date: str
    commit: str
    device: str


def main() -> None:
    """Run what is not in the results yet."""
    options = parse()
    jax.config.update("jax_compilation_cache_dir", str(options.work / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1)
    keras.config.set_dtype_policy("mixed_bfloat16")
    train, test = (cifar.load(options.data / "cifar10_jpeg.npz", split) for split in ("train", "test"))
    train, test = (cifar.Images(*(part[: options.images] for part in split)) for split in (train, test))
    path = options.results / f"{options.network}.json"
    for seed in options.seeds:
        done = {Student(r["density"], r["allocation"], r["masks"]) for r in read(path) if r["seed"] == seed}
        todo = [student for student in options.students if student not in done]
        if todo:
            dense = dense_network(options, seed, train)
            for record in pairs(options, seed, dense, [BASELINE, *todo], train, test):
                print(json.dumps(asdict(record)), flush=True)
                write(path, [*read(path), asdict(record)])


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=networks.NAMES)
    parser.add_argument("--students", type=Student.parse, nargs="+", default=[Student(0.178)])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of cifar10_jpeg.npz")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=ROOT / "out/accuracy")
    parser.add_argument("--dense-epochs", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--images", type=int, default=None, help="only the first so many of each split")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--commit", default="unknown")
    return parser.parse_args()


def dense_network(options: argparse.Namespace, seed: int, data: cifar.Images) -> keras.Model:
    """The dense network that all runs of a seed start from; from the work folder if it is there."""
    model = networks.network(options.network, seed, options.data)
    path = options.work / f"{options.network}_{seed}_{options.dense_epochs}.weights.h5"
    if path.is_file():
        model.load_weights(path)
        return model
    run = loop.Run(options.dense_epochs, options.batch_size, 0.2, seed)
    loop.train([model], None, data, run, [None])
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_weights(path)
    return model


def pairs(
    options: argparse.Namespace,
    seed: int,
    dense: keras.Model,
    students: Sequence[Student],
    train: cifar.Images,
    test: cifar.Images,
) -> Iterator[Record]:
    """Train on from the dense network, all students side by side."""
    begin = time.monotonic()
    start = loop.accuracy(dense, test, EVALUATED)
    run = loop.Run(options.epochs, options.batch_size, 0.1, 100 + seed)
    models = [strip(dense) for _ in students]
    pruners = [make_pruner(*each, run, len(train.images)) for each in zip(models, students, strict=True)]
    loop.train(models, dense, train, run, pruners)
    for model, student, pruner in zip(models, students, pruners, strict=True):
        yield Record(
            options.network,
            seed,
            *student,
            options.dense_epochs,
            options.epochs,
            loop.accuracy(strip(model), test, EVALUATED),
            start,
            *shares(pruner),
            round(time.monotonic() - begin, 1),
            datetime.now(UTC).isoformat(timespec="seconds"),
            options.commit,
            jax.devices()[0].device_kind,
        )


def make_pruner(model: keras.Model, student: Student, run: loop.Run, images: int) -> Pruner | None:
    """Pruner that chooses masks after every epoch of the ramp; None for the baseline."""
    if student == BASELINE:
        return None
    epoch = run.chunk(images)
    schedule = PolynomialSchedule(0, max(1, round(RAMP * run.epochs)) * epoch, frequency=epoch)
    uniform = student.allocation == "uniform"
    density = student.density if uniform else allocate(model, TARGET, density=student.density).densities
    patterns = {"pattern_size": "any", "num_patterns": 32} if student.masks == "any" else {}
    pruner = Pruner(model, schedule, TARGET, density=density, **patterns)
    if student.masks == "unstructured":
        pruner._options = Unstructured()
    return pruner


class Unstructured:
    """In the place of `MaskOptions`: the largest weights of a layer, wherever they are."""

    def choose(self, kernel: np.ndarray, density: float) -> np.ndarray:
        """Mask of the kernel's shape."""
        return largest(kernel, density)


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
    write_file(path, json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
