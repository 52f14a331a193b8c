"""Lets allocations of the plugin fail in turn, in LiteRT, and uses the same interpreter again.

Usage: LD_PRELOAD=failing_new.so python out_of_memory.py PLUGIN MODEL.tflite STEP. Every STEP-th fails, once and for
good. Prints how many there are, and a line for each after which the interpreter did not give the right numbers.
"""

import ctypes
import re
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

BATCHES = (1, 2)
PRELOADED = ctypes.CDLL(None)


def fail(number: int, from_then_on: bool, plugin: str) -> None:
    """From now on, the plugin's allocation `number` fails; -1: none does."""
    mapped = re.findall(rf"^(\w+)-(\w+) .*{re.escape(Path(plugin).name)}$", Path("/proc/self/maps").read_text(), re.M)
    begin, end = int(mapped[0][0], 16), int(mapped[-1][1], 16)
    PRELOADED.fail_allocation(ctypes.c_long(number), int(from_then_on), ctypes.c_size_t(begin), ctypes.c_size_t(end))


class App:
    """What has been made stays when a later part fails."""

    def __init__(self, plugin: str, model: str) -> None:
        self.plugin, self.model = plugin, model
        self.delegate: object | None = None
        self.interpreter: Interpreter | None = None

    def run(self) -> list[np.ndarray]:
        """The output for each batch size."""
        if self.delegate is None:
            self.delegate = load_delegate(self.plugin, {"num_threads": "2", "verbosity": "0"})
        if self.interpreter is None:
            self.interpreter = Interpreter(self.model, experimental_delegates=[self.delegate], num_threads=1)
        return [self._infer(self.interpreter, batch) for batch in BATCHES]

    @staticmethod
    def _infer(interpreter: Interpreter, batch: int) -> np.ndarray:
        details = interpreter.get_input_details()[0]
        shape = [batch, *details["shape"][1:]]
        interpreter.resize_tensor_input(details["index"], shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(details["index"], np.random.default_rng(batch).random(shape, np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def check(app: App, expected: list[np.ndarray], number: int, from_then_on: bool) -> bool:
    """Fails one allocation (and those behind it), then uses and deletes all of it; whether there was one."""
    fail(number, from_then_on, app.plugin)
    sentence = ""
    try:
        app.run()
    except (RuntimeError, ValueError) as error:
        sentence = str(error)
    failed = PRELOADED.allocations() > number
    fail(-1, False, app.plugin)
    if sentence and "out of memory" not in sentence:
        print(f"allocation {number}, for good {from_then_on}: {sentence}")
    outputs = app.run()
    if not all(np.array_equal(a, b) for a, b in zip(outputs, expected, strict=True)):
        print(f"allocation {number}, for good {from_then_on}: other numbers")
    fail(0, True, app.plugin)
    app.interpreter = app.delegate = None
    fail(-1, False, app.plugin)
    return failed


def main(plugin: str, model: str, step: str) -> None:
    """Both kinds of failure."""
    expected = App(plugin, model).run()
    for from_then_on in (False, True):
        number = 0
        while check(App(plugin, model), expected, number, from_then_on):
            number += int(step)
        print(f"failed {'for good' if from_then_on else 'once'}: {number}")


if __name__ == "__main__":
    main(*sys.argv[1:])
