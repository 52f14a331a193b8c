"""The tables of docs/models.md, from the records that `measure.py` writes."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from operators_table import taken, untaken
from tables import markdown

RESULTS = Path(__file__).resolve().parent / "results"
BUSY = 1.1  # times the CPU time that one thread takes by the wall's clock, where something else ran beside it
FLOOR = 0.97  # a network below this ratio is slower than without the plugin; measurements waver by the rest

Record = dict[str, Any]


def read(folder: Path) -> list[Record]:
    """All records of a folder, by the names of their networks."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def all_tables(records: Sequence[Record]) -> dict[str, str]:
    """What stands between the markers of each name."""
    return {
        "zoo": networks(records),
        "zoo_failed": failed(records),
        "zoo_summary": summary(records),
        "zoo_left": left(records),
        "zoo_origin": origin(records),
        "operators_taken": taken(),
        "operators_left": untaken(),
    }


def measured(record: Record) -> float:
    """How many times as fast as dense LiteRT, on one thread, by the processor's clock."""
    return record["times"][0]["cpu"]["speedup"]


def _timed(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.get("times")]


def networks(records: Sequence[Record]) -> str:
    """A row for each network that was timed."""
    headers = [
        "network",
        "layers packed",
        "predicted",
        "by this machine's costs",
        "1 thread, CPU time",
        "2 threads, CPU time",
        "1 thread",
    ]
    headers += ["2 threads", "dense, ms", "partitions", "nodes left", "largest error"]
    return markdown(headers, [_row(record) for record in _timed(records)])


def _row(record: Record) -> list[Any]:
    one, two = record["times"]
    ratio = measured(record)
    return [
        record["network"],
        f"{record['packed']} of {record['layers']}",
        f"{record['predicted']:.2f}",
        f"{record['predicted_here']:.2f}" if "predicted_here" in record else "",
        f"**{ratio:.2f}**" if ratio < FLOOR else f"{ratio:.2f}",
        f"{two['cpu']['speedup']:.2f}",
        *(f"{times['wall']['speedup']:.2f}" for times in (one, two)),
        f"{one['cpu']['against_median_ms']:.2f}",
        record["partitions"],
        sum(op["count"] for op in record["left"].values()),
        f"{max(record['output_error'], record['layer_error']):.0e}",
    ]


def failed(records: Sequence[Record]) -> str:
    """A line for each network that was not timed: it was refused, or its numbers differ."""
    lines = [f"- {record['network']}: {_why(record)}" for record in records if not record.get("times")]
    return "\n".join(lines) or "None."


def _why(record: Record) -> str:
    if "reason" in record:
        return record["reason"]
    worst = "; ".join(f"{name} by {error:.1e}" for name, error in record["wrong"])
    return f"outputs or layers differ from the dense network's: {worst}"


def summary(records: Sequence[Record]) -> str:
    """Prediction errors, and how many networks are slower than without the plugin."""
    timed = _timed(records)
    if not timed:
        return "No network was timed."
    here = [record for record in timed if "predicted_here" in record]
    slower = sum(measured(record) < FLOOR for record in timed)
    return (
        f"Of {len(records)} networks {len(timed)} were timed, and {slower} of them are below {FLOOR} of the dense "
        f"speed. The error of the prediction, |log(predicted / measured)| by CPU time on one thread, {_misses(timed)}"
        f"{_here(here)}.{_busy(timed)}"
    )


def _misses(records: Sequence[Record], prediction: str = "predicted") -> str:
    """Median and 90th percentile of a prediction's error."""
    middle, high = np.quantile(np.abs(np.log([r[prediction] / measured(r) for r in records])), [0.5, 0.9])
    return f"has the median {middle:.2f}; nine of ten are at most {high:.2f}"


def _here(records: Sequence[Record]) -> str:
    """The same of predictions by costs that were measured on the same machine, where there are any."""
    if not records:
        return ""
    return f". By costs of the same machine ({len(records)} networks) it {_misses(records, 'predicted_here')}"


def _busy(timed: Sequence[Record]) -> str:
    """A sentence where one thread had to wait for a core."""
    ones = [record["times"][0] for record in timed]
    waits = float(np.median([one["wall"]["against_median_ms"] / one["cpu"]["against_median_ms"] for one in ones]))
    if waits < BUSY:
        return ""
    return (
        f" The machine was busy: dense networks took {waits:.1f} times their CPU time (median), so the ratios without "
        "CPU time say little."
    )


def left(records: Sequence[Record]) -> str:
    """The operators that the plugin left to TFLite in networks of which it took some: nodes, networks, reasons."""
    nodes: Counter[str] = Counter()
    where: dict[str, list[str]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for record in records:
        for op, found in record.get("left", {}).items() if record.get("partitions") else ():
            nodes[op] += found["count"]
            where.setdefault(op, []).append(record["network"])
            reasons.setdefault(op, {}).update(dict.fromkeys(found["reasons"]))
    rows = [[op, count, ", ".join(where[op]), "; ".join(reasons[op])] for op, count in nodes.most_common()]
    return markdown(["operator", "nodes", "in", "why"], rows)


def origin(records: Sequence[Record]) -> str:
    """When, how and on what the records were made."""
    if not records:
        return "Nothing was measured yet."
    days = sorted({record["date"][:10] for record in records})
    keys = ("command", "commit", "runtime", "machine")
    # A record of a process that ended has no runtime.
    values = {key: ", ".join(sorted({record[key] for record in records if key in record})) for key in keys}
    return "`{command}`, {dates}, commit {commit}; {runtime}; {machine}.".format(dates=" and ".join(days), **values)
