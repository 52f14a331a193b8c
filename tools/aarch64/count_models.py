"""Run models once each in an emulated runtime, dense and with the plugin, between marks for libcounter.so.

Usage: ``python count_models.py PLUGIN < models.json`` with ``{name: [{"model": path, "input": path, "options": of the
plugin or null}, ...]}``; the first run of each name is what the others must equal. Prints one line of JSON: ``base``,
the address at which the plugin is loaded, and ``errors``, the largest error of each run. Mark 2 i ends what comes
before run i (in the order of the file), mark 2 i + 1 ends its second inference.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

MARK = 0x4D435052
prctl = ctypes.CDLL(None).prctl


def run(plugin: str, job: dict[str, Any], number: int) -> np.ndarray:
    """The output of one model."""
    delegates = [] if job["options"] is None else [load_delegate(plugin, job["options"])]
    interpreter = Interpreter(model_path=job["model"], num_threads=1, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.load(job["input"]))
    interpreter.invoke()  # the first one may still prepare
    prctl(MARK, 2 * number, 0, 0, 0)
    interpreter.invoke()
    prctl(MARK, 2 * number + 1, 0, 0, 0)
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def base_address(library: str) -> int:
    """Where `library` is loaded."""
    name = Path(library).name
    lines = Path("/proc/self/maps").read_text().splitlines()
    return min(int(line.split("-")[0], 16) for line in lines if line.endswith(name))


def main() -> None:
    """Run everything on stdin."""
    plugin, number, errors = sys.argv[1], 0, {}
    keep = load_delegate(plugin, {})  # so that it stays where it is
    for name, jobs in json.load(sys.stdin).items():
        outputs = []
        for job in jobs:
            outputs.append(run(plugin, job, number))
            number += 1
        wanted = outputs[0]
        errors[name] = [float(np.abs(y.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max()) for y in outputs]
    print(json.dumps({"base": base_address(plugin), "errors": errors}))
    del keep


if __name__ == "__main__":
    main()
