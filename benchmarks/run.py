"""Time pruned networks beside their dense selves: ``make bench``.

Each network is pruned in one shot, rescaled, converted, checked against its dense self in the same runtime without the
plugin, and only then timed in turns with it; then both are loaded in fresh processes for what they cost beside time.
``out/benchmarks/bench.json`` has for every network what ``mcpruner benchmark --json`` writes, and more.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from footprint import footprint
from workloads import CHOICES, OUT, UNSTRUCTURED, default_density, export, litert_bar

from mcpruner.benchmark import benchmark
from mcpruner.cli.benchmark import backend_list
from mcpruner.cli.common import positive_list, progress
from mcpruner.converter.whole_file import write_file
from mcpruner.text import table
from mcpruner.timing import quoted

QUIET = 1.04  # at most so noisy is a quiet machine
SPEED = ["network", "density", "backend", "threads", "dense min ms", "ours min ms", "dense ms", "ours ms"]
SPEED += ["speedup", "80 % in", "bar", "largest error"]
COST = [
    "network",
    "dense MB",
    "ours MB",
    "dense peak MiB",
    "ours peak MiB",
    "dense load ms",
    "ours load ms",
    "dense first/steady",
    "ours first/steady",
    "arena MB",
]


def measure(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Result of one network: what `mcpruner.benchmark.benchmark` returns, and the files' sizes and footprints."""
    density = args.density or default_density(name)
    with progress(f"{name}: pruning and converting"):
        files = export(name, density, args.values, args.out)
    dense, converted = files.dense.read_bytes(), files.converted.read_bytes()
    backends = args.backend or (["cpu", "auto"] if density == 1 else ["auto"])
    with progress(f"{name}: timing"):
        result = quietest(
            lambda: benchmark(
                converted, dense, threads=args.threads, backends=backends, runs=None, seconds=args.seconds
            ),
            args.tries,
        )
    with progress(f"{name}: loading"):
        costs = {"mcpruner": footprint(files.converted, "mcpruner"), "litert": footprint(files.dense, "litert")}
    sizes = {"bytes": len(converted), "against_bytes": len(dense)}
    return {"network": name, "density": density, "values": args.values, **sizes, "footprint": costs, **result}


def quietest(measure_once: Callable[[], dict[str, Any]], tries: int) -> dict[str, Any]:
    """Of up to ``tries`` results the first one of a quiet machine, or that of the quietest; ``tries`` says how many.

    The dense model alone tells how quiet it was, so that no choice is made by how fast ours is.
    """
    results = []
    while len(results) < tries:
        results.append(measure_once())
        if noise(results[-1]) <= QUIET:
            break
    return {**min(results, key=noise), "tries": len(results)}


def noise(result: dict[str, Any]) -> float:
    """How far the dense model's median lies above its minimum, as a ratio; the worst of all pairs."""
    return max((one["against_median_ms"] / one["against_min_ms"] for one in result["results"]), default=1.0)


def speed_rows(result: dict[str, Any]) -> list[list[Any]]:
    """One row under `SPEED` for each thread count and backend."""
    return [
        [
            result["network"],
            f"{result['density']:g}",
            one["backend"],
            one["threads"],
            *(f"{one[key]:.2f}" for key in ("against_min_ms", "min_ms", "against_median_ms", "median_ms")),
            quoted(one),
            f"{one['speedup_low']:.2f}..{one['speedup_high']:.2f}",
            (litert_bar(result["network"], result["density"], one["backend"]) or "-") if one["threads"] == 1 else "-",
            f"{result['largest_error']:.1e}",
        ]
        for one in result["results"]
    ]


def cost_row(result: dict[str, Any]) -> list[Any]:
    """The row under `COST`."""
    dense, ours = result["footprint"]["litert"], result["footprint"]["mcpruner"]
    return [
        result["network"],
        *(f"{result[key] / 1e6:.1f}" for key in ("against_bytes", "bytes")),
        *(f"{one['peak_mib']:.0f}" for one in (dense, ours)),
        *(f"{one['load_ms']:.0f}" for one in (dense, ours)),
        *(f"{one['first_ms'] / one['steady_ms']:.2f}" for one in (dense, ours)),
        f"{ours['arena_bytes'] / 1e6:.1f}",
    ]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--networks", nargs="+", choices=CHOICES, metavar="NAME", help=f"of {', '.join(CHOICES)} (default: all)"
    )
    parser.add_argument("--density", type=float, help="share of weights kept (default: what the network's bar says)")
    parser.add_argument("--backend", type=backend_list, help="default: auto, at density 1 cpu,auto")
    parser.add_argument(
        "--values", choices=("float32", "float16", "int8"), default="float32", help="as stored (default: float32)"
    )
    parser.add_argument("--threads", type=positive_list, default=[1, 2], help="thread counts (default: 1,2)")
    parser.add_argument("--seconds", type=float, default=6.0, help="of timing for each pair of models (default: 6)")
    parser.add_argument(
        "--tries",
        type=int,
        choices=range(1, 11),
        metavar="N",
        default=1,
        help=f"of each network, until the dense model's median is at most {QUIET} times its minimum (default: 1)",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"for the networks' files (default: {OUT})")
    parser.add_argument("--json", type=Path, help="the results (default: bench.json in --out)")
    args = parser.parse_args()
    # What stands for foreign sparsity has one density.
    args.networks = args.networks or [name for name in CHOICES if not args.density or name != UNSTRUCTURED]
    return args


def main() -> int:
    """Measure, print, write; the exit status is 1 when a network's outputs are wrong."""
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    results = []
    for name in args.networks:
        results.append(measure(name, args))
        write_file(args.json or args.out / "bench.json", json.dumps(results, indent=2) + "\n")
        print(f"{name}: done", file=sys.stderr)
    print(table(SPEED, [row for result in results for row in speed_rows(result)]))
    print()
    print(table(COST, [cost_row(result) for result in results]))
    wrong = [result for result in results if not result["ok"]]
    for result in wrong:
        print(f"{result['network']}: NOT equal, largest error {result['largest_error']:.1e}", file=sys.stderr)
    first = results[0]
    print(f"\n{first['runtime']} on {first['machine']}; {first['date']}, {first['commit']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
