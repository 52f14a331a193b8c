"""Models and inputs in, what each runtime makes of them out: `run_ops.py` in the Python of every runtime."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mcpruner

_OLD = Path(__file__).resolve().parents[2] / ".venv-tflite-runtime" / "bin" / "python"
RUNTIMES = {"ai_edge_litert": Path(sys.executable), "tensorflow": Path(sys.executable), "tflite_runtime": _OLD}


@dataclass
class Job:
    """One interpreter: a model, the inputs that it is resized to in turn, the plugin's options (None: no plugin)."""

    model: bytes
    inputs: list[np.ndarray]
    options: dict[str, Any] | None


@dataclass
class Result:
    """`outputs`: one for each input; `report`: the plugin's, empty without it; `error`: empty for none."""

    outputs: list[np.ndarray]
    report: dict[str, Any]
    error: str


def faults_path() -> Path:
    """The plugin whose option ``fault`` makes it fail, which no wheel carries."""
    path = Path(__file__).resolve().parents[2] / "out" / "testing" / "libmcpruner_faults.so"
    if not path.is_file():
        raise FileNotFoundError(f"The plugin with faults, {path}, is missing: run `make build`.")
    return path


def run_script(name: str, runtime: str, tasks: list[dict[str, Any]], plugin: Path | None = None) -> None:
    """Run a script beside this file in the Python of a runtime; skips the test where that has no environment.

    The script is given `plugin`, by default the packaged one.
    """
    python = RUNTIMES[runtime]
    if not python.exists():
        pytest.skip(f"{runtime} needs its own environment, which `make setup` puts at {python}")
    command = [python, Path(__file__).with_name(name), runtime, plugin or mcpruner.delegate_path()]
    subprocess.run(command, input=json.dumps(tasks), text=True, check=True)


def results_once(
    jobs: Callable[[], dict[str, Job]], folders: pytest.TempPathFactory, run: Callable[..., None] = run_script
) -> Callable[[str], dict[str, Result]]:
    """A function from a runtime to the results of all jobs there, which run at its first call."""

    @functools.cache
    def get(runtime: str) -> dict[str, Result]:
        return run_jobs(runtime, jobs(), folders.mktemp(runtime), run)

    return get


def run_jobs(
    runtime: str, jobs: dict[str, Job], folder: Path, run: Callable[..., None] = run_script
) -> dict[str, Result]:
    """Run all jobs in one process of a runtime, which `run` starts."""
    tasks = []
    for name, job in jobs.items():
        model = folder / f"{name}.tflite"
        model.write_bytes(job.model)
        paths = [folder / f"{name}.{i}.npy" for i in range(len(job.inputs))]
        for path, array in zip(paths, job.inputs, strict=True):
            np.save(path, array)
        output = folder / f"{name}.npz"
        tasks.append(
            {"model": str(model), "inputs": list(map(str, paths)), "options": job.options, "output": str(output)}
        )
    run("run_ops.py", runtime, tasks=tasks)
    return {name: _load(Path(task["output"])) for name, task in zip(jobs, tasks, strict=True)}


def _load(path: Path) -> Result:
    file = np.load(path)
    outputs = [file[f"output{i}"] for i in range(len(file.files) - 2)]
    text = str(file["report"])
    return Result(outputs, json.loads(text) if text else {}, str(file["error"]))
