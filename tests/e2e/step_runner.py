"""Models and steps in, what each runtime makes of them out: `run_steps.py` in the Python of every runtime."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from op_runner import run_script

DIED = "the process died"


@dataclass
class StepJob:
    """One interpreter: a model, for each step the arrays of all inputs, the plugin's options (None: no plugin).

    `kernels`: TFLite's own kernels only, without XNNPACK, which checks less.
    """

    model: bytes
    steps: list[list[np.ndarray]]
    options: dict[str, Any] | None
    kernels: bool = False


@dataclass
class StepResult:
    """For each step its outputs and its error (empty for none); `report`: the plugin's, empty without it.

    The only error is `DIED` where the process of the runtime ended.
    """

    outputs: list[list[np.ndarray]]
    errors: list[str]
    report: dict[str, Any]


def run_step_jobs(runtime: str, jobs: dict[str, StepJob], folder: Path) -> dict[str, StepResult]:
    """Run all jobs in one process of a runtime."""
    tasks = []
    for name, job in jobs.items():
        model, steps, output = (folder / f"{name}{end}" for end in (".tflite", ".steps.npz", ".out.npz"))
        model.write_bytes(job.model)
        arrays = {f"{step}.{i}": a for step, given in enumerate(job.steps) for i, a in enumerate(given)}
        np.savez(steps, counts=[len(given) for given in job.steps], **arrays)
        files = {"model": str(model), "steps": str(steps), "output": str(output)}
        tasks.append({**files, "options": job.options, "kernels": job.kernels})
    waiting = tasks
    while waiting:
        with contextlib.suppress(subprocess.CalledProcessError):
            run_script("run_steps.py", runtime, tasks=waiting)
        waiting = [task for task in waiting if not Path(task["output"]).exists()]
        if waiting:  # some sizes end the process of a runtime, without any plugin too
            np.savez(waiting[0]["output"], report="", errors=json.dumps([DIED]))
    return {
        name: _load(Path(task["output"]), len(job.steps)) for (name, job), task in zip(jobs.items(), tasks, strict=True)
    }


def _load(path: Path, steps: int) -> StepResult:
    file = np.load(path)
    outputs = []
    for step in range(steps):
        count = sum(name.startswith(f"{step}.") for name in file.files)
        outputs.append([file[f"{step}.{k}"] for k in range(count)])
    text = str(file["report"])
    return StepResult(outputs, json.loads(str(file["errors"])), json.loads(text) if text else {})
