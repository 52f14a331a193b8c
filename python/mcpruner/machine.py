"""What a measurement needs beside its number: the machine, the date and the commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path


def birth_certificate() -> dict[str, str]:
    """``machine``, ``date`` (UTC, to the second) and ``commit`` of a measurement made now."""
    return {
        "machine": machine_name(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit(),
    }


def machine_name() -> str:
    """Processor, architecture, usable cores and system, in one line."""
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {platform.machine()}, {cores} cores, {platform.system()} {platform.release()}"


def _processor() -> str:
    """The processor as /proc/cpuinfo names it; ARM kernels give only numbers, which are better than nothing."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or "unknown processor"
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    if "model name" in named:
        return named["model name"]
    if "Hardware" in named:
        return named["Hardware"]
    return f"CPU implementer {named.get('CPU implementer', '?')} part {named.get('CPU part', '?')}"


def commit() -> str:
    """Commit of the source tree this package runs from (with ``-dirty``), or the installed version outside of one."""
    folder = Path(__file__).resolve().parents[2]
    if (folder / ".git").exists():
        command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return result.stdout.strip()
    try:
        return f"mcpruner {metadata.version('mcpruner')}"
    except metadata.PackageNotFoundError:
        return "unknown"
