"""`make count-aarch64`: the tables of docs/aarch64.md as Markdown, and out/aarch64/counts.json with all details.

Usage: ``python count_table.py``. One emulated process runs everything; allow it a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import count_cases as cases
import emulator
import inner_loops
from count import Count, Run, build, counts

TOLERANCE = 1e-4  # of the largest output; sums of another order, and weights stored as float32
TEMPLATE = "MobileNetV1 0.75 in XNNPACK's template, 0.2"
HEADER = (
    "| work, density | XNNPACK dense, M | ours, M | share | bar | holds | FMLA, M | ours per FMLA | in kernels "
    "| error |\n|---|---|---|---|---|---|---|---|---|---|"
)


def all_runs(folder: Path) -> dict[str, list[Run]]:
    """Name -> runs, in the order of the tables."""
    runs = {
        f"{layer.name}, {density:g}": cases.layer_runs(layer, density, folder)
        for layer in cases.LAYERS
        for density in cases.DENSITIES
    }
    runs |= {name: make(folder) for name, (make, _) in cases.NETWORKS.items()}
    return runs | {TEMPLATE: cases.template_runs(folder)}


def bars() -> dict[str, float | None]:
    """Name -> bar of ours against XNNPACK dense."""
    layers = {f"{la.name}, {d:g}": la.bar_at(d) for la in cases.LAYERS for d in cases.DENSITIES}
    return layers | {name: bar for name, (_, bar) in cases.NETWORKS.items()}


def row(name: str, dense: Count, ours: Count, bar: float | None) -> str:
    """One line of the table."""
    share = ours.instructions / dense.instructions
    tiles = sum(n for function, n in ours.functions.items() if inner_loops.is_tile(function))
    holds = "" if bar is None else "yes" if share <= bar else f"**no, by {share - bar:.3f}**"
    cells = [
        name,
        f"{dense.instructions / 1e6:.2f}",
        f"{ours.instructions / 1e6:.2f}",
        f"{share:.3f}",
        "" if bar is None else f"{bar:g}",
        holds,
        f"{ours.fmla / 1e6:.2f}",
        f"{ours.instructions / ours.fmla:.2f}",
        f"{tiles / ours.instructions:.0%}",
        f"{ours.error:.0e}",
    ]
    return f"| {' | '.join(cells)} |"


def template_lines(dense: Count, ours: Count, sparse: Count) -> str:
    """The comparison with XNNPACK's own sparse path."""
    holds = "holds" if ours.instructions <= sparse.instructions else "does **not** hold"
    return (
        f"{TEMPLATE}: XNNPACK dense {dense.instructions / 1e6:.2f} M, its sparse path {sparse.instructions / 1e6:.2f} M, "
        f"ours {ours.instructions / 1e6:.2f} M, {ours.instructions / sparse.instructions:.3f} of the sparse path; "
        f"the bar, 1, {holds}. Errors: {sparse.error:.0e}, {ours.error:.0e}."
    )


def main() -> int:
    """Count everything; the exit status is 1 where an output is wrong."""
    if reason := emulator.missing():
        sys.exit(f"count-aarch64 {reason}")
    folder = emulator.ROOT / "out" / "aarch64" / "count"
    folder.mkdir(parents=True, exist_ok=True)
    counted = counts(all_runs(folder), folder)
    details = {name: [asdict(count) for count in group] for name, group in counted.items()}
    (folder.parent / "counts.json").write_text(json.dumps(details, indent=1) + "\n")
    print(HEADER)
    for name, bar in bars().items():
        print(row(name, *counted[name], bar))
    print(f"\n{template_lines(*counted[TEMPLATE])}\n")
    print(inner_loops.table(build()[0]))
    errors = {name: [count.error for count in group] for name, group in counted.items()}
    wrong = {name: found for name, found in errors.items() if max(found) > TOLERANCE}
    for name, found in wrong.items():
        print(f"{name}: NOT equal to XNNPACK, errors {found}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
