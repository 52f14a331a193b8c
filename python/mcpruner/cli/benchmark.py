"""``mcpruner benchmark``: check a converted file, then time it beside its dense self."""

import argparse
import json
from typing import Any

from mcpruner.cli.common import (
    MISMATCH,
    add_command,
    add_input_options,
    output_file,
    positive,
    positive_list,
    progress,
    read_array,
    read_shapes,
    read_tflite,
)
from mcpruner.text import table

_BACKENDS = ("auto", "cpu", "opencl", "reference")


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "benchmark",
        "check a converted file, then time it in turns with its dense self in the same runtime without the plugin",
        "mcpruner benchmark pruned.tflite --against dense.tflite --threads 1,2 --json result.json",
        run,
    )
    parser.add_argument("file", metavar="FILE.tflite", help="converted file")
    parser.add_argument(
        "--against", metavar="DENSE.tflite", help="dense file (default: what the file's own blobs unpack to)"
    )
    add_input_options(parser)
    parser.add_argument("--threads", type=positive_list, default=[1], metavar="N,N", help="thread counts (default: 1)")
    parser.add_argument(
        "--backend",
        type=backend_list,
        default=["auto"],
        metavar="B,B",
        help=f"of {', '.join(_BACKENDS)} (default: auto)",
    )
    parser.add_argument(
        "--runs", type=positive, default=30, metavar="N", help="timed runs of each, in blocks of 3 (default: 30)"
    )
    parser.add_argument("--profile", action="store_true", help="print the time of each operator in the plugin")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the result as JSON")


def backend_list(text: str) -> list[str]:
    """Backends separated by commas, for argparse."""
    names = text.split(",")
    for name in names:
        if name not in _BACKENDS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(_BACKENDS)}")
    return names


def run(args: argparse.Namespace) -> int:
    """Check, time, print; the exit status is 1 when the check fails, and then nothing is timed."""
    content = read_tflite(args.file)
    against = read_tflite(args.against) if args.against else None
    inputs, shapes = read_array(args.inputs) if args.inputs else None, read_shapes(args.shape)
    from mcpruner import benchmark, timing
    from mcpruner.converter.whole_file import write_file
    from mcpruner.inputs import Feed

    steps = len(args.threads) * len(args.backend) * timing.rounds(args.runs)
    with progress(f"benchmarking {args.file}", steps) as tick:
        result = benchmark.benchmark(
            content,
            against,
            threads=args.threads,
            backends=args.backend,
            runs=args.runs,
            inputs=inputs,
            shapes=shapes,
            tick=tick,
        )
    result = {"file": args.file, "against": args.against, **result}
    if args.json:
        write_file(args.json, json.dumps(result, indent=2) + "\n")
    if not result["ok"]:
        error, tolerance = result["largest_error"], result["tolerance"]
        print(f"NOT equal: largest error {error:.2e}, tolerance {tolerance:.0e}; nothing was timed")
        return MISMATCH
    print_result(result)
    if args.profile:
        for threads in args.threads:
            for backend in args.backend:
                print(f"\nprofile, {threads} threads, {backend}")
                feed = Feed(inputs, shapes=shapes)
                print(benchmark.profile_table(benchmark.profile(content, threads, backend, args.runs, feed)))
    return 0


def print_result(result: dict[str, Any]) -> None:
    """One row for each thread count and backend; no ratio where the turns disagree."""
    from mcpruner.timing import BUSY, quoted

    print(f"{result['runtime']} on {result['machine']}; {result['date']}, {result['commit']}")
    print(f"largest error {result['largest_error']:.2e} of the output's largest magnitude")
    keys = ["min_ms", "median_ms", "cpu_ms", "against_min_ms", "against_median_ms", "against_cpu_ms"]
    rows = [
        [
            r["threads"],
            r["backend"],
            *(f"{r[key]:.3f}" for key in keys),
            quoted(r),
            f"{r['speedup_low']:.2f}..{r['speedup_high']:.2f}",
            quoted(r, "cpu_"),
        ]
        for r in result["results"]
    ]
    times = [key.replace("_", " ") for key in keys]
    print(table(["threads", "backend", *times, "speedup", "80 % in", "cpu speedup"], rows))
    if any(BUSY in row for row in rows):
        print(
            "the machine was busy: where turns disagree by more than 2x there is no ratio; try again with more --runs"
        )
    for r in result["results"]:
        for reason in r["reasons"]:
            print(f"{r['threads']} threads, {r['backend']}: {reason}")
