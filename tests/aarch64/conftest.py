"""The wheel for aarch64, which the tests of an emulated runtime take their plugin from, and the plugin with faults."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import emulator
import pytest


@pytest.fixture(scope="session", autouse=True)
def emulation() -> None:
    """Skip everything here, with the reason, where programs for aarch64 cannot be built or run."""
    if reason := emulator.missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def wheel(emulation: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree for aarch64."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel"]
    command += ["--no-deps", "--no-build-isolation", "-w", str(folder), str(emulator.ROOT)]
    subprocess.run(command, check=True, env={**os.environ, "_PYTHON_HOST_PLATFORM": "linux-aarch64"})
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def package(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content."""
    folder = tmp_path_factory.mktemp("package")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture(scope="session")
def plugin(package: Path) -> Path:
    """The plugin as the wheel carries it."""
    return package / "mcpruner" / "libmcpruner_delegate.so"


@pytest.fixture(scope="session")
def faults_plugin(emulation: None) -> Path:
    """The plugin whose option `fault` makes it fail, which no wheel carries."""
    target = "//delegate/tflite/testing:libmcpruner_faults.so"
    subprocess.run(["bazel", "build", "--config=aarch64", "--noshow_progress", target], cwd=emulator.ROOT, check=True)
    return emulator.ROOT / "out" / "aarch64-bin" / "delegate" / "tflite" / "testing" / "libmcpruner_faults.so"
