"""Check and time one network of the zoo: ``python benchmarks/zoo/measure.py NETWORK FILES RECORD SECONDS [COSTS]``.

The folder ``FILES`` has what `files.py` made, and ``RECORD`` is written. The record says what the plugin took
and what it left, how far the converted network is from the dense one, and how fast each of both is, timed in turns; and
with ``COSTS``, a file of `mcpruner calibrate`, what that predicts.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from files import stem
from workloads import TARGET

from mcpruner.compare import run
from mcpruner.converter.convert import convert
from mcpruner.converter.whole_file import write_file
from mcpruner.inputs import random_inputs
from mcpruner.machine import birth_certificate
from mcpruner.runtime import Interpreter, find_runtime
from mcpruner.timing import milliseconds, runs_for, speedup, take_turns, twice_timed_block
from mcpruner.verification import Verification, verify

THREADS = (1, 2)
SAMPLES = 3  # inferences that are compared, as many as `verify` makes up by itself
WORST = 5  # errors that a record lists
CLOCKS = ("wall", "cpu")
# A tensor's name or shape in a reason. They are left out, so that equal reasons of many nodes are one.
_ONE_NODE = re.compile(r" '[^']*'|(\[)[\d, -]*(?=\])")


def own_inputs(facts: dict[str, Any], interpreter: Any, samples: int) -> np.ndarray | None:
    """Random inputs of a network whose file leaves its size open, or that wants pixels; None for others."""
    if facts["shape"] is None and not facts["pixels"]:
        return None
    batch, *image = facts["shape"] or interpreter.get_input_details()[0]["shape"]
    rng, shape = np.random.default_rng(0), (samples * batch, *image)
    draws = rng.integers(0, 255, shape, endpoint=True) if facts["pixels"] else rng.standard_normal(shape)
    return draws.astype(np.float32)


def sample(facts: dict[str, Any], interpreter: Any) -> list[np.ndarray]:
    """Random inputs of one inference."""
    own = own_inputs(facts, interpreter, 1)
    return next(iter(random_inputs(interpreter, samples=1))) if own is None else [own]


def taken_and_left(content: bytes, inputs: list[np.ndarray], backend: str) -> dict[str, Any]:
    """How many partitions the plugin makes, how many nodes it takes, and what it leaves to TFLite, and why."""
    interpreter = Interpreter(model_content=content, num_threads=1, backend=backend)
    run(interpreter, inputs)
    report = interpreter.report()
    left: defaultdict[str, list[str]] = defaultdict(list)
    for node in report["nodes"]:
        if not node["taken"]:
            left[node["op"]].append(_ONE_NODE.sub(lambda found: found[1] or "", node["reason"]))
    return {
        "partitions": len(report["partitions"]),
        "taken": sum(node["taken"] for node in report["nodes"]),
        "left": {op: {"count": len(why), "reasons": sorted(set(why))} for op, why in sorted(left.items())},
    }


def check(content: bytes, dense: bytes, inputs: np.ndarray | None) -> Verification:
    """Compare outputs and all layers, with one thread and with two."""
    batch = None if inputs is None else len(inputs) // SAMPLES
    return verify(content, dense, inputs=inputs, batch=batch, num_threads=THREADS, all_layers=True)


def errors(found: Verification) -> dict[str, Any]:
    """What a record says of a comparison."""
    wrong = [e for e in [*found.outputs, *found.layers] if not e.relative <= found.tolerance]
    wrong.sort(key=lambda error: error.relative, reverse=True)
    return {
        "ok": found.ok,
        "tolerance": found.tolerance,
        "output_error": max(error.relative for error in found.outputs),
        "layer_error": max((error.relative for error in found.layers), default=0.0),
        "wrong": [[error.name, error.relative] for error in wrong[:WORST]],
    }


def times(content: bytes, dense: bytes, inputs: list[np.ndarray], threads: int, seconds: float) -> dict[str, Any]:
    """Both networks in turns: for each clock their milliseconds and the ratio."""
    plugin = Interpreter(model_content=content, num_threads=threads)
    plain = find_runtime().interpreter(model_content=dense, num_threads=threads)
    for interpreter in (plugin, plain):
        run(interpreter, inputs)
    blocks = [twice_timed_block(interpreter.invoke) for interpreter in (plugin, plain)]
    runs = runs_for(seconds, sum(block(1)[0, 0] for block in blocks))
    turns = take_turns(blocks, runs)
    found: dict[str, Any] = {"threads": threads}
    for i, clock in enumerate(CLOCKS):
        ours, theirs = turns[:, :, i]
        found[clock] = {**milliseconds(ours), **milliseconds(theirs, "against_"), **speedup(ours, theirs)}
    return found


def measure(network: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Record of a network whose files are in the folder."""
    facts = json.loads((folder / f"{stem(network)}.json").read_text())
    runtime = find_runtime()
    record = {
        "network": network,
        **birth_certificate(),
        "runtime": f"{runtime.name} {runtime.version}",
        "target": TARGET,
        **facts,
    }
    if "reason" in facts:
        return record
    dense, content = ((folder / f"{stem(network)}{end}.tflite").read_bytes() for end in ("_dense", ""))
    plain = runtime.interpreter(model_content=dense)
    inputs = sample(facts, plain)
    record |= taken_and_left(content, inputs, "auto")
    found = check(content, dense, own_inputs(facts, plain, SAMPLES))
    record |= errors(found)
    record["times"] = [times(content, dense, inputs, count, seconds) for count in THREADS] if found.ok else []
    return record


def main() -> None:
    """Measure it and write its record."""
    network, folder, path, seconds, *costs = sys.argv[1:]
    record = measure(network, Path(folder), float(seconds))
    if costs and "reason" not in record:
        dense = Path(folder, f"{stem(network)}_dense.tflite").read_bytes()
        record["predicted_here"] = convert(dense, TARGET, calibration=costs[0])[1].predicted_speedup
    write_file(Path(path), json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
