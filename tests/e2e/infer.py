"""Run models in one TFLite runtime and save what they return: the part of the end-to-end tests that changes Python.

Usage: ``python infer.py RUNTIME PLUGIN < jobs.json`` with RUNTIME one of ai_edge_litert, tensorflow, tflite_runtime and
jobs a list of ``{"model", "inputs", "output", "threads", "batch", "options"}``; the options are the plugin's, null for
no plugin. Inputs are a ``.npy`` of [images, ...]; the output is an ``.npz`` with one array for each model output, keyed
by its tensor name. It needs NumPy and the runtime only, as an app would: the plugin is loaded by its path, with no
other part of mcpruner.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import numpy as np

MODULES = {
    "ai_edge_litert": "ai_edge_litert.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
    "tflite_runtime": "tflite_runtime.interpreter",
}


def run(runtime: Any, plugin: str, job: dict[str, Any]) -> dict[str, np.ndarray]:
    """Outputs of ``job["model"]`` on all its inputs, ``job["batch"]`` at a time, the rest in a smaller batch."""
    delegates = [] if job["options"] is None else [runtime.load_delegate(plugin, job["options"])]
    interpreter = runtime.Interpreter(
        model_path=job["model"], num_threads=job["threads"], experimental_delegates=delegates
    )
    images, batch = np.load(job["inputs"]), job["batch"]
    source = interpreter.get_input_details()[0]["index"]
    collected: dict[str, list[np.ndarray]] = {}
    size = None
    for begin in range(0, len(images), batch):
        part = images[begin : begin + batch]
        if len(part) != size:
            size = len(part)
            interpreter.resize_tensor_input(source, part.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source, part)
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            collected.setdefault(detail["name"], []).append(interpreter.get_tensor(detail["index"]))
    return {name: np.concatenate(parts) for name, parts in collected.items()}


def main() -> None:
    """Run the jobs on stdin."""
    runtime = importlib.import_module(MODULES[sys.argv[1]])
    for job in json.load(sys.stdin):
        np.savez(job["output"], **{k.replace("/", "|"): v for k, v in run(runtime, sys.argv[2], job).items()})


if __name__ == "__main__":
    main()
