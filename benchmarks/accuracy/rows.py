"""Rows of the tables in ``docs/pruning.md`` and ``docs/masks.md`` from the records of the scripts beside it.

Call it as ``python benchmarks/accuracy/rows.py benchmarks/accuracy/results/*.json``. Differences are paired, by seed or
by fold: their mean with Student's 95 % interval.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

HEADERS = {
    "pairs": "network, density, allocation, masks, share of multiply-adds, dense, pruned, difference, seeds",
    "one_shot": "network, density, none, greedy, search, any size, unstructured",
    "post_training": "network, density, dense, one-shot, post-training, difference to dense, folds",
}


def kind(records: list[dict]) -> str:
    """Which script the records are of."""
    return "one_shot" if "groups" in records[0] else "post_training" if "fold" in records[0] else "pairs"


def header(records: list[dict]) -> str:
    """Head of a Markdown table."""
    names = HEADERS[kind(records)].split(", ")
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}"


def rows(records: list[dict]) -> Iterator[str]:
    """Markdown rows of one script's records."""
    return {"pairs": paired, "one_shot": one_shot, "post_training": folds}[kind(records)](records)


def one_shot(records: list[dict]) -> Iterator[str]:
    """A row for each network and density: saliency kept / accuracy, for each kind of groups."""
    groups = HEADERS["one_shot"].split(", ")[2:]
    found: dict[tuple, dict[str, str]] = {}
    for r in records:
        cell = f"{100 * r['kept']:.1f} / {100 * r['accuracy']:.1f}"
        found.setdefault((r["network"], -r["density"]), {})[r["groups"]] = cell
    for (network, density), cells in sorted(found.items()):
        yield f"| {network} | {-density:g} | {' | '.join(cells.get(kind, '') for kind in groups)} |"


def folds(records: list[dict]) -> Iterator[str]:
    """A row for each network and density, mean over the folds."""
    found: dict[tuple, list[dict]] = {}
    for record in records:
        found.setdefault((record["network"], -record["density"]), []).append(record)
    for (network, density), runs in sorted(found.items()):
        dense, shot, post = (100 * np.array([r[name] for r in runs]) for name in ("dense", "one_shot", "post_training"))
        mean, half = interval(post - dense)
        yield (
            f"| {network} | {-density:g} | {dense.mean():.1f} | {shot.mean():.1f} | {post.mean():.1f} | "
            f"{mean:+.1f} ± {half:.1f} | {len(runs)} |"
        )


def paired(records: list[dict]) -> Iterator[str]:
    """A Markdown row for each network and student; students without a baseline of the same start do not count."""
    dense = {start(r): r["accuracy"] for r in records if r["density"] == 1.0}
    found: dict[tuple, list[dict]] = {}
    for record in records:
        if record["density"] < 1.0 and start(record) in dense:
            kind = record["allocation"], record["masks"]
            found.setdefault((record["network"], -record["density"], *kind), []).append(record)
    for (network, density, allocation, masks), runs in sorted(found.items()):
        baseline = np.array([dense[start(r)] for r in runs])
        accuracy = np.array([r["accuracy"] for r in runs])
        mean, half = interval(100 * (accuracy - baseline))
        work = np.mean([r["kept_work"] for r in runs])
        yield (
            f"| {network} | {-density:g} | {allocation} | {masks} | {work:.3f} | {100 * baseline.mean():.2f} | "
            f"{100 * accuracy.mean():.2f} | {mean:+.2f} ± {half:.2f} | {len(runs)} |"
        )


def start(record: dict) -> tuple:
    """The dense network that a training began from; GPUs do not repeat one bit by bit, so a seed may have several."""
    return tuple(record[name] for name in ("network", "seed", "commit", "start_accuracy"))


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Mean of at least one difference, and half of Student's 95 % interval (infinite for a single one)."""
    count = len(differences)
    if count < 2:
        return float(differences.mean()), float("inf")
    half = stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
    return float(differences.mean()), float(half)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        found = json.loads(Path(path).read_text())
        print(header(found), *rows(found), sep="\n")
