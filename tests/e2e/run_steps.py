"""Run small models through several sizes in one TFLite runtime: as `run_ops.py`, for any number of inputs and outputs.

Usage: ``python run_steps.py RUNTIME PLUGIN < jobs.json`` with jobs a list of ``{"model": path, "steps": path of an .npz
with arrays "STEP.INPUT" and "counts", the number of inputs of each step, "options": of the plugin or null, "kernels":
whether to run TFLite's own kernels only, "output": path}``. Each step resizes all inputs and runs. The output is an
``.npz`` with ``STEP.OUTPUT``, ``errors`` (a JSON list: the text for each step, empty for none) and ``report`` (the
plugin's JSON).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from run_ops import report, run_jobs


def run_step(interpreter: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Resize, run, and copy the outputs."""
    details = interpreter.get_input_details()
    for detail, array in zip(details, arrays, strict=True):
        interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    for detail, array in zip(details, arrays, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def run(runtime: Any, plugin: str, job: dict[str, Any]) -> dict[str, Any]:
    """Results of one job; a step that fails is recorded, and the next one runs in the same interpreter."""
    file = np.load(job["steps"])
    steps = [[file[f"{step}.{i}"] for i in range(count)] for step, count in enumerate(file["counts"])]
    results: dict[str, Any] = {"report": ""}
    errors = []
    more: dict[str, Any] = {}
    if job["kernels"]:
        more["experimental_op_resolver_type"] = runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    delegates = [] if job["options"] is None else [runtime.load_delegate(plugin, job["options"])]
    try:
        interpreter = runtime.Interpreter(
            model_path=job["model"], num_threads=1, experimental_delegates=delegates, **more
        )
    except (RuntimeError, ValueError) as error:
        return {"report": "", "errors": json.dumps([str(error) or repr(error)] * len(steps))}
    for step, arrays in enumerate(steps):
        try:
            outputs = run_step(interpreter, arrays)
        except (RuntimeError, ValueError) as error:
            errors.append(str(error) or repr(error))
            continue
        errors.append("")
        results |= {f"{step}.{k}": output for k, output in enumerate(outputs)}
    results["errors"] = json.dumps(errors)
    if delegates:
        results["report"] = report(plugin, delegates[0])
    return results


if __name__ == "__main__":
    run_jobs(run)
