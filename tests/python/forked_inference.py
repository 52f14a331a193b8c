"""Runs a packed model, forks as multiprocessing does, and uses and deletes the interpreter in the child and the parent.

Usage: python forked_inference.py MODEL.tflite. Prints one line when all of it gave the same numbers. A process of its
own, since a test's process has threads of other libraries, which a fork may find at work.
"""

import multiprocessing
import sys

import ai_edge_litert.interpreter
import numpy as np

import mcpruner

TIMEOUT = 60  # seconds; a child that waits for threads that are not there would wait for ever


class Runner:
    """An interpreter whose plugin has threads of its own."""

    def __init__(self, path: str) -> None:
        self.interpreter = mcpruner.Interpreter(path, num_threads=3, runtime=ai_edge_litert.interpreter)
        self.run(1)

    def run(self, batch: int) -> np.ndarray:
        """The output for numbers that depend on the batch only."""
        details = self.interpreter.get_input_details()[0]
        shape = [batch, *details["shape"][1:]]
        self.interpreter.resize_tensor_input(details["index"], shape)
        self.interpreter.allocate_tensors()
        x = np.random.default_rng(batch).standard_normal(shape).astype(np.float32)
        self.interpreter.set_tensor(details["index"], x)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])


def use(path: str, runner: Runner, expected: dict[int, np.ndarray]) -> None:
    """Runs the inherited interpreter, deletes it, and makes another one."""
    for batch in (1, 2):
        np.testing.assert_array_equal(runner.run(batch), expected[batch])
    del runner.interpreter
    np.testing.assert_array_equal(Runner(path).run(1), expected[1])


def main(path: str) -> None:
    """Two children, one after the other, then the parent."""
    runner = Runner(path)
    expected = {batch: runner.run(batch) for batch in (1, 2)}
    for _ in range(2):
        child = multiprocessing.get_context("fork").Process(target=use, args=(path, runner, expected))
        child.start()
        child.join(TIMEOUT)
        if child.exitcode is None:
            child.kill()
        assert child.exitcode == 0, f"the child ended with {child.exitcode}"
    use(path, runner, expected)
    print("the same numbers in all processes")


if __name__ == "__main__":
    main(sys.argv[1])
