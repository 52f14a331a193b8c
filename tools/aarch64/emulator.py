"""Programs for 64-bit ARM on this machine: qemu, and the environment that setup.sh beside this file makes for it.

The emulated CPU is a Cortex-A72: ARMv8.0 without dot products and float16 arithmetic, so that an instruction beyond
ARMv8.0 ends the program.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-aarch64"
PROFILE = ENVIRONMENT / "profile"
RUNTIMES = ("ai_edge_litert", "tflite_runtime")
CPU = "cortex-a72"


def missing() -> str:
    """Why programs for aarch64 cannot be built or run here; empty if they can."""
    for tool in ("qemu-aarch64", "aarch64-linux-gnu-g++"):
        if shutil.which(tool) is None:
            return f"needs {tool}, which `make setup-aarch64` installs"
    if not (ENVIRONMENT / ".setup-stamp").exists():
        return f"needs {ENVIRONMENT}, which `make setup-aarch64` makes; if it did not, its output says why"
    return ""


def qemu(*options: str) -> list[str]:
    """The command that a program for aarch64 is given to; `options` are further ones of qemu."""
    return [shutil.which("qemu-aarch64") or "qemu-aarch64", "-cpu", CPU, "-L", str(PROFILE), *options]


def python(runtime: str, *options: str, package: Path | None = None) -> list[str]:
    """The emulated Python that has `runtime`, and the mcpruner in the folder `package`; `options` are qemu's."""
    folders = [str(folder) for folder in (package, ENVIRONMENT / runtime) if folder is not None]
    variables = {
        "PYTHONHOME": f"{PROFILE}/usr",  # not this machine's modules
        "PYTHONPATH": ":".join(folders),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    settings = [item for name, value in variables.items() for item in ("-E", f"{name}={value}")]
    return [*qemu(*settings, *options), f"{PROFILE}/usr/bin/python3.11"]
