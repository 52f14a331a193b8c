"""The C++ tests, built for aarch64 and run under qemu by Bazel, which keeps the results of what has not changed."""

from __future__ import annotations

import shlex
import subprocess

import emulator
import pytest


@pytest.mark.timeout(1800)
def test_cpp_tests_pass_under_emulation(pytestconfig: pytest.Config) -> None:
    """Kernels of each instruction set against the reference, golden blobs, the delegate on a fake runtime.

    With ``--long`` all others too: graphs, parsing and lowering do the same on every processor.
    """
    command = ["bazel", "test", "--config=aarch64", "--noshow_progress", f"--run_under={shlex.join(emulator.qemu())}"]
    # Tagged native: what takes long and is the same on every processor.
    command.append("--test_tag_filters=-native")
    # For tests that an emulator cannot run and the processor can: they skip and say why.
    command.append("--test_env=MCPRUNER_EMULATED=1")
    # No emulated program has an OpenCL device, and what the backend does on the host is the same on every processor.
    sample = ["//delegate/cpu/...", "//delegate/graph/weights/...", "//delegate/tflite/plugin/..."]
    everything = ["//delegate/...", "-//delegate/opencl/..."]
    command += ["--build_tests_only", "--", *(everything if pytestconfig.getoption("--long") else sample)]
    done = subprocess.run(command, cwd=emulator.ROOT, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "PASSED" in done.stdout
