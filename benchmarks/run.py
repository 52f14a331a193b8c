"""Time pruned networks beside their dense selves: ``make bench``.

Each network of examples/models.py is pruned in one shot, rescaled, converted, checked against its dense self in the
same runtime without the plugin, and only then timed in turns with it. Models are written below ``--out``, and one JSON
file with what ``mcpruner benchmark --json`` writes, for every network.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from models import NETWORKS, rescale_filters

import mcpruner
from mcpruner.benchmark import benchmark
from mcpruner.cli.common import positive_list, progress
from mcpruner.converter.source import load_source
from mcpruner.text import table

HEADERS = ["network", "threads", "bytes", "dense bytes", "median ms", "dense median ms", "speedup", "largest error"]


def export(name: str, density: float, target: str, values: str, folder: Path) -> tuple[Path, Path]:
    """Write the pruned network as an ordinary ``.tflite`` and as a converted one."""
    stem = folder / f"{name}_{density:g}"
    dense, sparse = stem.with_name(stem.name + "_dense.tflite"), stem.with_name(f"{stem.name}_{target}_{values}.tflite")
    model = NETWORKS[name]()
    pruned = mcpruner.prune(model, target=target, density=density)
    rescale_filters(pruned, model)
    dense.write_bytes(load_source(pruned))
    sparse.write_bytes(mcpruner.convert(dense, target=target, values=values)[0])
    return dense, sparse


def measure(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Result of one network: what `mcpruner.benchmark.benchmark` returns, its name and file sizes."""
    with progress(f"{name}: pruning and converting"):
        files = export(name, args.density, args.target, args.values, args.out)
    dense, sparse = (path.read_bytes() for path in files)
    with progress(f"{name}: timing", len(args.threads) * args.runs) as tick:
        result = benchmark(sparse, dense, threads=args.threads, runs=args.runs, tick=tick)
    return {"network": name, "density": args.density, "bytes": len(sparse), "against_bytes": len(dense), **result}


def rows(result: dict[str, Any]) -> list[list[Any]]:
    """One row of the table for each thread count."""
    return [
        [
            result["network"],
            one["threads"],
            result["bytes"],
            result["against_bytes"],
            f"{one['median_ms']:.2f}",
            f"{one['against_median_ms']:.2f}",
            f"{one['speedup']:.2f}",
            f"{result['largest_error']:.1e}",
        ]
        for one in result["results"]
    ]


def main() -> int:
    """Measure, print, write; the exit status is 1 when a network's outputs are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["resnet18"], help="default: resnet18")
    parser.add_argument("--density", type=float, default=0.178, help="share of weights kept (default: 0.178)")
    parser.add_argument("--target", default="x86-64", help="target of pruning and conversion (default: x86-64)")
    parser.add_argument("--values", choices=("float32", "float16", "int8"), default="float16", help="default: float16")
    parser.add_argument("--threads", type=positive_list, default=[1, 2], help="thread counts (default: 1,2)")
    parser.add_argument("--runs", type=int, default=30, help="timed runs of each (default: 30)")
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"), help="default: out/benchmarks")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    results = [measure(name, args) for name in args.networks]
    (args.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(table(HEADERS, [row for result in results for row in rows(result)]))
    wrong = [result for result in results if not result["ok"]]
    for result in wrong:
        print(f"{result['network']}: NOT equal, largest error {result['largest_error']:.1e}", file=sys.stderr)
    first = results[0]
    print(f"{first['runtime']} on {first['machine']}; {first['date']}, {first['commit']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
