"""What a model costs beside time: memory, loading, the first inference. Each figure comes from a process of its own.

As a script it is that process: ``footprint.py MODEL.tflite mcpruner|litert THREADS`` prints one JSON object.
"""

import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROCESSES = 3
MEBIBYTE = 2**20


def footprint(model: Path, engine: str, threads: int = 1) -> dict[str, float]:
    """Medians over a few fresh processes.

    Parameters
    ----------
    model
        A ``.tflite`` file. It is mapped, as apps do, and has been read before: loading is not the disk's time.
    engine
        ``"mcpruner"``: the runtime with the plugin; ``"litert"``: the runtime as it is.
    threads
        For the inferences.

    Returns
    -------
    ``load_ms``: the interpreter made and its tensors allocated, the plugin loaded and prepared; ``first_ms``: the first
    inference; ``steady_ms``: median of the next nine; ``peak_mib``: peak resident set of the process;
    ``start_mib``: resident set before the model was loaded, Python and the runtime; ``held_mib``: what the process has
    allocated more after the inferences than before, mapped files not counted. The plugin's ``arena_bytes``
    and ``weight_bytes`` with ``"mcpruner"``.
    """
    command = [sys.executable, __file__, str(model), engine, str(threads)]
    found = [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        for _ in range(PROCESSES)
    ]
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


def measure(model: str, engine: str, threads: int) -> dict[str, Any]:
    """The figures of this process, in which nothing was loaded yet."""
    from mcpruner.inputs import random_inputs
    from mcpruner.runtime import Interpreter, find_runtime

    plain = find_runtime().interpreter  # imported for both before anything is measured
    make = Interpreter if engine == "mcpruner" else plain
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    start, allocated = _status("VmRSS"), _status("RssAnon")
    begin = time.perf_counter()
    interpreter = make(model_path=model, num_threads=threads)
    interpreter.allocate_tensors()
    loaded = time.perf_counter()
    (inputs,) = random_inputs(interpreter, samples=1)
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], array)
    times = []
    for _ in range(10):
        started = time.perf_counter()
        interpreter.invoke()
        times.append((time.perf_counter() - started) * 1e3)
    report = interpreter.report() if engine == "mcpruner" else {}
    return {
        "load_ms": (loaded - begin) * 1e3,
        "first_ms": times[0],
        "steady_ms": statistics.median(times[1:]),
        "peak_mib": _status("VmHWM") / MEBIBYTE,
        "start_mib": start / MEBIBYTE,
        "held_mib": (_status("RssAnon") - allocated) / MEBIBYTE,
        **{key: report[key] for key in ("arena_bytes", "weight_bytes") if key in report},
    }


def _status(field: str) -> int:
    """Bytes that /proc/self/status gives for `field`."""
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
