"""``mcpruner verify``: compare a converted file with the network it was converted from."""

import argparse
from typing import Any

from mcpruner.cli.common import (
    MISMATCH,
    add_command,
    add_input_options,
    not_negative,
    positive,
    positive_list,
    print_json,
    progress,
    read_array,
    read_shapes,
    read_tflite,
)
from mcpruner.text import table


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "verify",
        "compare a converted file in the plugin with its dense self without it (exit status 1: they differ)",
        "mcpruner verify pruned.tflite --against dense.tflite --all-layers",
        run,
    )
    parser.add_argument("file", metavar="FILE.tflite", help="converted file")
    parser.add_argument(
        "--against", metavar="DENSE.tflite", help="file it was converted from (default: what its own blobs unpack to)"
    )
    add_input_options(parser)
    parser.add_argument(
        "--batch", type=positive, metavar="N", help="samples at a time (default: the model's batch size)"
    )
    parser.add_argument(
        "--threads", type=positive_list, default=[1, 2], metavar="LIST", help="each is compared (default: 1,2)"
    )
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "opencl", "reference"), default="auto", help="default: auto"
    )
    parser.add_argument("--all-layers", action="store_true", help="compare the output of every operator as well")
    parser.add_argument(
        "--exact-weights", action="store_true", help="do not round DENSE's weights to the type that FILE stores"
    )
    parser.add_argument(
        "--tolerance",
        type=not_negative,
        metavar="T",
        help="largest error that passes, relative to the output's largest magnitude "
        "(default: 1e-4; with --exact-weights 1e-4 for float32, 5e-3 for float16, 1e-1 for int8)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def run(args: argparse.Namespace) -> int:
    """Compare and print; the exit status says whether they agree."""
    content = read_tflite(args.file)
    against = read_tflite(args.against) if args.against else None
    inputs = read_array(args.inputs) if args.inputs else None
    from mcpruner.verification import verify

    with progress(f"verifying {args.file}"):
        outcome = verify(
            content,
            against,
            inputs=inputs,
            batch=args.batch,
            shapes=read_shapes(args.shape),
            num_threads=args.threads,
            backend=args.backend,
            all_layers=args.all_layers,
            exact_weights=args.exact_weights,
            tolerance=args.tolerance,
        )
    if args.json:
        print_json({"file": args.file, "against": args.against, **outcome.to_json()})
    else:
        print_outcome(outcome)
    return 0 if outcome.ok else MISMATCH


def print_outcome(outcome: Any) -> None:
    """Tables of the errors, then one line that says whether the files agree."""
    errors = [*outcome.outputs, *outcome.layers]
    exact = [f"{e.relative:.2e}" for e in outcome.exact] if outcome.exact else ["unknown"] * len(errors)
    rows = [
        [e.name, f"{e.difference:.2e}", f"{e.magnitude:.4g}", f"{e.relative:.2e}", beside]
        for e, beside in zip(errors, exact, strict=True)
    ]
    print(table(["output", "largest difference", "largest magnitude", "relative error", "with exact weights"], rows))
    for error in errors:
        if error.nan:
            print(f"{error.name}: there is a NaN, which equals nothing: give --inputs for which there is none")
    for weight in outcome.weights:
        if weight.different:
            print(
                f"{weight.name}: {weight.different} of {weight.count} weights differ, by up to {weight.largest:.3g} "
                f"({weight.value_type} values)"
            )
    verdict = "equal" if outcome.ok else "NOT equal"
    print(f"{verdict}: largest error {outcome.largest_error:.2e}, tolerance {outcome.tolerance:.0e}", end="; ")
    if outcome.exact is None:
        print("with exact weights unknown: give --against")
    else:
        print(f"with exact weights {outcome.largest_exact_error:.2e}, tolerance {outcome.exact_tolerance:.0e}")
