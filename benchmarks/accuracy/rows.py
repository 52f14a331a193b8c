"""Rows of ``docs/pruning.md`` from the records of `pairs.py`: mean of paired differences with its confidence interval.

Call it as ``python benchmarks/accuracy/rows.py benchmarks/accuracy/results/*.json``.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

HEADER = (
    "| network | density | allocation | masks | share of multiply-adds | dense | pruned | difference, 95 % | seeds |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def rows(records: list[dict]) -> Iterator[str]:
    """A Markdown row for each network and student; seeds without their baseline do not count."""
    dense = {(r["network"], r["seed"]): r["accuracy"] for r in records if r["density"] == 1.0}
    found: dict[tuple, list[dict]] = {}
    for record in records:
        if record["density"] < 1.0 and (record["network"], record["seed"]) in dense:
            kind = record["allocation"], record["masks"]
            found.setdefault((record["network"], -record["density"], *kind), []).append(record)
    for (network, density, allocation, masks), runs in sorted(found.items()):
        baseline = np.array([dense[network, r["seed"]] for r in runs])
        accuracy = np.array([r["accuracy"] for r in runs])
        mean, half = interval(100 * (accuracy - baseline))
        work = np.mean([r["kept_work"] for r in runs])
        yield (
            f"| {network} | {-density:g} | {allocation} | {masks} | {work:.3f} | {100 * baseline.mean():.2f} | "
            f"{100 * accuracy.mean():.2f} | {mean:+.2f} ± {half:.2f} | {len(runs)} |"
        )


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Mean of at least one difference, and half of Student's 95 % interval (infinite for a single one)."""
    count = len(differences)
    if count < 2:
        return float(differences.mean()), float("inf")
    half = stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
    return float(differences.mean()), float(half)


if __name__ == "__main__":
    print(HEADER)
    print("\n".join(rows([record for path in sys.argv[1:] for record in json.loads(Path(path).read_text())])))
