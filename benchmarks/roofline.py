"""How near each layer comes to what the machine can do: ``make roofline``, a picture and a table for each network.

A layer of F operations that moves B bytes cannot take less than F / peak, nor less than B / bandwidth. The plugin's own
profile gives its time, its multiply-adds (those on non-zeros) and its bytes (input, weights as packed, output);
``mcpruner calibrate`` measures peak and bandwidths of one core. A layer whose bytes lie in a cache may stand above the
memory's line. On a shared machine the sum over many runs means little, so the best run of each layer counts.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from workloads import CHOICES, OUT, default_density, export

from mcpruner.compare import run
from mcpruner.converter.tflite.dense_layer import shorten
from mcpruner.converter.whole_file import write_file
from mcpruner.inputs import random_inputs
from mcpruner.machine import birth_certificate
from mcpruner.runtime import Interpreter
from mcpruner.text import table

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HEADERS = ["layer", "kernel", "input", "output", "density", "us", "GFLOP/s", "of peak", "GB/s", "FLOP/byte"]


def measure(content: bytes, runs: int) -> list[dict[str, Any]]:
    """The plugin's profile of all that it can run, on one thread; ``nanoseconds`` is each op's least of `runs`."""
    interpreter = Interpreter(model_content=content, num_threads=1, backend="cpu")
    (inputs,) = random_inputs(interpreter, samples=1)
    run(interpreter, inputs)
    best: list[dict[str, Any]] = []
    for _ in range(runs):
        interpreter.set_profiling(True)  # what was counted before is forgotten
        interpreter.invoke()
        ops = interpreter.profile()
        best = [min(pair, key=lambda op: op["nanoseconds"]) for pair in zip(best or ops, ops, strict=True)]
    return best


def rates(op: dict[str, Any], limits: dict[str, Any]) -> dict[str, float]:
    """``gflops``, ``gigabytes`` (per second), ``intensity`` (FLOP/byte) and ``of_peak`` of a profiled op."""
    flops = 2 * op["macs"]
    return {
        "gflops": flops / op["nanoseconds"],
        "gigabytes": op["bytes"] / op["nanoseconds"],
        "intensity": flops / op["bytes"],
        "of_peak": flops / op["nanoseconds"] / limits["peak_gflops"],
    }


def row(op: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    """Cells under `HEADERS`."""
    found = rates(op, limits)
    return [
        shorten(op["name"]),
        op["kernel"],
        *("x".join(map(str, op[key][1:])) for key in ("input", "output")),
        f"{op['density']:.3f}",
        f"{op['nanoseconds'] / 1e3:.0f}",
        f"{found['gflops']:.1f}",
        f"{found['of_peak']:.0%}",
        f"{found['gigabytes']:.1f}",
        f"{found['intensity']:.1f}",
    ]


def draw(ops: list[dict[str, Any]], limits: dict[str, Any], title: str, path: Path) -> None:
    """Write the picture of the layers that multiply, each a circle whose area is its share of the time."""
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    shown = [op for op in ops if op["macs"]]
    points = np.array([[rates(op, limits)["intensity"], rates(op, limits)["gflops"]] for op in shown])
    total = sum(op["nanoseconds"] for op in ops)
    ends = np.array([min(points[:, 0].min(), 0.5) / 2, max(points[:, 0].max(), 50) * 2])
    x = np.geomspace(*ends, 200)
    for level, bandwidth in sorted(limits["read_gigabytes_per_second"].items()):
        axes.plot(x, np.minimum(x * bandwidth, limits["peak_gflops"]), lw=1, label=f"{level}, {bandwidth:.0f} GB/s")
    axes.axhline(limits["peak_gflops"], color="black", lw=1, label=f"peak, {limits['peak_gflops']:.0f} GFLOP/s")
    kinds = sorted({(op["type"], "x".join(map(str, op["output"][1:3]))) for op in shown})
    colors = dict(zip(kinds, plt.colormaps["turbo"](np.linspace(0.05, 0.95, len(kinds))), strict=True))
    for kind in kinds:
        chosen = [i for i, op in enumerate(shown) if (op["type"], "x".join(map(str, op["output"][1:3]))) == kind]
        areas = [2000 * shown[i]["nanoseconds"] / total for i in chosen]
        axes.scatter(*points[chosen].T, s=areas, color=colors[kind], alpha=0.6, label=f"{kind[0]} to {kind[1]}")
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=(points[:, 1].min() / 2, limits["peak_gflops"] * 1.5))
    axes.set(xlabel="FLOP/byte (non-zeros; input, weights and output once)", ylabel="GFLOP/s", title=title)
    legend = axes.legend(fontsize="small", loc="lower right")
    for handle in legend.legend_handles[len(limits["read_gigabytes_per_second"]) + 1 :]:
        handle.set_sizes([40])
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Measure, print, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", type=Path, required=True, help="JSON of `mcpruner calibrate`")
    parser.add_argument("--networks", nargs="+", choices=CHOICES, default=CHOICES, metavar="NAME", help="default: all")
    parser.add_argument("--runs", type=int, default=60, help="profiled runs of each network (default: 60)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"for the networks' files (default: {OUT})")
    parser.add_argument("--pictures", type=Path, default=OUT, help=f"folder for the pictures (default: {OUT})")
    parser.add_argument("--json", type=Path, help="the results (default: layers.json in --out)")
    args = parser.parse_args()
    limits = json.loads(args.limits.read_text())["limits"]
    args.out.mkdir(parents=True, exist_ok=True)
    certificate, results = birth_certificate(), []
    for name in args.networks:
        density = default_density(name)
        ops = measure(export(name, density, "float32", args.out).converted.read_bytes(), args.runs)
        results.append({**certificate, "network": name, "density": density, "limits": limits, "layers": ops})
        path = args.pictures / f"roofline_{name}.png"
        draw(ops, limits, f"{name}, density {density:g}, one thread", path)
        print(f"{name}, {sum(op['nanoseconds'] for op in ops) / 1e6:.2f} ms; {path}", file=sys.stderr)
        print(table(HEADERS, [row(op, limits) for op in ops]))
    write_file(args.json or args.out / "layers.json", json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
