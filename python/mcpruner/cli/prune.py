"""``mcpruner prune``: mask a Keras model in one shot."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from mcpruner.cli.common import add_command, check_different_files, output_file, progress, return_memory, table_stream
from mcpruner.converter.allocation.plan import Plan, check_goal
from mcpruner.converter.options import KNOBS, PruningOptions
from mcpruner.converter.whole_file import own_stream, whole_file
from mcpruner.text import table

# The other knobs have more than one form on the command line, or none.
READ = [knob for knob in KNOBS if knob.metadata]


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "prune",
        "prune a Keras model in one shot, without training",
        "mcpruner prune model.keras -o pruned.keras --target hikey970-cpu --density 0.178 --density 'fc*=0.1'",
        run,
    )
    parser.add_argument("source", metavar="SRC.keras", help="Keras model file, .keras or .h5")
    parser.add_argument("-o", "--output", type=output_file, required=True, metavar="OUT.keras", help="file to write")
    share = parser.add_mutually_exclusive_group(required=True)
    form = "a number, or GLOB=NUMBER for the layers whose name matches; may be repeated"
    share.add_argument("--density", action="append", metavar="D", help=f"share of weights kept in a layer: {form}")
    share.add_argument("--sparsity", action="append", metavar="S", help=f"share of weights removed: {form}")
    share.add_argument(
        "--allocate",
        metavar="GOAL=NUMBER",
        help="choose each layer's density to meet one goal of the model: density=D, multiply_adds=M, speedup=S or "
        "latency_ms=T",
    )
    share.add_argument("--plan", metavar="FILE.json", help="densities that --save-plan wrote")
    parser.add_argument(
        "--save-plan", type=output_file, metavar="FILE.json", help="write the densities that --allocate chose"
    )
    for knob in READ:
        parser.add_argument(f"--{knob.name.replace('_', '-')}", default=knob.default, **knob.metadata)
    parser.add_argument(
        "--calibration",
        metavar="IMAGES.npy",
        help="adapt what is kept to a few hundred inputs, preprocessed as the model takes them; no labels",
    )


def run(args: argparse.Namespace) -> int:
    """Prune, save, print the density of each layer."""
    if Path(args.output).suffix != ".keras" and own_stream(args.output) is None:
        raise ValueError(f"Keras writes .keras files: give -o a name that ends so, not {args.output}.")
    if args.save_plan and not args.allocate:
        raise ValueError("--save-plan writes what --allocate chose: give that as well.")
    check_different_files(args.output, args.save_plan)
    goal = allocation_goal(args.allocate) if args.allocate else {}
    named: dict[str, Any] = {
        name: layer_shares(given) for name in ("density", "sparsity") if (given := getattr(args, name))
    }
    if args.plan:
        named = {"density": Plan.load(args.plan)}
    options = {knob.name: getattr(args, knob.name) for knob in READ}
    PruningOptions(**options, **(named or {"density": 1.0}))  # It refuses what is out of range.
    images = load_images(args.calibration) if args.calibration else None
    if images is None:
        return_memory()
    from mcpruner.converter.source import load_keras

    with progress(f"loading {args.source}"):
        model = load_keras(args.source)  # before `prune`: it keeps TensorFlow's notices off stderr
    from mcpruner.converter.training.prune import prune

    if goal:
        named = {"density": _allocated(model, args, goal, images)}
    if images is None:
        pruned = prune(model, **options, **named)
    else:
        from mcpruner.converter.post_training.recipe import prune_post_training

        with progress(f"pruning {args.source}"):
            pruned = prune_post_training(model, images, **options, **named)
    save_keras(pruned, args.output)
    print(table(["layer", "kernel", "density"], _densities(pruned)), file=table_stream(args.output))
    return 0


def save_keras(model: Any, path: str) -> None:
    """Write a ``.keras`` file, whole or not at all. Keras takes paths with that suffix only: it gets a link."""
    with whole_file(path) as file, tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "model.keras")
        link.symlink_to(file.name if isinstance(file.name, str) else f"/proc/self/fd/{file.name}")
        model.save(link)


def _allocated(model: Any, args: argparse.Namespace, goal: dict[str, float], images: Any) -> Any:
    """A plan for the goal: where there are images, one of density goes by what they show."""
    from mcpruner.converter.allocation.allocate import allocate
    from mcpruner.converter.allocation.sensitivity import check_density, measure_sensitivity

    if images is not None and "density" in goal:
        check_density(goal["density"])
        with progress(f"measuring {args.source}"):
            plan = measure_sensitivity(model, images, args.target, scope=args.scope).allocate(**goal)
    else:
        plan = allocate(model, args.target, scope=args.scope, **goal)
    if args.save_plan:
        plan.save(args.save_plan)
    return plan


def load_images(path: str) -> Any:
    """The array of a ``.npy`` file; ValueError for anything else."""
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise ValueError(f"Expected a .npy file with an array of inputs, got {path}.") from None


def allocation_goal(text: str) -> dict[str, float]:
    """``"speedup=3"`` as a keyword of `allocate`; ValueError for anything else."""
    name, _, number = text.partition("=")
    try:
        goal = {name: float(number)} if name in ("density", "multiply_adds", "speedup", "latency_ms") else {}
    except ValueError:
        goal = {}
    if not goal:
        raise ValueError(f"Expected --allocate density=D, multiply_adds=M, speedup=S or latency_ms=T, got {text!r}.")
    check_goal(goal)
    return goal


def layer_shares(texts: list[str]) -> float | dict[str, float]:
    """``["0.178", "fc*=0.1"]`` as ``prune`` wants it: a float, or globs to floats with ``"*"`` last.

    Raises
    ------
    ValueError
        Something is not a number, or the share for all layers is given twice.
    """
    named: dict[str, float] = {}
    for text in texts:
        glob, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise ValueError(f"{text!r} is neither a number nor GLOB=NUMBER.") from None
        if (glob or "*") in named:
            raise ValueError(f"There are two values for the layers {glob or '*'!r}: give one.")
        named[glob or "*"] = value
    if set(named) == {"*"}:
        return named["*"]
    everywhere = {"*": named.pop("*")} if "*" in named else {}
    return {**named, **everywhere}


def _densities(model: Any) -> list[list[Any]]:
    """Label, kernel shape and density of each layer with a kernel, those of nested models too; then of all together."""
    import numpy as np

    from mcpruner.converter.training.prunable import labelled_layers

    rows, kept, size = [], 0, 0
    for label, layer in labelled_layers(model).items():
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            weights = np.asarray(kernel)
            shape = "x".join(map(str, weights.shape))
            rows.append([label, shape, f"{np.count_nonzero(weights) / weights.size:.4f}"])
            kept, size = kept + np.count_nonzero(weights), size + weights.size
    return [*rows, ["all", f"{size} weights", f"{kept / size:.4f}"]] if rows else rows
