"""Time ours beside the engines that people use instead: ``make bench-peers``.

Each engine runs the same masked weights on the same input in a process of its own; its output is compared with LiteRT's
first. Then all take turns. An engine that cannot run a network, or computes something else, is listed with the reason.
"""

import argparse
import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from plain_graph import save
from worker import EngineError, Worker
from workloads import CHOICES, OUT, ROOT, UNSTRUCTURED, default_density, engine_bar, export

from mcpruner.cli.common import positive_list, progress
from mcpruner.compare import OutputError
from mcpruner.converter.whole_file import write_file
from mcpruner.machine import birth_certificate
from mcpruner.text import table
from mcpruner.timing import milliseconds, quoted, runs_for, speedup, take_turns

PEERS_PYTHON = ROOT / ".venv-peers/bin/python"
# Suffix of the file that an engine reads, beside the plain graph.
PEERS = {
    "onnxruntime": ".onnx",
    "openvino": ".onnx",
    "ncnn": ".param",
    "mnn": ".mnn",
    "mnn_sparse": ".sparse.mnn",
}
SPARSE = ("mcpruner", "mnn_sparse")  # the others are dense
NETWORKS = tuple(name for name in CHOICES if name != UNSTRUCTURED)
TOLERANCE = 1e-3  # of the largest logit; Winograd's transforms cost MNN 1e-5 to 1e-4
HEADERS = [
    "network",
    "threads",
    "engine",
    "median ms",
    "min ms",
    "ours is faster by",
    "80 % in",
    "bar",
    "largest error",
]


def prepare(name: str, density: float, folder: Path) -> tuple[dict[str, Path], dict[str, str], list[int]]:
    """Write every engine's model.

    Returns
    -------
    The file of each engine, a reason for each that could not be written, and the input's shape (NCHW).
    """
    files = export(name, density, "float32", folder)
    plain = files.dense.with_suffix(".npz")
    reasons = plain.with_suffix(".json")
    if not reasons.exists():
        save(files.dense.read_bytes(), plain)
        command = [str(PEERS_PYTHON), str(ROOT / "benchmarks/peer_models.py"), str(plain)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    models = {"mcpruner": files.converted, "litert": files.dense}
    models |= {engine: plain.with_suffix(suffix) for engine, suffix in PEERS.items()}
    with np.load(plain) as arrays:
        shape = json.loads(str(arrays["graph"]))["input_shape"]
    return models, json.loads(reasons.read_text()), shape


def measure(name: str, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """All engines on one network: ``engines``, for each its version and times, or the ``reason`` why there are none."""
    density = default_density(name)
    models, reasons, shape = prepare(name, density, args.out)
    inputs, outputs = args.out / "input.npy", args.out / "output.npy"
    np.save(inputs, np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    engines: dict[str, dict[str, Any]] = {engine: {"reason": reason} for engine, reason in reasons.items()}
    workers: dict[str, Worker] = {}
    with contextlib.ExitStack() as stack:
        expected = None
        for engine in ("litert", "mcpruner", *(engine for engine in PEERS if engine not in reasons)):
            python = PEERS_PYTHON if engine in PEERS else Path(sys.executable)
            try:
                worker = stack.enter_context(Worker(python, engine, models[engine], threads, inputs))
                found = worker.output(outputs)
                expected = found if expected is None else expected
                error = OutputError(engine)
                error.add(found, expected)
            except (EngineError, ValueError) as failure:
                engines[engine] = {"reason": str(failure)}
                continue
            if error.relative > TOLERANCE:
                engines[engine] = {"reason": f"its output is off by {error.relative:.1e} of the largest logit"}
                continue
            engines[engine] = {"engine": worker.engine, "largest_error": error.relative}
            workers[engine] = worker
        _time(workers, engines, args.seconds)
    return {**birth_certificate(), "network": name, "density": density, "threads": threads, "engines": engines}


def _time(workers: dict[str, Worker], engines: dict[str, dict[str, Any]], seconds: float) -> None:
    """Add to `engines` what each worker's turns took, and how much less ours did."""
    if "mcpruner" not in workers:
        return
    round_ms = sum(worker.block(1)[0] for worker in workers.values())
    times = dict(
        zip(workers, take_turns([w.block for w in workers.values()], runs_for(seconds, round_ms)), strict=True)
    )
    for engine, taken in times.items():
        engines[engine] |= {"runs": taken.size, **milliseconds(taken), **speedup(times["mcpruner"], taken)}


def fastest_dense(result: dict[str, Any]) -> str | None:
    """The dense engine with the least median time."""
    timed = {e: one["median_ms"] for e, one in result["engines"].items() if e not in SPARSE and "median_ms" in one}
    return min(timed, key=timed.__getitem__, default=None)


def rows(result: dict[str, Any]) -> list[list[Any]]:
    """One row under `HEADERS` for each engine, the fastest first and those without times last."""
    found = sorted(result["engines"].items(), key=lambda item: item[1].get("median_ms", float("inf")))
    best = fastest_dense(result)
    table_rows = []
    for engine, one in found:
        start = [
            result["network"],
            result["threads"],
            one.get("engine", engine) + (" sparse" if "sparse" in engine else ""),
        ]
        if "reason" in one:
            table_rows.append([*start, *["-"] * 5, one["reason"]])
            continue
        bar = engine_bar(result["network"]) if engine == best and result["threads"] == 1 else None
        start[2] = "mcpruner" if engine == "mcpruner" else start[2]
        table_rows.append(
            [
                *start,
                f"{one['median_ms']:.2f}",
                f"{one['min_ms']:.2f}",
                "-" if engine == "mcpruner" else quoted(one),
                "-" if engine == "mcpruner" else f"{one['speedup_low']:.2f}..{one['speedup_high']:.2f}",
                bar or "-",
                f"{one['largest_error']:.1e}",
            ]
        )
    return table_rows


def main() -> int:
    """Measure, print, write; the exit status is 1 when ours is wrong on a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NAME", help="default: all"
    )
    parser.add_argument("--threads", type=positive_list, default=[1], help="thread counts (default: 1)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of timing for each network (default: 15)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"for the networks' files (default: {OUT})")
    parser.add_argument("--json", type=Path, help="the results (default: peers.json in --out)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    results = []
    for name in args.networks:
        for threads in args.threads:
            with progress(f"{name}, {threads} threads"):
                results.append(measure(name, threads, args))
            write_file(args.json or args.out / "peers.json", json.dumps(results, indent=2) + "\n")
            print(f"{name}, {threads} threads: done", file=sys.stderr)
    print(table(HEADERS, [row for result in results for row in rows(result)]))
    print(f"\n{results[0]['machine']}; {results[0]['date']}, {results[0]['commit']}")
    return 1 if any("reason" in result["engines"]["mcpruner"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
