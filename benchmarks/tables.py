"""Fills the tables of docs/performance.md and README.md from the JSON of the benchmarks, never by hand.

A table stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. The results are those of one or more separate runs, a
folder each; ratios are given for every run, times for the last.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peers import fastest_dense
from workloads import engine_bar, litert_bar

Result = dict[str, Any]
Runs = Sequence[list[Result]]  # of each run, its results

LAYER_BARS = {"56x56x64": 0.6, "28x28x128": 0.6, "14x14x256": 0.6, "7x7x512": 0.4}  # of one core's peak, 3x3 stride 1
LOAD_BAR, FIRST_BAR = 1.5, 2.0  # times LiteRT's load; times the steady state
SCALING_BAR, SCALED = 1.75, ("resnet18", "vgg16", "resnet50")


def read_runs(folders: Sequence[Path], name: str) -> Runs:
    """One file of every run."""
    return [json.loads((folder / name).read_text()) for folder in folders]


def markdown(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def fill(text: str, tables: dict[str, str]) -> str:
    """The text with each table between its markers.

    Raises
    ------
    ValueError
        It has markers of a table that is not among `tables`.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in tables:
            raise ValueError(f"Expected one of the tables {', '.join(tables)}, got the markers of {match[1]!r}.")
        return f"<!-- {match[1]} -->\n{tables[match[1]]}\n<!-- /{match[1]} -->"

    return re.sub(r"<!-- ([a-z_]+) -->\n.*?<!-- /\1 -->", replace, text, flags=re.DOTALL)


def speed(runs: Runs) -> str:
    """Ours beside LiteRT dense, one thread and two: the networks at the density of their bars."""
    headers = ["network", "density", "LiteRT dense, ms", "ours, ms", *_numbered("ratio", runs), "bar"]
    headers += ["2 threads: ratio", "ours 2 on 1 thread"]
    rows = []
    for results in _by_network(runs):
        ones, last = [_timed(result, 1, "auto") for result in results], results[-1]
        two = _timed(last, 2, "auto")
        bar = litert_bar(last["network"], last["density"], "auto")
        scaling = ones[-1]["median_ms"] / two["median_ms"]
        scaling_bar = SCALING_BAR if last["network"] in SCALED else None
        rows.append(
            [
                last["network"],
                f"{last['density']:g}",
                f"{ones[-1]['against_median_ms']:.2f}",
                f"{ones[-1]['median_ms']:.2f}",
                *(_ratio(one, bar) for one in ones),
                bar,
                _ratio(two, None),
                _held(f"{scaling:.2f}", scaling, scaling_bar) + (f" (bar {scaling_bar})" if scaling_bar else ""),
            ]
        )
    return markdown(headers, rows)


def other_densities(runs: Runs) -> str:
    """The same at other densities, one thread, every backend that was asked for."""
    headers = ["network", "density", "backend", "LiteRT dense, ms", "ours, ms", *_numbered("ratio", runs), "bar"]
    rows = []
    for results in _by_network(runs):
        last = results[-1]
        for backend in dict.fromkeys(one["backend"] for one in last["results"]):
            ones = [_timed(result, 1, backend) for result in results]
            bar = litert_bar(last["network"], last["density"], backend)
            times = [f"{ones[-1][key]:.2f}" for key in ("against_median_ms", "median_ms")]
            rows.append(
                [last["network"], f"{last['density']:g}", backend, *times, *(_ratio(o, bar) for o in ones), bar]
            )
    return markdown(headers, rows)


def engines(runs: Runs) -> str:
    """Medians of every engine in the last run, and how much faster ours is than the fastest dense one."""
    names = list(dict.fromkeys(engine for result in runs[-1] for engine in result["engines"]))
    versions = {e: one["engine"] for result in runs[-1] for e, one in result["engines"].items() if "engine" in one}
    titles = {"mcpruner": "ours", "mnn_sparse": "MNN sparse"}
    headers = ["network", "threads", *(titles.get(e, versions.get(e, e)) for e in names)]
    headers += ["fastest dense", *_numbered("ours is faster by", runs), "bar"]
    rows, notes = [], []
    for results in _by_network(runs):
        last, best = results[-1], [fastest_dense(result) for result in results]
        bar = engine_bar(last["network"]) if last["threads"] == 1 else None
        ratios = [_ratio(result["engines"][e], bar) for result, e in zip(results, best, strict=True)]
        cells = []
        for engine in names:
            one = last["engines"].get(engine, {})
            cells.append(f"{one['median_ms']:.2f}" if "median_ms" in one else "-")
            if "reason" in one:
                notes.append(f"{engine} on {last['network']}: {one['reason']}.")
        rows.append([last["network"], last["threads"], *cells, best[-1], *ratios, bar or "-"])
    return "\n\n".join([markdown(headers, rows), *dict.fromkeys(notes)])


def costs(runs: Runs) -> str:
    """Memory, load and first inference of the last run, LiteRT dense and ours."""
    headers = ["network", "file, MB", "peak, MiB", "peak above start, MiB", "load, ms", "first/steady", "our arena, MB"]
    rows = []
    for result in runs[-1]:
        dense, ours = result["footprint"]["litert"], result["footprint"]["mcpruner"]
        sizes = [result[key] / 1e6 for key in ("against_bytes", "bytes")]
        peaks, loads = ([one[key] for one in (dense, ours)] for key in ("peak_mib", "load_ms"))
        above = [one["peak_mib"] - one["start_mib"] for one in (dense, ours)]
        firsts = [one["first_ms"] / one["steady_ms"] for one in (dense, ours)]
        rows.append(
            [
                result["network"],
                f"{sizes[0]:.1f} / {sizes[1]:.1f}",
                f"{peaks[0]:.0f} / {_held(f'{peaks[1]:.0f}', peaks[0], peaks[1])}",
                f"{above[0]:.0f} / {above[1]:.0f}",
                f"{loads[0]:.0f} / {_held(f'{loads[1]:.0f}', LOAD_BAR * loads[0], loads[1])}",
                f"{firsts[0]:.2f} / {_held(f'{firsts[1]:.2f}', FIRST_BAR, firsts[1])}",
                f"{ours['arena_bytes'] / 1e6:.1f}",
            ]
        )
    return markdown(headers, rows)


def limits(runs: Runs) -> str:
    """What one core of the machine can do, as every run found it."""
    found = [results[0]["limits"] for results in runs]
    levels = list(found[-1]["read_gigabytes_per_second"])
    headers = ["run", "peak, GFLOP/s", *(f"{level} read, GB/s" for level in levels)]
    rows = [
        [i, f"{one['peak_gflops']:.1f}", *(f"{one['read_gigabytes_per_second'][level]:.1f}" for level in levels)]
        for i, one in enumerate(found, 1)
    ]
    return markdown(headers, rows)


def layers(runs: Runs) -> str:
    """The 3x3 layers that bars are set for, the slowest and the fastest of each size in ResNet-18."""
    (found,) = [result for result in runs[-1] if result["network"] == "resnet18"]
    rows = []
    for shape, bar in LAYER_BARS.items():
        sizes = [int(size) for size in shape.split("x")]
        shares = sorted(
            2 * op["macs"] / op["nanoseconds"] / found["limits"]["peak_gflops"]
            for op in found["layers"]
            if op["type"] == "Conv" and op["density"] < 0.5 and op["input"][1:] == sizes == op["output"][1:]
        )
        rows.append([shape, len(shares), *(_held(f"{s:.0%}", s, bar) for s in (shares[0], shares[-1])), f"{bar:.0%}"])
    return markdown(["layer", "of them", "slowest", "fastest", "bar"], rows)


def origin(runs: Runs) -> str:
    """When, on what commit and machine the runs were made."""
    lines = [f"run {i}: {results[0]['date']}, commit {results[0]['commit']}" for i, results in enumerate(runs, 1)]
    first = runs[0][0]
    caches = ", ".join(f"{name} {size // 1024} KiB" for name, size in first["processor"]["caches"].items())
    family = f"family {first['processor']['family']} model {first['processor']['model']}"
    best = [flag for flag in ("avx512f", "avx512_vnni", "avx512_bf16", "avx2") if flag in first["processor"]["simd"]]
    return f"{'; '.join(lines)}; {first['runtime']}; {first['machine']} ({family}; {', '.join(best)}; {caches})."


def readme(runs: Runs) -> str:
    """The README's: one row a network, from the last run."""
    headers = ["network", "density", "dense, ms", "mcpruner, ms", "ratio, 1 thread", "2 threads", "file, dense", "file"]
    rows = []
    for result in runs[-1]:
        one, two = (_timed(result, threads, "auto") for threads in (1, 2))
        rows.append(
            [
                result["network"],
                f"{result['density']:g}",
                f"{one['against_median_ms']:.1f}",
                f"{one['median_ms']:.1f}",
                *(_held(f"{pair['speedup']:.2f}", pair["speedup"], 1.0) for pair in (one, two)),
                *(f"{result[key] / 1e6:.1f} MB" for key in ("against_bytes", "bytes")),
            ]
        )
    return f"{markdown(headers, rows)}\n\nfloat32 values; {origin(runs[-1:])}"


def all_tables(folders: Sequence[Path]) -> dict[str, str]:
    """Every table by the name of its markers, from the folders of the runs, the last one last."""
    bench = read_runs(folders, "bench.json")
    others = [
        half + full for half, full in zip(*(read_runs(folders, f"bench_{d}.json") for d in ("0.5", "1")), strict=True)
    ]
    made: dict[str, Callable[[], str]] = {
        "speed": lambda: speed(bench),
        "other_densities": lambda: other_densities(others),
        "engines": lambda: engines(read_runs(folders, "peers.json")),
        "costs": lambda: costs(bench),
        "layers": lambda: layers(read_runs(folders, "layers.json")),
        "limits": lambda: limits(read_runs(folders, "layers.json")),
        "origin": lambda: origin(bench),
        "readme": lambda: readme(bench),
    }
    return {name: make() for name, make in made.items()}


def _by_network(runs: Runs) -> list[list[Result]]:
    """The results of every run for the same work, in the last run's order."""

    def work(result: Result) -> tuple[Any, ...]:
        return tuple(result.get(key) for key in ("network", "density", "threads"))

    by_work = [{work(result): result for result in run} for run in runs]
    return [[run[work(last)] for run in by_work] for last in runs[-1]]


def _timed(result: Result, threads: int, backend: str) -> dict[str, Any]:
    return next(one for one in result["results"] if (one["threads"], one["backend"]) == (threads, backend))


def _numbered(title: str, runs: Runs) -> list[str]:
    return [f"{title}, run {i}" for i in range(1, len(runs) + 1)]


def _ratio(one: dict[str, Any], bar: float | None) -> str:
    """The ratio with its range; bold where it misses its bar."""
    held = _held(f"{one['speedup']:.2f}", one["speedup"], bar)
    return f"{held} ({one['speedup_low']:.2f}..{one['speedup_high']:.2f})"


def _held(text: str, value: float, bar: float | None) -> str:
    return f"**{text}**" if bar is not None and value < bar else text
