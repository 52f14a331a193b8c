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

RESULTS = Path(__file__).resolve().parent / "results"
HEADERS = {
    "recipe": "network, share of multiply-adds, masks, removed weights, epochs, weights, dense, pruned, difference, "
    "with mirrored images, cross-entropy, seeds",
    "pairs": "network, density, allocation, masks, share of multiply-adds, dense, pruned, difference, seeds",
    "one_shot": "network, density, none, greedy, search, any size, unstructured",
    "post_training": "network, density, dense, one-shot, post-training, difference to dense, folds",
    "speed": "network, share of multiply-adds, dense ms, mcpruner ms, ratio with 1 thread, with 2 threads, "
    "accuracy of dense networks, of pruned ones, difference, of this file, dense file, file, file with float16",
}


def kind(records: list[dict]) -> str:
    """Which script the records are of."""
    marks = {"groups": "one_shot", "fold": "post_training", "bytes_dense": "speed", "multiply_adds": "recipe"}
    return next((kind for mark, kind in marks.items() if mark in records[0]), "pairs")


def header(records: list[dict]) -> str:
    """Head of a Markdown table."""
    names = HEADERS[kind(records)].split(", ")
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}"


def rows(records: list[dict]) -> Iterator[str]:
    """Markdown rows of one script's records."""
    writers = {"recipe": recipe, "pairs": paired, "one_shot": one_shot, "post_training": folds, "speed": speed}
    return writers[kind(records)](records)


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


def speed(records: list[dict]) -> Iterator[str]:
    """A row for each network that `speed.py` measured, with what such trainings cost on average (`pairs.py`)."""
    for r in sorted(records, key=lambda record: (record["network"], -record["multiply_adds"])):
        trained = pairs_of(json.loads((RESULTS / f"{r['network']}.json").read_text()))
        student = -r["multiply_adds"], r["masks"], r["removed"]
        runs = trained[max(key for key in trained if key[2:] == student and len(key[1]) == r["trainings"])]
        dense, pruned = 100 * values(runs, "accuracy")
        one, two = r["results"]
        ratios = " | ".join(f"{x['speedup']:.2f} ({x['speedup_low']:.2f}..{x['speedup_high']:.2f})" for x in (one, two))
        sizes = " | ".join(f"{r[name] / 1e6:.1f} MB" for name in ("bytes_dense", "bytes", "bytes_float16"))
        yield (
            f"| {r['network']} | {r['multiply_adds']:g} | {one['against_median_ms']:.2f} | {one['median_ms']:.2f} | "
            f"{ratios} | "
            f"{dense.mean():.2f} | {pruned.mean():.2f} | {written(interval(pruned - dense))} | "
            f"{100 * r['accuracy']:.2f} | {sizes} |"
        )


def pairs_of(records: list[dict]) -> dict[tuple, list[tuple[dict, dict]]]:
    """Baselines and students of equal start, by network, protocol and student; a student without one does not count."""
    dense = {(start(r), *protocol(r)): r for r in records if r["multiply_adds"] == 1.0}
    found: dict[tuple, list[tuple[dict, dict]]] = {}
    for record in records:
        if record["multiply_adds"] < 1.0 and (key := (start(record), *protocol(record))) in dense:
            student = *protocol(record), -record["multiply_adds"], record["masks"], record["removed"]
            found.setdefault((record["network"], *student), []).append((dense[key], record))
    return found


def recipe(records: list[dict]) -> Iterator[str]:
    """A Markdown row for each network, protocol and student of `pairs.py`."""
    for (network, epochs, share, masks, removed), runs in sorted(pairs_of(records).items()):
        percent = {name: 100 * values(runs, name) for name in ("accuracy", "mirrored", "cross_entropy")}
        dense, pruned = percent["accuracy"]
        plain, mirrored, entropy = (interval(pruned - dense) for dense, pruned in percent.values())
        kept = values(runs, "kept")[1].mean()
        yield (
            f"| {network} | {-share:g} | {masks} | {removed} | {' + '.join(map(str, epochs))} | {kept:.3f} | "
            f"{dense.mean():.2f} | {pruned.mean():.2f} | {written(plain)} | {written(mirrored)} | "
            f"{entropy[0] / 100:+.4f} | {len(dense)} |"
        )


def protocol(record: dict) -> tuple[tuple[int, ...]]:
    """Epochs of all trainings, one after the other."""
    return ((*record["before"], record["epochs"]),)


def values(runs: list[tuple[dict, dict]], name: str) -> np.ndarray:
    """Of the dense and of the pruned networks: float ``[2, seeds]``.

    A seed that was trained twice counts once, with the mean of its trainings, which are not two independent samples.
    """
    found: dict[int, list[list[float]]] = {}
    for dense, pruned in runs:
        found.setdefault(pruned["seed"], []).append([dense[name], pruned[name]])
    return np.array([np.mean(each, axis=0) for each in found.values()]).T


def written(found: tuple[float, float]) -> str:
    """Mean and interval; a single run has none."""
    mean, half = found
    return f"{mean:+.2f}" + (f" ± {half:.2f}" if np.isfinite(half) else "")


def paired(records: list[dict]) -> Iterator[str]:
    """Rows of trainings with straight-through gradients; students without a baseline of their start do not count."""
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
