"""Memory that runs out in a real runtime: what delegate/tflite/plugin/out_of_memory_test.cc does in the fake one."""

import os
import re
import subprocess
import sys
from pathlib import Path

from small_network import export

import mcpruner

FOLDER = Path(__file__).parent
STEP = 7  # of about 800 allocations; the C++ test takes each


def test_any_allocation_of_the_plugin_may_fail(tmp_path: Path) -> None:
    library = tmp_path / "failing_new.so"
    subprocess.run(
        ["g++", "-O1", "-std=c++17", "-shared", "-fPIC", FOLDER / "failing_new.cc", "-o", library], check=True
    )
    done = subprocess.run(
        [sys.executable, FOLDER / "out_of_memory.py", mcpruner.delegate_path(), export(tmp_path).sparse, str(STEP)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = re.fullmatch(r"failed once: (\d+)\nfailed for good: (\d+)\n", done.stdout)
    assert found, done.stdout[-4000:]
    assert min(int(number) for number in found.groups()) > 300
