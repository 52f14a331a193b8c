"""Run many small models in one TFLite runtime, with and without the plugin: the part of the tests that changes Python.

Usage: ``python run_ops.py RUNTIME PLUGIN < jobs.json`` with RUNTIME one of ai_edge_litert, tensorflow, tflite_runtime
and jobs a list of ``{"model": path, "inputs": [paths of .npy], "options": of the plugin or null, "output": path}``. The
inputs are run one after the other in the same interpreter, which is resized in between. The output is an ``.npz`` with
``output0``, ``output1``, ... for the inputs, ``report`` (the plugin's JSON) and ``error`` (text, empty for none).
It needs NumPy and the runtime only, as an app would.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

MODULES = {
    "ai_edge_litert": "ai_edge_litert.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
    "tflite_runtime": "tflite_runtime.interpreter",
}


def report(plugin: str, delegate: Any) -> str:
    """The plugin's report, through its C API."""
    function = ctypes.CDLL(plugin).McprunerDelegateReportJson
    function.restype = ctypes.c_size_t
    function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    pointer = delegate._get_native_delegate_pointer()
    buffer = ctypes.create_string_buffer(function(pointer, None, 0))
    function(pointer, buffer, len(buffer))
    return buffer.value.decode()


def run(runtime: Any, plugin: str, job: dict[str, Any]) -> dict[str, Any]:
    """Results of one job."""
    results: dict[str, Any] = {"report": "", "error": ""}
    delegates = []
    try:
        if job["options"] is not None:
            delegates = [runtime.load_delegate(plugin, job["options"])]
        interpreter = runtime.Interpreter(model_path=job["model"], num_threads=1, experimental_delegates=delegates)
        source = interpreter.get_input_details()[0]["index"]
        for i, path in enumerate(job["inputs"]):
            x = np.load(path)
            interpreter.resize_tensor_input(source, x.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(source, x)
            interpreter.invoke()
            results[f"output{i}"] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    except (RuntimeError, ValueError) as error:
        results["error"] = str(error)
    if delegates:
        results["report"] = report(plugin, delegates[0])
    return results


def run_jobs(run_job: Callable[[Any, str, dict[str, Any]], dict[str, Any]]) -> None:
    """Give each of the jobs on stdin to ``run_job(runtime, plugin, job)``, and write what it returns."""
    runtime = importlib.import_module(MODULES[sys.argv[1]])
    for job in json.load(sys.stdin):
        np.savez(job["output"], **run_job(runtime, sys.argv[2], job))


if __name__ == "__main__":
    run_jobs(run)
