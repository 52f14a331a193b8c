"""Accuracy of pruned networks against dense ones on CIFAR-10, in pairs: equal start, epochs, data, distillation.

    seed ── 20 epochs ── 34 epochs ──┬── 75 epochs dense                 baseline
            dense       distilled    ├── 75 epochs, pruned to a share    each student
                        (teacher)    └── ...                             side by side, on the same batches

    export KERAS_BACKEND=jax PYTHONPATH=examples:tests
    python benchmarks/accuracy/pairs.py resnet18_cifar --before 20 --epochs 34 --rate 0.1 --students 0.178
    python benchmarks/accuracy/pairs.py resnet18_cifar --before 20 34 --epochs 75 --rate 0.15 --students 0.178 0.125

A student is a share of the prunable layers' multiply-adds, spent by `mcpruner.allocate`, in masks of 32 aligned
patterns of any size unless it says `every` (no limit of patterns), `aligned` (8 of the target's size) or
`unstructured` (each layer's largest weights);
`frozen` or `straight_through` is what moves pruned weights on the way, `decay` if it says neither. The schedule is the
recipe of docs/pruning.md. Every finished training is a record in ``results/NETWORK.json``; what stands there is not run
again, but a baseline is trained beside new students. Dense networks are kept in ``--work``, where the baseline of one
run is the start of a longer one, and so are the students of seed 0. Needs Keras on JAX with a GPU; with ``--images 1024
--before 1 --epochs 1`` it runs on a CPU to be tried out. `rows.py` prints the rows.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, get_args

import cifar
import jax
import keras
import loop
import networks
import numpy as np
from largest import largest

from mcpruner.converter.allocation.allocate import allocate
from mcpruner.converter.options import PruningOptions
from mcpruner.converter.training.batch_norm import reestimate_batch_norm
from mcpruner.converter.training.kernel_mask import choose_kernel_mask
from mcpruner.converter.training.prune import strip
from mcpruner.converter.training.pruner import Pruner, Removed
from mcpruner.converter.training.schedule import PolynomialSchedule
from mcpruner.converter.whole_file import write_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = "hikey970-cpu"
BEGIN, END = 0.12, 0.6  # of the steps, between which the density falls
ESTIMATED = 24  # batches on which batch norms are estimated again
RATES = (0.2, 0.1)  # of the dense network from scratch, and of what is distilled from it
MASKS = ("any", "every", "aligned", "unstructured")
PATTERNS = {"any": 32, "every": None, "aligned": 8, "unstructured": 32}


class Student(NamedTuple):
    """What a network is pruned to."""

    multiply_adds: float  # share of the prunable layers' ones; 1 is the baseline
    masks: str
    removed: str

    @classmethod
    def parse(cls, text: str) -> "Student":
        """Read ``SHARE[:every|:aligned|:unstructured][:frozen|:straight_through]``."""
        share, *words = text.split(":")
        found = [[word for word in words if word in known] for known in (MASKS, get_args(Removed))]
        if sum(map(len, found)) < len(words) or max(map(len, found)) > 1:
            raise argparse.ArgumentTypeError(
                f"expected SHARE[:every|:aligned|:unstructured][:frozen|:straight_through], got {text}"
            )
        return cls(float(share), *((*given, default)[0] for given, default in zip(found, DEFAULTS, strict=True)))


DEFAULTS = ("any", "decay")
BASELINE = Student(1.0, "none", "none")


@dataclass(frozen=True)
class Record:
    """One training: what it was, what came of it, where and when."""

    network: str
    seed: int
    multiply_adds: float
    masks: str
    removed: str
    before: list[int]  # epochs of the dense network that training starts from
    epochs: int
    rate: float
    accuracy: float  # of the test images
    mirrored: float  # mean of that and of the accuracy of the mirrored images
    cross_entropy: float  # of both
    start_accuracy: float  # of the dense network that training starts from
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
    train, test = (cifar.load(options.data / "cifar10_jpeg.npz", split, options.images) for split in ("train", "test"))
    path = options.results / f"{options.network}.json"
    shared = loop.Loop(networks.network(options.network, 0, options.data), train, options.batch_size)
    for seed in options.seeds:
        done = {Student(r["multiply_adds"], r["masks"], r["removed"]) for r in read(path) if same_run(options, r, seed)}
        todo = [student for student in options.students if student not in done]
        if todo:
            dense = dense_network(options, shared, seed, options.before)
            for record in pairs(options, shared, seed, dense, [BASELINE, *todo], test):
                print(json.dumps(asdict(record)), flush=True)
                write(path, [*read(path), asdict(record)])


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=networks.NAMES)
    parser.add_argument("--students", type=Student.parse, nargs="+", default=[Student(0.178, *DEFAULTS)])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--before", type=int, nargs="+", default=[20, 34], help="epochs of the dense trainings")
    parser.add_argument("--epochs", type=int, default=75)
    parser.add_argument("--rate", type=float, default=0.15, help="highest learning rate")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of cifar10_jpeg.npz")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=ROOT / "out/accuracy")
    parser.add_argument("--images", type=int, default=None, help="only the first so many of each split")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--commit", default="unknown")
    return parser.parse_args()


def same_run(options: argparse.Namespace, record: dict, seed: int) -> bool:
    """Whether a record is of this seed and protocol."""
    wanted = {"seed": seed, "before": options.before, "epochs": options.epochs, "rate": options.rate}
    return all(record[name] == value for name, value in wanted.items())


def dense_path(options: argparse.Namespace, seed: int, epochs: Sequence[int]) -> Path:
    """Where a dense network is kept."""
    return options.work / f"{options.network}_{seed}_{'_'.join(map(str, epochs))}.weights.h5"


def dense_network(options: argparse.Namespace, shared: loop.Loop, seed: int, epochs: list[int]) -> keras.Model:
    """The dense network of a chain of trainings, each taught by the one before; from the work folder if it is there."""
    path = dense_path(options, seed, epochs)
    if path.is_file():
        model = loop.masked_copy(networks.network(options.network, seed, options.data))
        model.load_weights(path)
        return model
    *before, last = epochs
    if before:
        teacher = dense_network(options, shared, seed, before)
        model = loop.masked_copy(teacher)
    else:
        teacher, model = None, loop.masked_copy(networks.network(options.network, seed, options.data))
    begin = time.monotonic()
    shared.train([model], teacher, loop.Run(last, RATES[bool(before)], 100 * len(before) + seed), [None])
    reestimate_batch_norm(model, shared.augmented(ESTIMATED, seed))
    print(f"{path.name}: {time.monotonic() - begin:.1f} s", flush=True)
    keep(model, path)
    return model


def keep(model: keras.Model, path: Path) -> None:
    """Save weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_weights(path)


def pairs(
    options: argparse.Namespace,
    shared: loop.Loop,
    seed: int,
    dense: keras.Model,
    students: Sequence[Student],
    test: cifar.Images,
) -> Iterator[Record]:
    """Train on from the dense network, all students side by side."""
    begin, chain = time.monotonic(), [*options.before, options.epochs]
    run = loop.Run(options.epochs, options.rate, 100 * len(options.before) + seed)
    models = [loop.masked_copy(dense) for _ in students]
    pruners = [make_pruner(*each, shared.steps(run), shared.chunk) for each in zip(models, students, strict=True)]
    start = shared.score(dense, test).accuracy
    shared.train(models, dense, run, pruners)
    for model, student, pruner in zip(models, students, pruners, strict=True):
        reestimate_batch_norm(model, shared.augmented(ESTIMATED, seed))
        if student == BASELINE:
            keep(model, dense_path(options, seed, chain))
        elif seed == 0:
            name = f"{options.network}_{'_'.join(map(str, student))}_{len(chain)}"
            keep(strip(model), options.work / f"{name}.weights.h5")
        yield Record(
            options.network,
            seed,
            *student,
            options.before,
            options.epochs,
            options.rate,
            *(round(value, 6) for value in shared.score(model, test)),
            round(start, 6),
            *shares(pruner),
            round(time.monotonic() - begin, 1),
            datetime.now(UTC).isoformat(timespec="seconds"),
            options.commit,
            jax.devices()[0].device_kind,
        )


def make_pruner(model: keras.Model, student: Student, steps: int, chunk: int) -> Pruner | None:
    """Pruner by the recipe, whose masks are chosen between chunks of steps; None for the baseline."""
    if student == BASELINE:
        return None
    begin, end = (max(i, round(share * steps / chunk)) * chunk for i, share in enumerate((BEGIN, END)))
    schedule = PolynomialSchedule(begin, end, frequency=chunk)
    plan = allocate(model, TARGET, multiply_adds=student.multiply_adds)
    size = "auto" if student.masks == "aligned" else "any"
    patterns = {"pattern_size": size, "num_patterns": PATTERNS[student.masks]}
    choose = choose_unstructured if student.masks == "unstructured" else choose_kernel_mask
    densities, removed = plan.densities, student.removed
    return Pruner(model, schedule, TARGET, density=densities, removed=removed, choose=choose, **patterns)


def choose_unstructured(
    options: PruningOptions,
    kernel: np.ndarray,
    density: float,
    final: float,
    before: np.ndarray | None,
    groups: int,
) -> np.ndarray:
    """In the place of `choose_kernel_mask`: the largest weights of a layer, wherever they are."""
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
