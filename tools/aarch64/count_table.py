"""`make count-aarch64`: the tables of docs/aarch64.md as out/aarch64/counts.md, all details as counts.json beside it.

Usage: ``python count_table.py [--only GLOB]``. With ``--only`` the rows whose names match are counted and printed, with
where their instructions go, and nothing is written.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import count_cases as cases
import emulator
import inner_loops
from count import Count, build, counts

from mcpruner.converter.whole_file import write_file

OUT = emulator.ROOT / "out" / "aarch64"
TOLERANCE = 1e-4  # of the largest output: sums of another order
FUNCTIONS = 8  # printed for a row
HEADER = (
    "| work, density | XNNPACK, M | ours, M | share | bar | holds | FMLA, M | ours per FMLA | in kernels | error |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def line(name: str, theirs: Count, ours: Count, bar: float | None) -> str:
    """One line of the table."""
    share = ours.instructions / theirs.instructions
    tiles = sum(n for function, n in ours.functions.items() if inner_loops.is_tile(function))
    holds = "" if bar is None else "yes" if share <= bar else f"**no, by {share - bar:.3f}**"
    cells = [
        name,
        f"{theirs.instructions / 1e6:.2f}",
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


def details(name: str, ours: Count) -> str:
    """Where our instructions of a row go, in millions."""
    kinds = ", ".join(f"{kind} {n / 1e6:.2f}" for kind, n in ours.kinds.items())
    functions = list(ours.functions.items())[:FUNCTIONS]
    return "\n".join([f"\n{name}: {kinds}", *(f"{n / 1e6:10.3f}  {function}" for function, n in functions)])


def birth_certificate() -> str:
    """When, by what and of what the numbers were made."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=emulator.ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}, `make count-aarch64`, commit {commit}; second inference, one thread; "
        "ai-edge-litert's XNNPACK with its Cortex-A73 kernels, qemu-aarch64 with tools/aarch64/counter.cc."
    )


def write(table: str, counted: dict[str, list[Count]]) -> None:
    """Write the results of a whole campaign."""
    loops = [loop for loop in inner_loops.inner_loops(build()[0]) if loop.filters == cases.GROUP]
    write_file(OUT / "counts.md", f"{table}\n\n{inner_loops.table(loops)}\n\n{birth_certificate()}\n")
    everything = {name: [asdict(count) for count in pair] for name, pair in counted.items()}
    write_file(OUT / "counts.json", json.dumps(everything, indent=1) + "\n")


def main() -> int:
    """Count; the exit status is 1 where an output is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="GLOB", default="*", help="names of rows, such as '3x3 64->64*0.178'")
    only = parser.parse_args().only
    if reason := emulator.missing():
        sys.exit(f"count-aarch64 {reason}")
    rows = {name: row for name, row in cases.rows().items() if fnmatch.fnmatch(name, only)}
    if not rows:
        sys.exit(f"no row is named like '{only}'; the rows are: {'; '.join(cases.rows())}")
    folder = OUT / "count"
    folder.mkdir(parents=True, exist_ok=True)
    counted = counts({name: row.runs(folder) for name, row in rows.items()}, folder)
    table = "\n".join([HEADER, *(line(name, *counted[name], row.bar) for name, row in rows.items())])
    print(table)
    if only == "*":
        write(table, counted)
    else:
        print("\n".join(details(name, ours) for name, (_, ours) in counted.items()))
    errors = {name: ours.error for name, (_, ours) in counted.items() if rows[name].comparable}
    wrong = {name: error for name, error in errors.items() if not error <= TOLERANCE}
    for name, error in wrong.items():
        print(f"{name}: outputs differ from XNNPACK's by {error:.0e} of the largest", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
