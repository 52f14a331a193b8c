"""Count the instructions of one inference on an emulated Cortex-A73, ours beside XNNPACK in the same process.

`counts` runs pairs of models under qemu with libcounter.so and says for each run how many instructions it took, of what
kinds, and in which functions of the plugin. The same models give the same numbers, to the instruction.
"""

from __future__ import annotations

import bisect
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import emulator

TARGETS = ("//delegate/tflite/plugin:libmcpruner_delegate.so", "//tools/aarch64:libcounter.so")


@dataclass(frozen=True)
class Run:
    """One model to run: its file, its input (``.npy``), the plugin's options or None for XNNPACK alone."""

    model: str
    input: str
    options: dict[str, str] | None


@dataclass(frozen=True)
class Count:
    """What one inference took.

    Attributes
    ----------
    instructions
        All that were executed, the runtime's and Python's part of the call included.
    fmla
        Vector multiply-adds among them.
    kinds
        Instructions by kind, as counter.cc names them.
    functions
        Instructions by function of the plugin (demangled name), largest first.
    error
        Largest difference of the output to that of the first run of the same name, relative to the largest output.
    """

    instructions: int
    fmla: int
    kinds: dict[str, int]
    functions: dict[str, int]
    error: float


def build() -> tuple[Path, Path]:
    """Build the plugin for aarch64, with its symbols, and the counter for this machine; their paths."""
    plugin, counter = TARGETS
    paths = []
    for target, config in ((plugin, ["--config=aarch64"]), (counter, [])):
        subprocess.run(["bazel", "build", "--noshow_progress", *config, target], cwd=emulator.ROOT, check=True)
        info = ["bazel", "info", "--noshow_progress", *config, "bazel-bin"]
        folder = subprocess.run(info, cwd=emulator.ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        paths.append(Path(folder, target.removeprefix("//").replace(":", "/")))
    return paths[0], paths[1]


def _symbols(library: Path) -> tuple[list[int], list[str]]:
    """Addresses of the functions of a library, ascending, and their names."""
    command = ["aarch64-linux-gnu-nm", "--demangle", "--defined-only", "--numeric-sort", library]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    functions = [(int(address, 16), name) for address, kind, name in rows if kind in "tTwW" and name[0] != "$"]
    return [address for address, _ in functions], [name for _, name in functions]


def _by_function(blocks: list[list[int]], base: int, size: int, symbols: tuple[list[int], list[str]]) -> dict[str, int]:
    addresses, names = symbols
    found: dict[str, int] = {}
    for address, executions, instructions, _ in blocks:
        at = bisect.bisect_right(addresses, address - base) - 1
        if at >= 0 and address - base < size:
            found[names[at]] = found.get(names[at], 0) + executions * instructions
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def counts(runs: dict[str, list[Run]], folder: Path) -> dict[str, list[Count]]:
    """Run everything in one emulated process; `folder` takes the raw counts."""
    plugin, counter = build()
    raw = folder / "counts.jsonl"
    command = emulator.python("ai_edge_litert", "-plugin", f"file={counter},out={raw}")
    command += [str(Path(__file__).with_name("count_models.py")), str(plugin)]
    jobs = {name: [asdict(run) for run in group] for name, group in runs.items()}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        command, input=json.dumps(jobs), stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    said = json.loads(done.stdout.splitlines()[-1])
    regions = {region["mark"]: region for region in map(json.loads, raw.read_text().splitlines())}
    symbols, size = _symbols(plugin), plugin.stat().st_size
    result: dict[str, list[Count]] = {}
    number = 0
    for name, group in runs.items():
        for error, _ in zip(said["errors"][name], group, strict=True):
            region = regions[2 * number + 1]
            kinds = region["kinds"]
            functions = _by_function(region["blocks"], said["base"], size, symbols)
            result.setdefault(name, []).append(Count(sum(kinds.values()), kinds["fmla"], kinds, functions, error))
            number += 1
    return result
