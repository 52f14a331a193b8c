"""The plugin in a process that forks, as Python's multiprocessing does on Linux."""

import subprocess
import sys
from pathlib import Path

from small_network import Files

SCRIPT = Path(__file__).with_name("forked_inference.py")


def test_a_forked_child_runs_and_deletes_what_it_inherits(files: Files) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, files.sparse], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the same numbers in all processes\n"
