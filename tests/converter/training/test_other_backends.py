"""The tests of training again, with Keras on JAX: a process has one backend, so they run in one of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def test_training_with_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs jax, which requirements.txt installs")
    # Most tests train the same few programs: each is compiled once, however quickly that went.
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", **cache}
    ways = ("a .keras file of the middle of an epoch", "BackupAndRestore listed first", "failed and tried again")
    steps = [f"test_steps.py::test_twenty_steps[{way}]" for way in ways]
    files = [str(HERE / name) for name in ("test_callback.py", "test_removed.py", "test_distill.py", *steps)]
    # Each of these precisions is a program of its own, and compiling one takes as long as ten other tests.
    fewer = ["-k", "not test_other_precision or mixed_bfloat16"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *fewer, *files]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=HERE.parents[2])
    assert run.returncode == 0, run.stdout[-4000:]
    assert "skipped" not in run.stdout
