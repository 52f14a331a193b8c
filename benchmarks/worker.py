"""One engine in a process of its own, told through a pipe what to do; both its ends are in this file.

Worker (driver's environment)          worker.py ENGINE MODEL THREADS INPUT.npy (the engine's environment)
                                 <-    {"engine": "name version"}     or {"error": "sentence"}
{"output": "FILE.npy"}           ->    one inference, its output as float32 [values] to the file; {}
{"runs": 3}                      ->    one inference that is not counted and three that are; {"ms": [...]}
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

PAUSE_SECONDS = 0.03  # until another engine's idle threads stop to spin; ncnn's do so for 20 ms


class EngineError(Exception):
    """The engine cannot run this model; the message says why."""


class Worker:
    """The driver's end.

    Parameters
    ----------
    python
        Of the engine's environment.
    engine, model, threads
        What to run: a name from engines.py and its file.
    inputs
        .npy file, float32 NCHW.

    Raises
    ------
    EngineError
        It does not load.
    """

    def __init__(self, python: Path, engine: str, model: Path, threads: int, inputs: Path) -> None:
        command = [str(python), __file__, engine, str(model), str(threads), str(inputs)]
        # What engines write on stderr about themselves is of no use to anybody; errors come through the pipe.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.engine: str = self._read()["engine"]

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def output(self, path: Path) -> np.ndarray:
        """Output of one inference, float32 [values]."""
        self._ask({"output": str(path)})
        return np.load(path)

    def block(self, runs: int) -> list[float]:
        """A `mcpruner.timing.TimedBlock`."""
        time.sleep(PAUSE_SECONDS)
        return self._ask({"runs": runs})["ms"]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        print(json.dumps(question), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"its process ended with status {self._process.wait()}"}
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer


def _serve(engine: str, model: str, threads: str, inputs: str) -> None:
    """The engine's end."""
    # Engines print to descriptor 1; the pipe moves out of their way.
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=pipe, flush=True)

    try:
        from engines import ENGINES

        name, run, output = ENGINES[engine](Path(model), int(threads), np.load(inputs))
        answer({"engine": name})
        for line in sys.stdin:
            question = json.loads(line)
            run()
            if "output" in question:
                np.save(question["output"], np.asarray(output(), np.float32).ravel())
                answer({})
                continue
            times = []
            for _ in range(question["runs"]):
                begin = time.perf_counter_ns()
                run()
                times.append((time.perf_counter_ns() - begin) / 1e6)
            answer({"ms": times})
    except Exception as error:  # the driver lists the engine with this reason and goes on
        answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    _serve(*sys.argv[1:])
