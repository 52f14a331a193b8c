"""``mcpruner calibrate``: measure this machine, so that `convert` predicts speed on it."""

import argparse
from typing import Any

from mcpruner.cli.common import add_command, output_file, progress


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "calibrate",
        "measure this machine for `convert --calibration`, in about a minute",
        "mcpruner calibrate --output phone.json",
        run,
    )
    parser.add_argument(
        "-o",
        "--output",
        type=output_file,
        default="calibration.json",
        metavar="FILE.json",
        help="default: calibration.json",
    )
    parser.add_argument("--simd", help="instruction set of the plugin, one of `mcpruner devices` (default: the best)")


def run(args: argparse.Namespace) -> int:
    """Measure, write the file, print limits and how well the predictions fit."""
    from mcpruner import calibrate
    from mcpruner.converter.whole_file import write_file

    with progress("measuring layers", calibrate.count_measurements()) as tick:
        table = calibrate.calibrate(args.simd, tick)
    write_file(args.output, calibrate.to_json(table))
    print(describe(table))
    return 0


def describe(found: dict[str, Any]) -> str:
    """The limits in a few lines, and a table of the fit."""
    from mcpruner.converter.cost.cost_model import BARRIERS
    from mcpruner.text import table

    limits = found["limits"]
    rates = [f"{level} {rate}" for level, rate in limits["read_gigabytes_per_second"].items()]
    sizes = [f"{level} {size >> 10} KB" for level, size in limits["cache_bytes"].items()]
    shared = {entry.split()[0]: found["nanoseconds"][entry]["layer"] for entry in BARRIERS}
    barriers = ", ".join(f"{runtime} {cost:.0f}" for runtime, cost in shared.items())
    rows = [[entry, f["points"], f["median_error"], f["largest_error"]] for entry, f in found["fit"].items()]
    return "\n".join(
        [
            f"{found['runtime']} on {found['machine']}; {found['date']}, {found['commit']}",
            f"one core, {found['simd']}: {limits['peak_gflops']} GFLOP/s",
            f"read, GB/s: {', '.join(rates)}; caches: {', '.join(sizes) or 'unknown'}",
            f"barriers, ns: {found['barriers']['reason'] or barriers}",
            table(["entry", "layers", "median error", "largest error"], rows),
        ]
    )
