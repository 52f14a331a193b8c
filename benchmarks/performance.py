"""Measures everything that docs/performance.md and README.md say, and writes their tables: ``make performance``.

Two separate runs of every benchmark, each into a folder of its own below ``--out``. ``--tables`` writes the tables
again from what was measured before.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tables import all_tables, fill
from workloads import ROOT

from mcpruner.converter.whole_file import write_file

DOCUMENTS = (ROOT / "docs/performance.md", ROOT / "README.md")


def commands(folder: Path, seconds: float) -> list[list[str]]:
    """What one run consists of."""
    python, time = sys.executable, ["--seconds", str(seconds)]
    run, limits = [python, str(ROOT / "benchmarks/run.py"), *time, "--tries", "4"], folder / "limits.json"
    return [
        [python, "-m", "mcpruner", "calibrate", "--output", str(limits)],
        [*run, "--json", str(folder / "bench.json")],
        [*run, "--threads", "1", "--density", "0.5", "--json", str(folder / "bench_0.5.json")],
        [*run, "--threads", "1", "--density", "1", "--json", str(folder / "bench_1.json")],
        [
            python,
            str(ROOT / "benchmarks/peers.py"),
            "--seconds",
            str(3 * seconds),
            "--json",
            str(folder / "peers.json"),
        ],
        [
            *(python, str(ROOT / "benchmarks/roofline.py"), "--limits", str(limits)),
            *("--pictures", str(folder), "--json", str(folder / "layers.json")),
        ],
    ]


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2, help="separate runs (default: 2)")
    parser.add_argument("--seconds", type=float, default=6.0, help="of timing for each pair of models (default: 6)")
    parser.add_argument("--out", type=Path, default=Path("out/performance"), help="default: out/performance")
    parser.add_argument("--tables", action="store_true", help="measure nothing, write the tables of the last results")
    args = parser.parse_args()
    folders = [args.out / f"run{i}" for i in range(1, args.runs + 1)]
    for folder in folders if not args.tables else ():
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands(folder, args.seconds):
            print(" ".join(command), file=sys.stderr, flush=True)
            subprocess.run(command, check=True)
    tables = all_tables(folders)
    for document in DOCUMENTS:
        write_file(document, fill(document.read_text(), tables))


if __name__ == "__main__":
    main()
